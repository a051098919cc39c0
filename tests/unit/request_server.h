/*
 * request_server.h: what the tests of requests share: a server on 127.0.0.1 for each test, told by
 * the path what to do:
 *     /echo      200 with what came: method, body, header X-Test, content type, the secret
 *     /refuse    401 with the bearer token in its text      /busy   429, Retry-After: 7
 *     /gzip      401, the same text in gzip                 /away   302 to another host
 *     /silent    takes the request and breaks the connection without an answer
 *     /half      promises more than it sends, then breaks the connection
 *     /hang      does not answer before the test ends
 *     anything else: 200 "fine"
 */
#ifndef KB_TESTS_REQUEST_SERVER_H
#define KB_TESTS_REQUEST_SERVER_H

#include "http/request.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <microhttpd.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECRET     "sk-secret/with+signs"
#define SECRET_LEN (sizeof(SECRET) - 1)
#define HANG_MS    300 /* a request's timeout where the server never answers */

static struct MHD_Daemon *server;
static sem_t test_over;
static atomic_uint requests, connections;
static CURL *easy;
static char scratch[64]; /* a folder of the test's own */

/* gzip of "bad key: sk-secret/with+signs" */
static const unsigned char coded[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4b, 0x4a, 0x4c,
                                      0x51, 0xc8, 0x4e, 0xad, 0xb4, 0x52, 0x28, 0xce, 0xd6, 0x2d, 0x4e, 0x4d, 0x2e,
                                      0x4a, 0x2d, 0xd1, 0x2f, 0xcf, 0x2c, 0xc9, 0xd0, 0x2e, 0xce, 0x4c, 0xcf, 0x2b,
                                      0x06, 0x00, 0x9b, 0x40, 0xff, 0xc5, 0x1d, 0x00, 0x00, 0x00};

struct upload {
    char bytes[256];
    size_t len;
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *name, const char *value,
                              const void *body, size_t len)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(len, (void *)body, MHD_RESPMEM_MUST_COPY);
    if (name != NULL)
        MHD_add_response_header(response, name, value);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static const char *header_of(struct MHD_Connection *connection, const char *name)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
    return value != NULL ? value : "none";
}

static enum MHD_Result echo(struct MHD_Connection *connection, const char *method, const struct upload *upload)
{
    char text[1024];
    int len = snprintf(text, sizeof(text), "%s [%.*s] test=%s type=%s expect=%s length=%s %s", method, (int)upload->len,
                       upload->bytes, header_of(connection, "X-Test"), header_of(connection, "Content-Type"),
                       header_of(connection, "Expect"), header_of(connection, "Content-Length"),
                       header_of(connection, "Authorization"));
    return answer(connection, 200, NULL, NULL, text, (size_t)len);
}

