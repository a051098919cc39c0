#include "client.h"

#include "segment/os.h"
#include "segment/slot.h"
#include "segment/sweep.h"
#include "tests/kit/child.h"
#include "tests/kit/kit.h"

#include <criterion/criterion.h>

enum { SECOND = 1000 };

static struct kit kit;
static kb_client *client;
static kb_key key;

static void set_up(void)
{
    kit_start(&kit, 3);
    cr_assert_eq(kb_open(kit.name, &client), 0);
}

static void tear_down(void)
{
    kb_close(client);
    kit_stop(&kit);
}

TestSuite(probation, .init = set_up, .fini = tear_down, .timeout = 60);

static int claim(void)
{
    const int code = kb_claim(client, "pool", 0, &key);
    return code ? code : (int)key.index;
}

static int report(kb_outcome outcome)
{
    return kb_report(client, &key, outcome, -1, 0);
}

static struct kb_word word_of(unsigned k)
{
    return kb_word_unpack(kit_word(&kit, k));
}

static uint64_t left(unsigned k)
{
    return kb_word_until_ms(kit_word(&kit, k)) - kb_os_now();
}

/* Between a and b seconds, the tick and the time since the report allowed for. */
static bool left_between(unsigned k, uint64_t a, uint64_t b)
{
    return left(k) > a * SECOND - SECOND && left(k) <= b * SECOND + KB_TICK_MS;
}

/* Key 0 alone, failed once, its cooldown over. */
static void one_key_whose_time_has_come(void)
{
    cr_assert_eq(kit_reload(&kit, 0, 1), 0);
    cr_assert_eq(claim(), 0);
    cr_assert_eq(report(KB_OUTCOME_AUTH), 0);
    cr_assert(left_between(0, 60, 60));
    kit_age(&kit, 0);
}

Test(probation, begins_when_the_cooldown_ends_and_gives_one_trial)
{
    one_key_whose_time_has_come();
    cr_assert_eq(claim(), 0);
    cr_assert_eq(kit_secret_number(key.secret, key.secret_len), 0);
    cr_assert_eq(kit_state(&kit, 0), KB_PROBATION);
    cr_assert_leq(kb_due_time(atomic_load(&kit.state->pools[0].rotation.next_due)), kb_os_now() + 121 * SECOND,
                  "everybody is told when to look after it");
    for (int i = 0; i < 5; i++) {
        kb_key other;
        cr_assert_eq(kb_claim(client, "pool", 0, &other), KB_EEXHAUSTED, "its one trial is out");
        cr_assert(other.wait_ms > 0 && other.wait_ms <= 120 * SECOND, "%d ms", other.wait_ms);
    }
}

Test(probation, of_one_key_is_passed_over_by_the_others)
{
    kit_put(&kit, 1, KB_FAILED);
    kit_age(&kit, 1);
    bool tried = false;
    for (int i = 0; i < 12; i++) {
        const int index = claim();
        cr_assert_geq(index, 0);
        cr_assert(!(index == 1 && tried), "a second trial");
        tried |= index == 1;
    }
    cr_assert(tried);
}

/* Those who have lost and who has won stay alive: the trial of a dead one would be offered again. */
struct race {
    _Atomic int go, got, done, end;
};

static int race_for_the_trial(void *arg)
{
    struct race *race = arg;
    kb_key mine;
    if (!kit_await(&race->go, 1))
        return 1;
    atomic_fetch_add(&race->got, kb_claim(client, "pool", 0, &mine) == 0);
    atomic_fetch_add(&race->done, 1);
    return kit_await(&race->end, 1) ? 0 : 2;
}

Test(probation, is_tried_by_one_of_many_processes)
{
    enum { RACERS = 6 };
    for (int round = 0; round < 10; round++) {
        pid_t children[RACERS];
        struct race *race = kit_shared(sizeof *race);
        one_key_whose_time_has_come();
        for (int i = 0; i < RACERS; i++)
            children[i] = kit_fork(race_for_the_trial, race);
        atomic_store(&race->go, 1);
        cr_assert(kit_await(&race->done, RACERS));
        cr_assert_eq(atomic_load(&race->got), 1);
        atomic_store(&race->end, 1);
        for (int i = 0; i < RACERS; i++)
            cr_assert_eq(kit_wait(children[i]), 0);
        cr_assert_eq(kit_reload(&kit, 1, 1), 0);
    }
}

