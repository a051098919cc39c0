#include "plan.h"

#include "segment/secret.h"
#include "segment/slot.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NOWHERE UINT16_MAX
_Static_assert(KB_KEYS < NOWHERE, "a slot number fits");

/* A configured key, to be found by fingerprint. */
struct entry {
    char fingerprint[KB_FINGERPRINT_LEN + 1];
    uint16_t number; /* in the configuration */
};

static int by_fingerprint(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return strcmp(x->fingerprint, y->fingerprint);
}

/* Marks the slots whose keys stay. */
static void match(struct kb_plan *plan, const struct kb_segment *segment, const struct entry *sorted)
{
    struct kb_state *state = segment->state;
    plan->span = kb_secret_span(segment->secrets, plan->pool);
    for (unsigned key = 0; key < plan->span; key++) {
        struct entry there = {.number = 0};
        if (kb_word_state(atomic_load(&state->slots[plan->pool][key].word)) == KB_EMPTY)
            continue;
        plan->taken[key] = true;
        kb_slot_fingerprint(&state->slots[plan->pool][key], there.fingerprint);
        const struct entry *wanted = bsearch(&there, sorted, plan->from->n_keys, sizeof *sorted, by_fingerprint);
        if (!wanted || plan->where[wanted->number] != NOWHERE)
            continue; /* not wanted, or there twice in a damaged segment */
        plan->where[wanted->number] = (uint16_t)key;
        plan->stays[key] = true;
    }
}

/* The first slot from `slot` on that is to be had: an empty one, or in the second round one whose key
 * goes. There are enough: a pool's configured keys are at most its slots. */
static unsigned next_slot(const struct kb_plan *plan, unsigned slot, bool *second_round)
{
    for (;; slot++) {
        if (slot == KB_KEYS) {
            *second_round = true;
            slot = 0;
        }
        if (*second_round ? plan->taken[slot] && !plan->stays[slot] : !plan->taken[slot])
            return slot;
    }
}

static void place_new(struct kb_plan *plan)
{
    bool second_round = false;
    unsigned slot = 0;
    for (unsigned i = 0; i < plan->from->n_keys; i++) {
        if (plan->where[i] != NOWHERE)
            continue;
        slot = next_slot(plan, slot, &second_round);
        plan->where[i] = (uint16_t)slot++;
        plan->span = slot > plan->span ? slot : plan->span;
    }
}

int kb_plan_make(struct kb_plan *plan, const struct kb_config_pool *from, const struct kb_segment *segment)
{
    const unsigned n = from->n_keys;
    assert(n <= KB_KEYS); /* the configuration's limit; place_new ends by it */
    struct entry *sorted = calloc(n + 1, sizeof *sorted);
    plan->from = from;
    plan->where = calloc(n + 1, sizeof *plan->where);
    if (!sorted || !plan->where) {
        free(sorted);
        return KB_ENOMEM;
    }
    for (unsigned i = 0; i < n; i++) {
        memcpy(sorted[i].fingerprint, from->keys[i].fingerprint, sizeof sorted[i].fingerprint);
        sorted[i].number = (uint16_t)i;
        plan->where[i] = NOWHERE;
    }
    qsort(sorted, n, sizeof *sorted, by_fingerprint);
    match(plan, segment, sorted);
    place_new(plan);
    free(sorted);
    return 0;
}

void kb_plan_free(struct kb_plan *plan)
{
    free(plan->where);
    plan->where = NULL;
}
