#include "segment/policy.h"

#include "tests/kit/kit.h"

#include <criterion/criterion.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

static struct kb_pool pool;
static uint64_t seed = 5;

static uint64_t cooldown(unsigned reason, unsigned strikes)
{
    return kb_policy_cooldown_ms(&pool, reason, strikes, kit_random(&seed));
}

Test(policy, the_first_cooldowns_are_those_of_the_design)
{
    kb_policy_defaults(&pool, "generic");
    for (int i = 0; i < 100; i++) {
        cr_assert_eq(cooldown(KB_REASON_AUTH, 1), 60 * SECOND);
        cr_assert_eq(cooldown(KB_REASON_QUOTA, 1), 5 * MINUTE);
        cr_assert_eq(cooldown(KB_REASON_RATE, 1), 10 * SECOND);
    }
    cr_assert_eq(kb_policy_trial_ms(&pool), 120 * SECOND);
}

Test(policy, stability_cools_for_a_minute)
{
    kb_policy_defaults(&pool, "stability");
    cr_assert_eq(cooldown(KB_REASON_RATE, 1), 60 * SECOND);
    cr_assert_eq(cooldown(KB_REASON_AUTH, 1), 60 * SECOND);
    cr_assert_eq(cooldown(KB_REASON_QUOTA, 1), 5 * MINUTE);
}

Test(policy, each_further_strike_doubles_and_jitter_only_adds)
{
    const unsigned reasons[] = {KB_REASON_AUTH, KB_REASON_QUOTA, KB_REASON_RATE};
    const uint64_t firsts[] = {60 * SECOND, 5 * MINUTE, 10 * SECOND};
    kb_policy_defaults(&pool, "generic");
    for (int r = 0; r < 3; r++)
        for (unsigned strikes = 2; strikes <= 15; strikes++)
            for (int i = 0; i < 200; i++) {
                const uint64_t plain = firsts[r] << (strikes - 1), got = cooldown(reasons[r], strikes);
                if (plain >= HOUR)
                    cr_assert_eq(got, HOUR, "reason %u, strikes %u", reasons[r], strikes);
                else
                    cr_assert(got >= plain && got <= plain + plain / 10 && got <= HOUR, "reason %u, strikes %u: %llu",
                              reasons[r], strikes, (unsigned long long)got);
            }
}

Test(policy, jitter_tells_keys_apart)
{
    uint64_t least = UINT64_MAX, most = 0;
    kb_policy_defaults(&pool, "generic");
    for (int i = 0; i < 1000; i++) {
        const uint64_t got = cooldown(KB_REASON_AUTH, 3);
        least = got < least ? got : least;
        most = got > most ? got : most;
    }
    cr_assert_gt(most - least, 20 * SECOND, "up to a tenth of 240 s");
}

Test(policy, a_first_cooldown_longer_than_the_longest_stands)
{
    kb_policy_defaults(&pool, "generic");
    atomic_store(&pool.policy.max_ms, 1000);
    for (unsigned strikes = 1; strikes <= 15; strikes++)
        cr_assert_eq(cooldown(KB_REASON_AUTH, strikes), 60 * SECOND);
}

Test(policy, that_was_scribbled_on_is_held_to_31_days)
{
    const uint64_t longest = UINT64_C(31) * 24 * HOUR;
    atomic_store(&pool.policy.auth_ms, UINT32_MAX);
    atomic_store(&pool.policy.quota_ms, 0);
    atomic_store(&pool.policy.rate_ms, 1);
    atomic_store(&pool.policy.max_ms, UINT32_MAX);
    atomic_store(&pool.policy.trial_ms, UINT32_MAX);
    for (unsigned reason = 0; reason <= 3; reason++)
        for (unsigned strikes = 0; strikes <= 16; strikes++)
            cr_assert_leq(cooldown(reason, strikes), longest);
    cr_assert_leq(kb_policy_trial_ms(&pool), longest);
}
