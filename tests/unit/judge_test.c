/* The order of the rules, and what must not mislead them. Answers that services gave are in answers_test.c. */
#include "http/judge.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static kb_http_verdict verdict;

static kb_outcome judge_as(const char *service, int status, const char *body)
{
    const kb_http_evidence evidence = {.status = status, .body = body, .body_len = body != NULL ? strlen(body) : 0};
    kb_http_judge(service, &evidence, &verdict);
    return verdict.outcome;
}

static kb_outcome judge(int status, const char *body)
{
    return judge_as(NULL, status, body);
}

static void judge_all(int from, int to, kb_outcome outcome)
{
    for (int status = from; status <= to; status++)
        cr_expect_eq(judge(status, NULL), outcome, "status %d is %s", status, kb_outcome_name(verdict.outcome));
}

Test(judge, a_status_alone)
{
    judge_all(200, 299, KB_OUTCOME_OK);
    judge_all(300, 303, KB_OUTCOME_CLIENT);
    judge_all(304, 304, KB_OUTCOME_OK);
    judge_all(305, 400, KB_OUTCOME_CLIENT);
    judge_all(401, 401, KB_OUTCOME_AUTH);
    judge_all(402, 402, KB_OUTCOME_QUOTA);
    judge_all(403, 403, KB_OUTCOME_AUTH);
    judge_all(404, 407, KB_OUTCOME_CLIENT);
    judge_all(408, 408, KB_OUTCOME_TRANSIENT);
    judge_all(409, 419, KB_OUTCOME_CLIENT);
    judge_all(422, 424, KB_OUTCOME_CLIENT);
    judge_all(425, 425, KB_OUTCOME_TRANSIENT);
    judge_all(429, 429, KB_OUTCOME_RATE);
    judge_all(500, 599, KB_OUTCOME_TRANSIENT);
    judge_all(-1, 199, KB_OUTCOME_TRANSIENT);
    judge_all(INT32_MAX - 1, INT32_MAX - 1, KB_OUTCOME_TRANSIENT);
}

Test(judge, a_code_comes_before_a_message)
{
    cr_expect_eq(judge(429, "{\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"add a payment method to your "
                            "billing account, you have insufficient quota\"}}"),
                 KB_OUTCOME_RATE);
    cr_expect_eq(
        judge(401, "{\"code\":\"invalid_api_key\",\"message\":\"is this key out of quota, or rate limited?\"}"),
        KB_OUTCOME_AUTH);
}

Test(judge, quota_comes_before_rate)
{
    cr_expect_eq(judge(429, "{\"error\":{\"type\":\"rate_limit_error\",\"code\":\"insufficient_quota\"}}"),
                 KB_OUTCOME_QUOTA);
    cr_expect_eq(judge(429, "{\"message\":\"Rate limit: you have exceeded your current quota\"}"), KB_OUTCOME_QUOTA);
}

Test(judge, a_limit_on_a_minute_is_rate_and_on_a_month_quota)
{
    cr_expect_eq(judge(429, "{\"message\":\"limited to 10 API calls / minute\"}"), KB_OUTCOME_RATE);
    cr_expect_eq(judge(429, "{\"message\":\"limited to 1000 API calls / month\"}"), KB_OUTCOME_QUOTA);
    cr_expect_eq(judge(429, "{\"message\":\"Quota exceeded for quota metric 'Requests per minute'\"}"),
                 KB_OUTCOME_RATE);
}

Test(judge, a_refusal_that_is_not_the_keys)
{
    cr_expect_eq(judge(403, "{\"error\":{\"code\":\"content_policy_violation\"}}"), KB_OUTCOME_CLIENT);
    cr_expect_eq(judge(403, "{\"message\":\"Your prompt was flagged\"}"), KB_OUTCOME_CLIENT);
    cr_expect_eq(judge(403, "{\"error\":{\"code\":\"unsupported_country_region_territory\"}}"), KB_OUTCOME_CLIENT);
    cr_expect_eq(judge(401, "{\"detail\":{\"status\":\"quota_exceeded\"}}"), KB_OUTCOME_QUOTA);
    cr_expect_eq(judge(403, "{\"message\":\"API rate limit exceeded for user ID 1\"}"), KB_OUTCOME_RATE);
    cr_expect_eq(judge(403, "{\"message\":\"anything else\"}"), KB_OUTCOME_AUTH);
}

