#include "server.h"

#include "tests/kit/child.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { OPTIONS_MAX = 32, ANSWER_MAX = 4 << 20 };

static const char *server_path(void)
{
    static char path[512];
    const char *folder = getenv("KB_BUILD");
    if (!folder)
        folder = getenv("BUILD");
    snprintf(path, sizeof path, "%s/tests/upstream/upstream", folder ? folder : "build");
    return path;
}

bool server_there(void)
{
    return access(server_path(), X_OK) == 0;
}

struct launch {
    const char *const *options;
    int out;
};

static int run(void *arg)
{
    const struct launch *launch = arg;
    const char *argv[OPTIONS_MAX + 4] = {"upstream", "--life", "120"};
    for (int i = 0; i < OPTIONS_MAX && launch->options[i]; i++)
        argv[3 + i] = launch->options[i];
    if (dup2(launch->out, STDOUT_FILENO) < 0)
        return 99;
    execv(server_path(), (char *const *)(uintptr_t)argv);
    return 99;
}

void server_start(struct server *server, const char *const *options)
{
    char text[64] = "";
    size_t length = 0;
    ssize_t n = 1;
    int out[2];
    if (pipe2(out, O_CLOEXEC) != 0)
        abort();
    struct launch launch = {options, out[1]};
    server->pid = kit_fork(run, &launch);
    close(out[1]);
    struct pollfd wait = {.fd = out[0], .events = POLLIN};
    while (n > 0 && !strchr(text, '\n') && length < sizeof text - 1 && poll(&wait, 1, KIT_LIMIT_MS) > 0) {
        n = read(out[0], text + length, sizeof text - 1 - length);
        length += n > 0 ? (size_t)n : 0;
    }
    close(out[0]);
    if (sscanf(text, "listening %u\n", &server->port) != 1) {
        fprintf(stderr, "server: %s does not start\n", server_path());
        abort();
    }
}

void server_stop(struct server *server)
{
    if (server->pid > 0)
        kit_kill(server->pid, true);
    server->pid = 0;
}

static int connect_to(const struct server *server)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)server->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval limit = {.tv_sec = KIT_LIMIT_MS / 1000};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static bool send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        const ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

/* Everything up to the end of the connection, with a final NUL; NULL if there is too much. */
static char *read_all(int fd)
{
    char *text = malloc(ANSWER_MAX + 1);
    size_t length = 0;
    ssize_t n;
    while (text && length < ANSWER_MAX && (n = recv(fd, text + length, ANSWER_MAX - length, 0)) > 0)
        length += (size_t)n;
    if (text)
        text[length] = '\0';
    return text;
}

char *server_ask(const struct server *server, const char *method, const char *path, const char *body, size_t len)
{
    char head[4096];
    const int fd = connect_to(server);
    if (fd < 0)
        return NULL;
    const int n = snprintf(head, sizeof head, "%s %s HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Length: %zu\r\n\r\n",
                           method, path, len);
    const bool sent = n > 0 && (size_t)n < sizeof head && send_all(fd, head, (size_t)n) && send_all(fd, body, len);
    char *text = sent ? read_all(fd) : NULL;
    close(fd);
    const char *start = text ? strstr(text, "\r\n\r\n") : NULL;
    char *answer =
        start && strncmp(text, "HTTP/1.", 7) == 0 && strncmp(text + 8, " 200 ", 5) == 0 ? strdup(start + 4) : NULL;
    free(text);
    return answer;
}

static void direct(const struct server *server, const char *method, const char *path, const char *body, size_t len)
{
    char *answer = server_ask(server, method, path, body, len);
    if (!answer) {
        fprintf(stderr, "server: %s %s is refused\n", method, path);
        abort();
    }
    free(answer);
}

void server_set(const struct server *server, const char *key, const char *state)
{
    char path[128];
    snprintf(path, sizeof path, "/admin/key/%s?state=%s", key, state);
    direct(server, "POST", path, "", 0);
}

void server_script_bytes(const struct server *server, const char *arguments, const char *body, size_t len)
{
    char path[2048];
    snprintf(path, sizeof path, "/admin/answer?%s", arguments);
    direct(server, "POST", path, body, len);
}

void server_script(const struct server *server, const char *arguments, const char *body)
{
    server_script_bytes(server, arguments, body, strlen(body));
}

void server_unscript(const struct server *server)
{
    direct(server, "DELETE", "/admin/answer", "", 0);
}

/* The number behind "figure": in the text from `from` on. */
static uint64_t figure_in(const char *from, const char *figure)
{
    char name[64];
    snprintf(name, sizeof name, "\"%s\":", figure);
    const char *at = from ? strstr(from, name) : NULL;
    if (!at) {
        fprintf(stderr, "server: no figure %s\n", figure);
        abort();
    }
    return strtoull(at + strlen(name), NULL, 10);
}

uint64_t server_stat(const struct server *server, const char *key, const char *figure)
{
    char name[64];
    snprintf(name, sizeof name, "\"%s\":{\"state\":", key);
    char *stats = server_ask(server, "GET", "/admin/stats", "", 0);
    const uint64_t value = figure_in(stats ? strstr(stats, name) : NULL, figure);
    free(stats);
    return value;
}

uint64_t server_count(const struct server *server, const char *figure)
{
    char *stats = server_ask(server, "GET", "/admin/stats", "", 0);
    const uint64_t value = figure_in(stats, figure);
    free(stats);
    return value;
}

char *server_log(const struct server *server)
{
    char *log = server_ask(server, "GET", "/admin/log", "", 0);
    if (!log)
        abort();
    return log;
}
