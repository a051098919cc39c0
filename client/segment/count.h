/*
 * count.h: counting what happened to a key.
 *
 * The counters are striped over lanes. The first workers of a host own a lane each: their attaching
 * thread counts there with a plain load and store, a third of the price of a locked add. Everybody
 * else adds in a shared lane. A death between load and store loses that one count.
 */
#ifndef KB_SEGMENT_COUNT_H
#define KB_SEGMENT_COUNT_H

#include "segment/layout.h"
#include "segment/thread.h"
#include "segment/worker.h"

enum kb_counter { KB_COUNT_CLAIMS, KB_COUNT_OK, KB_COUNT_FAILED, KB_COUNT_OTHER };

static inline _Atomic uint64_t *kb_count_of(struct kb_count *count, enum kb_counter which)
{
    switch (which) {
    case KB_COUNT_CLAIMS:
        return &count->claims;
    case KB_COUNT_OK:
        return &count->ok;
    case KB_COUNT_FAILED:
        return &count->failed;
    default:
        return &count->other;
    }
}

static inline void kb_count(struct kb_segment *segment, uint64_t place, unsigned pool, unsigned key,
                            enum kb_counter which)
{
    const int owned = kb_place_owned_lane(place);
    if (owned >= 0 && owned < KB_OWNED_LANES &&
        atomic_load_explicit(&segment->share->writer, memory_order_relaxed) == kb_thread_mark()) {
        _Atomic uint64_t *counter = kb_count_of(&segment->state->lanes[owned][pool][key], which);
        const uint64_t before = atomic_load_explicit(counter, memory_order_relaxed);
        atomic_store_explicit(counter, before + 1, memory_order_relaxed);
    } else {
        struct kb_count *count = &segment->state->lanes[kb_place_shared_lane(place)][pool][key];
        atomic_fetch_add_explicit(kb_count_of(count, which), 1, memory_order_relaxed);
    }
}

struct kb_counts {
    uint64_t claims, ok, failed, other;
};

/* The sum over the lanes: exact when nobody counts, else of about now. */
struct kb_counts kb_counts_of(struct kb_state *state, unsigned pool, unsigned key);

/* For the broker, under the guard, when a key is new in its slot. */
void kb_counts_clear(struct kb_state *state, unsigned pool, unsigned key);

#endif
