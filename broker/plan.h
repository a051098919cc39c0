/*
 * plan.h: which configured key goes to which slot of its pool.
 *
 * A key that is there already, by fingerprint, keeps its slot; a new one gets the first slot that no
 * key keeps, so a pool that only grows keeps the order of its configuration.
 */
#ifndef KB_BROKER_PLAN_H
#define KB_BROKER_PLAN_H

#include "config.h"

#include <stdbool.h>

struct kb_plan {
    const struct kb_config_pool *from;
    unsigned pool;       /* its place in the segment; set by the caller */
    unsigned span;       /* slots in use afterwards */
    uint16_t *where;     /* the slot of each configured key */
    bool stays[KB_KEYS]; /* the slots whose keys stay */
};

/* Fills a zeroed plan but for `pool`. 0 or KB_ENOMEM; kb_plan_free in either case. Touches nothing. */
int kb_plan_make(struct kb_plan *plan, const struct kb_config_pool *from, struct kb_state *state);
void kb_plan_free(struct kb_plan *plan);

#endif
