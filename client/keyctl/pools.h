/*
 * pools.h: the pools of a segment, by name. The names may have been scribbled on: only what is a
 * proper name is ever compared or shown.
 */
#ifndef KB_KEYCTL_POOLS_H
#define KB_KEYCTL_POOLS_H

#include "segment/layout.h"

#include <stdbool.h>

struct kb_ctl_pool {
    unsigned number; /* its place in the segment */
    char name[KB_NAME_MAX + 1];
};

struct kb_ctl_pools {
    unsigned count;
    struct kb_ctl_pool at[KB_POOLS];
};

/* The pool NAME, or all for NULL, which may be none. 0, or KB_EXIT_UNKNOWN with the reason told. */
int kb_ctl_pools_select(const struct kb_state *state, const char *name, struct kb_ctl_pools *out);

/* What the pool's variable is called: what the segment says if that can be a variable's name, else "API_KEY". */
void kb_ctl_pool_env(const struct kb_state *state, unsigned pool, char out[KB_ENV_MAX + 1]);

/* Whether this can be the name of an environment variable: letters, digits and _, at most KB_ENV_MAX. */
bool kb_ctl_env_valid(const char *name);

#endif
