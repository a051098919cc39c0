/*
 * request_server.h: what the tests of requests share: a broker's segment with a pool "pool", a handle on it, and a
 * server on 127.0.0.1 for each test, told by the path what to do:
 *     /echo      200 with what came: method, body, header X-Test, content type, the secret; "X-Echo: the secret"
 *     /query     200 with the query parameter "key", as it came and decoded
 *     /form      200 with the body as it came
 *     /refuse    401 with the bearer token in its text      /busy   429, Retry-After: 7
 *     /gzip      401, the same text in gzip                 /away   302 to another host
 *     /first     401 for the first key of the pool, 200 "fine" for others
 *     /first-form  likewise, and the body as it came
 *     /envelope  200 with an error in JSON for the first key of the pool, 200 "fine" for others
 *     /envelope-then-nothing   the same, and 200 without a body for others
 *     /ages      429, Retry-After of three years
 *     /silent    takes the request and breaks the connection without an answer
 *     /half      promises more than it sends, then breaks the connection
 *     /half-busy, /half-error   the same with 429, 500
 *     /headers   200 with 300 headers
 *     /hang      does not answer before the test ends
 *     anything else: 200 "fine"
 */
#ifndef KB_TESTS_REQUEST_SERVER_H
#define KB_TESTS_REQUEST_SERVER_H

#include "keybroker/http.h"
#include "segment/word.h"
#include "tests/kit/kit.h"

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
static struct kit kit;
static kb_client *client;
static kb_http *http;
static int code;         /* of the last kb_http_perform */
static char scratch[64]; /* a folder of the test's own */

/* gzip of "bad key: sk-secret/with+signs" */
static const unsigned char coded[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4b, 0x4a, 0x4c,
                                      0x51, 0xc8, 0x4e, 0xad, 0xb4, 0x52, 0x28, 0xce, 0xd6, 0x2d, 0x4e, 0x4d, 0x2e,
                                      0x4a, 0x2d, 0xd1, 0x2f, 0xcf, 0x2c, 0xc9, 0xd0, 0x2e, 0xce, 0x4c, 0xcf, 0x2b,
                                      0x06, 0x00, 0x9b, 0x40, 0xff, 0xc5, 0x1d, 0x00, 0x00, 0x00};

static char query_came[512], key_came[256];

#define ENVELOPE "{\"code\":401,\"msg\":\"no access\"}"

struct upload {
    char bytes[4096];
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
    char text[6000];
    int len = snprintf(text, sizeof(text), "%s [%.*s] test=%s type=%s expect=%s length=%s %s", method, (int)upload->len,
                       upload->bytes, header_of(connection, "X-Test"), header_of(connection, "Content-Type"),
                       header_of(connection, "Expect"), header_of(connection, "Content-Length"),
                       header_of(connection, "Authorization"));
    return answer(connection, 200, "X-Echo", header_of(connection, "Authorization"), text, (size_t)len);
}

static void keep_query(void *arg, const char *text)
{
    (void)arg;
    snprintf(query_came, sizeof(query_came), "%s", text);
}

/* The request's line as it came, and the parameter decoded. */
static enum MHD_Result query(struct MHD_Connection *connection)
{
    char text[1024];
    const char *key = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "key");
    const char *other = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "other");
    snprintf(key_came, sizeof(key_came), "%s", key != NULL ? key : "none");
    int len = snprintf(text, sizeof(text), "%s %s other=%s %s", query_came, key_came, other != NULL ? other : "none",
                       header_of(connection, "Authorization"));
    return answer(connection, 200, NULL, NULL, text, (size_t)len);
}

static bool is_first_key(struct MHD_Connection *connection)
{
    return strcmp(header_of(connection, "Authorization"), "Bearer " SECRET) == 0;
}

static enum MHD_Result many_headers(struct MHD_Connection *connection)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(4, "fine", MHD_RESPMEM_PERSISTENT);
    for (int i = 0; i < 300; i++) {
        char name[20];
        snprintf(name, sizeof(name), "X-%d", i);
        MHD_add_response_header(response, name, "x");
    }
    enum MHD_Result result = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return result;
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
    if (strcmp(path, "/query") == 0)
        return query(connection);
    if (strcmp(path, "/form") == 0)
        return answer(connection, 200, NULL, NULL, upload->bytes, upload->len);
    if (strncmp(path, "/first", 6) == 0 && is_first_key(connection))
        return answer(connection, 401, NULL, NULL, "no", 2);
    if (strcmp(path, "/first-form") == 0)
        return answer(connection, 200, NULL, NULL, upload->bytes, upload->len);
    if (strncmp(path, "/envelope", 9) == 0 && is_first_key(connection))
        return answer(connection, 200, NULL, NULL, ENVELOPE, sizeof(ENVELOPE) - 1);
    if (strcmp(path, "/envelope-then-nothing") == 0)
        return answer(connection, 200, NULL, NULL, "", 0);
    if (strcmp(path, "/headers") == 0)
        return many_headers(connection);
    if (strcmp(path, "/refuse") == 0)
        return refuse(connection);
    if (strcmp(path, "/gzip") == 0)
        return answer(connection, 401, "Content-Encoding", "gzip", coded, sizeof(coded));
    if (strcmp(path, "/busy") == 0)
        return answer(connection, 429, "Retry-After", "7", "later", 5);
    if (strcmp(path, "/ages") == 0)
        return answer(connection, 429, "Retry-After", "99999999", "later", 5);
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