Test(probation, ends_in_availability_when_the_trial_goes_well)
{
    one_key_whose_time_has_come();
    cr_assert_eq(claim(), 0);
    cr_assert_eq(report(KB_OUTCOME_OK), 0);
    const struct kb_word w = word_of(0);
    cr_assert(w.state == KB_AVAILABLE && w.strikes == 0 && w.reason == KB_REASON_NONE && w.until == 0);
    cr_assert_eq(claim(), 0);
    cr_assert_eq(claim(), 0);
    cr_assert_eq(report(KB_OUTCOME_AUTH), 0);
    cr_assert(left_between(0, 60, 60), "the strikes were cleared");
}

Test(probation, ends_in_twice_the_cooldown_when_the_trial_fails)
{
    one_key_whose_time_has_come();
    for (unsigned strikes = 2; strikes <= 5; strikes++) {
        const uint64_t cooldown = 60u << (strikes - 1);
        cr_assert_eq(claim(), 0);
        cr_assert_eq(report(KB_OUTCOME_AUTH), 0);
        cr_assert_eq(kit_state(&kit, 0), KB_FAILED);
        cr_assert_eq(word_of(0).strikes, strikes);
        cr_assert(left_between(0, cooldown, cooldown + cooldown / 10), "strike %u: %llu ms", strikes,
                  (unsigned long long)left(0));
        kit_age(&kit, 0);
    }
}

Test(probation, ends_in_cooling_when_the_trial_is_limited)
{
    one_key_whose_time_has_come();
    cr_assert_eq(claim(), 0);
    cr_assert_eq(report(KB_OUTCOME_RATE), 0);
    cr_assert_eq(kit_state(&kit, 0), KB_COOLING);
    cr_assert(left_between(0, 20, 22));
}

static void expect_another_trial(void)
{
    cr_assert_eq(claim(), 0);
    const struct kb_word w = word_of(0);
    cr_assert(w.state == KB_PROBATION && w.until != 0 && w.strikes == 1 && w.reason == KB_REASON_AUTH);
}

Test(probation, goes_on_when_the_trial_says_nothing_about_the_key)
{
    one_key_whose_time_has_come();
    cr_assert_eq(claim(), 0);
    cr_assert_eq(report(KB_OUTCOME_TRANSIENT), 0);
    expect_another_trial();
    cr_assert_eq(report(KB_OUTCOME_CLIENT), 0);
    expect_another_trial();
    cr_assert_eq(kb_release(client, &key), 0);
    expect_another_trial();
    kb_close(client);
    cr_assert_eq(kb_open(kit.name, &client), 0);
    expect_another_trial();
}

static int take_the_trial(void *arg)
{
    return claim() == 0 ? kit_stand_by(arg) : 1;
}

Test(probation, goes_on_when_the_one_that_tries_is_killed)
{
    _Atomic int *ready = kit_shared(sizeof *ready);
    one_key_whose_time_has_come();
    const pid_t child = kit_fork(take_the_trial, (void *)ready);
    cr_assert(kit_await(ready, 1));
    cr_assert_eq(claim(), KB_EEXHAUSTED);
    kit_kill(child, true);
    expect_another_trial();
}

Test(probation, takes_its_trial_from_one_that_hangs)
{
    one_key_whose_time_has_come();
    cr_assert_eq(claim(), 0);
    const kb_key late = key;
    kit_age(&kit, 0);
    expect_another_trial();
    const uint64_t word = kit_word(&kit, 0);
    for (int outcome = KB_OUTCOME_OK; outcome <= KB_OUTCOME_CLIENT; outcome++) {
        cr_assert_eq(kb_report(client, &late, (kb_outcome)outcome, -1, 0), 1);
        cr_assert_eq(kit_word(&kit, 0), word, "a late %s", kb_outcome_name((kb_outcome)outcome));
    }
    cr_assert_eq(kb_release(client, &late), 1);
    cr_assert_eq(kit_word(&kit, 0), word);
    cr_assert_eq(report(KB_OUTCOME_OK), 0);
    cr_assert_eq(kit_state(&kit, 0), KB_AVAILABLE);
}

/* ---- the rule for when all have failed ---- */

