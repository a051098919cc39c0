/*
 * adapter_server.h: what the tests of Suno's and Stability's calls share: pools "suno" and "stability" of two keys
 * each, whose service is a server on 127.0.0.1 that keeps the last request and gives the answers it was told, in turn.
 */
#ifndef KB_TESTS_ADAPTER_SERVER_H
#define KB_TESTS_ADAPTER_SERVER_H

#include "http/call.h"
#include "segment/service_text.h"
#include "tests/kit/config.h"
#include "tests/kit/kit.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ANSWERS_MAX = 16, FORM_MAX = 65536 };

struct reply {
    unsigned status;
    const char *type, *body;
    const char *headers[4][2]; /* up to one without a name */
};

static struct kit kit;
static kb_client *client;
static kb_http *http;
static kb_call_result result;
static struct MHD_Daemon *server;
static struct reply replies[ANSWERS_MAX];
static atomic_uint requests, n_replies;
static char scratch[64];

/* The last request. */
static char uri[1024], method[16], body[FORM_MAX + 1], accept_header[100], type_header[200], organization[100],
    authorization[100], more_header[100];
static size_t body_len;

static inline void keep(char *out, size_t size, struct MHD_Connection *connection, const char *name)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
    snprintf(out, size, "%s", value != NULL ? value : "none");
}

static inline enum MHD_Result give(struct MHD_Connection *connection, const struct reply *reply)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(reply->body), (void *)reply->body, MHD_RESPMEM_MUST_COPY);
    if (reply->type != NULL)
        MHD_add_response_header(response, "Content-Type", reply->type);
    for (int i = 0; i < 4 && reply->headers[i][0] != NULL; i++)
        MHD_add_response_header(response, reply->headers[i][0], reply->headers[i][1]);
    enum MHD_Result queued = MHD_queue_response(connection, reply->status, response);
    MHD_destroy_response(response);
    return queued;
}

static inline void *log_uri(void *arg, const char *raw, struct MHD_Connection *connection)
{
    (void)arg, (void)connection;
    snprintf(uri, sizeof(uri), "%s", raw);
    return NULL;
}

static inline enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *path, const char *verb,
                                     const char *version, const char *data, size_t *data_len, void **state)
{
    (void)arg, (void)version, (void)path;
    static int begun;
    if (*state == NULL) {
        *state = &begun;
        body_len = 0;
        return MHD_YES;
    }
    if (*data_len > 0) {
        size_t room = FORM_MAX - body_len, len = *data_len < room ? *data_len : room;
        memcpy(body + body_len, data, len);
        body_len += len;
        *data_len = 0;
        return MHD_YES;
    }
    body[body_len] = '\0';
    snprintf(method, sizeof(method), "%s", verb);
    keep(accept_header, sizeof(accept_header), connection, "Accept");
    keep(type_header, sizeof(type_header), connection, "Content-Type");
    keep(organization, sizeof(organization), connection, "Organization");
    keep(authorization, sizeof(authorization), connection, "Authorization");
    keep(more_header, sizeof(more_header), connection, "X-More");
    unsigned number = requests++, last = n_replies - 1;
    return give(connection, &replies[number < last ? number : last]);
}

static inline void start_server(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    server = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, handle, NULL, MHD_OPTION_SOCK_ADDR,
                              &address, MHD_OPTION_URI_LOG_CALLBACK, log_uri, NULL, MHD_OPTION_END);
    cr_assert_not_null(server);
}

static inline void publish(unsigned pool, const char *service)
{
    char text[200];
    int port = MHD_get_daemon_info(server, MHD_DAEMON_INFO_BIND_PORT)->port;
    int len = snprintf(text, sizeof(text), "{\"service\":\"%s\",\"definition\":{\"base_url\":\"http://127.0.0.1:%d\"}}",
                       service, port);
    kb_service_text_write(kit.owner.segment.secrets, pool, text, (size_t)len);
}

