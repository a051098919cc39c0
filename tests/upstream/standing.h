/*
 * standing.h: answers by the state a key is in.
 */
#ifndef KB_UPSTREAM_STANDING_H
#define KB_UPSTREAM_STANDING_H

#include <microhttpd.h>

#include "request.h"
#include "server.h"

/* Answers a request of a known key, and counts the answer. */
enum MHD_Result kb_upstream_answer_state(struct kb_upstream *upstream, struct MHD_Connection *connection,
                                         const char *url, const struct kb_upstream_request *request);

#endif
