#include "client.h"
#include "segment/count.h"
#include "segment/os.h"
#include "segment/policy.h"
#include "segment/rotation.h"
#include "segment/secret.h"
#include "segment/slot.h"
#include "segment/sweep.h"
#include "segment/worker.h"

#include <string.h>

enum {
    VAIN_TURNS = 2 * KB_KEYS, /* turns that lead to no key before a sweep must set the bits right */
    POLL_MS = 20,             /* the longest sleep of a claim that waits */
    PINNED_TRIES = 100
};

/* Where a claim happens: everything below works on this. */
struct place {
    struct kb_segment *segment;
    uint64_t worker;
    unsigned pool;
};

static void fill(kb_key *out, const struct place *at, unsigned key, uint64_t word, unsigned flags)
{
    out->index = key;
    out->wait_ms = 0;
    out->kb_pool = at->pool;
    out->kb_flags = flags;
    out->kb_word = word;
    out->kb_instance = at->segment->instance;
}

/* Takes the key's one trial. A death right after the CAS leaves a trial of a dead owner, which a sweep
 * offers again. */
static bool take_trial(const struct place *at, unsigned key, uint64_t *word)
{
    struct kb_state *state = at->segment->state;
    struct kb_pool *pool = &state->pools[at->pool];
    struct kb_word w = kb_word_unpack(*word);
    const uint64_t now = kb_os_now_coarse();
    w.until = kb_word_trial(kb_place_slot(at->worker), now);
    const uint64_t trial = kb_word_pack(w);
    if (!kb_slot_change(state, at->pool, key, *word, trial))
        return false;
    kb_due_announce(pool, now + kb_policy_trial_ms(pool) + KB_TRIAL_TICK_MS);
    *word = trial;
    return true;
}

/* The turn has come to this key. False: it cannot be claimed after all, or changed while its secret was
 * copied; the claim takes another turn. */
static bool take(const struct place *at, unsigned key, kb_key *out)
{
    struct kb_state *state = at->segment->state;
    _Atomic uint64_t *const slot_word = &state->slots[at->pool][key].word;
    uint64_t word = atomic_load_explicit(slot_word, memory_order_acquire);
    unsigned flags = 0;
    if (kb_word_state(word) != KB_AVAILABLE) {
        if (!kb_word_claimable(word)) {
            kb_slot_agree(state, at->pool, key);
            return false;
        }
        if (!take_trial(at, key, &word))
            return false;
        flags = KB_CLAIM_TRIAL;
    }
    const bool copied = kb_secret_copy(at->segment->secrets, at->pool, key, out);
    if (copied && atomic_load_explicit(slot_word, memory_order_acquire) == word) {
        fill(out, at, key, word, flags);
        kb_count(at->segment, at->worker, at->pool, key, KB_COUNT_CLAIMS);
        return true;
    }
    if (flags & KB_CLAIM_TRIAL)
        kb_slot_change(state, at->pool, key, word, kb_word_trial_offered(word));
    return false;
}

static bool take_turns(const struct place *at, kb_key *out)
{
    struct kb_rotation *rotation = &at->segment->state->pools[at->pool].rotation;
    for (int turns = 0; turns < VAIN_TURNS; turns++) {
        uint64_t sequence;
        const int key = kb_rotation_turn(rotation, &sequence);
        if (key < 0)
            return false;
        if (sequence % KB_SWEEP_TURNS == KB_SWEEP_TURNS - 1)
            kb_sweep(at->segment->state, at->pool, kb_os_now());
        if (take(at, (unsigned)key, out))
            return true;
    }
    return false;
}

static bool due(struct kb_rotation *rotation)
{
    const uint64_t time = kb_due_time(atomic_load_explicit(&rotation->next_due, memory_order_relaxed));
    return time != KB_NEVER && time <= kb_os_now_coarse();
}

static int claim_in(const struct place *at, kb_key *out)
{
    struct kb_state *state = at->segment->state;
    if (due(&state->pools[at->pool].rotation))
        kb_sweep(state, at->pool, kb_os_now());
    if (take_turns(at, out))
        return 0;
    kb_sweep(state, at->pool, kb_os_now());
    if (take_turns(at, out) || (kb_sweep_all_failed(state, at->pool) && take_turns(at, out)))
        return 0;
    explicit_bzero(out, sizeof *out);
    out->wait_ms = kb_pool_wait_ms(state, at->pool);
    return KB_EEXHAUSTED;
}

