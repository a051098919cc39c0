/*
 * admin.h: the requests below /admin/, by which a test directs this upstream.
 *
 *     GET    /admin/stats                  what was seen of each key (keys.h)
 *     GET    /admin/log                    the last requests (log.h)
 *     POST   /admin/key/NAME?state=WORD    another state for the key, from the next request on
 *     POST   /admin/answer?ARGUMENTS       a scripted answer; its body is the request's
 *     DELETE /admin/answer                 no scripted answers any more
 *
 * Arguments of an answer: status=N (200; 0: no answer at all), times=K (1; 0: all), path=/x, key=NAME (requests of
 * this path, of this key only), delay_ms=D, stall_ms=D, cut=BYTES, size=BYTES, gzip=1, type=MEDIA
 * (application/json), header=Name:value, the latter up to 16 times. script.h says what they mean. Requests without a
 * known key are refused whatever is scripted.
 */
#ifndef KB_UPSTREAM_ADMIN_H
#define KB_UPSTREAM_ADMIN_H

#include <microhttpd.h>

#include "request.h"
#include "server.h"

/* path is what follows /admin/. */
enum MHD_Result kb_upstream_answer_admin(struct kb_upstream *upstream, struct MHD_Connection *connection,
                                         const char *path, const char *method,
                                         const struct kb_upstream_request *request);

#endif
