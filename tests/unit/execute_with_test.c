#include "keybroker.h"

#include "segment/os.h"
#include "segment/word.h"
#include "tests/kit/kit.h"

#include <criterion/criterion.h>

enum { KEYS = 4, HOUR_MS = 3600 * 1000 };

static struct kit kit;
static kb_client *client;

static void set_up(void)
{
    kit_start(&kit, KEYS);
    cr_assert_eq(kb_open(kit.name, &client), 0);
}

static void tear_down(void)
{
    kb_close(client);
    kit_stop(&kit);
}

TestSuite(execute_with, .init = set_up, .fini = tear_down, .timeout = 60);

/* What upstream answers, and how often it was asked. */
static struct upstream {
    kb_outcome answer;
    unsigned takes_ms, calls;
} upstream;

static kb_outcome call(const kb_key *key, void *arg, int *retry_after_ms, int *status)
{
    struct upstream *u = arg;
    (void)key, (void)retry_after_ms, (void)status;
    u->calls++;
    kb_os_sleep(u->takes_ms);
    return u->answer;
}

static int execute(kb_outcome answer, kb_execute_options options)
{
    upstream.answer = answer;
    upstream.calls = 0;
    return kb_execute_with(client, "pool", &options, call, &upstream, NULL);
}

Test(execute_with, falls_back_after_the_outcomes_named)
{
    const kb_outcome failures[] = {KB_OUTCOME_AUTH, KB_OUTCOME_QUOTA, KB_OUTCOME_RATE};
    for (int named = 0; named < 3; named++) {
        for (int came = 0; came < 3; came++) {
            for (unsigned k = 0; k < KEYS; k++)
                kit_put(&kit, k, KB_AVAILABLE);
            const kb_execute_options options = {.fallback = KB_FALLBACK(failures[named])};
            cr_assert_eq(execute(failures[came], options), KB_EEXHAUSTED);
            cr_assert_eq(upstream.calls, came == named ? KEYS : 1);
        }
    }
}

Test(execute_with, all_zero_is_one_key_and_no_waiting)
{
    cr_assert_eq(execute(KB_OUTCOME_AUTH, (kb_execute_options){0}), KB_EEXHAUSTED);
    cr_assert_eq(upstream.calls, 1);
    cr_assert_eq(kit_state(&kit, 0), KB_FAILED, "which is reported");
    cr_assert_eq(execute(KB_OUTCOME_OK, (kb_execute_options){0}), 0);
    for (unsigned k = 0; k < KEYS; k++)
        kit_put(&kit, k, KB_COOLING);
    cr_assert_eq(execute(KB_OUTCOME_OK, (kb_execute_options){0}), KB_EEXHAUSTED);
    cr_assert_eq(upstream.calls, 0);
}

Test(execute_with, claims_no_key_after_the_deadline)
{
    const kb_execute_options options = {.timeout_ms = -1, .deadline_ms = 60, .fallback = KB_FALLBACK_ALL};
    upstream.takes_ms = 80;
    cr_assert_eq(execute(KB_OUTCOME_AUTH, options), KB_EEXHAUSTED);
    cr_assert_eq(upstream.calls, 1);
    cr_assert_eq(execute(KB_OUTCOME_OK, options), 0, "a call that is under way may end later");
}

Test(execute_with, waits_no_longer_than_to_the_deadline)
{
    for (unsigned k = 0; k < KEYS; k++)
        kit_put(&kit, k, KB_COOLING);
    const int waits[] = {-1, HOUR_MS};
    for (int i = 0; i < 2; i++) {
        const uint64_t start = kb_os_now();
        cr_assert_eq(execute(KB_OUTCOME_OK, (kb_execute_options){.timeout_ms = waits[i], .deadline_ms = 60}),
                     KB_EEXHAUSTED);
        cr_assert_geq(kb_os_now() - start, 60);
    }
    cr_assert_eq(upstream.calls, 0);
}

Test(execute_with, waits_no_longer_than_its_time_though_the_deadline_is_far)
{
    for (unsigned k = 0; k < KEYS; k++)
        kit_put(&kit, k, KB_COOLING);
    cr_assert_eq(execute(KB_OUTCOME_OK, (kb_execute_options){.timeout_ms = 30, .deadline_ms = HOUR_MS}), KB_EEXHAUSTED);
}

Test(execute_with, options_that_make_no_sense_are_refused)
{
    cr_assert_eq(execute(KB_OUTCOME_OK, (kb_execute_options){.timeout_ms = -2}), KB_EINVAL);
    cr_assert_eq(execute(KB_OUTCOME_OK, (kb_execute_options){.deadline_ms = -1}), KB_EINVAL);
    cr_assert_eq(execute(KB_OUTCOME_OK, (kb_execute_options){.fallback = KB_FALLBACK(KB_OUTCOME_OK)}), KB_EINVAL);
    cr_assert_eq(execute(KB_OUTCOME_OK, (kb_execute_options){.fallback = KB_FALLBACK(KB_OUTCOME_TRANSIENT)}),
                 KB_EINVAL);
    cr_assert_eq(execute(KB_OUTCOME_OK, (kb_execute_options){.fallback = 1u << 31}), KB_EINVAL);
    cr_assert_eq(execute(KB_OUTCOME_OK, (kb_execute_options){.reserved = 1}), KB_EINVAL);
    cr_assert_eq(kb_execute_with(client, "pool", NULL, call, &upstream, NULL), KB_EINVAL);
    cr_assert_eq(kb_execute_with(client, "pool", &(kb_execute_options){0}, NULL, &upstream, NULL), KB_EINVAL);
    cr_assert_eq(upstream.calls, 0);
}
