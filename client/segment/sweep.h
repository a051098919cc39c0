/*
 * sweep.h: what mends and recovers.
 *
 * A sweep reads every key's word of a pool and brings what is due: cooldowns that are over go to
 * probation, trials whose owner is dead or overdue are offered again, bits are made to agree with words.
 * It needs no lock; any number may run at once; it may die anywhere and another does the rest.
 *
 * `next_due` {milliseconds:48, version:16} says when there is work. Every change that may bring the
 * time forward raises the version, even if the time stays. A sweep first moves the time ahead by a
 * lease of 100 ms, so that others do not all sweep too, and in the end puts in the time it worked out,
 * by CAS: if anything was announced meanwhile, the lease stays and another sweep follows soon. A
 * death leaves the lease.
 */
#ifndef KB_SEGMENT_SWEEP_H
#define KB_SEGMENT_SWEEP_H

#include "segment/layout.h"

#define KB_NEVER ((UINT64_C(1) << 48) - 1)

/* A claim sweeps at every turn whose sequence is a multiple of this: a bit lost to a death comes back
 * though nothing is due and nothing is missing. */
#define KB_SWEEP_TURNS 65536u

static inline uint64_t kb_due_time(uint64_t due)
{
    return due >> 16;
}

/* Announces that there will be work at ms. */
void kb_due_announce(struct kb_pool *pool, uint64_t ms);

/* Sweeps a pool at now_ms; returns when the next sweep is due, KB_NEVER if nothing is. */
uint64_t kb_sweep(struct kb_state *state, unsigned pool, uint64_t now_ms);

/* Offers again every trial of a worker slot, in all pools, as long as the slot is this identity's. */
void kb_sweep_owner(struct kb_state *state, unsigned slot, uint64_t identity);

/* The all-failed rule: if no key is available or in probation, every failed key whose time upstream
 * did not name goes to probation at once, strikes kept. Call it after a sweep. */
void kb_sweep_all_failed(struct kb_state *state, unsigned pool);

#endif
