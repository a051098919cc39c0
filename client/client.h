/*
 * client.h: the handle, and what its functions share.
 */
#ifndef KB_CLIENT_H
#define KB_CLIENT_H

#include "keybroker.h"
#include "segment/mapping.h"

struct kb_client {
    _Atomic(struct kb_segment *) segment; /* never NULL. Replaced by CAS; what it was is retired, not freed */
    _Atomic(struct kb_segment *) retired; /* a stack, freed by kb_close */
    _Atomic unsigned last_pool;           /* where the last look-up ended: most processes use one pool */
    char name[KB_NAME_MAX + 1];
};

/* kb_key.kb_flags */
enum { KB_CLAIM_PINNED = 1, /* by kb_claim_key */ KB_CLAIM_TRIAL = 2 };

/* The segment to work in at this moment: maps the new one when the old has ended. */
int kb_client_segment(struct kb_client *client, struct kb_segment **out);

/* The pool's number, or KB_EPOOL. */
int kb_client_pool(struct kb_client *client, struct kb_segment *segment, const char *name);

/* One attempt at a claim, without waiting; out->wait_ms as in the public header. */
int kb_claim_now(struct kb_client *client, const char *pool, kb_key *out);

/* How long until a key of the pool is due to come back: -1 if none is. */
int kb_pool_wait_ms(struct kb_state *state, unsigned pool);

#endif
