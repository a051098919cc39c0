/*
 * published.h: the service of a pool, as the broker publishes it (kb_pool_service), read once per change.
 *
 * What was read is never changed and freed by kb_published_close only: a request goes on with the service it began
 * with, and threads share it without a lock. A configuration that changes leaves its old texts' readings behind.
 */
#ifndef KB_HTTP_PUBLISHED_H
#define KB_HTTP_PUBLISHED_H

#include "http/service.h"

#include <stdatomic.h>

struct kb_reading;

struct kb_published {
    kb_client *client;
    _Atomic(struct kb_reading *) readings; /* the newest first */
    kb_http_note *note;
    void *note_arg;
};

/*
 * The service of this pool. Waits for a broker that has ended up to wait_ms (-1: no limit) and takes what was waited
 * off it; no wait is needed for a pool that is known: its last service stands. A text that cannot be read, and none,
 * stand for the built-in service of the pool's name. Errors: those of kb_pool_service, KB_ENOMEM.
 */
int kb_published_service(struct kb_published *published, const char *pool, int *wait_ms,
                         const struct kb_service **service);
void kb_published_close(struct kb_published *published);

#endif