static ssize_t send_half(void *arg, uint64_t at, char *buffer, size_t size)
{
    (void)arg;
    if (at > 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    memset(buffer, 'x', size < 100 ? size : 100);
    return size < 100 ? (ssize_t)size : 100;
}

static enum MHD_Result half(struct MHD_Connection *connection, unsigned status)
{
    struct MHD_Response *response = MHD_create_response_from_callback(1000, 100, send_half, NULL, NULL);
    MHD_add_response_header(response, "Retry-After", "7");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection)
{
    char text[256];
    const char *given = header_of(connection, "Authorization");
    int len = snprintf(text, sizeof(text), "{\"message\":\"bad key: %s, I say %s\"}", given, given);
    return answer(connection, 401, NULL, NULL, text, (size_t)len);
}

static enum MHD_Result serve(struct MHD_Connection *connection, const char *path, const char *method,
                             const struct upload *upload)
{
    requests++;
    if (strcmp(path, "/echo") == 0)
        return echo(connection, method, upload);
    if (strcmp(path, "/refuse") == 0)
        return refuse(connection);
    if (strcmp(path, "/gzip") == 0)
        return answer(connection, 401, "Content-Encoding", "gzip", coded, sizeof(coded));
    if (strcmp(path, "/busy") == 0)
        return answer(connection, 429, "Retry-After", "7", "later", 5);
    if (strcmp(path, "/away") == 0)
        return answer(connection, 302, "Location", "/echo", "gone", 4);
    if (strcmp(path, "/silent") == 0)
        return MHD_NO;
    if (strcmp(path, "/half") == 0)
        return half(connection, 200);
    if (strcmp(path, "/half-busy") == 0)
        return half(connection, 429);
    if (strcmp(path, "/half-error") == 0)
        return half(connection, 500);
    if (strcmp(path, "/hang") == 0)
        sem_wait(&test_over);
    return answer(connection, 200, NULL, NULL, "fine", 4);
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *data, size_t *data_len, void **state)
{
    (void)arg, (void)version;
    struct upload *upload = *state;
    if (upload == NULL) {
        *state = calloc(1, sizeof(*upload));
        return *state != NULL ? MHD_YES : MHD_NO;
    }
    if (*data_len > 0) {
        size_t room = sizeof(upload->bytes) - upload->len, len = *data_len < room ? *data_len : room;
        memcpy(upload->bytes + upload->len, data, len);
        upload->len += len;
        *data_len = 0;
        return MHD_YES;
    }
    return serve(connection, path, method, upload);
}

static void completed(void *arg, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
    (void)arg, (void)connection, (void)code;
    free(*state);
}

static void connected(void *arg, struct MHD_Connection *connection, void **state,
                      enum MHD_ConnectionNotificationCode code)
{
    (void)arg, (void)connection, (void)state;
    connections += code == MHD_CONNECTION_NOTIFY_STARTED;
}

static void start_server(unsigned flags, const char *key, const char *certificate)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    flags |= MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION;
    struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)key},
                                   {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)certificate},
                                   {MHD_OPTION_END, 0, NULL}};
    server = MHD_start_daemon(flags, 0, NULL, NULL, handle, NULL, MHD_OPTION_SOCK_ADDR, &address,
                              MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_NOTIFY_CONNECTION, connected,
                              NULL, MHD_OPTION_ARRAY, key != NULL ? tls : tls + 2, MHD_OPTION_END);
    cr_assert_not_null(server);
}

static void prepare(void)
{
    static const char *const proxies[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    for (size_t i = 0; i < sizeof(proxies) / sizeof(*proxies); i++)
        unsetenv(proxies[i]);
    sem_init(&test_over, 0, 0);
    strcpy(scratch, "/tmp/request_test.XXXXXX");
    cr_assert_not_null(mkdtemp(scratch));
    easy = curl_easy_init();
    cr_assert_not_null(easy);
}

static void begin(void)
{
    prepare();
    start_server(0, NULL, NULL);
}

static void remove_scratch(void)
{
    DIR *dir = opendir(scratch);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    rmdir(scratch);
}

static void end(void)
{
    curl_easy_cleanup(easy);
    for (int i = 0; i < 4; i++)
        sem_post(&test_over);
    if (server != NULL)
        MHD_stop_daemon(server);
    remove_scratch();
}

static int server_port(void)
{
    return MHD_get_daemon_info(server, MHD_DAEMON_INFO_BIND_PORT)->port;
}

static struct kb_answer perform(struct kb_request request, const char *scheme, const char *path, const char *secret)
{
    char url[128];
    struct kb_answer got;
    snprintf(url, sizeof(url), "%s://127.0.0.1:%d%s", scheme, server_port(), path);
    request.url = url;
    request.method = request.method != NULL ? request.method : "GET";
    request.timeout_ms = request.timeout_ms != 0 ? request.timeout_ms : 30000;
    kb_request_perform(easy, &request, secret, strlen(secret), &got);
    return got;
}

static struct kb_answer ask(struct kb_request request, const char *path)
{
    return perform(request, "http", path, SECRET);
}

static void was(const struct kb_answer *got, kb_outcome outcome, int status, bool ambiguous)
{
    cr_assert_eq(got->outcome, outcome, "outcome %s: %s", kb_outcome_name(got->outcome), got->error);
    cr_assert_eq(got->status, status);
    cr_assert_eq(got->ambiguous, ambiguous);
}

static const char *in_scratch(const char *name)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", scratch, name);
    return path;
}

#endif
