#include "keyctl/pools.h"

#include "keyctl/access.h"
#include "keyctl/command.h"

#include <stdio.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"

static bool read_pool(const struct kb_state *state, unsigned number, struct kb_ctl_pool *out)
{
    const struct kb_pool *pool = &state->pools[number];
    if (!atomic_load_explicit(&pool->live, memory_order_acquire))
        return false;
    out->number = number;
    memcpy(out->name, pool->name, sizeof out->name - 1);
    out->name[sizeof out->name - 1] = 0;
    return kb_name_valid(out->name);
}

static int refuse_unknown(const struct kb_ctl_pools *all)
{
    char names[KB_POOLS * (KB_NAME_MAX + 2) + 1] = "";
    size_t used = 0;
    if (all->count == 0)
        return kb_ctl_fail(KB_EXIT_UNKNOWN, "no such pool, nor any other");
    for (unsigned i = 0; i < all->count; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", all->at[i].name);
    return kb_ctl_fail(KB_EXIT_UNKNOWN, "no such pool; there are: %s", names);
}

int kb_ctl_pools_select(const struct kb_state *state, const char *name, struct kb_ctl_pools *out)
{
    out->count = 0;
    for (unsigned number = 0; number < KB_POOLS; number++)
        if (read_pool(state, number, &out->at[out->count]))
            out->count++;
    if (!name)
        return 0;
    for (unsigned i = 0; i < out->count; i++)
        if (strcmp(out->at[i].name, name) == 0) {
            out->at[0] = out->at[i];
            out->count = 1;
            return 0;
        }
    return refuse_unknown(out);
}

bool kb_ctl_env_valid(const char *name)
{
    const size_t length = strnlen(name, KB_ENV_MAX + 1);
    return length > 0 && length <= KB_ENV_MAX && strchr(LETTERS, *name) && strspn(name, LETTERS "0123456789") == length;
}

void kb_ctl_pool_env(const struct kb_state *state, unsigned pool, char out[KB_ENV_MAX + 1])
{
    memcpy(out, state->pools[pool].env, KB_ENV_MAX);
    out[KB_ENV_MAX] = 0;
    if (!kb_ctl_env_valid(out))
        strcpy(out, "API_KEY");
}
