/*
 * upstream: an HTTP API on 127.0.0.1 that knows a handful of keys, for the demo and the tests.
 *
 * Each key is in a state (good, revoked, rate, …: --help lists them) that decides the answer to a
 * request with it, whatever its method and path, and may be changed while it runs; answers may be scripted, and
 * what was sent looked at (admin.h). A key comes as bearer token, or where --key-header and --key-query say.
 * Answers name a key by NAME, never by its secret; only the state echo and {KEY} in a script, made for it, give it
 * away.
 * It ends by itself: after --life seconds, when its parent dies, on SIGTERM, SIGINT and SIGHUP.
 */
#include "answer.h"
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define LIFE_MAX        3600  /* seconds */
#define DELAY_MAX       60000 /* milliseconds */
#define CONNECTIONS_MAX 512

static const char USAGE[] =
    "usage: upstream [--port N] [--key NAME=SECRET:STATE]... [--keys-file FILE] [--delay-ms N] [--life SECONDS]\n"
    "                [--key-header NAME] [--key-query NAME]\n"
    "  --port N       listen there on 127.0.0.1; 0, the default, is any free port\n"
    "  --key, --keys-file  the keys (at most 256), in the file one a line\n"
    "  --key-header, --key-query NAME  a header or query parameter that may hold the key, besides the bearer token\n"
    "  --delay-ms N   wait so long before each answer (default 0, at most 60000)\n"
    "  --life N       end by itself after N seconds (default 60, at most 3600)\n"
    "Prints 'listening PORT' when ready. A STATE is one of:\n"
    "  good 200; revoked 401; forbidden 403; rate 429 with Retry-After: 1; credits 402;\n"
    "  suno-credits 200 with code 429 in the body; error 500; slow 200 after 3 s;\n"
    "  drop breaks off mid-body; echo 401 with the secret in its body; redirect 302\n";

struct options {
    uint16_t port;
    int delay_ms;
    int life_s;
    const char *key_header, *key_query;
};

static _Noreturn void usage_error(const char *what, const char *where)
{
    fprintf(stderr, "upstream: %s: %s\n%s", where, what, USAGE);
    exit(2);
}

static int number(const char *text, int max, const char *option)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno || end == text || *end || value < 0 || value > max)
        usage_error("not a number in range", option);
    return (int)value;
}

static void load_keys(struct kb_upstream_keys *keys, const char *path)
{
    unsigned line;
    const char *wrong = kb_upstream_keys_load(keys, path, &line);
    if (!wrong)
        return;
    fprintf(stderr, "upstream: %s:%u: %s\n", path, line, wrong);
    exit(1);
}

static struct options parse_options(int argc, char **argv, struct kb_upstream_keys *keys)
{
    static const struct option LONG[] = {
        {"port", required_argument, NULL, 'p'},
        {"key", required_argument, NULL, 'k'},
        {"keys-file", required_argument, NULL, 'f'},
        {"key-header", required_argument, NULL, 'H'},
        {"key-query", required_argument, NULL, 'q'},
        {"delay-ms", required_argument, NULL, 'd'},
        {"life", required_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {.port = 0, .delay_ms = 0, .life_s = 60};
    const char *wrong;
    int c;
    while ((c = getopt_long(argc, argv, "h", LONG, NULL)) != -1) {
        switch (c) {
        case 'p':
            options.port = (uint16_t)number(optarg, UINT16_MAX, "--port");
            break;
        case 'k':
            wrong = kb_upstream_keys_add(keys, optarg, strlen(optarg));
            if (wrong)
                usage_error(wrong, "--key");
            break;
        case 'f':
            load_keys(keys, optarg);
            break;
        case 'H':
            options.key_header = optarg;
            break;
        case 'q':
            options.key_query = optarg;
            break;
        case 'd':
            options.delay_ms = number(optarg, DELAY_MAX, "--delay-ms");
            break;
        case 'l':
            options.life_s = number(optarg, LIFE_MAX, "--life");
            break;
        case 'h':
            fputs(USAGE, stdout);
            exit(0);
        default:
            fputs(USAGE, stderr);
            exit(2);
        }
    }
    if (optind < argc)
        usage_error("no such argument", argv[optind]);
    return options;
}

static struct MHD_Daemon *start(struct kb_upstream *upstream, uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    /* A thread a connection: answers may sleep, and a test server's connections are few. */
    return MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, port, NULL,
                            NULL, kb_upstream_handle, upstream, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
                            MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_CONNECTION_LIMIT,
                            (unsigned)CONNECTIONS_MAX, MHD_OPTION_NOTIFY_COMPLETED, kb_upstream_completed, upstream,
                            MHD_OPTION_NOTIFY_CONNECTION, kb_upstream_connection, upstream, MHD_OPTION_END);
}

static bool announce(struct MHD_Daemon *daemon)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info && printf("listening %u\n", info->port) > 0 && fflush(stdout) == 0;
}

/* Blocks the signals that end the server, so that only the wait below takes them. */
static void block_signals(sigset_t *ends)
{
    sigemptyset(ends);
    sigaddset(ends, SIGTERM);
    sigaddset(ends, SIGINT);
    sigaddset(ends, SIGHUP);
    pthread_sigmask(SIG_BLOCK, ends, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void wait_for_end(const sigset_t *ends, int life_s)
{
    struct timespec end, now, left;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += life_s;
    do {
        clock_gettime(CLOCK_MONOTONIC, &now);
        left.tv_sec = end.tv_sec - now.tv_sec;
        left.tv_nsec = end.tv_nsec - now.tv_nsec;
        if (left.tv_nsec < 0) {
            left.tv_sec--;
            left.tv_nsec += 1000000000;
        }
    } while (left.tv_sec >= 0 && sigtimedwait(ends, NULL, &left) < 0 && errno == EINTR);
}

int main(int argc, char **argv)
{
    pid_t parent = getppid();
    sigset_t ends;
    block_signals(&ends);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        return 0;                                   /* the parent died before it could be watched */
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); /* no secret in a core dump */

    struct kb_upstream upstream = {.keys = kb_upstream_keys_new(),
                                   .scripts = kb_upstream_scripts_new(),
                                   .log = kb_upstream_log_new(),
                                   .stop_fd = eventfd(0, EFD_CLOEXEC)};
    if (!upstream.keys || !upstream.scripts || !upstream.log || upstream.stop_fd < 0) {
        fprintf(stderr, "upstream: no memory or file descriptors left\n");
        return 1;
    }
    struct options options = parse_options(argc, argv, upstream.keys);
    upstream.delay_ms = options.delay_ms;
    upstream.key_header = options.key_header;
    upstream.key_query = options.key_query;
    struct MHD_Daemon *daemon = start(&upstream, options.port);
    int status = 1;
    if (!daemon) {
        fprintf(stderr, "upstream: cannot listen on 127.0.0.1:%u\n", options.port);
    } else if (!announce(daemon)) {
        fprintf(stderr, "upstream: cannot write to stdout\n");
    } else {
        wait_for_end(&ends, options.life_s);
        status = 0;
    }
    eventfd_write(upstream.stop_fd, 1);
    if (daemon)
        MHD_stop_daemon(daemon);
    close(upstream.stop_fd);
    kb_upstream_log_free(upstream.log);
    kb_upstream_scripts_free(upstream.scripts);
    kb_upstream_keys_free(upstream.keys);
    return status;
}