Test(judge, an_overloaded_upstream_is_not_the_keys_rate)
{
    cr_expect_eq(judge(429, "{\"error\":{\"type\":\"engine_overloaded_error\"}}"), KB_OUTCOME_TRANSIENT);
    cr_expect_eq(judge(429, "{\"message\":\"We are experiencing heavy traffic\"}"), KB_OUTCOME_TRANSIENT);
}

Test(judge, a_bad_request_is_the_callers_unless_the_envelope_is_clear)
{
    cr_expect_eq(judge(400, "{\"error\":{\"code\":\"invalid_api_key\"}}"), KB_OUTCOME_AUTH);
    cr_expect_eq(judge(400, "{\"error\":\"Incorrect API key provided: ab***\"}"), KB_OUTCOME_AUTH);
    cr_expect_eq(judge(400, "{\"error\":{\"message\":\"Your credit balance is too low\"}}"), KB_OUTCOME_QUOTA);
    cr_expect_eq(judge(400, "{\"error\":{\"message\":\"something\"}}"), KB_OUTCOME_CLIENT);
    cr_expect_eq(judge(422, "{\"detail\":[{\"loc\":[\"body\",\"prompt\"],\"msg\":\"invalid api key\"}]}"),
                 KB_OUTCOME_CLIENT);
}

