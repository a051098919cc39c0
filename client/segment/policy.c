#include "segment/policy.h"

#include <string.h>

void kb_policy_defaults(struct kb_pool *pool, const char *service)
{
    struct kb_policy *policy = &pool->policy;
    atomic_store(&policy->auth_ms, 60 * 1000);
    atomic_store(&policy->quota_ms, 5 * 60 * 1000);
    atomic_store(&policy->rate_ms, strcmp(service, "stability") == 0 ? 60 * 1000 : 10 * 1000);
    atomic_store(&policy->max_ms, 60 * 60 * 1000);
    atomic_store(&policy->trial_ms, 120 * 1000);
}

static uint64_t first_cooldown(struct kb_policy *policy, unsigned reason)
{
    switch (reason) {
    case KB_REASON_QUOTA:
        return atomic_load_explicit(&policy->quota_ms, memory_order_relaxed);
    case KB_REASON_RATE:
        return atomic_load_explicit(&policy->rate_ms, memory_order_relaxed);
    default:
        return atomic_load_explicit(&policy->auth_ms, memory_order_relaxed);
    }
}

uint64_t kb_policy_cooldown_ms(struct kb_pool *pool, unsigned reason, unsigned strikes, uint64_t random)
{
    const uint64_t first = first_cooldown(&pool->policy, reason);
    uint64_t most = atomic_load_explicit(&pool->policy.max_ms, memory_order_relaxed);
    most = most > first ? most : first;
    most = most < KB_COOLDOWN_LONGEST_MS ? most : KB_COOLDOWN_LONGEST_MS;
    if (strikes <= 1)
        return first < most ? first : most;
    const uint64_t doubled = first << (strikes - 1 < KB_STRIKES_MAX ? strikes - 1 : KB_STRIKES_MAX);
    const uint64_t jittered = doubled + random % (doubled / 10 + 1);
    return jittered < most ? jittered : most;
}

uint64_t kb_policy_trial_ms(struct kb_pool *pool)
{
    const uint64_t ms = atomic_load_explicit(&pool->policy.trial_ms, memory_order_relaxed);
    return ms < KB_COOLDOWN_LONGEST_MS ? ms : KB_COOLDOWN_LONGEST_MS;
}
