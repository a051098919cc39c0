/*
 * answer.h: what this upstream says to a request.
 *
 * A request is judged by its bearer token when its headers have arrived (that moment's state of the
 * key counts), read to its end, delayed, and answered. /admin/… answers at once and counts nothing.
 */
#ifndef KB_UPSTREAM_ANSWER_H
#define KB_UPSTREAM_ANSWER_H

#include <microhttpd.h>

#include "keys.h"

struct kb_upstream {
    struct kb_upstream_keys *keys;
    int delay_ms; /* before every answer but an admin's */
    int stop_fd;  /* an eventfd: readable once the server ends, which cuts every delay short */
};

/* MHD's callbacks; cls is a struct kb_upstream. handle may sleep, so each connection needs a thread. */
enum MHD_Result kb_upstream_handle(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                                   const char *version, const char *upload, size_t *upload_size, void **context);
void kb_upstream_completed(void *cls, struct MHD_Connection *connection, void **context,
                           enum MHD_RequestTerminationCode how);
void kb_upstream_connection(void *cls, struct MHD_Connection *connection, void **context,
                            enum MHD_ConnectionNotificationCode how);

#endif
