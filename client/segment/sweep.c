#include "segment/sweep.h"

#include "segment/policy.h"
#include "segment/slot.h"
#include "segment/worker.h"

enum { LEASE_MS = 100 };

static uint64_t due_pack(uint64_t ms, uint64_t before)
{
    return (ms < KB_NEVER ? ms : KB_NEVER) << 16 | ((before + 1) & 0xffff);
}

void kb_due_announce(struct kb_pool *pool, uint64_t ms)
{
    _Atomic uint64_t *due = &pool->rotation.next_due;
    uint64_t before = atomic_load(due), after;
    do
        after = due_pack(ms < kb_due_time(before) ? ms : kb_due_time(before), before);
    while (!atomic_compare_exchange_weak(due, &before, after));
}

/* Brings one key up to date; returns when it is due next. */
static uint64_t sweep_key(struct kb_state *state, unsigned pool, unsigned key, uint64_t now_ms)
{
    const uint64_t word = atomic_load(&state->slots[pool][key].word);
    const struct kb_word w = kb_word_unpack(word);
    uint64_t due = KB_NEVER;
    if (w.state == KB_FAILED || w.state == KB_COOLING) {
        if (kb_word_until_ms(word) > now_ms)
            due = kb_word_until_ms(word);
        else
            kb_slot_change(state, pool, key, word, kb_word_pack(kb_word_enter(w, KB_PROBATION)));
    } else if (w.state == KB_PROBATION && w.until != 0) {
        const uint64_t age = kb_word_trial_age(word, now_ms), limit = kb_policy_trial_ms(&state->pools[pool]);
        const int owner = kb_word_trial_owner(word);
        /* The owner is judged after its word was read: should the slot be another's by now, the word
         * has changed too and the CAS fails. */
        if (age > limit || owner < 0 || kb_worker_gone(state, (unsigned)owner))
            kb_slot_change(state, pool, key, word, kb_word_trial_offered(word));
        else
            due = now_ms + limit - age + KB_TRIAL_TICK_MS;
    }
    kb_slot_agree(state, pool, key);
    return due;
}

uint64_t kb_sweep(struct kb_state *state, unsigned pool, uint64_t now_ms)
{
    _Atomic uint64_t *next_due = &state->pools[pool].rotation.next_due;
    uint64_t before = atomic_load(next_due), lease;
    do
        lease = due_pack(now_ms + LEASE_MS, before);
    while (!atomic_compare_exchange_weak(next_due, &before, lease));

    uint64_t due = KB_NEVER;
    const unsigned span = kb_slot_span(state, pool);
    for (unsigned key = 0; key < span; key++) {
        const uint64_t key_due = sweep_key(state, pool, key, now_ms);
        due = key_due < due ? key_due : due;
    }
    const bool settled = atomic_compare_exchange_strong(next_due, &lease, due_pack(due, lease));
    return settled ? due : now_ms + LEASE_MS;
}

void kb_sweep_owner(struct kb_state *state, unsigned slot, uint64_t identity)
{
    for (unsigned pool = 0; pool < KB_POOLS; pool++) {
        const unsigned span = kb_slot_span(state, pool);
        for (unsigned key = 0; key < span; key++) {
            const uint64_t word = atomic_load(&state->slots[pool][key].word);
            /* Judged after the word was read: the slot still being this owner's, so is the trial. */
            if (kb_word_state(word) == KB_PROBATION && kb_word_trial_owner(word) == (int)slot &&
                atomic_load(&state->workers[slot].identity) == identity)
                kb_slot_change(state, pool, key, word, kb_word_trial_offered(word));
        }
    }
}

void kb_sweep_all_failed(struct kb_state *state, unsigned pool)
{
    const unsigned span = kb_slot_span(state, pool);
    for (unsigned key = 0; key < span; key++) {
        const unsigned s = kb_word_state(atomic_load(&state->slots[pool][key].word));
        if (s == KB_AVAILABLE || s == KB_PROBATION)
            return;
    }
    for (unsigned key = 0; key < span; key++) {
        const uint64_t word = atomic_load(&state->slots[pool][key].word);
        const struct kb_word w = kb_word_unpack(word);
        if (w.state == KB_FAILED && !w.named)
            kb_slot_change(state, pool, key, word, kb_word_pack(kb_word_enter(w, KB_PROBATION)));
    }
}
