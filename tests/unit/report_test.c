#include "client.h"

#include "segment/count.h"
#include "segment/os.h"
#include "segment/policy.h"
#include "segment/slot.h"
#include "segment/sweep.h"
#include "tests/kit/kit.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

static struct kit kit;
static kb_client *client;
static kb_key key, late;

static void set_up(void)
{
    kit_start(&kit, 1);
    cr_assert_eq(kb_open(kit.name, &client), 0);
    /* two claims of the same key: what becomes of the second, once the first was reported? */
    cr_assert_eq(kb_claim(client, "pool", 0, &key), 0);
    cr_assert_eq(kb_claim(client, "pool", 0, &late), 0);
}

static void tear_down(void)
{
    kb_close(client);
    kit_stop(&kit);
}

TestSuite(report, .init = set_up, .fini = tear_down, .timeout = 60);

static int report(const kb_key *claimed, kb_outcome outcome, int retry_after_ms)
{
    return kb_report(client, claimed, outcome, retry_after_ms, 0);
}

static struct kb_word word(void)
{
    return kb_word_unpack(kit_word(&kit, 0));
}

/* Whether the key comes back in `ms`, the time since the report allowed for. */
static bool back_in(uint64_t ms)
{
    const uint64_t until = kb_word_until_ms(kit_word(&kit, 0)), now = kb_os_now();
    return until <= now + ms + KB_TICK_MS && until + 5 * SECOND > now + ms;
}

Test(report, of_a_failure_is_a_state_a_reason_and_a_cooldown)
{
    const struct {
        kb_outcome outcome;
        unsigned state, reason;
        uint64_t cooldown;
    } cases[] = {
        {KB_OUTCOME_AUTH, KB_FAILED, KB_REASON_AUTH, 60 * SECOND},
        {KB_OUTCOME_QUOTA, KB_FAILED, KB_REASON_QUOTA, 5 * MINUTE},
        {KB_OUTCOME_RATE, KB_COOLING, KB_REASON_RATE, 10 * SECOND},
    };
    for (int i = 0; i < 3; i++) {
        kb_slot_change(kit.state, 0, 0, kit_word(&kit, 0), kb_word_fresh(kit_word(&kit, 0), KB_AVAILABLE));
        cr_assert_eq(kb_claim(client, "pool", 0, &key), 0);
        cr_assert_eq(report(&key, cases[i].outcome, -1), 0);
        cr_assert(word().state == cases[i].state && word().reason == cases[i].reason);
        cr_assert(word().strikes == 1 && word().named == 0);
        cr_assert(back_in(cases[i].cooldown));
    }
}

Test(report, of_no_failure_changes_nothing)
{
    const uint64_t before = kit_word(&kit, 0);
    cr_assert_eq(report(&key, KB_OUTCOME_OK, -1), 0);
    cr_assert_eq(report(&key, KB_OUTCOME_TRANSIENT, 5000), 0);
    cr_assert_eq(report(&key, KB_OUTCOME_CLIENT, -1), 0);
    cr_assert_eq(kb_release(client, &key), 0);
    cr_assert_eq(kit_word(&kit, 0), before);
    cr_assert_eq(atomic_load(&kit.state->slots[0][0].failed_at), 0);
}

Test(report, that_comes_late_is_counted_and_changes_nothing)
{
    cr_assert_eq(report(&key, KB_OUTCOME_AUTH, -1), 0);
    const uint64_t before = kit_word(&kit, 0);
    for (int outcome = KB_OUTCOME_OK; outcome <= KB_OUTCOME_CLIENT; outcome++)
        cr_assert_eq(report(&late, (kb_outcome)outcome, 10 * HOUR), 1);
    cr_assert_eq(kb_release(client, &late), 1);
    cr_assert_eq(kit_word(&kit, 0), before);
    const struct kb_counts counts = kb_counts_of(kit.state, 0, 0);
    cr_assert(counts.claims == 2 && counts.ok == 1 && counts.failed == 4 && counts.other == 2);
}

