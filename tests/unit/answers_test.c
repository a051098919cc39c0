/* The judge against answers that services gave: tests/answers. An entry marked uncertain fails nobody. */
#include "tests/kit/answers.h"

#include <criterion/criterion.h>
#include <string.h>

/* Told before anything is asserted, so that one look shows all that is wrong. */
static void judge_file(const char *path, unsigned least)
{
    struct answers answers;
    struct answer answer;
    kb_http_verdict verdict;
    unsigned judged = 0, wrong = 0;
    cr_assert(answers_open(&answers, path), "%s cannot be read", path);
    while (answers_next(&answers, &answer)) {
        kb_http_judge(answer.service, &answer.evidence, &verdict);
        const bool right =
            verdict.outcome == answer.expect && (answer.expect_wait_ms < 0 || verdict.wait_ms == answer.expect_wait_ms);
        judged += !answer.uncertain;
        if (right || answer.uncertain)
            continue;
        wrong++;
        cr_log_error("%s:%u: %s, status %d: %s (%d ms) by \"%s\", not %s (%d ms)", path, answers.line, answer.service,
                     answer.evidence.status, kb_outcome_name(verdict.outcome), verdict.wait_ms, verdict.rule,
                     kb_outcome_name(answer.expect), (int)answer.expect_wait_ms);
    }
    cr_expect_eq(wrong, 0, "%u of %u", wrong, judged);
    cr_expect_geq(judged, least, "only %u were judged", judged);
    cr_expect(answers.whole, "%s:%u is no entry", path, answers.line);
    answers_close(&answers);
}

Test(answers, the_corpus)
{
    judge_file("tests/answers/errors.jsonl", 79);
}

Test(answers, answers_collected_apart_from_it)
{
    judge_file("tests/answers/more.jsonl", 370);
}

Test(answers, a_service_without_a_table_is_judged_by_the_generic_rules)
{
    struct answers answers;
    struct answer answer;
    kb_http_verdict named, unnamed;
    unsigned same = 0;
    cr_assert(answers_open(&answers, "tests/answers/errors.jsonl"));
    while (answers_next(&answers, &answer)) {
        if (strcmp(answer.service, "openai") != 0 && strcmp(answer.service, "gemini") != 0)
            continue;
        kb_http_judge("nobody-knows-it", &answer.evidence, &named);
        kb_http_judge(NULL, &answer.evidence, &unnamed);
        cr_expect_eq(named.outcome, unnamed.outcome);
        cr_expect_eq(named.wait_ms, unnamed.wait_ms);
        cr_expect_eq(answer.uncertain || named.outcome == answer.expect, true, "line %u", answers.line);
        same++;
    }
    cr_expect_gt(same, 10);
    answers_close(&answers);
}
