#include "keybroker.h"

#include "segment/count.h"
#include "segment/os.h"
#include "segment/slot.h"
#include "segment/sweep.h"
#include "tests/kit/child.h"
#include "tests/kit/kit.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <string.h>

enum { KEYS = 4, MAX_CALLS = 50, NEVER = 77 };

static struct kit kit;
static kb_client *client;

/* What upstream answers, call by call, and what it was asked. */
static struct upstream {
    kb_outcome answers[MAX_CALLS];
    int retry_after_ms, status;
    void (*meanwhile)(unsigned call);
    unsigned calls;
    unsigned asked[MAX_CALLS]; /* the numbers of the keys' secrets */
    bool odd;                  /* a call that was not as promised */
} upstream;

static void set_up(void)
{
    kit_start(&kit, KEYS);
    cr_assert_eq(kb_open(kit.name, &client), 0);
    memset(&upstream, 0, sizeof upstream);
    upstream.retry_after_ms = -1;
}

static void tear_down(void)
{
    kb_close(client);
    kit_stop(&kit);
}

TestSuite(execute, .init = set_up, .fini = tear_down, .timeout = 60);

static kb_outcome call(const kb_key *key, void *arg, int *retry_after_ms, int *status)
{
    struct upstream *u = arg;
    const int number = kit_secret_number(key->secret, key->secret_len);
    u->odd |= number != (int)key->index || *retry_after_ms != -1 || *status != 0 || u->calls >= MAX_CALLS - 1;
    u->asked[u->calls % MAX_CALLS] = (unsigned)number;
    if (u->retry_after_ms != -1)
        *retry_after_ms = u->retry_after_ms;
    *status = u->status;
    if (u->meanwhile)
        u->meanwhile(u->calls);
    return u->answers[u->calls++ % MAX_CALLS];
}

static void answer_always(kb_outcome outcome)
{
    for (int i = 0; i < MAX_CALLS; i++)
        upstream.answers[i] = outcome;
}

/* kb_execute's result and last outcome; each key at most once. */
static int execute(int timeout_ms, kb_outcome *last)
{
    bool asked[KEYS] = {false};
    *last = (kb_outcome)NEVER;
    upstream.calls = 0;
    const int code = kb_execute(client, "pool", timeout_ms, call, &upstream, last);
    cr_assert_not(upstream.odd);
    cr_assert_leq(upstream.calls, KEYS);
    for (unsigned i = 0; i < upstream.calls; i++) {
        cr_assert_not(asked[upstream.asked[i]], "key %u was asked twice", upstream.asked[i]);
        asked[upstream.asked[i]] = true;
    }
    for (unsigned k = 0; k < KEYS; k++)
        cr_assert_eq(kb_word_trial_owner(kit_word(&kit, k)) >= 0 && kit_state(&kit, k) == KB_PROBATION, false,
                     "key %u was left on trial", k);
    return code;
}

Test(execute, calls_once_when_the_key_is_not_to_blame)
{
    const kb_outcome outcomes[] = {KB_OUTCOME_OK, KB_OUTCOME_TRANSIENT, KB_OUTCOME_CLIENT};
    kb_outcome last;
    for (unsigned i = 0; i < 9; i++) {
        answer_always(outcomes[i % 3]);
        cr_assert_eq(execute(0, &last), 0);
        cr_assert_eq(upstream.calls, 1);
        cr_assert_eq(last, outcomes[i % 3]);
        cr_assert_eq(upstream.asked[0], i % KEYS, "the rotation goes on");
    }
}

