#include "client.h"

#include "segment/os.h"
#include "segment/sweep.h"
#include "segment/worker.h"

#include <stdlib.h>
#include <string.h>

int kb_open(const char *name, kb_client **out)
{
    if (!out)
        return KB_EINVAL;
    *out = NULL;
    name = kb_name_default(name);
    if (!name)
        return KB_EINVAL;
    struct kb_segment *segment;
    int code = kb_segment_open(name, KB_USE_WORKER, &segment);
    if (code)
        return code;
    kb_worker_attach(segment, &code);
    kb_client *client = code ? NULL : calloc(1, sizeof *client);
    if (!client) {
        kb_worker_detach(segment);
        kb_segment_close(segment);
        return code ? code : KB_ENOMEM;
    }
    strcpy(client->name, name);
    atomic_init(&client->segment, segment);
    for (unsigned pool = 0; pool < KB_POOLS; pool++)
        if (atomic_load(&segment->state->pools[pool].live))
            kb_sweep(segment->state, pool, kb_os_now());
    *out = client;
    return 0;
}

void kb_close(kb_client *client)
{
    if (!client)
        return;
    struct kb_segment *segment = atomic_load(&client->segment);
    kb_worker_detach(segment);
    kb_segment_close(segment);
    for (struct kb_segment *old = atomic_load(&client->retired), *next; old; old = next) {
        next = old->next;
        kb_segment_close(old);
    }
    free(client);
}

static void retire(kb_client *client, struct kb_segment *old)
{
    old->next = atomic_load(&client->retired);
    while (!atomic_compare_exchange_weak(&client->retired, &old->next, old))
        continue;
    kb_segment_retire(old);
}

int kb_client_segment(kb_client *client, struct kb_segment **out)
{
    struct kb_segment *segment = atomic_load_explicit(&client->segment, memory_order_acquire), *fresh;
    *out = segment;
    /* A segment that another thread has just retired reads as zeros: not ended, but of no instance. */
    const struct kb_header *header = &segment->state->header;
    if (!atomic_load(&header->ended) && atomic_load(&header->magic) == KB_MAGIC)
        return 0;
    const int code = kb_segment_open(client->name, KB_USE_WORKER, &fresh);
    if (code)
        return code;
    if (atomic_compare_exchange_strong(&client->segment, &segment, fresh)) {
        retire(client, segment);
        *out = fresh;
    } else {
        kb_segment_close(fresh);
        *out = segment;
    }
    return 0;
}

int kb_client_find_pool(kb_client *client, struct kb_segment *segment, const char *name)
{
    for (unsigned pool = 0; *name && pool < KB_POOLS; pool++)
        if (kb_client_is_pool(segment, pool, name)) {
            atomic_store_explicit(&client->last_pool, pool, memory_order_relaxed);
            return (int)pool;
        }
    return KB_EPOOL;
}
