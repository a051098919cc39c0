/*
 * plan.h: which configured key goes to which slot of its pool.
 *
 * A key that is there already, by fingerprint, keeps its slot; a new one gets the first empty slot, so
 * that it can be claimed before the keys it replaces go. Only a pool with no empty slot left puts it
 * where one goes.
 */
#ifndef KB_BROKER_PLAN_H
#define KB_BROKER_PLAN_H

#include "config.h"
#include "segment/mapping.h"

#include <stdbool.h>

struct kb_plan {
    const struct kb_config_pool *from;
    unsigned pool;       /* its place in the segment; set by the caller */
    unsigned span;       /* slots in use afterwards */
    uint16_t *where;     /* the slot of each configured key */
    bool taken[KB_KEYS]; /* the slots that hold a key now */
    bool stays[KB_KEYS]; /* those of them whose keys stay */
};

/* Fills a zeroed plan but for `pool`. 0 or KB_ENOMEM; kb_plan_free in either case. Touches nothing. */
int kb_plan_make(struct kb_plan *plan, const struct kb_config_pool *from, const struct kb_segment *segment);
void kb_plan_free(struct kb_plan *plan);

#endif
