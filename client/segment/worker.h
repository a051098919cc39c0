/*
 * worker.h: worker slots, and a process's share in a segment.
 */
#ifndef KB_SEGMENT_WORKER_H
#define KB_SEGMENT_WORKER_H

#include "segment/mapping.h"

/*
 * What one process is in a segment. It lives in a page that fork empties in the child, so a child
 * finds itself without a slot and takes one of its own.
 */
struct kb_share {
    _Atomic uint64_t place;   /* slot + 1, its shared lane << 16, its owned lane + 1 << 32; 0: no slot yet */
    _Atomic uintptr_t writer; /* the thread that alone counts in the owned lane; 0: none */
};

/* Takes a worker slot for this process if it has none; its place. *code: 0 or KB_EFULL. */
uint64_t kb_worker_attach(struct kb_segment *segment, int *code);

/* This process's place in the segment, at the cost of one load where fork empties the share. */
static inline uint64_t kb_worker_place(struct kb_segment *segment, int *code)
{
    const uint64_t place = atomic_load_explicit(&segment->share->place, memory_order_acquire);
    *code = 0;
    return __builtin_expect(place && segment->fork_wipes, 1) ? place : kb_worker_attach(segment, code);
}

static inline unsigned kb_place_slot(uint64_t place)
{
    return (unsigned)(place & 0xffff) - 1;
}

static inline unsigned kb_place_shared_lane(uint64_t place)
{
    return (unsigned)(place >> 16) & 0xffff;
}

/* -1: none. */
static inline int kb_place_owned_lane(uint64_t place)
{
    return (int)(place >> 32) - 1;
}

/* Gives up this process's slot: its trials are offered again, then its lane and slot are free. */
void kb_worker_detach(struct kb_segment *segment);

/* Frees the slot of a process proven dead under `identity`, after a sweep of what names it. Safe to run
 * by several at once and to die in. False: the slot is another's by now. */
bool kb_worker_reap(struct kb_state *state, unsigned slot, uint64_t identity);

/* Whether the owner of a trial is gone: its slot is free or its process proven dead. */
bool kb_worker_gone(struct kb_state *state, unsigned slot);

/* News for the broker. */
void kb_doorbell_ring(struct kb_state *state);

#endif
