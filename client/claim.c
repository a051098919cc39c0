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

/* The path of a claim that succeeds at once is one piece of code; everything else is out of its way. */
#define HOT                 inline __attribute__((always_inline))
#define COLD                __attribute__((noinline, cold))
#define UNLIKELY(condition) __builtin_expect((condition), 0)

enum { VAIN_TURNS = 2 * KB_KEYS, PINNED_TRIES = 100 };

/* Where a claim happens: everything below works on this. */
struct place {
    struct kb_segment *segment;
    uint64_t worker;
    unsigned pool;
    const uint64_t *skip; /* bits of keys whose turn is let pass; NULL: none */
    int turns;            /* that may lead to no key before a sweep must set the bits right */
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

/* Copies the key out if its word is still `word` afterwards: that look is a claim's last step, so a
 * claim that began after a failure was reported cannot miss it. */
static HOT bool copy_out(const struct place *at, unsigned key, uint64_t word, unsigned flags, kb_key *out)
{
    const _Atomic uint64_t *slot_word = &at->segment->state->slots[at->pool][key].word;
    const bool copied = kb_secret_copy(at->segment->secrets, at->pool, key, out);
    if (UNLIKELY(!copied || atomic_load_explicit(slot_word, memory_order_acquire) != word))
        return false;
    fill(out, at, key, word, flags);
    kb_count(at->segment, at->worker, at->pool, key, KB_COUNT_CLAIMS);
    return true;
}

/* The turn has come to a key that is not simply available: on trial, or its bit was wrong. */
static COLD bool take_other(const struct place *at, unsigned key, uint64_t word, kb_key *out)
{
    struct kb_state *state = at->segment->state;
    if (!kb_word_claimable(word)) {
        kb_slot_agree(state, at->pool, key);
        return false;
    }
    if (!take_trial(at, key, &word))
        return false;
    if (copy_out(at, key, word, KB_CLAIM_TRIAL, out))
        return true;
    kb_slot_change(state, at->pool, key, word, kb_word_trial_offered(word));
    return false;
}

/* Takes one turn. 1: its key is claimed. 0: its key cannot be claimed after all, or changed while its
 * secret was copied. -1: no key has a turn. */
static HOT int take_turn(const struct place *at, kb_key *out)
{
    struct kb_state *state = at->segment->state;
    uint64_t sequence;
    const int key = kb_rotation_turn(&state->pools[at->pool].rotation, &sequence);
    if (UNLIKELY(key < 0))
        return -1;
    if (UNLIKELY(sequence % KB_SWEEP_TURNS == KB_SWEEP_TURNS - 1))
        kb_sweep(state, at->pool, kb_os_now());
    if (UNLIKELY(at->skip && at->skip[key / 64] >> (key % 64) & 1))
        return 0;
    const uint64_t word = atomic_load_explicit(&state->slots[at->pool][key].word, memory_order_acquire);
    if (UNLIKELY(kb_word_state(word) != KB_AVAILABLE))
        return take_other(at, (unsigned)key, word, out);
    return copy_out(at, (unsigned)key, word, 0, out);
}

static bool take_turns(const struct place *at, kb_key *out)
{
    for (int turns = 0; turns < at->turns; turns++) {
        const int taken = take_turn(at, out);
        if (taken)
            return taken > 0;
    }
    return false;
}

static bool due(struct kb_rotation *rotation)
{
    const uint64_t time = kb_due_time(atomic_load_explicit(&rotation->next_due, memory_order_relaxed));
    return time != KB_NEVER && time <= kb_os_now_coarse();
}

/* When the first turn has led to nothing. */
static COLD int claim_slowly(const struct place *at, kb_key *out)
{
    struct kb_state *state = at->segment->state;
    if (take_turns(at, out))
        return 0;
    kb_sweep(state, at->pool, kb_os_now());
    if (take_turns(at, out))
        return 0;
    kb_sweep_all_failed(state, at->pool);
    if (take_turns(at, out))
        return 0;
    explicit_bzero(out, sizeof *out);
    out->wait_ms = kb_pool_wait_ms(state, at->pool);
    return KB_EEXHAUSTED;
}

static HOT int claim_in(const struct place *at, kb_key *out)
{
    struct kb_state *state = at->segment->state;
    if (UNLIKELY(due(&state->pools[at->pool].rotation)))
        kb_sweep(state, at->pool, kb_os_now());
    const int taken = take_turn(at, out);
    return UNLIKELY(taken <= 0) ? claim_slowly(at, out) : 0;
}

static HOT int find_place(kb_client *client, const char *pool, struct place *at)
{
    int code;
    at->skip = NULL;
    at->turns = VAIN_TURNS;
    at->segment = atomic_load_explicit(&client->segment, memory_order_acquire);
    at->worker = kb_worker_place(at->segment, &code);
    if (code)
        return code;
    const int number = kb_client_pool(client, at->segment, pool);
    at->pool = (unsigned)number;
    return number < 0 ? number : 0;
}

static HOT int claim_now(kb_client *client, const char *pool, kb_key *out, struct kb_segment **in)
{
    struct place at;
    const int code = find_place(client, pool, &at);
    *in = at.segment;
    return code ? code : claim_in(&at, out);
}

static COLD int claim_again(kb_client *client, const char *pool, kb_key *out, struct kb_segment **in)
{
    return claim_now(client, pool, out, in);
}

/* When a claim has failed with `code` in a segment. One that has ended has no pools and no keys: its
 * successor is tried, and what that says counts only if it has not ended meanwhile. */
static COLD int claim_elsewhere(kb_client *client, const char *pool, kb_key *out, int code, struct kb_segment *segment)
{
    for (int moves = 0; code && moves < KB_MOVES; moves++) {
        struct kb_segment *now;
        const int moved = kb_client_segment(client, &now);
        if (moved)
            return moved;
        if (now == segment)
            return code;
        code = claim_again(client, pool, out, &segment);
    }
    return code;
}

/* After a first attempt that failed with `code`: more of them, until the time is up. */
static COLD int claim_patiently(kb_client *client, const char *pool, int timeout_ms, kb_key *out, int code,
                                struct kb_segment *segment)
{
    const uint64_t start = kb_os_now();
    code = claim_elsewhere(client, pool, out, code, segment);
    /* KB_EPERM: this handle was let in before; a segment in the making is closed to its group for a moment. */
    while ((code == KB_EEXHAUSTED || code == KB_ENOBROKER || code == KB_EPERM) && timeout_ms != 0) {
        uint64_t sleep = KB_POLL_MS;
        if (timeout_ms > 0) {
            const uint64_t gone = kb_os_now() - start;
            if (gone >= (uint64_t)timeout_ms)
                break;
            sleep = (uint64_t)timeout_ms - gone < sleep ? (uint64_t)timeout_ms - gone : sleep;
        }
        kb_os_sleep(sleep);
        code = claim_again(client, pool, out, &segment);
        if (code)
            code = claim_elsewhere(client, pool, out, code, segment);
    }
    if (code) {
        const int wait_ms = code == KB_EEXHAUSTED ? out->wait_ms : 0;
        explicit_bzero(out, sizeof *out);
        out->wait_ms = wait_ms;
    }
    return code;
}

/* After any error *out holds no secret, not even one of an earlier claim. */
static COLD int refuse(kb_key *out)
{
    if (out)
        explicit_bzero(out, sizeof *out);
    return KB_EINVAL;
}

int kb_claim(kb_client *client, const char *pool, int timeout_ms, kb_key *out)
{
    struct kb_segment *segment;
    if (!client || !pool || !out || timeout_ms < -1)
        return refuse(out);
    const int code = claim_now(client, pool, out, &segment);
    return code == 0 ? 0 : claim_patiently(client, pool, timeout_ms, out, code, segment);
}

/* Whether there is a key outside `skip` that may be claimed one day without an operator's doing. */
static bool any_left(const struct place *at)
{
    const unsigned span = kb_slot_span(at->segment->state, at->pool);
    for (unsigned key = 0; key < span; key++) {
        const unsigned s = kb_word_state(atomic_load(&at->segment->state->slots[at->pool][key].word));
        if (s != KB_EMPTY && s != KB_DISABLED && !(at->skip[key / 64] >> (key % 64) & 1))
            return true;
    }
    return false;
}

int kb_claim_untried(kb_client *client, const char *pool, const uint64_t *tried, kb_key *out)
{
    struct kb_segment *segment;
    struct place at;
    int code = kb_client_segment(client, &segment);
    if (code == 0)
        code = find_place(client, pool, &at);
    if (code == 0) {
        at.skip = tried;
        at.turns = (int)kb_slot_span(at.segment->state, at.pool);
        code = any_left(&at) ? claim_in(&at, out) : KB_EKEY;
    }
    if (code == 0)
        return 0;
    explicit_bzero(out, sizeof *out);
    /* An answer counts only if its segment has not ended meanwhile. */
    struct kb_segment *now;
    return kb_client_segment(client, &now) == 0 && now != segment ? KB_ENOBROKER : code;
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
        return refuse(out);
    struct kb_segment *segment, *now;
    int code = kb_client_segment(client, &segment);
    for (int moves = 0; code == 0 && moves < KB_MOVES; moves++) {
        struct place at;
        int pinned = find_place(client, pool, &at);
        if (pinned == 0)
            pinned = claim_pinned(&at, fingerprint, out);
        if (pinned == 0)
            return 0;
        /* An answer counts only if its segment has not ended meanwhile. */
        code = kb_client_segment(client, &now);
        if (code == 0 && now == at.segment) {
            code = pinned;
            break;
        }
    }
    explicit_bzero(out, sizeof *out);
    return code ? code : KB_ENOBROKER;
}

void kb_key_clear(kb_key *key)
{
    if (!key)
        return;
    explicit_bzero(key->secret, sizeof key->secret);
    key->secret_len = 0;
}
