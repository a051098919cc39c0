#include "answer.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SLOW_MS                   3000
#define BODY_MAX                  (KB_UPSTREAM_SECRET_MAX + 256)
#define SUNO_BODY                 "{\"code\":429,\"msg\":\"The current credits are insufficient. Please top up.\",\"data\":null}"
#define ERROR_BODY(type, message) "{\"error\":{\"type\":\"" type "\",\"message\":\"" message "\"}}"

/* One request while it is read: *request of MHD's callbacks. */
struct request {
    bool admin;
    int key; /* -1: no known bearer token */
    enum kb_upstream_state state;
    uint64_t body_bytes;
};

/* The states whose answer is no more than a status and a body. */
static const struct plain_answer {
    unsigned status;
    const char *body;
} PLAIN[KB_UPSTREAM_STATES] = {
    [KB_UPSTREAM_REVOKED] = {401, ERROR_BODY("authentication_error", "this key was revoked")},
    [KB_UPSTREAM_FORBIDDEN] = {403, ERROR_BODY("permission_error", "this key may not do that")},
    [KB_UPSTREAM_RATE] = {429, ERROR_BODY("rate_limit_error", "too many requests")},
    [KB_UPSTREAM_CREDITS] = {402, ERROR_BODY("insufficient_credits", "out of credits")},
    [KB_UPSTREAM_SUNO_CREDITS] = {200, SUNO_BODY},
    [KB_UPSTREAM_ERROR] = {500, ERROR_BODY("server_error", "something broke")},
};

static void say(struct MHD_Response *response, const char *header, const char *value)
{
    if (response)
        MHD_add_response_header(response, header, value);
}

