#include "response.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BODY_MAX (KB_UPSTREAM_SECRET_MAX + 256)

void kb_upstream_say(struct MHD_Response *response, const char *header, const char *value)
{
    if (response)
        MHD_add_response_header(response, header, value);
}

enum MHD_Result kb_upstream_queue(struct MHD_Connection *connection, unsigned status, struct MHD_Response *response)
{
    if (!response)
        return MHD_NO;
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

struct MHD_Response *kb_upstream_json_response(const char *body)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(body), (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
    kb_upstream_say(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    return response;
}

enum MHD_Result kb_upstream_answer_json(struct MHD_Connection *connection, unsigned status, const char *format, ...)
{
    char body[BODY_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(body, sizeof body, format, args);
    va_end(args);
    enum MHD_Result result = kb_upstream_queue(connection, status, kb_upstream_json_response(body));
    explicit_bzero(body, sizeof body); /* echo's holds a secret */
    return result;
}

void kb_upstream_delay(const struct kb_upstream *upstream, int ms)
{
    struct pollfd stop = {.fd = upstream->stop_fd, .events = POLLIN};
    if (ms > 0)
        poll(&stop, 1, ms); /* the threads of the server take no signals */
}
