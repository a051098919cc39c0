/*
 * client.h: the handle, and what its functions share.
 */
#ifndef KB_CLIENT_H
#define KB_CLIENT_H

#include "keybroker.h"
#include "segment/mapping.h"

#include <string.h>

struct kb_client {
    _Atomic(struct kb_segment *) segment; /* never NULL. Replaced by CAS; what it was is retired, not freed */
    _Atomic(struct kb_segment *) retired; /* a stack, freed by kb_close */
    _Atomic unsigned last_pool;           /* where the last look-up ended: most processes use one pool */
    char name[KB_NAME_MAX + 1];
};

enum {
    KB_POLL_MS = 20, /* the longest sleep of a call that waits */
    KB_MOVES = 100   /* brokers that may end while one call looks for the next */
};

static inline bool kb_is_key_failure(kb_outcome outcome)
{
    return outcome == KB_OUTCOME_AUTH || outcome == KB_OUTCOME_QUOTA || outcome == KB_OUTCOME_RATE;
}

/* kb_key.kb_flags */
enum { KB_CLAIM_PINNED = 1, /* by kb_claim_key */ KB_CLAIM_TRIAL = 2 };

/* The segment to work in at this moment: maps the new one when the old has ended. */
int kb_client_segment(struct kb_client *client, struct kb_segment **out);

/* The pool's number, or KB_EPOOL. */
int kb_client_find_pool(struct kb_client *client, struct kb_segment *segment, const char *name);

/* Whether the pool of this number has this name. Names are compared in the secrets segment, which only
 * the broker writes. */
static inline bool kb_client_is_pool(const struct kb_segment *segment, unsigned pool, const char *name)
{
    return atomic_load_explicit(&segment->state->pools[pool].live, memory_order_acquire) &&
           strcmp(segment->secrets->header.names[pool], name) == 0;
}

/* The same, from where the last look-up ended if that fits. */
static inline int kb_client_pool(struct kb_client *client, struct kb_segment *segment, const char *name)
{
    const unsigned last = atomic_load_explicit(&client->last_pool, memory_order_relaxed);
    return kb_client_is_pool(segment, last, name) ? (int)last : kb_client_find_pool(client, segment, name);
}

/* One attempt at a claim of a key whose bit in `tried` (KB_KEYS of them, by index) is not set; the turns of
 * those that are set pass. Never waits. KB_EKEY: no enabled key is left untried; else as kb_claim. */
int kb_claim_untried(kb_client *client, const char *pool, const uint64_t *tried, kb_key *out);

/* How long until a key of the pool is due to come back: -1 if none is. */
int kb_pool_wait_ms(struct kb_state *state, unsigned pool);

#endif
