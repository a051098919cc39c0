#include "segment/count.h"

struct kb_counts kb_counts_of(struct kb_state *state, unsigned pool, unsigned key)
{
    struct kb_counts sum = {0, 0, 0, 0};
    for (unsigned lane = 0; lane < KB_LANES; lane++) {
        struct kb_count *count = &state->lanes[lane][pool][key];
        sum.claims += atomic_load_explicit(&count->claims, memory_order_relaxed);
        sum.ok += atomic_load_explicit(&count->ok, memory_order_relaxed);
        sum.failed += atomic_load_explicit(&count->failed, memory_order_relaxed);
        sum.other += atomic_load_explicit(&count->other, memory_order_relaxed);
    }
    return sum;
}

void kb_counts_clear(struct kb_state *state, unsigned pool, unsigned key)
{
    for (unsigned lane = 0; lane < KB_LANES; lane++)
        for (int which = KB_COUNT_CLAIMS; which <= KB_COUNT_OTHER; which++)
            atomic_store_explicit(kb_count_of(&state->lanes[lane][pool][key], (enum kb_counter)which), 0,
                                  memory_order_relaxed);
}
