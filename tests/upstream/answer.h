/*
 * answer.h: MHD's callbacks: what this upstream says to a request.
 *
 * A request is judged by its key when its headers have arrived (that moment's state of the key and the
 * scripted answers of that moment count), read to its end, logged, delayed, and answered. /admin/… answers at
 * once and counts nothing.
 */
#ifndef KB_UPSTREAM_ANSWER_H
#define KB_UPSTREAM_ANSWER_H

#include <microhttpd.h>

/* cls is a struct kb_upstream. handle may sleep, so each connection needs a thread. */
enum MHD_Result kb_upstream_handle(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                                   const char *version, const char *upload, size_t *upload_size, void **context);
void kb_upstream_completed(void *cls, struct MHD_Connection *connection, void **context,
                           enum MHD_RequestTerminationCode how);
void kb_upstream_connection(void *cls, struct MHD_Connection *connection, void **context,
                            enum MHD_ConnectionNotificationCode how);

#endif
