#include "keys.h"

#include "plan.h"
#include "publication.h"
#include "segment/count.h"
#include "segment/os.h"
#include "segment/policy.h"
#include "segment/secret.h"
#include "segment/service_text.h"
#include "segment/slot.h"
#include "segment/sweep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static int fail(struct kb_owner_error *error, int code, const char *what, const char *pool, const char *why)
{
    snprintf(error->text, sizeof error->text, "%s of pool \"%s\": %s", what, pool, why);
    return code;
}

static bool is_empty(struct kb_state *state, unsigned pool, unsigned key)
{
    return kb_word_state(atomic_load(&state->slots[pool][key].word)) == KB_EMPTY;
}

/* A pool's place by name: its own, or the first that never had a name. */
static int find_place(const struct kb_secrets *secrets, const char *name, const bool *taken)
{
    int unnamed = -1;
    for (unsigned pool = 0; pool < KB_POOLS; pool++) {
        const char *there = secrets->header.names[pool];
        if (strcmp(there, name) == 0)
            return (int)pool;
        if (!*there && !taken[pool] && unnamed < 0)
            unnamed = (int)pool;
    }
    return unnamed;
}

static int allocate(struct kb_owner *owner, const struct kb_plan *plan)
{
    int error = kb_owner_allocate_service(owner, plan->pool);
    if (error == 0)
        error = kb_owner_allocate(owner, plan->pool, plan->span);
    for (unsigned i = 0; error == 0 && i < plan->from->n_keys; i++)
        if (plan->from->keys[i].len > KB_SECRET_SHORT)
            error = kb_owner_allocate_long(owner, plan->pool, plan->where[i]);
    return error;
}

static void remove_key(struct kb_segment *segment, unsigned pool, unsigned key)
{
    kb_slot_empty(segment->state, pool, key);
    /* A claim that was copying finds the word changed; now the text may go. */
    kb_secret_wipe(segment->secrets, pool, key);
}

static void add_key(struct kb_segment *segment, unsigned pool, unsigned key, const struct kb_config_key *from)
{
    struct kb_slot *slot = &segment->state->slots[pool][key];
    uint64_t text[2] = {0, 0};
    memcpy(text, from->fingerprint, KB_FINGERPRINT_LEN);
    kb_secret_write(segment->secrets, pool, key, from->secret, from->len, from->fingerprint);
    for (int i = 0; i < 2; i++)
        atomic_store_explicit(&slot->fingerprint[i], text[i], memory_order_relaxed);
    atomic_store(&slot->failed_at, 0);
    atomic_store(&slot->last_status, 0);
    kb_counts_clear(segment->state, pool, key);
    const uint64_t word = atomic_load(&slot->word);
    kb_slot_change(segment->state, pool, key, word, kb_word_fresh(word, KB_AVAILABLE));
}

/* Whether the segment still holds this secret whole. */
static bool holds(struct kb_segment *segment, unsigned pool, unsigned key, const struct kb_config_key *from)
{
    kb_key copy;
    const bool same = kb_secret_copy(segment->secrets, pool, key, &copy) && copy.secret_len == from->len &&
                      memcmp(copy.secret, from->secret, from->len) == 0 &&
                      strcmp(copy.fingerprint, from->fingerprint) == 0;
    kb_key_clear(&copy);
    return same;
}

static void publish(struct kb_segment *segment, const struct kb_plan *plan)
{
    char text[KB_SERVICE_MAX + 1];
    const size_t length = kb_publication_make(plan->from, text);
    kb_service_text_write(segment->secrets, plan->pool, text, length);
}

static void name_pool(struct kb_segment *segment, const struct kb_plan *plan)
{
    struct kb_pool *pool = &segment->state->pools[plan->pool];
    char *name = segment->secrets->header.names[plan->pool];
    if (!*name || strcmp(pool->name, name) != 0) {
        snprintf(pool->name, sizeof pool->name, "%s", plan->from->name);
        snprintf(name, sizeof segment->secrets->header.names[0], "%s", plan->from->name);
    }
    snprintf(pool->service, sizeof pool->service, "%s", plan->from->service);
    snprintf(pool->env, sizeof pool->env, "%s", plan->from->env);
    kb_policy_defaults(pool, plan->from->service);
}

static bool word_sane(uint64_t word)
{
    return kb_word_state(word) < KB_STATES;
}

/* Brings the configured key number i to its slot, unless it is there and whole. */
static void settle(struct kb_segment *segment, const struct kb_plan *plan, unsigned i, struct kb_keys_change *change)
{
    const struct kb_config_key *from = &plan->from->keys[i];
    const unsigned key = plan->where[i];
    const bool stays = plan->stays[key];
    if (stays && holds(segment, plan->pool, key, from) &&
        word_sane(atomic_load(&segment->state->slots[plan->pool][key].word))) {
        change->kept++;
        return;
    }
    if (stays)
        remove_key(segment, plan->pool, key);
    add_key(segment, plan->pool, key, from);
    change->rewritten += stays;
    change->added += !stays;
}

/* What goes into empty slots comes before anything is removed: a pool whose keys are all replaced is
 * never without one. */