Test(execute, falls_back_to_the_next_key_while_keys_are_to_blame)
{
    const kb_outcome answers[] = {KB_OUTCOME_AUTH, KB_OUTCOME_QUOTA, KB_OUTCOME_RATE, KB_OUTCOME_OK};
    kb_outcome last;
    memcpy(upstream.answers, answers, sizeof answers);
    cr_assert_eq(execute(0, &last), 0);
    cr_assert_eq(upstream.calls, 4);
    cr_assert_eq(last, KB_OUTCOME_OK);
    for (unsigned k = 0; k < KEYS; k++)
        cr_assert_eq(upstream.asked[k], k);
    cr_assert(kit_state(&kit, 0) == KB_FAILED && kit_state(&kit, 1) == KB_FAILED);
    cr_assert(kit_state(&kit, 2) == KB_COOLING && kit_state(&kit, 3) == KB_AVAILABLE);
}

Test(execute, does_not_fall_back_from_what_a_second_key_answers)
{
    const kb_outcome answers[] = {KB_OUTCOME_AUTH, KB_OUTCOME_TRANSIENT, KB_OUTCOME_OK};
    kb_outcome last;
    memcpy(upstream.answers, answers, sizeof answers);
    cr_assert_eq(execute(0, &last), 0);
    cr_assert_eq(upstream.calls, 2);
    cr_assert_eq(last, KB_OUTCOME_TRANSIENT);
}

Test(execute, asks_each_key_once_when_all_fail_and_again_in_the_next_request)
{
    const kb_outcome failures[] = {KB_OUTCOME_AUTH, KB_OUTCOME_QUOTA};
    kb_outcome last;
    for (int round = 0; round < 4; round++) {
        answer_always(failures[round % 2]);
        cr_assert_eq(execute(0, &last), KB_EEXHAUSTED);
        cr_assert_eq(upstream.calls, KEYS, "failed keys are retried once all have failed");
        cr_assert_eq(last, failures[round % 2]);
    }
    answer_always(KB_OUTCOME_OK);
    cr_assert_eq(execute(0, &last), 0);
    cr_assert_eq(upstream.calls, 1);
}

Test(execute, asks_each_key_once_when_all_fail_whatever_time_there_is)
{
    kb_outcome last;
    answer_always(KB_OUTCOME_AUTH);
    cr_assert_eq(execute(300, &last), KB_EEXHAUSTED);
    cr_assert_eq(upstream.calls, KEYS);
}

Test(execute, with_a_single_key_calls_once)
{
    kb_outcome last;
    cr_assert_eq(kit_reload(&kit, 0, 1), 0);
    answer_always(KB_OUTCOME_AUTH);
    cr_assert_eq(execute(0, &last), KB_EEXHAUSTED);
    cr_assert_eq(upstream.calls, 1);
    answer_always(KB_OUTCOME_OK);
    cr_assert_eq(execute(0, &last), 0);
    cr_assert_eq(upstream.calls, 1);
}

Test(execute, leaves_out_disabled_keys)
{
    kb_outcome last;
    kit_put(&kit, 1, KB_DISABLED);
    answer_always(KB_OUTCOME_AUTH);
    cr_assert_eq(execute(0, &last), KB_EEXHAUSTED);
    cr_assert_eq(upstream.calls, KEYS - 1);
    for (unsigned i = 0; i < upstream.calls; i++)
        cr_assert_neq(upstream.asked[i], 1);
}

Test(execute, waits_no_longer_than_it_may)
{
    kb_outcome last;
    for (unsigned k = 0; k < KEYS; k++)
        kit_put(&kit, k, KB_COOLING);
    const uint64_t start = kb_os_now();
    cr_assert_eq(execute(0, &last), KB_EEXHAUSTED);
    cr_assert_eq(execute(50, &last), KB_EEXHAUSTED);
    cr_assert_geq(kb_os_now() - start, 50);
    cr_assert_eq(upstream.calls, 0);
    cr_assert_eq(last, NEVER, "what was never called has no last outcome");
}

/* The first key comes back late in the time there is, fails, and the next is beyond it: with a time of
 * its own for every wait the second one would be reached. */
