/*
 * response.h: small answers, and waiting before one.
 */
#ifndef KB_UPSTREAM_RESPONSE_H
#define KB_UPSTREAM_RESPONSE_H

#include <microhttpd.h>

#include "server.h"

#define KB_UPSTREAM_ERROR_BODY(type, message) "{\"error\":{\"type\":\"" type "\",\"message\":\"" message "\"}}"

/* A response with a copy of this JSON text; NULL when memory is short. Headers may be said to a NULL response. */
struct MHD_Response *kb_upstream_json_response(const char *body);
void kb_upstream_say(struct MHD_Response *response, const char *header, const char *value);

/* Queues and gives up the response; NULL (memory is short) closes the connection. */
enum MHD_Result kb_upstream_queue(struct MHD_Connection *connection, unsigned status, struct MHD_Response *response);

/* Both in one, formatted. The formatted text is wiped. */
enum MHD_Result kb_upstream_answer_json(struct MHD_Connection *connection, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Sleeps, or less if the server ends. */
void kb_upstream_delay(const struct kb_upstream *upstream, int ms);

#endif