Test(report, that_comes_after_an_operator_changes_nothing)
{
    const unsigned states[] = {KB_DISABLED, KB_AVAILABLE, KB_PROBATION};
    for (int s = 0; s < 3; s++) {
        kit_put(&kit, 0, states[s]);
        const uint64_t before = kit_word(&kit, 0);
        for (int outcome = KB_OUTCOME_OK; outcome <= KB_OUTCOME_CLIENT; outcome++)
            cr_assert_eq(report(&late, (kb_outcome)outcome, 10 * HOUR), 1);
        cr_assert_eq(kit_word(&kit, 0), before);
    }
}

enum { REPORTERS = 5, CLAIMS = 10 };
static kb_key claims[REPORTERS][CLAIMS];

static void *report_auth(void *arg)
{
    const kb_key *mine = arg;
    uintptr_t first = 0;
    for (int i = 0; i < CLAIMS; i++)
        first += report(&mine[i], KB_OUTCOME_AUTH, -1) == 0;
    return (void *)first;
}

Test(report, by_fifty_of_one_failure_makes_one_strike)
{
    pthread_t threads[REPORTERS];
    uintptr_t firsts = 0;
    for (int r = 0; r < REPORTERS; r++)
        for (int i = 0; i < CLAIMS; i++)
            cr_assert_eq(kb_claim(client, "pool", 0, &claims[r][i]), 0);
    for (int r = 0; r < REPORTERS; r++)
        cr_assert_eq(pthread_create(&threads[r], NULL, report_auth, claims[r]), 0);
    for (int r = 0; r < REPORTERS; r++) {
        void *first;
        pthread_join(threads[r], &first);
        firsts += (uintptr_t)first;
    }
    cr_assert_eq(firsts, 1, "one of them changed the state");
    cr_assert(word().state == KB_FAILED && word().strikes == 1);
    cr_assert(back_in(60 * SECOND));
    cr_assert_eq(kb_counts_of(kit.state, 0, 0).failed, REPORTERS * CLAIMS);
}

Test(report, that_names_a_time_sets_it)
{
    cr_assert_eq(report(&key, KB_OUTCOME_RATE, 3 * SECOND), 0);
    cr_assert(word().state == KB_COOLING && word().named == 1);
    cr_assert(back_in(3 * SECOND), "upstream knows better than our 10 s");
    kit_age(&kit, 0);
    cr_assert_eq(kb_claim(client, "pool", 0, &key), 0);
    cr_assert_eq(report(&key, KB_OUTCOME_QUOTA, 2 * HOUR), 0);
    cr_assert(word().state == KB_FAILED && word().named == 1);
    cr_assert(back_in(2 * HOUR));
}

Test(report, that_names_no_time_at_all_brings_the_key_back_at_once_on_trial)
{
    cr_assert_eq(report(&key, KB_OUTCOME_RATE, 0), 0);
    cr_assert_eq(word().strikes, 1);
    cr_assert_eq(kb_claim(client, "pool", 1000, &key), 0);
    cr_assert_eq(kit_state(&kit, 0), KB_PROBATION);
}

Test(report, that_names_the_longest_time_is_held_to_31_days)
{
    cr_assert_eq(report(&key, KB_OUTCOME_RATE, INT_MAX), 0);
    cr_assert(word().named == 1);
    cr_assert_leq(kb_word_until_ms(kit_word(&kit, 0)), kb_os_now() + KB_COOLDOWN_LONGEST_MS + KB_TICK_MS);
    cr_assert_gt(kb_word_until_ms(kit_word(&kit, 0)), kb_os_now() + (uint64_t)24 * 24 * HOUR);
}

