#include "client.h"
#include "segment/count.h"
#include "segment/os.h"
#include "segment/policy.h"
#include "segment/slot.h"
#include "segment/sweep.h"
#include "segment/worker.h"

#include <string.h>

struct report {
    struct kb_segment *segment;
    const kb_key *key;
    kb_outcome outcome;
    int retry_after_ms;
    int status;
};

static unsigned reason_of(kb_outcome outcome)
{
    switch (outcome) {
    case KB_OUTCOME_AUTH:
        return KB_REASON_AUTH;
    case KB_OUTCOME_QUOTA:
        return KB_REASON_QUOTA;
    default:
        return KB_REASON_RATE;
    }
}

static struct kb_slot *slot_of(const struct report *r)
{
    return &r->segment->state->slots[r->key->kb_pool][r->key->index];
}

static bool change(const struct report *r, uint64_t from, uint64_t to)
{
    return kb_slot_change(r->segment->state, r->key->kb_pool, r->key->index, from, to);
}

static uint64_t named_time(const struct report *r)
{
    return kb_os_now() + (uint64_t)r->retry_after_ms;
}

/* A splitmix64 step over what differs between keys and moments: jitter needs no more. */
static uint64_t jitter(const struct report *r, uint64_t now)
{
    uint64_t x = (now << 12 | r->key->index) + UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* Everybody who looks at the key is told when it comes back. A death before the announcement leaves a
 * cooldown that no one knows the end of; the sweeps that come by themselves find it. */
static void announce(const struct report *r, uint64_t until_ms)
{
    struct kb_state *state = r->segment->state;
    kb_due_announce(&state->pools[r->key->kb_pool], until_ms);
    kb_doorbell_ring(state);
}

/* The key has failed: out it goes, with one more strike. False: the word moved, look again. */
static bool fail(const struct report *r, uint64_t word)
{
    struct kb_pool *pool = &r->segment->state->pools[r->key->kb_pool];
    const struct kb_word before = kb_word_unpack(word);
    struct kb_word after = kb_word_enter(before, r->outcome == KB_OUTCOME_RATE ? KB_COOLING : KB_FAILED);
    const uint64_t now = kb_os_now();
    after.reason = reason_of(r->outcome);
    after.strikes = before.strikes < KB_STRIKES_MAX ? before.strikes + 1 : KB_STRIKES_MAX;
    after.named = r->retry_after_ms >= 0;
    after.until = kb_word_until(
        after.named ? named_time(r) : now + kb_policy_cooldown_ms(pool, after.reason, after.strikes, jitter(r, now)));
    if (before.state == KB_COOLING && before.until > after.until) { /* never shortened */
        after.until = before.until;
        after.named = before.named;
    }
    const uint64_t to = kb_word_pack(after);
    if (!change(r, word, to))
        return false;
    atomic_store_explicit(&slot_of(r)->failed_at, kb_os_unix_ms(), memory_order_relaxed);
    announce(r, kb_word_until_ms(to));
    return true;
}

/* Upstream named a later time for a key that is cooling already. */
static void lengthen(const struct report *r)
{
    for (;;) {
        const uint64_t word = atomic_load(&slot_of(r)->word);
        struct kb_word w = kb_word_unpack(word);
        char fingerprint[KB_FINGERPRINT_LEN + 1];
        kb_slot_fingerprint(slot_of(r), fingerprint);
        if (w.state != KB_COOLING || r->retry_after_ms < 0 || strcmp(fingerprint, r->key->fingerprint) != 0)
            return;
        const uint64_t until = kb_word_until(named_time(r));
        if (until <= w.until)
            return;
        w.until = until;
        w.named = 1;
        if (change(r, word, kb_word_pack(w))) {
            /* A sweep that found the earlier time due and came too late would not know of this one. */
            announce(r, kb_word_until_ms(kb_word_pack(w)));
            return;
        }
    }
}

/* One try to bring the outcome to the key, as its word stands. False: the word moved, look again. */
static bool settle(const struct report *r, uint64_t word, int *result)
{
    const unsigned state = kb_word_state(word);
    const bool failure = kb_is_key_failure(r->outcome);
    *result = 0;
    if (kb_word_epoch(word) != kb_word_epoch(r->key->kb_word)) {
        if (r->outcome == KB_OUTCOME_RATE)
            lengthen(r);
        *result = 1;
        return true;
    }
    if (r->key->kb_flags & KB_CLAIM_TRIAL) {
        if (failure)
            return fail(r, word);
        return change(r, word,
                      r->outcome == KB_OUTCOME_OK ? kb_word_fresh(word, KB_AVAILABLE) : kb_word_trial_offered(word));
    }
    if (!failure || state == KB_FAILED)
        return true;
    if (state == KB_COOLING && r->outcome == KB_OUTCOME_RATE) {
        lengthen(r);
        return true;
    }
    return fail(r, word);
}

/* For people. The key's line is shared by all who claim it, so it is written only for news. */
static inline void note_status(struct kb_slot *slot, int status)
{
    if (status != 0 && atomic_load_explicit(&slot->last_status, memory_order_relaxed) != status)
        atomic_store_explicit(&slot->last_status, status, memory_order_relaxed);
}

static inline enum kb_counter counter_of(kb_outcome outcome)
{
    if (outcome == KB_OUTCOME_OK)
        return KB_COUNT_OK;
    return kb_is_key_failure(outcome) ? KB_COUNT_FAILED : KB_COUNT_OTHER;
}

/* The slot may be empty or another key's by now; then there is nothing to count on. */
static bool same_key(const struct report *r, uint64_t word)
{
    char fingerprint[KB_FINGERPRINT_LEN + 1];
    if (kb_word_epoch(word) == kb_word_epoch(r->key->kb_word))
        return true;
    kb_slot_fingerprint(slot_of(r), fingerprint);
    return kb_word_state(word) != KB_EMPTY && strcmp(fingerprint, r->key->fingerprint) == 0;
}

/* A report that is more than "the key is as it was". */
static __attribute__((noinline)) int report_news(const struct report *r, uint64_t worker)
{
    uint64_t word = atomic_load(&slot_of(r)->word);
    int result;
    if (!same_key(r, word))
        return 1;
    kb_count(r->segment, worker, r->key->kb_pool, r->key->index, counter_of(r->outcome));
    note_status(slot_of(r), r->status);
    while (!settle(r, word, &result))
        word = atomic_load(&slot_of(r)->word);
    return result;
}

static inline bool in_bounds(const kb_key *key)
{
    return key->kb_pool < KB_POOLS && key->index < KB_KEYS;
}

int kb_report(kb_client *client, const kb_key *key, kb_outcome outcome, int retry_after_ms, int status)
{
    if (!client || !key || (unsigned)outcome > KB_OUTCOME_CLIENT || retry_after_ms < -1 || !in_bounds(key))
        return KB_EINVAL;
    struct kb_segment *segment = atomic_load_explicit(&client->segment, memory_order_acquire);
    if (segment->instance != key->kb_instance)
        return 1; /* the claim's segment has ended, another is mapped by now */
    int code;
    const uint64_t worker = kb_worker_place(segment, &code);
    if (code)
        return code;
    struct kb_slot *slot = &segment->state->slots[key->kb_pool][key->index];
    const uint64_t word = atomic_load_explicit(&slot->word, memory_order_acquire);
    if (word != key->kb_word || key->kb_flags != 0 || kb_is_key_failure(outcome))
        return report_news(&(struct report){segment, key, outcome, retry_after_ms, status}, worker);
    kb_count(segment, worker, key->kb_pool, key->index, counter_of(outcome));
    note_status(slot, status);
    return 0;
}

int kb_release(kb_client *client, const kb_key *key)
{
    if (!client || !key || !in_bounds(key))
        return KB_EINVAL;
    const struct report r = {.segment = atomic_load_explicit(&client->segment, memory_order_acquire), .key = key};
    if (r.segment->instance != key->kb_instance)
        return 1;
    const uint64_t word = atomic_load(&slot_of(&r)->word);
    if (kb_word_epoch(word) != kb_word_epoch(key->kb_word))
        return 1;
    if (key->kb_flags & KB_CLAIM_TRIAL)
        return change(&r, word, kb_word_trial_offered(word)) ? 0 : 1;
    return 0;
}