Test(judge, what_a_validation_error_repeats_is_no_verdict)
{
    static const char *const bodies[] = {
        "{\"errors\":[\"style_preset: 'invalid api key' is not one of: 'a' | 'b'\"],\"name\":\"bad_request\"}",
        "{\"errors\":[\"prompt: unauthorized, insufficient credits\"],\"name\":\"bad_request\"}",
        "{\"error\":{\"message\":\"bad value: rate limit exceeded\",\"param\":\"input\",\"code\":null}}",
        "{\"error\":{\"message\":\"Invalid value: 'Incorrect API key provided'.\",\"code\":\"invalid_value\"}}",
        "{\"error\":{\"message\":\"you sent \\\"quota exceeded\\\"\"}}",
        "{\"input\":{\"error\":{\"code\":\"invalid_api_key\"}},\"message\":\"no\"}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        cr_expect_eq(judge(400, bodies[i]), KB_OUTCOME_CLIENT, "%s: %s", bodies[i], verdict.rule);
}

Test(judge, words_in_a_result_are_no_verdict)
{
    static const char *const bodies[] = {
        "{\"choices\":[{\"message\":{\"content\":\"401 unauthorized, insufficient_quota\"}}]}",
        "{\"title\":\"Rate Limit\",\"id\":7}",
        "{\"id\":\"p1\",\"status\":\"failed\",\"error\":\"NSFW content, invalid api key\",\"logs\":\"x\"}",
        "{\"data\":{\"a\":1},\"errors\":[{\"message\":\"unauthorized\"}]}",
        "[{\"error\":\"invalid_api_key\"},{\"error\":null}]",
        "[]",
        "\"unauthorized\"",
        "401 unauthorized",
        "{\"error\":null,\"result\":\"rate limit exceeded\"}",
        "{\"error\":false,\"message\":\"unauthorized\"}",
        "{\"code\":0,\"msg\":\"success\"}",
        "{\"code\":\"200\",\"msg\":\"invalid api key\"}",
        "{\"status\":200,\"message\":\"quota exceeded\"}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        cr_expect_eq(judge(200, bodies[i]), KB_OUTCOME_OK, "%s: %s", bodies[i], verdict.rule);
}

Test(judge, an_error_under_status_200)
{
    cr_expect_eq(judge(200, "{\"code\":401,\"msg\":\"no\",\"data\":null}"), KB_OUTCOME_AUTH);
    cr_expect_eq(judge(200, "{\"success\":false,\"error\":{\"code\":104,\"type\":\"usage_limit_reached\"}}"),
                 KB_OUTCOME_QUOTA);
    cr_expect_eq(judge(200, "{\"ok\":false,\"error\":\"invalid_auth\"}"), KB_OUTCOME_AUTH);
    cr_expect_eq(judge(200, "{\"error_code\":17,\"error_msg\":\"daily request limit reached\"}"), KB_OUTCOME_QUOTA);
    cr_expect_eq(judge(200, "{\"data\":null,\"errors\":[{\"extensions\":{\"code\":\"UNAUTHENTICATED\"}}]}"),
                 KB_OUTCOME_AUTH);
    cr_expect_eq(judge(200, "{\"error\":\"city not found\"}"), KB_OUTCOME_CLIENT);
    cr_expect_eq(judge(200, "{\"code\":503,\"message\":\"busy\"}"), KB_OUTCOME_TRANSIENT);
}

Test(judge, plain_words_explain_a_refusal_only)
{
    cr_expect_eq(judge(403, "Quota exceeded\n"), KB_OUTCOME_QUOTA);
    cr_expect_eq(judge(403, "<h1>Quota exceeded</h1>"), KB_OUTCOME_AUTH);
    cr_expect_eq(judge(400, "Quota exceeded"), KB_OUTCOME_CLIENT);
    cr_expect_eq(judge(500, "invalid api key"), KB_OUTCOME_TRANSIENT);
}

Test(judge, a_body_that_breaks_off_leaves_the_status)
{
    cr_expect_eq(judge(429, "{\"error\":{\"code\":\"insufficient_quota\""), KB_OUTCOME_RATE);
    cr_expect_eq(judge(403, "{\"name\":\"content_mod"), KB_OUTCOME_AUTH);
}

Test(judge, headers_may_name_the_error)
{
    const kb_http_header mashery[] = {{"X-Mashery-Error-Code", "ERR_403_DEVELOPER_OVER_QPS"}};
    const kb_http_header amazon[] = {{"x-amzn-ErrorType", "ThrottlingException:http://internal.amazon.com/"}};
    const kb_http_header github[] = {{"X-RateLimit-Remaining", "0"}};
    const kb_http_evidence cases[] = {{.status = 403, .headers = mashery, .header_count = 1},
                                      {.status = 400, .headers = amazon, .header_count = 1},
                                      {.status = 403, .headers = github, .header_count = 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        kb_http_judge("anything", &cases[i], &verdict);
        cr_expect_eq(verdict.outcome, KB_OUTCOME_RATE, "case %zu: %s", i, verdict.rule);
    }
}

Test(judge, suno_says_it_in_the_body)
{
    static const struct {
        int status;
        const char *body;
        kb_outcome outcome;
    } cases[] = {
        {200, "{\"code\":200,\"msg\":\"success\",\"data\":12}", KB_OUTCOME_OK},
        {200, "{\"code\":400,\"msg\":\"\",\"data\":null}", KB_OUTCOME_CLIENT},
        {200, "{\"code\":401,\"msg\":\"\",\"data\":null}", KB_OUTCOME_AUTH},
        {200, "{\"code\":404,\"msg\":\"\",\"data\":null}", KB_OUTCOME_CLIENT},
        {200, "{\"code\":405,\"msg\":\"\",\"data\":null}", KB_OUTCOME_RATE},
        {200, "{\"code\":413,\"msg\":\"\",\"data\":null}", KB_OUTCOME_CLIENT},
        {200, "{\"code\":429,\"msg\":\"\",\"data\":null}", KB_OUTCOME_QUOTA},
        {429, "{\"code\":429,\"msg\":\"\",\"data\":null}", KB_OUTCOME_QUOTA},
        {200, "{\"code\":430,\"msg\":\"\",\"data\":null}", KB_OUTCOME_RATE},
        {200, "{\"code\":\"430\",\"msg\":\"\",\"data\":null}", KB_OUTCOME_RATE},
        {200, "{\"code\":455,\"msg\":\"\",\"data\":null}", KB_OUTCOME_TRANSIENT},
        {200, "{\"code\":500,\"msg\":\"\",\"data\":null}", KB_OUTCOME_TRANSIENT},
        {200, "{\"code\":599,\"msg\":\"\",\"data\":null}", KB_OUTCOME_TRANSIENT},
        {401, "", KB_OUTCOME_AUTH},
        {429, "", KB_OUTCOME_RATE},
        {430, "", KB_OUTCOME_RATE},
        {200, "<html>", KB_OUTCOME_TRANSIENT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(judge_as("suno", cases[i].status, cases[i].body), cases[i].outcome, "%d %s: %s", cases[i].status,
                     cases[i].body, verdict.rule);
}

static struct kb_service *service_with(const char *rules)
{
    char text[4096];
    const int len = snprintf(text, sizeof text, "{\"service\":\"acme\",\"definition\":{\"rules\":%s}}", rules);
    struct kb_service *service = kb_service_parse(text, (size_t)len);
    cr_assert_not_null(service, "%s", rules);
    return service;
}

static kb_outcome judge_with(const char *rules, int status, const char *header, const char *value, const char *body)
{
    struct kb_service *service = service_with(rules);
    const kb_http_header headers[] = {{header, value}};
    const kb_http_evidence evidence = {
        .status = status, .headers = headers, .header_count = header != NULL, .body = body, .body_len = strlen(body)};
    kb_judge(service, &evidence, &verdict);
    kb_service_free(service);
    return verdict.outcome;
}

Test(judge, a_rule_of_the_configuration_comes_first)
{
    cr_expect_eq(judge_with("[{\"status\":401,\"outcome\":\"rate\",\"wait_ms\":1500}]", 401, NULL, NULL, ""),
                 KB_OUTCOME_RATE);
    cr_expect_eq(verdict.wait_ms, 1500);
    cr_expect_eq(judge_with("[{\"status\":401,\"outcome\":\"rate\"}]", 403, NULL, NULL, ""), KB_OUTCOME_AUTH);
}

Test(judge, the_first_rule_that_holds_decides)
{
    static const char rules[] =
        "[{\"status\":\"4xx\",\"field\":\"a.b\",\"is\":[\"x\",7],\"outcome\":\"quota\"},"
        "{\"status\":\"400-499\",\"field\":\"a.*.c\",\"has\":\"no credit\",\"outcome\":\"rate\"},"
        "{\"header\":\"X-Why\",\"is\":\"spent\",\"outcome\":\"transient\"},"
        "{\"field\":\"a.1\",\"outcome\":\"client\"},"
        "{\"message\":\"sold out\",\"outcome\":\"quota\"}]";
    cr_expect_eq(judge_with(rules, 400, "x-why", "spent", "{\"a\":{\"b\":\"X\"}}"), KB_OUTCOME_QUOTA);
    cr_expect_eq(judge_with(rules, 400, NULL, NULL, "{\"a\":{\"b\":7}}"), KB_OUTCOME_QUOTA);
    cr_expect_eq(judge_with(rules, 400, NULL, NULL, "{\"a\":[{},{\"c\":\"noCredit_atAll\"}]}"), KB_OUTCOME_RATE);
    cr_expect_eq(judge_with(rules, 200, "x-why", "Spent", "{}"), KB_OUTCOME_TRANSIENT);
    cr_expect_eq(judge_with(rules, 200, "x-why", "spender", "{}"), KB_OUTCOME_OK);
    cr_expect_eq(judge_with(rules, 200, NULL, NULL, "{\"a\":[1,2]}"), KB_OUTCOME_CLIENT);
    cr_expect_eq(judge_with(rules, 200, NULL, NULL, "{\"a\":[1,null]}"), KB_OUTCOME_OK);
    cr_expect_eq(judge_with(rules, 418, NULL, NULL, "{\"message\":\"We are sold out.\"}"), KB_OUTCOME_QUOTA);
    cr_expect_eq(judge_with(rules, 418, NULL, NULL, "{\"other\":\"We are sold out.\"}"), KB_OUTCOME_CLIENT);
}

Test(judge, a_rule_may_say_where_the_wait_stands)
{
    static const char rules[] = "[{\"status\":429,\"outcome\":\"rate\",\"wait_field\":\"meta.cool\",\"wait_ms\":9}]";
    judge_with(rules, 429, "Retry-After", "60", "{\"meta\":{\"cool\":\"1m\"}}");
    cr_expect_eq(verdict.wait_ms, 60000);
    judge_with(rules, 429, NULL, NULL, "{\"meta\":{\"cool\":2.5}}");
    cr_expect_eq(verdict.wait_ms, 2500);
    judge_with(rules, 429, "Retry-After", "60", "{}");
    cr_expect_eq(verdict.wait_ms, 60000);
    judge_with(rules, 429, NULL, NULL, "{}");
    cr_expect_eq(verdict.wait_ms, 9);
}
