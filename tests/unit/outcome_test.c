#include "http/outcome.h"

#include <criterion/criterion.h>
#include <limits.h>

#define NOW    1700000000 /* Tue, 14 Nov 2023 22:13:20 GMT */
#define LIMIT  (INT64_C(2678400000) < INT_MAX ? 2678400000 : INT_MAX)
#define MINUTE 60000

static void judge_all(int from, int to, kb_outcome outcome)
{
    for (int status = from; status <= to; status++)
        cr_assert_eq(kb_outcome_judge(status), outcome, "status %d is not %s", status, kb_outcome_name(outcome));
}

Test(outcome, only_success_is_ok)
{
    judge_all(200, 299, KB_OUTCOME_OK);
}

Test(outcome, redirects_are_the_callers)
{
    judge_all(300, 399, KB_OUTCOME_CLIENT);
}

Test(outcome, refusals_of_the_key)
{
    judge_all(401, 401, KB_OUTCOME_AUTH);
    judge_all(402, 402, KB_OUTCOME_QUOTA);
    judge_all(403, 403, KB_OUTCOME_AUTH);
    judge_all(429, 429, KB_OUTCOME_RATE);
}

Test(outcome, upstreams_own_faults_are_transient)
{
    judge_all(408, 408, KB_OUTCOME_TRANSIENT);
    judge_all(425, 425, KB_OUTCOME_TRANSIENT);
    judge_all(500, 599, KB_OUTCOME_TRANSIENT);
}

Test(outcome, other_refusals_are_the_callers)
{
    judge_all(400, 400, KB_OUTCOME_CLIENT);
    judge_all(404, 407, KB_OUTCOME_CLIENT);
    judge_all(409, 424, KB_OUTCOME_CLIENT);
    judge_all(426, 428, KB_OUTCOME_CLIENT);
    judge_all(430, 499, KB_OUTCOME_CLIENT);
}

Test(outcome, numbers_that_are_no_final_status_are_transient)
{
    judge_all(-1, 199, KB_OUTCOME_TRANSIENT);
    judge_all(600, 999, KB_OUTCOME_TRANSIENT);
    judge_all(INT_MIN, INT_MIN, KB_OUTCOME_TRANSIENT);
    judge_all(INT_MAX - 1, INT_MAX - 1, KB_OUTCOME_TRANSIENT);
}

Test(outcome, wait_in_seconds)
{
    cr_assert_eq(kb_outcome_wait("0", NOW), 0);
    cr_assert_eq(kb_outcome_wait("1", NOW), 1000);
    cr_assert_eq(kb_outcome_wait(" 120 \t", NOW), 2 * MINUTE);
    cr_assert_eq(kb_outcome_wait("007", NOW), 7000);
}

Test(outcome, wait_until_a_date_in_each_form_http_knows)
{
    cr_assert_eq(kb_outcome_wait("Tue, 14 Nov 2023 22:14:20 GMT", NOW), MINUTE);
    cr_assert_eq(kb_outcome_wait("Tuesday, 14-Nov-23 22:14:20 GMT", NOW), MINUTE);
    cr_assert_eq(kb_outcome_wait("Tue Nov 14 22:14:20 2023", NOW), MINUTE);
}

Test(outcome, a_date_that_has_passed_is_no_wait)
{
    cr_assert_eq(kb_outcome_wait("Tue, 14 Nov 2023 22:13:19 GMT", NOW), 0);
    cr_assert_eq(kb_outcome_wait("Thu, 01 Jan 1970 00:00:00 GMT", NOW), 0);
}

Test(outcome, an_absurd_wait_is_clamped)
{
    cr_assert_eq(kb_outcome_wait("2678400", NOW), LIMIT);
    cr_assert_eq(kb_outcome_wait("99999999999999999999999999999999", NOW), LIMIT);
    cr_assert_eq(kb_outcome_wait("Fri, 31 Dec 2999 23:59:59 GMT", NOW), LIMIT);
}

Test(outcome, text_that_names_no_time_is_no_wait)
{
    static const char *const texts[] = {"", " ", "-1", "+1", "1.5", "1s", "1 2", "0x10", "soon", "Tue,", "2023-11-14"};
    cr_assert_eq(kb_outcome_wait(NULL, NOW), -1);
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        cr_assert_eq(kb_outcome_wait(texts[i], NOW), -1, "'%s' is taken for a time", texts[i]);
}

Test(outcome, digits_are_seconds_even_if_they_look_like_a_date)
{
    cr_assert_eq(kb_outcome_wait("20231114", NOW), LIMIT);
}