Test(execute, has_one_time_for_all_its_waiting)
{
    const int back_ms[KEYS] = {1200, 2600, 3600 * 1000, 3600 * 1000};
    kb_outcome last;
    answer_always(KB_OUTCOME_RATE);
    for (unsigned k = 0; k < KEYS; k++) {
        kb_key key;
        cr_assert_eq(kb_claim(client, "pool", 0, &key), 0);
        cr_assert_eq(kb_report(client, &key, KB_OUTCOME_RATE, back_ms[k], 429), 0);
    }
    cr_assert_eq(execute(1500, &last), KB_EEXHAUSTED);
    cr_assert_eq(upstream.calls, 1);
}

Test(execute, waits_for_a_key_that_comes_back_in_time)
{
    kb_outcome last;
    for (unsigned k = 0; k < KEYS; k++) {
        kb_key key;
        cr_assert_eq(kb_claim(client, "pool", 0, &key), 0);
        cr_assert_eq(kb_report(client, &key, KB_OUTCOME_RATE, k == 2 ? 60 : 3600 * 1000, 429), 0);
    }
    cr_assert_eq(execute(KIT_LIMIT_MS, &last), 0);
    cr_assert_eq(upstream.calls, 1);
    cr_assert_eq(upstream.asked[0], 2);
    cr_assert_eq(kit_state(&kit, 2), KB_AVAILABLE);
}

/* All but key 0 are limited, and key 1 comes back first. */
static void limit_all_but_key_0(int key_1_ms)
{
    for (unsigned k = 0; k < KEYS; k++) {
        kb_key key;
        cr_assert_eq(kb_claim(client, "pool", 0, &key), 0);
        if (k > 0)
            cr_assert_eq(kb_report(client, &key, KB_OUTCOME_RATE, k == 1 ? key_1_ms : 3600 * 1000, 429), 0);
    }
}

static void take_a_while(unsigned number)
{
    if (number == 0)
        kb_os_sleep(150);
}

Test(execute, does_not_count_the_time_of_the_calls)
{
    kb_outcome last;
    upstream.answers[0] = KB_OUTCOME_RATE;
    upstream.meanwhile = take_a_while;
    limit_all_but_key_0(170);
    cr_assert_eq(execute(140, &last), 0);
    cr_assert_eq(upstream.calls, 2);
    cr_assert_eq(last, KB_OUTCOME_OK);
}

/* Key 0 is offered again at once, by the rule for when all have failed; this request has had it. */
Test(execute, waits_for_a_key_it_has_not_tried_though_one_it_has_tried_comes_up)
{
    kb_outcome last;
    upstream.answers[0] = KB_OUTCOME_AUTH;
    limit_all_but_key_0(100);
    cr_assert_eq(execute(KIT_LIMIT_MS, &last), 0);
    cr_assert_eq(upstream.calls, 2);
    cr_assert_eq(upstream.asked[1], 1);
}

static void reset_key_0(unsigned number)
{
    if (number == 1)
        kit_put(&kit, 0, KB_AVAILABLE);
}

Test(execute, does_not_ask_again_a_key_that_was_reset_meanwhile)
{
    kb_outcome last;
    answer_always(KB_OUTCOME_AUTH);
    upstream.meanwhile = reset_key_0;
    cr_assert_eq(execute(100, &last), KB_EEXHAUSTED);
    cr_assert_eq(upstream.calls, KEYS);
    cr_assert_eq(kit_state(&kit, 0), KB_AVAILABLE, "the others may have it");
}

static void disable_key_0(unsigned number)
{
    if (number == 1)
        kit_put(&kit, 0, KB_DISABLED);
}

Test(execute, tries_the_others_though_one_it_tried_was_disabled_meanwhile)
{
    kb_outcome last;
    answer_always(KB_OUTCOME_AUTH);
    upstream.meanwhile = disable_key_0;
    cr_assert_eq(execute(0, &last), KB_EEXHAUSTED);
    cr_assert_eq(upstream.calls, KEYS);
}