static int find_place(kb_client *client, const char *pool, struct place *at)
{
    int code;
    at->segment = atomic_load_explicit(&client->segment, memory_order_acquire);
    at->worker = kb_worker_place(at->segment, &code);
    if (code)
        return code;
    const int number = kb_client_pool(client, at->segment, pool);
    at->pool = (unsigned)number;
    return number < 0 ? number : 0;
}

int kb_claim_now(kb_client *client, const char *pool, kb_key *out)
{
    struct place at;
    int code = find_place(client, pool, &at);
    if (code == 0)
        code = claim_in(&at, out);
    if (code == 0)
        return 0;
    /* A segment that has ended has no pools and no keys: look for its successor. */
    struct kb_segment *segment;
    const int moved = kb_client_segment(client, &segment);
    if (moved)
        return moved;
    if (segment == at.segment)
        return code;
    code = find_place(client, pool, &at);
    return code ? code : claim_in(&at, out);
}

int kb_claim(kb_client *client, const char *pool, int timeout_ms, kb_key *out)
{
    if (!client || !pool || !out || timeout_ms < -1)
        return KB_EINVAL;
    int code = kb_claim_now(client, pool, out);
    if (code == 0)
        return 0;
    const uint64_t start = kb_os_now();
    while ((code == KB_EEXHAUSTED || code == KB_ENOBROKER) && timeout_ms != 0) {
        uint64_t sleep = POLL_MS;
        if (timeout_ms > 0) {
            const uint64_t gone = kb_os_now() - start;
            if (gone >= (uint64_t)timeout_ms)
                break;
            sleep = (uint64_t)timeout_ms - gone < sleep ? (uint64_t)timeout_ms - gone : sleep;
        }
        kb_os_sleep(sleep);
        code = kb_claim_now(client, pool, out);
        if (code == 0)
            return 0;
    }
    const int wait_ms = code == KB_EEXHAUSTED ? out->wait_ms : -1;
    explicit_bzero(out, sizeof *out);
    out->wait_ms = wait_ms;
    return code;
}

/* Takes no turn and no trial; the word only has to stand still while the secret is copied. */
static int claim_pinned(const struct place *at, const char *fingerprint, kb_key *out)
{
    struct kb_state *state = at->segment->state;
    const int key = kb_slot_find(state, at->pool, fingerprint);
    for (int tries = 0; key >= 0 && tries < PINNED_TRIES; tries++) {
        _Atomic uint64_t *slot_word = &state->slots[at->pool][key].word;
        const uint64_t word = atomic_load_explicit(slot_word, memory_order_acquire);
        const unsigned s = kb_word_state(word);
        if (s == KB_EMPTY || s == KB_DISABLED)
            break;
        if (!kb_secret_copy(at->segment->secrets, at->pool, (unsigned)key, out) ||
            atomic_load_explicit(slot_word, memory_order_acquire) != word)
            continue;
        if (strcmp(out->fingerprint, fingerprint) != 0)
            break;
        fill(out, at, (unsigned)key, word, KB_CLAIM_PINNED);
        kb_count(at->segment, at->worker, at->pool, (unsigned)key, KB_COUNT_CLAIMS);
        return 0;
    }
    return KB_EKEY;
}

int kb_claim_key(kb_client *client, const char *pool, const char *fingerprint, kb_key *out)
{
    if (!client || !pool || !fingerprint || !out)
        return KB_EINVAL;
    struct place at;
    struct kb_segment *segment;
    int code = kb_client_segment(client, &segment);
    if (code == 0)
        code = find_place(client, pool, &at);
    if (code == 0)
        code = claim_pinned(&at, fingerprint, out);
    if (code)
        explicit_bzero(out, sizeof *out);
    return code;
}

void kb_key_clear(kb_key *key)
{
    if (!key)
        return;
    explicit_bzero(key->secret, sizeof key->secret);
    key->secret_len = 0;
}
