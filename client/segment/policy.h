/*
 * policy.h: how long a failed key stays out.
 */
#ifndef KB_SEGMENT_POLICY_H
#define KB_SEGMENT_POLICY_H

#include "segment/layout.h"
#include "segment/word.h"

/* What any policy read from the segment is held to. */
#define KB_COOLDOWN_LONGEST_MS (UINT64_C(31) * 24 * 3600 * 1000)

/* The defaults of a pool whose service this is. For the broker, under the guard. */
void kb_policy_defaults(struct kb_pool *pool, const char *service);

/* The cooldown after a failure that makes `strikes` strikes: the reason's first cooldown, doubled for
 * each further strike, with up to a tenth more so that keys do not come back in step, up to the
 * policy's maximum (or the first cooldown, if that is longer). */
uint64_t kb_policy_cooldown_ms(struct kb_pool *pool, unsigned reason, unsigned strikes, uint64_t random);

uint64_t kb_policy_trial_ms(struct kb_pool *pool);

#endif
