/*
 * keypool: a pool of worker processes that send HTTP jobs with a broker's keys.
 */
#include "keypool/master.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <unistd.h>

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_NO_BROKER = 3, EXIT_NO_POOL = 4 };

#define SECONDS_MAX      86400
#define WORKERS_PER_CORE 4
#define WORKERS_DEFAULT  64 /* at most, where -w says nothing */

static const char usage[] =
    "usage: keypool [-n NAME] [-w WORKERS] [-t SECONDS] [--timeout SECONDS] POOL <jobs.jsonl >results.jsonl\n";

static const char help[] =
    "Sends HTTP jobs with the keys of POOL, many at a time, and writes one result for each.\n"
    "\n"
    "  -n, --name NAME        the broker (default: $KEYBROKER_NAME, else \"keybroker\")\n"
    "  -w, --workers WORKERS  worker processes, 1..256 (default: 4 a core, at most 64)\n"
    "  -t, --wait SECONDS     wait for keys at most this long in all for a job, 0..86400 (default: 30)\n"
    "      --timeout SECONDS  time of one request, 1..86400 (default: 60; of a call its own, for images 180)\n"
    "  -h, --help             this text\n"
    "      --version          the version\n"
    "\n"
    "A job is a line {\"url\":URL} and, if needed, \"id\", \"method\", \"headers\":{NAME:VALUE},\n"
    "\"json\":VALUE or \"body\":TEXT, and \"out\":FILE for the body of a good answer. The URL may be a path\n"
    "below the base URL of the pool's service, which also says how the key is sent (as bearer token if\n"
    "nothing else is configured). A job may also be a call, and all else on its line the call's arguments,\n"
    "as keycall lists them: {\"call\":\"suno.generate_music\",\"title\":TEXT,\"description\":TEXT}.\n"
    "\n"
    "Results come in the order in which jobs end, each on one line:\n"
    "  {\"id\",\"line\",\"status\",\"fingerprint\",\"attempts\",\"outcome\",\"ms\",\"body\"|\"body_base64\"|\"out\"}\n"
    "with \"rule\" (what decided an outcome that is not ok), \"error\" and \"ambiguous\":true where they\n"
    "apply. A call has \"findings\":{...} in place of its body. An ambiguous job may have been carried out,\n"
    "and may have been billed; keypool never sends it again. The outcome is ok, auth, quota, rate,\n"
    "transient, client or not_started.\n"
    "\n"
    "SIGINT and SIGTERM finish what is in flight and report as not started all else of a file, or what is\n"
    "there to be read of a pipe; a second one kills it. \"attempts\" is null if a worker died.\n"
    "Exit codes: 0 every job was answered, whatever its outcome; 1 failed, or a job was\n"
    "not started; 2 usage; 3 no broker; 4 no such pool; 128 + signal when interrupted.\n";

static int fail_usage(const char *what)
{
    fprintf(stderr, "keypool: %s\n%s", what, usage);
    return EXIT_USAGE;
}

/* A whole number within [least, most]; false for any other text. */
static bool read_number(const char *text, int least, int most, int *out)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || value < least || value > most)
        return false;
    *out = (int)value;
    return true;
}

static int default_workers(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return (int)MIN(MAX(cores, 1) * WORKERS_PER_CORE, WORKERS_DEFAULT);
}

enum { OPTION_TIMEOUT = 256, OPTION_VERSION };

/* Returns -1 to go on, or the exit code. */
static int read_options(int argc, char **argv, const char **name, struct kb_settings *settings)
{
    static const struct option options[] = {{"name", required_argument, NULL, 'n'},
                                            {"workers", required_argument, NULL, 'w'},
                                            {"wait", required_argument, NULL, 't'},
                                            {"timeout", required_argument, NULL, OPTION_TIMEOUT},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, OPTION_VERSION},
                                            {NULL, 0, NULL, 0}};
    int option, wait = 30, timeout = 0;
    *settings = (struct kb_settings){.workers = default_workers()};
    while ((option = getopt_long(argc, argv, "n:w:t:h", options, NULL)) != -1) {
        switch (option) {
        case 'n':
            *name = optarg;
            break;
        case 'w':
            if (!read_number(optarg, 1, KB_WORKERS_MAX, &settings->workers))
                return fail_usage("the number of workers is none of 1..256");
            break;
        case 't':
            if (!read_number(optarg, 0, SECONDS_MAX, &wait))
                return fail_usage("the wait is none of 0..86400 seconds");
            break;
        case OPTION_TIMEOUT:
            if (!read_number(optarg, 1, SECONDS_MAX, &timeout))
                return fail_usage("the timeout is none of 1..86400 seconds");
            break;
        case 'h':
            printf("%s\n%s", usage, help);
            return fflush(stdout) == 0 ? 0 : EXIT_FAILED;
        case OPTION_VERSION:
            printf("keypool %s\n", kb_version());
            return fflush(stdout) == 0 ? 0 : EXIT_FAILED;
        default:
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    if (argc - optind != 1)
        return fail_usage("one POOL is needed");
    settings->pool = argv[optind];
    settings->wait_ms = wait * 1000;
    settings->timeout_ms = timeout > 0 ? timeout * 1000 : KB_HTTP_TIMEOUT_MS;
    settings->call_timeout_ms = timeout * 1000;
    return -1;
}

static int exit_code(int code)
{
    switch (code) {
    case KB_OK:
        return 0;
    case KB_EINVAL:
        return EXIT_USAGE;
    case KB_ENOBROKER:
        return EXIT_NO_BROKER;
    case KB_EPOOL:
        return EXIT_NO_POOL;
    default:
        return EXIT_FAILED;
    }
}

/* Opens the broker, and sees that it has the pool before anything is read. */
static int open_pool(const char *name, struct kb_settings *settings)
{
    kb_pool_status status;
    int code = kb_open(name, &settings->client);
    if (code == 0)
        code = kb_status(settings->client, settings->pool, &status);
    if (code != 0)
        fprintf(stderr, "keypool: %s: %s\n", code == KB_EPOOL ? settings->pool : "broker", kb_strerror(code));
    return code;
}

/* A descriptor that is closed would be given to the next thing opened, and results written into it. */
static bool has_standard_files(void)
{
    if (fcntl(STDERR_FILENO, F_GETFD) < 0)
        return false;
    bool complete = fcntl(STDIN_FILENO, F_GETFD) >= 0 && fcntl(STDOUT_FILENO, F_GETFD) >= 0;
    if (!complete)
        fputs("keypool: standard input or output is closed\n", stderr);
    return complete;
}

int main(int argc, char **argv)
{
    const char *name = NULL;
    struct kb_settings settings;
    if (!has_standard_files())
        return EXIT_FAILED;
    int code = read_options(argc, argv, &name, &settings);
    if (code >= 0)
        return code;
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGCHLD, SIG_DFL);
    code = exit_code(open_pool(name, &settings));
    /* Before the workers are forked, who then share what it set up. */
    if (code == 0 && kb_http_open(settings.client, &settings.http) != 0) {
        fputs("keypool: libcurl cannot be used\n", stderr);
        code = EXIT_FAILED;
    }
    if (code == 0)
        code = kb_master_run(&settings);
    kb_http_close(settings.http);
    kb_close(settings.client);
    return code;
}
