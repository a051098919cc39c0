#include "plan.h"

#include "segment/slot.h"

#include <stdlib.h>
#include <string.h>

#define NOWHERE UINT16_MAX

static int by_fingerprint(const void *a, const void *b)
{
    const struct kb_config_key *const *x = a, *const *y = b;
    return strcmp((*x)->fingerprint, (*y)->fingerprint);
}

/* Marks the slots whose keys stay. */
static void match(struct kb_plan *plan, struct kb_state *state, const struct kb_config_key **sorted)
{
    const unsigned span = kb_slot_span(state, plan->pool);
    for (unsigned key = 0; key < span; key++) {
        struct kb_config_key wanted;
        const struct kb_config_key *probe = &wanted;
        if (kb_word_state(atomic_load(&state->slots[plan->pool][key].word)) == KB_EMPTY)
            continue;
        kb_slot_fingerprint(&state->slots[plan->pool][key], wanted.fingerprint);
        const struct kb_config_key **found =
            bsearch(&probe, sorted, plan->from->n_keys, sizeof(struct kb_config_key *), by_fingerprint);
        if (!found || plan->where[*found - plan->from->keys] != NOWHERE)
            continue; /* not wanted, or twice in a damaged segment */
        plan->where[*found - plan->from->keys] = (uint16_t)key;
        plan->stays[key] = true;
    }
    plan->span = span;
}

/* Gives each new key the first slot that is not one that stays. */
static void place_new(struct kb_plan *plan)
{
    unsigned free = 0;
    for (unsigned i = 0; i < plan->from->n_keys; i++) {
        if (plan->where[i] != NOWHERE)
            continue;
        while (plan->stays[free])
            free++;
        plan->where[i] = (uint16_t)free;
        free++;
        plan->span = free > plan->span ? free : plan->span;
    }
}

/* Places go round only as long as keys fit, which the configuration's limits see to. */
_Static_assert(KB_KEYS < NOWHERE, "a slot number fits");

int kb_plan_make(struct kb_plan *plan, const struct kb_config_pool *from, struct kb_state *state)
{
    const unsigned n = from->n_keys;
    const struct kb_config_key **sorted = calloc(n + 1, sizeof *sorted);
    plan->from = from;
    plan->where = malloc((n + 1) * sizeof *plan->where);
    if (!sorted || !plan->where) {
        free(sorted);
        return KB_ENOMEM;
    }
    for (unsigned i = 0; i < n; i++) {
        sorted[i] = &from->keys[i];
        plan->where[i] = NOWHERE;
    }
    qsort(sorted, n, sizeof *sorted, by_fingerprint);
    match(plan, state, sorted);
    place_new(plan);
    free(sorted);
    return 0;
}

void kb_plan_free(struct kb_plan *plan)
{
    free(plan->where);
    plan->where = NULL;
}
