#include "standing.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "response.h"

#define SLOW_MS   3000
#define SUNO_BODY "{\"code\":429,\"msg\":\"The current credits are insufficient. Please top up.\",\"data\":null}"

/* The states whose answer is no more than a status and a body. */
static const struct plain_answer {
    unsigned status;
    const char *body;
} PLAIN[KB_UPSTREAM_STATES] = {
    [KB_UPSTREAM_REVOKED] = {401, KB_UPSTREAM_ERROR_BODY("authentication_error", "this key was revoked")},
    [KB_UPSTREAM_FORBIDDEN] = {403, KB_UPSTREAM_ERROR_BODY("permission_error", "this key may not do that")},
    [KB_UPSTREAM_RATE] = {429, KB_UPSTREAM_ERROR_BODY("rate_limit_error", "too many requests")},
    [KB_UPSTREAM_CREDITS] = {402, KB_UPSTREAM_ERROR_BODY("insufficient_credits", "out of credits")},
    [KB_UPSTREAM_SUNO_CREDITS] = {200, SUNO_BODY},
    [KB_UPSTREAM_ERROR] = {500, KB_UPSTREAM_ERROR_BODY("server_error", "something broke")},
};

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
    struct MHD_Response *response = kb_upstream_json_response("{\"redirect\":true}");
    kb_upstream_say(response, MHD_HTTP_HEADER_LOCATION, location);
    return kb_upstream_queue(connection, MHD_HTTP_FOUND, response);
}

static enum MHD_Result answer_plain(struct MHD_Connection *connection, enum kb_upstream_state state)
{
    struct MHD_Response *response = kb_upstream_json_response(PLAIN[state].body);
    if (state == KB_UPSTREAM_RATE)
        kb_upstream_say(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
    return kb_upstream_queue(connection, PLAIN[state].status, response);
}

enum MHD_Result kb_upstream_answer_state(struct kb_upstream *upstream, struct MHD_Connection *connection,
                                         const char *url, const struct kb_upstream_request *request)
{
    bool redirected = request->state == KB_UPSTREAM_REDIRECT && strcmp(url, "/redirected") == 0;
    bool ok = request->state == KB_UPSTREAM_GOOD || request->state == KB_UPSTREAM_SLOW || redirected;
    if (request->state == KB_UPSTREAM_SLOW)
        kb_upstream_delay(upstream, SLOW_MS);
    kb_upstream_keys_answered(upstream->keys, request->key, ok);
    if (ok)
        return kb_upstream_answer_json(
            connection, MHD_HTTP_OK, "{\"code\":200,\"msg\":\"success\",\"data\":{\"key\":\"%s\",\"body_bytes\":%ju}}",
            kb_upstream_keys_name(upstream->keys, request->key), (uintmax_t)request->body_bytes);
    switch (request->state) {
    case KB_UPSTREAM_ECHO:
        return kb_upstream_answer_json(connection, MHD_HTTP_UNAUTHORIZED,
                                       "{\"name\":\"unauthorized\",\"message\":\"Incorrect API key provided: %s.\"}",
                                       kb_upstream_secret(upstream, connection));
    case KB_UPSTREAM_REDIRECT:
        return answer_redirect(connection);
    case KB_UPSTREAM_DROP:
        return kb_upstream_queue(connection, MHD_HTTP_OK,
                                 MHD_create_response_from_callback(1000, 256, break_off, NULL, NULL));
    default:
        return answer_plain(connection, request->state);
    }
}
