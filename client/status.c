#include "client.h"
#include "segment/os.h"
#include "segment/policy.h"
#include "segment/rotation.h"
#include "segment/slot.h"
#include "segment/sweep.h"
#include "survey.h"

#include <limits.h>
#include <string.h>

enum { TRIAL_LOOK_MS = 1000 }; /* a trial may end at any moment: come back to look */

/* Milliseconds until this key may be claimable again; KB_NEVER: only an operator or the broker can say. */
static uint64_t key_wait(struct kb_pool *pool, uint64_t word, uint64_t now)
{
    switch (kb_word_state(word)) {
    case KB_AVAILABLE:
        return 0;
    case KB_FAILED:
    case KB_COOLING:
        return kb_word_until_ms(word) > now ? kb_word_until_ms(word) - now : 0;
    case KB_PROBATION: {
        const uint64_t age = kb_word_trial_age(word, now), limit = kb_policy_trial_ms(pool);
        const uint64_t left = limit > age ? limit - age : 0;
        return kb_word_claimable(word) ? 0 : left < TRIAL_LOOK_MS ? left : TRIAL_LOOK_MS;
    }
    default:
        return KB_NEVER;
    }
}

int kb_pool_wait_ms(struct kb_state *state, unsigned pool)
{
    const uint64_t now = kb_os_now();
    const unsigned span = kb_slot_span(state, pool);
    uint64_t wait = KB_NEVER;
    for (unsigned key = 0; key < span; key++) {
        const uint64_t w = key_wait(&state->pools[pool], atomic_load(&state->slots[pool][key].word), now);
        wait = w < wait ? w : wait;
    }
    return wait == KB_NEVER ? -1 : wait < INT_MAX ? (int)wait : INT_MAX;
}

/* The first key behind the last turn that fits; -1. */
static int behind_cursor(struct kb_state *state, unsigned pool, bool (*fits)(uint64_t word))
{
    const unsigned span = kb_slot_span(state, pool);
    const unsigned last = (unsigned)(atomic_load(&state->pools[pool].rotation.cursor) & 0xffff) % KB_KEYS;
    for (unsigned step = 1; step <= KB_KEYS; step++) {
        const unsigned key = (last + step) % KB_KEYS;
        if (key < span && fits(atomic_load(&state->slots[pool][key].word)))
            return (int)key;
    }
    return -1;
}

static bool fits_all_failed(uint64_t word)
{
    return kb_word_state(word) == KB_FAILED && !kb_word_unpack(word).named;
}

static bool fits_any(uint64_t word)
{
    return kb_word_state(word) != KB_EMPTY;
}

static unsigned current_index(struct kb_state *state, unsigned pool)
{
    int key = behind_cursor(state, pool, kb_word_claimable);
    if (key < 0)
        key = behind_cursor(state, pool, fits_all_failed);
    if (key < 0)
        key = behind_cursor(state, pool, fits_any);
    return key < 0 ? 0 : (unsigned)key;
}

void kb_pool_survey(struct kb_state *state, unsigned pool, kb_pool_status *out)
{
    memset(out, 0, sizeof *out);
    kb_sweep(state, pool, kb_os_now());
    const unsigned span = kb_slot_span(state, pool);
    for (unsigned key = 0; key < span; key++) {
        const uint64_t word = atomic_load(&state->slots[pool][key].word);
        const unsigned s = kb_word_state(word);
        out->total += s != KB_EMPTY;
        out->available += kb_word_claimable(word);
        out->cooling += s == KB_COOLING;
        out->on_trial += s == KB_PROBATION && !kb_word_claimable(word);
        out->disabled += s == KB_DISABLED;
    }
    out->failed = out->total - out->available;
    out->current_index = current_index(state, pool);
    out->wait_ms = out->available ? 0 : kb_pool_wait_ms(state, pool);
    out->generation = atomic_load(&state->header.generation);
}

int kb_status(kb_client *client, const char *pool, kb_pool_status *out)
{
    struct kb_segment *segment, *now;
    if (!client || !pool || !out)
        return KB_EINVAL;
    int code = kb_client_segment(client, &segment);
    for (int moves = 0; code == 0 && moves < KB_MOVES; moves++) {
        const int number = kb_client_pool(client, segment, pool);
        if (number >= 0)
            kb_pool_survey(segment->state, (unsigned)number, out);
        /* An answer counts only if its segment has not ended meanwhile. */
        code = kb_client_segment(client, &now);
        if (code == 0 && now == segment)
            return number < 0 ? number : 0;
        segment = now;
    }
    return code ? code : KB_ENOBROKER;
}