static inline void begin(void)
{
    struct kb_keys_change change;
    const char *const proxies[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    for (size_t i = 0; i < sizeof(proxies) / sizeof(*proxies); i++)
        unsetenv(proxies[i]);
    strcpy(scratch, "/tmp/adapter_test.XXXXXX");
    cr_assert_not_null(mkdtemp(scratch));
    start_server();
    kit_start(&kit, 1);
    kit_config_begin();
    kit_config_pool("suno", "suno");
    kit_config_add(1);
    kit_config_add(2);
    kit_config_pool("stability", "stability");
    kit_config_add(3);
    kit_config_add(4);
    cr_assert_eq(kit_config_apply(&kit, &change), 0);
    cr_assert_eq(kb_open(kit.name, &client), 0);
    kb_pool_status status;
    cr_assert_eq(kb_status(client, "stability", &status), 0);
    for (unsigned pool = 0; pool < 3; pool++) /* the kit's first pool is gone, its place may be taken */
        if (strcmp(kit.state->pools[pool].name, "suno") == 0 || strcmp(kit.state->pools[pool].name, "stability") == 0)
            publish(pool, kit.state->pools[pool].name);
    cr_assert_eq(kb_http_open(client, &http), 0);
}

static inline void remove_scratch(void)
{
    DIR *dir = opendir(scratch);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    rmdir(scratch);
}

static inline void end(void)
{
    kb_call_result_clear(&result);
    kb_http_close(http);
    kb_close(client);
    MHD_stop_daemon(server);
    kit_stop(&kit);
    remove_scratch();
}

/* The answers to come, in turn; the last one stays. */
static inline void will_answer(struct reply reply)
{
    replies[n_replies++] = reply;
}

static inline void will_say(const char *json)
{
    will_answer((struct reply){.status = 200, .type = "application/json", .body = json});
}

static inline const char *in_scratch(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", scratch, name);
    return path;
}

static inline const char *make_file(const char *name, size_t size)
{
    const char *path = in_scratch(name);
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    cr_assert(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
    close(fd);
    return path;
}

#define RUN(name, ...)                                                                                                 \
    run_call(name, (const kb_call_arg[]){__VA_ARGS__}, sizeof((const kb_call_arg[]){__VA_ARGS__}) / sizeof(kb_call_arg))

static inline int run_call(const char *name, const kb_call_arg *args, size_t count)
{
    kb_call_result_clear(&result);
    return kb_call_run(http, name, args, count, NULL, &result);
}

static inline void succeeded(int code, const char *findings)
{
    cr_assert_eq(code, 0, "%d: %s", code, result.answer.error);
    cr_assert_eq(result.answer.outcome, KB_OUTCOME_OK, "%s: %s", result.answer.rule, result.answer.error);
    cr_assert_not_null(result.findings);
    cr_assert_str_eq(result.findings, findings);
}

/* Refused before a key was claimed, for a reason that begins so. */
static inline void refused(int code, const char *reason)
{
    cr_assert_eq(code, KB_EINVAL, "%d, not refused: %s", code, reason);
    cr_assert_not_null(result.answer.error);
    cr_assert(strncmp(result.answer.error, reason, strlen(reason)) == 0, "'%s' is not '%s'", result.answer.error,
              reason);
    cr_assert_eq(result.answer.attempts, 0);
    cr_assert_eq(requests, 0);
}

static inline const char *content_of(const char *path)
{
    static char content[1000];
    FILE *in = fopen(path, "r");
    if (in == NULL)
        return NULL;
    content[fread(content, 1, sizeof(content) - 1, in)] = '\0';
    fclose(in);
    return content;
}

/* The part of the form of this name: its content. */
static inline const char *part(const char *name)
{
    static char content[1000];
    char head[100];
    snprintf(head, sizeof(head), "name=\"%s\"", name);
    char *at = strstr(body, head);
    char *start = at != NULL ? strstr(at, "\r\n\r\n") : NULL, *stop = start != NULL ? strstr(start, "\r\n--") : NULL;
    if (stop == NULL)
        return NULL;
    snprintf(content, sizeof(content), "%.*s", (int)(stop - start - 4), start + 4);
    return content;
}

static inline void has_part(const char *name, const char *content)
{
    cr_assert_not_null(part(name), "no part %s", name);
    cr_assert_str_eq(part(name), content);
}

static inline unsigned parts(void)
{
    unsigned count = 0;
    for (const char *at = body; (at = strstr(at, "form-data; name=")) != NULL; at++)
        count++;
    return count;
}

static inline const char *small_file(const char *name, const char *content)
{
    const char *path = make_file(name, 0);
    FILE *out = fopen(path, "w");
    fputs(content, out);
    fclose(out);
    return path;
}

static inline void will_send_image(const char *type, const char *seed, const char *reason)
{
    will_answer((struct reply){
        .status = 200, .type = type, .body = "IMAGE", .headers = {{"seed", seed}, {"finish-reason", reason}}});
}

#endif