static void completed(void *arg, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode why)
{
    (void)arg, (void)connection, (void)why;
    free(*state);
}

static void connected(void *arg, struct MHD_Connection *connection, void **state,
                      enum MHD_ConnectionNotificationCode what)
{
    (void)arg, (void)connection, (void)state;
    connections += what == MHD_CONNECTION_NOTIFY_STARTED;
}

static void *note_uri(void *arg, const char *uri, struct MHD_Connection *connection)
{
    (void)connection;
    keep_query(arg, uri);
    return NULL;
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
                              NULL, MHD_OPTION_URI_LOG_CALLBACK, note_uri, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                              (size_t)65536, MHD_OPTION_ARRAY, key != NULL ? tls : tls + 2, MHD_OPTION_END);
    cr_assert_not_null(server);
}

/* The first key's secret is SECRET, those of others SECRET "-1", …. The thread's own, good until the next call. */
static const char *secret_of(unsigned i)
{
    static _Thread_local char text[64];
    snprintf(text, sizeof(text), i > 0 ? SECRET "-%u" : SECRET, i);
    return text;
}

/* Gives "pool" this many keys, and its service this definition (JSON; NULL: none). */
static void set_pool(unsigned keys, const char *definition)
{
    static char secrets[10][64];
    struct kb_config_key held[10];
    struct kb_config_pool pool = {
        .name = "pool", .service = "test", .env = "X", .definition = definition, .keys = held};
    struct kb_config config = {.n_pools = 1, .pools = &pool};
    struct kb_keys_change change;
    pool.n_keys = keys;
    for (unsigned i = 0; i < keys; i++) {
        strcpy(secrets[i], secret_of(i));
        held[i] = kit_config_key(secrets[i], strlen(secrets[i]));
    }
    cr_assert_eq(kit_apply(&kit, &config, &change), 0);
}

static void prepare(void)
{
    static const char *const proxies[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    for (size_t i = 0; i < sizeof(proxies) / sizeof(*proxies); i++)
        unsetenv(proxies[i]);
    sem_init(&test_over, 0, 0);
    strcpy(scratch, "/tmp/request_test.XXXXXX");
    cr_assert_not_null(mkdtemp(scratch));
    kit_start(&kit, 0);
    set_pool(1, NULL);
    cr_assert_eq(kb_open(kit.name, &client), 0);
    cr_assert_eq(kb_http_open(client, &http), 0);
}

static inline void begin(void)
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
    kb_http_close(http);
    kb_close(client);
    kit_stop(&kit);
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

static inline const char *in_scratch(const char *name)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", scratch, name);
    return path;
}

static inline char *contents_of(const char *path)
{
    static char texts[2][4096];
    static int next;
    char *text = texts[next++ % 2];
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    text[fread(text, 1, 4095, file)] = '\0';
    fclose(file);
    return text;
}

/* A server with a certificate of its own making; false where there is no openssl or no TLS. */
static inline bool start_tls_server(void)
{
    char command[512];
    snprintf(command, sizeof(command),
             "openssl req -x509 -newkey rsa:2048 -nodes -keyout %s/key -out %s/cert -days 1 -subj /CN=127.0.0.1 "
             "-addext subjectAltName=IP:127.0.0.1 >/dev/null 2>&1",
             scratch, scratch);
    if (system(command) != 0 || MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
        return false;
    char *key = contents_of(in_scratch("key"));
    char *certificate = contents_of(in_scratch("cert"));
    start_server(MHD_USE_TLS, key, certificate);
    return true;
}

static inline const char *url_of(const char *scheme, const char *path)
{
    static _Thread_local char url[160];
    snprintf(url, sizeof(url), "%s://127.0.0.1:%d%s", scheme, server_port(), path);
    return url;
}

/* Performs a request of "pool"; the result is in `code`. */
static kb_http_answer perform(kb_http_request request)
{
    kb_http_answer got;
    request.pool = "pool";
    request.timeout_ms = request.timeout_ms != 0 ? request.timeout_ms : 30000;
    code = kb_http_perform(http, &request, &got);
    return got;
}

static inline kb_http_answer ask(kb_http_request request, const char *path)
{
    request.url = url_of("http", path);
    return perform(request);
}

static inline void was(const kb_http_answer *got, kb_outcome outcome, int status, bool ambiguous)
{
    cr_assert_eq(got->outcome, outcome, "outcome %s: %s", kb_outcome_name(got->outcome), got->error);
    cr_assert_eq(got->status, status, "status %d", got->status);
    cr_assert_eq(got->ambiguous, ambiguous);
    cr_assert_eq(code, (KB_FALLBACK(outcome) & KB_FALLBACK_ALL) != 0 ? KB_EEXHAUSTED : 0, "%s", kb_strerror(code));
}

/* Refused before a key was claimed, for this reason. */
static inline void refused(kb_http_request request, const char *why)
{
    kb_http_answer got = perform(request);
    cr_assert_eq(code, KB_EINVAL, "taken, or %s", kb_strerror(code));
    cr_assert_eq(got.attempts, 0);
    cr_assert_not_null(got.error);
    cr_assert_not_null(strstr(got.error, why), "'%s' does not say '%s'", got.error, why);
    kb_http_answer_clear(&got);
}

static inline void has_body(const kb_http_answer *got, const char *expected)
{
    cr_assert_not_null(got->body, "no body: %s", got->error);
    cr_assert(got->body_len == strlen(expected) && strcmp(got->body, expected) == 0, "'%s' is not '%s'", got->body,
              expected);
}

#endif
