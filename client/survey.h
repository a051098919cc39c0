/*
 * survey.h: a pool's status, for kb_status and keyctl alike.
 */
#ifndef KB_SURVEY_H
#define KB_SURVEY_H

#include "segment/layout.h"

/* Sweeps the pool first, so that what is due shows. */
void kb_pool_survey(struct kb_state *state, unsigned pool, kb_pool_status *out);

#endif