Test(report, of_a_limit_that_comes_late_lengthens_the_pause_and_never_shortens_it)
{
    cr_assert_eq(report(&key, KB_OUTCOME_RATE, 60 * SECOND), 0);
    const uint64_t before = kit_word(&kit, 0);
    cr_assert_eq(report(&late, KB_OUTCOME_RATE, 5 * SECOND), 1);
    cr_assert_eq(report(&late, KB_OUTCOME_RATE, -1), 1);
    cr_assert_eq(report(&late, KB_OUTCOME_RATE, 0), 1);
    cr_assert_eq(report(&late, KB_OUTCOME_QUOTA, 2 * HOUR), 1);
    cr_assert_eq(kit_word(&kit, 0), before);
    cr_assert_eq(report(&late, KB_OUTCOME_RATE, 10 * MINUTE), 1);
    cr_assert(back_in(10 * MINUTE));
    cr_assert(word().state == KB_COOLING && word().strikes == 1 && word().named == 1);
    cr_assert_eq(report(&late, KB_OUTCOME_RATE, INT_MAX), 1);
    cr_assert_leq(kb_word_until_ms(kit_word(&kit, 0)), kb_os_now() + KB_COOLDOWN_LONGEST_MS + KB_TICK_MS);
}

Test(report, of_a_limit_that_comes_late_lengthens_a_pause_that_was_not_named)
{
    cr_assert_eq(report(&key, KB_OUTCOME_RATE, -1), 0);
    cr_assert_eq(report(&late, KB_OUTCOME_RATE, 5 * SECOND), 1);
    cr_assert(word().named == 0 && back_in(10 * SECOND));
    cr_assert_eq(report(&late, KB_OUTCOME_RATE, 30 * SECOND), 1);
    cr_assert(word().named == 1 && back_in(30 * SECOND));
    kb_sweep(kit.state, 0, kb_os_now() + 20 * SECOND);
    cr_assert_eq(kit_state(&kit, 0), KB_COOLING, "the sweep at the earlier time leaves it");
}

Test(report, of_a_failure_tells_the_broker_and_everybody_when_to_look)
{
    const uint32_t bell = atomic_load(&kit.state->header.doorbell);
    cr_assert_eq(report(&key, KB_OUTCOME_AUTH, -1), 0);
    cr_assert_neq(atomic_load(&kit.state->header.doorbell), bell);
    cr_assert_leq(kb_due_time(atomic_load(&kit.state->pools[0].rotation.next_due)),
                  kb_word_until_ms(kit_word(&kit, 0)));
}

Test(report, leaves_status_and_time_for_people)
{
    struct kb_slot *slot = &kit.state->slots[0][0];
    const int64_t now = kb_os_unix_ms();
    cr_assert_eq(kb_report(client, &key, KB_OUTCOME_OK, -1, 201), 0);
    cr_assert_eq(atomic_load(&slot->last_status), 201);
    cr_assert_eq(kb_report(client, &key, KB_OUTCOME_TRANSIENT, -1, 0), 0);
    cr_assert_eq(atomic_load(&slot->last_status), 201, "0 is no status");
    cr_assert_eq(kb_report(client, &key, KB_OUTCOME_AUTH, -1, 401), 0);
    cr_assert_eq(atomic_load(&slot->last_status), 401);
    cr_assert(atomic_load(&slot->failed_at) >= now && atomic_load(&slot->failed_at) < now + MINUTE);
}

Test(report, counts_each_outcome_where_it_belongs)
{
    const kb_outcome outcomes[] = {KB_OUTCOME_OK, KB_OUTCOME_TRANSIENT, KB_OUTCOME_CLIENT, KB_OUTCOME_OK};
    for (int i = 0; i < 4; i++)
        cr_assert_eq(report(&key, outcomes[i], -1), 0);
    cr_assert_eq(kb_release(client, &key), 0);
    struct kb_counts counts = kb_counts_of(kit.state, 0, 0);
    cr_assert(counts.claims == 2 && counts.ok == 2 && counts.failed == 0 && counts.other == 2);
    cr_assert_eq(report(&key, KB_OUTCOME_RATE, -1), 0);
    counts = kb_counts_of(kit.state, 0, 0);
    cr_assert_eq(counts.failed, 1);
}