/* Queues and gives up the response; NULL (memory is short) closes the connection. */
static enum MHD_Result queue(struct MHD_Connection *connection, unsigned status, struct MHD_Response *response)
{
    if (!response)
        return MHD_NO;
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static struct MHD_Response *json_response(const char *body)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(body), (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
    say(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    return response;
}

static enum MHD_Result answer_json(struct MHD_Connection *connection, unsigned status, const char *format, ...)
{
    char body[BODY_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(body, sizeof body, format, args);
    va_end(args);
    enum MHD_Result result = queue(connection, status, json_response(body));
    explicit_bzero(body, sizeof body); /* echo's holds a secret */
    return result;
}

/* The token of "Authorization: Bearer TOKEN"; NULL if there is none. */
static const char *bearer(struct MHD_Connection *connection)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
    if (!value || strncasecmp(value, "Bearer ", 7) != 0)
        return NULL;
    return value + 7 + strspn(value + 7, " ");
}

/* Sleeps, or less if the server ends. */
static void delay(const struct kb_upstream *upstream, int ms)
{
    struct pollfd stop = {.fd = upstream->stop_fd, .events = POLLIN};
    if (ms > 0)
        poll(&stop, 1, ms); /* the threads of the server take no signals */
}

/* Gives the first bytes of a body and then breaks the connection. */
static ssize_t break_off(void *cls, uint64_t position, char *out, size_t room)
{
    static const char start[] = "{\"code\":200,\"da";
    (void)cls;
    if (position > 0 || room < sizeof start)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    memcpy(out, start, sizeof start - 1);
    return sizeof start - 1;
}

/* The port of this server, host byte order. */
static unsigned own_port(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct sockaddr_in address = {.sin_port = 0};
    socklen_t size = sizeof address;
    if (info)
        getsockname(info->connect_fd, (struct sockaddr *)&address, &size);
    return ntohs(address.sin_port);
}

static enum MHD_Result answer_redirect(struct MHD_Connection *connection)
{
    /* Another name of the same host: a client that follows it with the key has given the key away. */
    char location[64];
    snprintf(location, sizeof location, "http://localhost:%u/redirected", own_port(connection));
    struct MHD_Response *response = json_response("{\"redirect\":true}");
    say(response, MHD_HTTP_HEADER_LOCATION, location);
    return queue(connection, MHD_HTTP_FOUND, response);
}

static enum MHD_Result answer_plain(struct MHD_Connection *connection, enum kb_upstream_state state)
{
    struct MHD_Response *response = json_response(PLAIN[state].body);
    if (state == KB_UPSTREAM_RATE)
        say(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
    return queue(connection, PLAIN[state].status, response);
}

static enum MHD_Result answer_key(struct kb_upstream *upstream, struct MHD_Connection *connection, const char *url,
                                  const struct request *request)
{
    bool redirected = request->state == KB_UPSTREAM_REDIRECT && strcmp(url, "/redirected") == 0;
    bool ok = request->state == KB_UPSTREAM_GOOD || request->state == KB_UPSTREAM_SLOW || redirected;
    kb_upstream_keys_answered(upstream->keys, request->key, ok);
    if (ok)
        return answer_json(connection, MHD_HTTP_OK,
                           "{\"code\":200,\"msg\":\"success\",\"data\":{\"key\":\"%s\",\"body_bytes\":%ju}}",
                           kb_upstream_keys_name(upstream->keys, request->key), (uintmax_t)request->body_bytes);
    switch (request->state) {
    case KB_UPSTREAM_ECHO:
        return answer_json(connection, MHD_HTTP_UNAUTHORIZED,
                           "{\"name\":\"unauthorized\",\"message\":\"Incorrect API key provided: %s.\"}",
                           bearer(connection));
    case KB_UPSTREAM_REDIRECT:
        return answer_redirect(connection);
    case KB_UPSTREAM_DROP:
        return queue(connection, MHD_HTTP_OK, MHD_create_response_from_callback(1000, 256, break_off, NULL, NULL));
    default:
        return answer_plain(connection, request->state);
    }
}

static enum MHD_Result answer_stats(struct kb_upstream *upstream, struct MHD_Connection *connection)
{
    char *stats = kb_upstream_keys_stats(upstream->keys);
    enum MHD_Result result = stats ? queue(connection, MHD_HTTP_OK, json_response(stats)) : MHD_NO;
    free(stats);
    return result;
}

/* GET /admin/stats and POST /admin/key/NAME?state=WORD; path is what follows /admin/. */
static enum MHD_Result answer_admin(struct kb_upstream *upstream, struct MHD_Connection *connection, const char *path,
                                    const char *method)
{
    if (strcmp(path, "stats") == 0 && strcmp(method, MHD_HTTP_METHOD_GET) == 0)
        return answer_stats(upstream, connection);
    if (strncmp(path, "key/", 4) != 0 || strcmp(method, MHD_HTTP_METHOD_POST) != 0)
        return answer_json(connection, MHD_HTTP_NOT_FOUND, ERROR_BODY("not_found", "no such admin request"));
    const char *word = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "state");
    enum kb_upstream_state state;
    if (!word || !kb_upstream_state_parse(word, &state))
        return answer_json(connection, MHD_HTTP_BAD_REQUEST, ERROR_BODY("bad_request", "no such state"));
    if (!kb_upstream_keys_set(upstream->keys, path + 4, state))
        return answer_json(connection, MHD_HTTP_NOT_FOUND, ERROR_BODY("not_found", "no such key"));
    return answer_json(connection, MHD_HTTP_OK, "{\"key\":\"%s\",\"state\":\"%s\"}\n", path + 4,
                       kb_upstream_state_name(state));
}

/* Counts the connection with its first request. MHD keeps our mark with the connection. */
static void mark_connection(struct kb_upstream *upstream, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    bool *marked = info ? info->socket_context : NULL;
    if (marked && !*marked) {
        *marked = true;
        kb_upstream_keys_connected(upstream->keys);
    }
}

static struct request *begin(struct kb_upstream *upstream, struct MHD_Connection *connection, const char *url)
{
    struct request *request = calloc(1, sizeof *request);
    if (!request)
        return NULL;
    request->admin = strncmp(url, "/admin/", 7) == 0;
    request->key = -1;
    if (!request->admin) {
        mark_connection(upstream, connection);
        request->key = kb_upstream_keys_arrive(upstream->keys, bearer(connection), &request->state);
    }
    return request;
}

enum MHD_Result kb_upstream_handle(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                                   const char *version, const char *upload, size_t *upload_size, void **context)
{
    struct kb_upstream *upstream = cls;
    struct request *request = *context;
    (void)version;
    (void)upload;
    if (!request) {
        *context = begin(upstream, connection, url);
        return *context ? MHD_YES : MHD_NO;
    }
    if (*upload_size > 0) {
        request->body_bytes += *upload_size;
        *upload_size = 0;
        return MHD_YES;
    }
    if (request->admin)
        return answer_admin(upstream, connection, url + 7, method);
    delay(upstream, upstream->delay_ms);
    if (request->key < 0)
        return answer_json(connection, MHD_HTTP_UNAUTHORIZED, ERROR_BODY("authentication_error", "no such key"));
    if (request->state == KB_UPSTREAM_SLOW)
        delay(upstream, SLOW_MS);
    return answer_key(upstream, connection, url, request);
}

void kb_upstream_completed(void *cls, struct MHD_Connection *connection, void **context,
                           enum MHD_RequestTerminationCode how)
{
    (void)cls;
    (void)connection;
    (void)how;
    free(*context);
    *context = NULL;
}

void kb_upstream_connection(void *cls, struct MHD_Connection *connection, void **context,
                            enum MHD_ConnectionNotificationCode how)
{
    (void)cls;
    (void)connection;
    if (how == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = calloc(1, sizeof(bool));
    } else {
        free(*context);
        *context = NULL;
    }
}