Test(probation, begins_at_once_for_all_when_all_have_failed)
{
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(claim(), i);
        cr_assert_eq(report(i == 1 ? KB_OUTCOME_QUOTA : KB_OUTCOME_AUTH), 0);
    }
    bool tried[3] = {false, false, false};
    for (int i = 0; i < 3; i++) {
        cr_assert_geq(claim(), 0);
        tried[key.index] = true;
        cr_assert_eq(kit_state(&kit, key.index), KB_PROBATION);
        cr_assert_eq(word_of(key.index).strikes, 1, "strikes are kept");
    }
    cr_assert(tried[0] && tried[1] && tried[2]);
    cr_assert_eq(claim(), KB_EEXHAUSTED, "one trial a key");
}

Test(probation, that_failed_again_for_all_begins_again)
{
    cr_assert_eq(kit_reload(&kit, 0, 1), 0);
    for (unsigned strikes = 1; strikes <= 20; strikes++) {
        cr_assert_eq(claim(), 0);
        cr_assert_eq(report(KB_OUTCOME_AUTH), 0);
        cr_assert_eq(word_of(0).strikes, strikes < 15 ? strikes : 15);
    }
}

/* Every state a key can be in, as the rule sees it. */
enum kind { AVAILABLE, FAILED, FAILED_NAMED, COOLING, OFFERED, ON_TRIAL, DISABLED, KINDS };

static void put(unsigned k, enum kind kind)
{
    static const unsigned states[] = {KB_AVAILABLE, KB_FAILED,    KB_FAILED,  KB_COOLING,
                                      KB_PROBATION, KB_PROBATION, KB_DISABLED};
    kit_put(&kit, k, states[kind]);
    const uint64_t word = kit_word(&kit, k);
    struct kb_word w = kb_word_unpack(word);
    w.named = kind == FAILED_NAMED;
    if (kind == ON_TRIAL)
        w.until = kb_word_trial(0, kb_os_now()); /* slot 0 is this process's */
    kb_slot_change(kit.state, 0, k, word, kb_word_pack(w));
}

static bool any(const enum kind kinds[3], enum kind a, enum kind b)
{
    return kinds[0] == a || kinds[1] == a || kinds[2] == a || kinds[0] == b || kinds[1] == b || kinds[2] == b;
}

static void expect_rule(const enum kind kinds[3])
{
    const bool claimable = any(kinds, AVAILABLE, OFFERED);
    const bool applies = !claimable && !any(kinds, ON_TRIAL, ON_TRIAL) && any(kinds, FAILED, FAILED);
    uint64_t before[3];
    for (unsigned k = 0; k < 3; k++) {
        put(k, kinds[k]);
        before[k] = kit_word(&kit, k);
    }
    const int index = claim();
    if (!claimable && !applies) {
        cr_assert_eq(index, KB_EEXHAUSTED);
    } else {
        cr_assert_geq(index, 0);
        const enum kind got = kinds[index];
        cr_assert(applies ? got == FAILED : got == AVAILABLE || got == OFFERED, "%d %d %d: key %d", kinds[0], kinds[1],
                  kinds[2], index);
    }
    for (unsigned k = 0; k < 3; k++) {
        if (applies && kinds[k] == FAILED)
            cr_assert(kit_state(&kit, k) == KB_PROBATION && word_of(k).strikes == 1);
        else if (!(kinds[k] == OFFERED && index == (int)k))
            cr_assert_eq(kit_word(&kit, k), before[k], "%d %d %d: key %u was touched", kinds[0], kinds[1], kinds[2], k);
    }
}

Test(probation, begins_early_for_failed_keys_only_and_only_when_nothing_else_can_be_claimed)
{
    cr_assert_eq(atomic_load(&kit.state->workers[0].identity), atomic_load(&kit.state->header.broker));
    for (int a = 0; a < KINDS; a++)
        for (int b = 0; b < KINDS; b++)
            for (int c = 0; c < KINDS; c++)
                expect_rule((const enum kind[3]){(enum kind)a, (enum kind)b, (enum kind)c});
    cr_assert_null(kit_check(kit.state));
}

Test(probation, does_not_begin_early_for_a_key_whose_time_upstream_named)
{
    cr_assert_eq(kit_reload(&kit, 0, 1), 0);
    cr_assert_eq(claim(), 0);
    cr_assert_eq(kb_report(client, &key, KB_OUTCOME_QUOTA, 90 * SECOND, 402), 0);
    cr_assert_eq(kit_state(&kit, 0), KB_FAILED);
    cr_assert_eq(claim(), KB_EEXHAUSTED);
    cr_assert(key.wait_ms > 80 * SECOND && key.wait_ms <= 90 * SECOND + KB_TICK_MS, "%d ms", key.wait_ms);
}