Test(report, made_twice_changes_the_state_once)
{
    cr_assert_eq(report(&key, KB_OUTCOME_AUTH, -1), 0);
    const uint64_t before = kit_word(&kit, 0);
    cr_assert_eq(report(&key, KB_OUTCOME_AUTH, -1), 1);
    cr_assert_eq(kit_word(&kit, 0), before);
    kit_age(&kit, 0);
    cr_assert_eq(kb_claim(client, "pool", 0, &key), 0);
    cr_assert_eq(report(&key, KB_OUTCOME_TRANSIENT, -1), 0);
    cr_assert_eq(report(&key, KB_OUTCOME_OK, -1), 1, "the trial is over");
    cr_assert_eq(kit_state(&kit, 0), KB_PROBATION);
}

Test(report, of_a_key_that_was_removed_or_replaced_is_counted_on_nobody)
{
    cr_assert_eq(kit_reload(&kit, 0, 0), 0);
    cr_assert_eq(report(&key, KB_OUTCOME_AUTH, -1), 1);
    cr_assert_eq(kit_state(&kit, 0), KB_EMPTY);
    cr_assert_eq(kb_counts_of(kit.state, 0, 0).failed, 0);
    cr_assert_eq(kit_reload(&kit, 7, 1), 0);
    const uint64_t before = kit_word(&kit, 0);
    for (int outcome = KB_OUTCOME_OK; outcome <= KB_OUTCOME_CLIENT; outcome++)
        cr_assert_eq(kb_report(client, &key, (kb_outcome)outcome, HOUR, 401), 1);
    cr_assert_eq(kit_word(&kit, 0), before);
    const struct kb_counts counts = kb_counts_of(kit.state, 0, 0);
    cr_assert(counts.claims == 0 && counts.ok == 0 && counts.failed == 0 && counts.other == 0);
    cr_assert_eq(atomic_load(&kit.state->slots[0][0].last_status), 0);
    kit_put(&kit, 0, KB_COOLING);
    const uint64_t cooling = kit_word(&kit, 0);
    cr_assert_eq(report(&late, KB_OUTCOME_RATE, 10 * HOUR), 1);
    cr_assert_eq(kit_word(&kit, 0), cooling, "another key's pause is not lengthened");
}

Test(report, of_a_key_that_stayed_over_a_reload_counts)
{
    cr_assert_eq(kit_reload(&kit, 0, 3), 0);
    cr_assert_eq(report(&key, KB_OUTCOME_AUTH, -1), 0);
    cr_assert_eq(kit_state(&kit, 0), KB_FAILED);
}

Test(report, that_makes_no_sense_is_refused)
{
    const uint64_t before = kit_word(&kit, 0);
    cr_assert_eq(report(&key, (kb_outcome)6, -1), KB_EINVAL);
    cr_assert_eq(report(&key, (kb_outcome)-1, -1), KB_EINVAL);
    cr_assert_eq(report(&key, (kb_outcome)INT_MAX, -1), KB_EINVAL);
    cr_assert_eq(report(&key, KB_OUTCOME_RATE, -2), KB_EINVAL);
    cr_assert_eq(report(&key, KB_OUTCOME_RATE, INT_MIN), KB_EINVAL);
    kb_key wrong = key;
    wrong.index = KB_KEYS;
    cr_assert_eq(report(&wrong, KB_OUTCOME_AUTH, -1), KB_EINVAL);
    wrong = key;
    wrong.kb_pool = KB_POOLS;
    cr_assert_eq(report(&wrong, KB_OUTCOME_AUTH, -1), KB_EINVAL);
    cr_assert_eq(kb_release(client, &wrong), KB_EINVAL);
    memset(&wrong, 0, sizeof wrong);
    cr_assert_neq(report(&wrong, KB_OUTCOME_AUTH, -1), 0, "nothing was ever claimed with it");
    memset(&wrong, 0xff, sizeof wrong);
    cr_assert_eq(report(&wrong, KB_OUTCOME_AUTH, -1), KB_EINVAL);
    cr_assert_eq(kit_word(&kit, 0), before);
    cr_assert_eq(kb_counts_of(kit.state, 0, 0).failed, 0);
}