Test(execute, takes_no_turn_for_a_claim_of_a_key_it_has_tried)
{
    kb_outcome last;
    upstream.answers[0] = KB_OUTCOME_AUTH;
    limit_all_but_key_0(3600 * 1000);
    cr_assert_eq(execute(100, &last), KB_EEXHAUSTED);
    cr_assert_eq(upstream.calls, 1);
    cr_assert_eq(kb_counts_of(kit.state, 0, 0).claims, 2, "one to set up, one for the call, none for waiting");
}

static void end_the_broker(unsigned number)
{
    (void)number;
    kb_owner_end(&kit.owner);
    kit.state = NULL;
}

Test(execute, is_told_of_a_broker_that_ends_meanwhile)
{
    kb_outcome last = (kb_outcome)NEVER;
    upstream.answers[0] = KB_OUTCOME_AUTH;
    upstream.meanwhile = end_the_broker;
    cr_assert_eq(kb_execute(client, "pool", 0, call, &upstream, &last), KB_ENOBROKER);
    cr_assert_eq(upstream.calls, 1);
    cr_assert_eq(last, KB_OUTCOME_AUTH);
}

Test(execute, reports_status_and_the_time_that_upstream_named)
{
    kb_outcome last;
    answer_always(KB_OUTCOME_RATE);
    upstream.retry_after_ms = 7200 * 1000;
    upstream.status = 429;
    cr_assert_eq(execute(0, &last), KB_EEXHAUSTED);
    for (unsigned k = 0; k < KEYS; k++) {
        const struct kb_word w = kb_word_unpack(kit_word(&kit, k));
        cr_assert(w.state == KB_COOLING && w.named);
        cr_assert_gt(kb_word_until_ms(kit_word(&kit, k)), kb_os_now() + 7000 * 1000);
        cr_assert_eq(atomic_load(&kit.state->slots[0][k].last_status), 429);
        cr_assert_eq(kb_counts_of(kit.state, 0, k).failed, 1);
    }
}

Test(execute, takes_a_time_that_makes_no_sense_for_none)
{
    kb_outcome last;
    upstream.answers[0] = KB_OUTCOME_RATE;
    upstream.retry_after_ms = INT_MIN;
    cr_assert_eq(execute(0, &last), 0);
    cr_assert_eq(kb_word_unpack(kit_word(&kit, 0)).named, 0);
    cr_assert_eq(kit_state(&kit, 0), KB_COOLING);
}

Test(execute, of_a_call_without_a_meaning_is_refused_and_gives_the_trial_back)
{
    kb_outcome last;
    cr_assert_eq(kit_reload(&kit, 0, 1), 0);
    kit_put(&kit, 0, KB_PROBATION);
    answer_always((kb_outcome)42);
    cr_assert_eq(execute(0, &last), KB_EINVAL);
    cr_assert_eq(upstream.calls, 1);
}

Test(execute, that_makes_no_sense_is_refused)
{
    kb_outcome last = (kb_outcome)NEVER;
    cr_assert_eq(kb_execute(NULL, "pool", 0, call, &upstream, &last), KB_EINVAL);
    cr_assert_eq(kb_execute(client, NULL, 0, call, &upstream, &last), KB_EINVAL);
    cr_assert_eq(kb_execute(client, "pool", 0, NULL, &upstream, &last), KB_EINVAL);
    cr_assert_eq(kb_execute(client, "pool", -2, call, &upstream, &last), KB_EINVAL);
    cr_assert_eq(kb_execute(client, "other", 0, call, &upstream, &last), KB_EPOOL);
    cr_assert_eq(kit_reload(&kit, 0, 0), 0);
    cr_assert_eq(kb_execute(client, "pool", 0, call, &upstream, &last), KB_EEXHAUSTED);
    cr_assert_eq(upstream.calls, 0);
    cr_assert_eq(last, NEVER);
    cr_assert_eq(kit_reload(&kit, 0, 1), 0);
    cr_assert_eq(kb_execute(client, "pool", 0, call, &upstream, NULL), 0, "nobody has to want to know");
}