static void edit_pool(struct kb_segment *segment, const struct kb_plan *plan, struct kb_keys_change *change)
{
    struct kb_state *state = segment->state;
    const unsigned before = kb_secret_span(segment->secrets, plan->pool);
    name_pool(segment, plan);
    publish(segment, plan); /* before a key of it can be claimed */
    atomic_store(&segment->secrets->header.spans[plan->pool], plan->span);
    atomic_store_explicit(&state->pools[plan->pool].rotation.span, plan->span, memory_order_release);
    for (unsigned i = 0; i < plan->from->n_keys; i++)
        if (!plan->taken[plan->where[i]])
            settle(segment, plan, i, change);
    /* Empty slots too: a death may have left a secret in one. */
    for (unsigned key = 0; key < before; key++) {
        change->removed += plan->taken[key] && !plan->stays[key];
        if (!plan->stays[key] && (plan->taken[key] || is_empty(state, plan->pool, key)))
            remove_key(segment, plan->pool, key);
    }
    for (unsigned i = 0; i < plan->from->n_keys; i++)
        if (plan->taken[plan->where[i]])
            settle(segment, plan, i, change);
    atomic_store_explicit(&state->pools[plan->pool].live, 1, memory_order_release);
    kb_sweep(state, plan->pool, kb_os_now());
}

static void drop_pool(struct kb_segment *segment, unsigned pool, struct kb_keys_change *change)
{
    const unsigned span = kb_secret_span(segment->secrets, pool);
    atomic_store_explicit(&segment->state->pools[pool].live, 0, memory_order_release);
    for (unsigned key = 0; key < span; key++) {
        change->removed += !is_empty(segment->state, pool, key);
        remove_key(segment, pool, key);
    }
}

/* Keeps secrets out of swap, as far as the limits allow. */
static bool lock_pool(struct kb_secrets *secrets, unsigned pool, unsigned span)
{
    bool locked = span == 0 || mlock(secrets->secrets[pool], span * sizeof(struct kb_secret)) == 0;
    for (unsigned key = 0; locked && key < span; key++)
        if (kb_secret_length(atomic_load(&secrets->secrets[pool][key].stamp)) > KB_SECRET_SHORT)
            locked = mlock(secrets->longs[pool][key], KB_SECRET_MAX) == 0;
    return locked;
}

/* Plans and allocates every pool; KB_E code. */
static int prepare(struct kb_owner *owner, const struct kb_config *config, struct kb_plan *plans,
                   struct kb_owner_error *error)
{
    bool taken[KB_POOLS] = {false};
    for (unsigned i = 0; i < config->n_pools; i++) {
        const struct kb_config_pool *from = &config->pools[i];
        const int place = find_place(owner->segment.secrets, from->name, taken);
        if (place < 0)
            return fail(error, KB_EFULL, "no place for the name", from->name,
                        "64 names were used since the segment was made; restart the broker");
        taken[place] = true;
        plans[i].pool = (unsigned)place;
        if (kb_plan_make(&plans[i], from, &owner->segment) != 0)
            return fail(error, KB_ENOMEM, "cannot plan the keys", from->name, strerror(ENOMEM));
        const int code = allocate(owner, &plans[i]);
        if (code)
            return fail(error, KB_ENOMEM, "no shared memory for the keys", from->name, strerror(code));
    }
    return 0;
}

static void edit(struct kb_owner *owner, const struct kb_plan *plans, unsigned n_plans, struct kb_keys_change *change)
{
    struct kb_segment *segment = &owner->segment;
    bool wanted[KB_POOLS] = {false};
    change->locked = true;
    for (unsigned i = 0; i < n_plans; i++)
        wanted[plans[i].pool] = true;
    for (unsigned pool = 0; pool < KB_POOLS; pool++)
        if (!wanted[pool])
            drop_pool(segment, pool, change);
    for (unsigned i = 0; i < n_plans; i++) {
        edit_pool(segment, &plans[i], change);
        change->locked &= lock_pool(segment->secrets, plans[i].pool, plans[i].span);
    }
    atomic_fetch_add(&segment->state->header.generation, 1);
}

int kb_keys_apply(struct kb_owner *owner, const struct kb_config *config, struct kb_keys_change *change,
                  struct kb_owner_error *error)
{
    memset(change, 0, sizeof *change);
    struct kb_plan *plans = calloc(config->n_pools + 1, sizeof *plans);
    if (!plans)
        return fail(error, KB_ENOMEM, "cannot plan the keys", "*", strerror(ENOMEM));
    int code = kb_owner_enter(owner);
    if (code) {
        snprintf(error->text, sizeof error->text, "%s",
                 code == KB_EBUSY ? kb_strerror(code) : "this broker has been replaced by another");
    } else {
        code = prepare(owner, config, plans, error);
        if (code == 0)
            edit(owner, plans, config->n_pools, change);
        kb_owner_leave(owner);
    }
    for (unsigned i = 0; i < config->n_pools; i++)
        kb_plan_free(&plans[i]);
    free(plans);
    return code;
}
