/*
 * scripted.h: gives a scripted answer.
 */
#ifndef KB_UPSTREAM_SCRIPTED_H
#define KB_UPSTREAM_SCRIPTED_H

#include <microhttpd.h>

#include "server.h"

/* Answers by the script after its delay; MHD_NO closes the connection. secret takes the place of {KEY}. */
enum MHD_Result kb_upstream_answer_script(const struct kb_upstream *upstream, struct MHD_Connection *connection,
                                          const struct kb_upstream_script *script, const char *secret);

#endif
