#include "http/wait.h"

#include <criterion/criterion.h>
#include <string.h>

#define NOW    INT64_C(1700000000) /* Tue, 14 Nov 2023 22:13:20 GMT */
#define MINUTE 60000

static double parse(const char *text, bool epoch)
{
    return kb_wait_parse(text, strlen(text), NOW, epoch);
}

/* What the judge makes of an answer with these headers and this body. */
static kb_http_verdict judge(int status, const char *headers[][2], const char *body)
{
    kb_http_header list[16];
    kb_http_verdict verdict;
    size_t n = 0;
    for (; headers != NULL && headers[n][0] != NULL; n++)
        list[n] = (kb_http_header){.name = headers[n][0], .value = headers[n][1]};
    const kb_http_evidence evidence = {
        .status = status, .headers = list, .header_count = n, .body = body, .body_len = strlen(body), .now = NOW};
    kb_http_judge(NULL, &evidence, &verdict);
    return verdict;
}

static int wait_of(int status, const char *name, const char *value)
{
    const char *headers[][2] = {{name, value}, {NULL, NULL}};
    return judge(status, headers, "").wait_ms;
}

static int body_wait(int status, const char *body)
{
    return judge(status, NULL, body).wait_ms;
}

Test(wait, seconds_and_durations)
{
    cr_expect_eq(parse("30", false), 30000);
    cr_expect_eq(parse(" 1.5 ", false), 1500);
    cr_expect_eq(parse("1m30s", false), 1.5 * MINUTE);
    cr_expect_eq(parse("6m0s", false), 6 * MINUTE);
    cr_expect_eq(parse("250ms", false), 250);
    cr_expect_eq(parse("1h 2 minutes and 3 seconds", false), 62 * MINUTE + 3000);
    cr_expect_eq(parse("2 days", false), 2880.0 * MINUTE);
    cr_expect_eq(parse("00:01:30", false), 1.5 * MINUTE);
}

Test(wait, points_in_time)
{
    cr_expect_eq(parse("Tue, 14 Nov 2023 22:14:20 GMT", false), MINUTE);
    cr_expect_eq(parse("Tuesday, 14-Nov-23 22:14:20 GMT", false), MINUTE);
    cr_expect_eq(parse("Tue Nov 14 22:14:20 2023", false), MINUTE);
    cr_expect_eq(parse("2023-11-14T22:14:20Z", false), MINUTE);
    cr_expect_eq(parse("2023-11-14T23:14:20.5+01:00", false), MINUTE);
    cr_expect_eq(parse("1700000060", true), MINUTE);
    cr_expect_eq(parse("1700000060000", true), MINUTE);
    cr_expect_eq(parse("1699999999", true), 0);
    cr_expect_eq(parse("Thu, 01 Jan 1970 00:00:00 GMT", false), 0);
}

Test(wait, text_that_names_no_time)
{
    static const char *const texts[] = {"",           " ",    "-1",   "+1",  "1x",    "1 2",
                                        "0x10",       "soon", "Tue,", "1:2", "5 m s", "1m30s junk",
                                        "2023-11-14", "inf",  "nan",  "1e3", "."};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        cr_expect_eq(parse(texts[i], true), -1, "'%s' is taken for a time", texts[i]);
}

Test(wait, retry_after)
{
    cr_expect_eq(wait_of(429, "Retry-After", "60"), MINUTE);
    cr_expect_eq(wait_of(503, "retry-after", "5"), 5000);
    cr_expect_eq(wait_of(429, "Retry-After", "Tue, 14 Nov 2023 22:14:20 GMT"), MINUTE);
    cr_expect_eq(wait_of(429, "Retry-After-Ms", "250"), 250);
    cr_expect_eq(wait_of(429, "X-RateLimit-Reset-After", "1.25"), 1250);
    cr_expect_eq(wait_of(401, "Retry-After", "7"), 7000);
}

Test(wait, an_answer_that_fails_no_key_and_no_upstream_names_none)
{
    cr_expect_eq(wait_of(200, "Retry-After", "60"), -1);
    cr_expect_eq(wait_of(404, "Retry-After", "60"), -1);
    cr_expect_eq(wait_of(401, "x-ratelimit-reset", "60"), -1);
}

Test(wait, an_absurd_wait_is_clamped_and_said)
{
    static const char *const absurd[] = {"2678400", "1000000000", "99999999999999999999999999999999999999",
                                         "Fri, 31 Dec 2999 23:59:59 GMT"};
    for (size_t i = 0; i < sizeof absurd / sizeof *absurd; i++) {
        const char *headers[][2] = {{"Retry-After", absurd[i]}, {NULL, NULL}};
        const kb_http_verdict verdict = judge(429, headers, "");
        cr_expect_eq(verdict.wait_ms, KB_HTTP_WAIT_MAX_MS, "%s: %d", absurd[i], verdict.wait_ms);
        cr_expect(verdict.clamped);
    }
    const char *headers[][2] = {{"Retry-After", "411480"}, {NULL, NULL}};
    cr_expect_eq(judge(429, headers, "").wait_ms, 411480000);
    cr_expect_not(judge(429, headers, "").clamped);
}

Test(wait, the_limit_with_nothing_left_counts)
{
    const char *headers[][2] = {{"x-ratelimit-remaining-requests", "9"},
                                {"x-ratelimit-reset-requests", "1s"},
                                {"x-ratelimit-remaining-tokens", "0"},
                                {"x-ratelimit-reset-tokens", "6m0s"},
                                {"anthropic-ratelimit-input-tokens-remaining", "0"},
                                {"anthropic-ratelimit-input-tokens-reset", "2023-11-14T22:14:20Z"},
                                {NULL, NULL}};
    cr_expect_eq(judge(429, headers, "").wait_ms, 6 * MINUTE);
}

Test(wait, a_limit_with_something_left_does_not)
{
    const char *headers[][2] = {{"x-ratelimit-remaining", "14"}, {"x-ratelimit-reset", "1700000060"}, {NULL, NULL}};
    cr_expect_eq(judge(429, headers, "").wait_ms, -1);
}

Test(wait, the_only_reset_counts_if_nothing_is_said_of_what_is_left)
{
    cr_expect_eq(wait_of(429, "X-RateLimit-Reset", "1700000060000"), MINUTE);
    cr_expect_eq(wait_of(429, "x-rate-limit-reset", "1700000060"), MINUTE);
    cr_expect_eq(wait_of(429, "RateLimit-Reset", "30"), 30000);
    const char *two[][2] = {{"x-ratelimit-reset-a", "1s"}, {"x-ratelimit-reset-b", "1h"}, {NULL, NULL}};
    cr_expect_eq(judge(429, two, "").wait_ms, -1);
}

Test(wait, structured_ratelimit_headers)
{
    cr_expect_eq(wait_of(429, "RateLimit", "\"default\";r=0;t=30"), 30000);
    cr_expect_eq(wait_of(429, "RateLimit", "limit=100, remaining=0, reset=5"), 5000);
    cr_expect_eq(wait_of(429, "RateLimit", "limit=100, remaining=10, reset=5"), -1);
}

Test(wait, hints_in_the_body)
{
    cr_expect_eq(body_wait(429, "{\"detail\":\"throttled\",\"retry_after\":5}"), 5000);
    cr_expect_eq(body_wait(429, "{\"error\":{\"message\":\"Please try again in 17.359s.\"}}"), 17359);
    cr_expect_eq(body_wait(429, "{\"error\":{\"message\":\"Please try again in 114h18m0s. See\"}}"), 411480000);
    cr_expect_eq(body_wait(429, "{\"message\":\"limit resets in ~5s\"}"), 5000);
    cr_expect_eq(body_wait(429, "{\"message\":\"Rate limit is exceeded. Try again in 12 seconds.\"}"), 12000);
    cr_expect_eq(body_wait(403, "{\"message\":\"Out of call volume quota. Quota will be replenished in 12:34:56.\"}"),
                 ((12 * 60 + 34) * 60 + 56) * 1000);
    cr_expect_eq(body_wait(503, "{\"error\":\"loading\",\"estimated_time\":20.0}"), 20000);
    cr_expect_eq(body_wait(429, "{\"ok\":false,\"parameters\":{\"retry_after\":35}}"), 35000);
    cr_expect_eq(body_wait(429, "{\"error\":{\"details\":[{\"retryDelay\":\"34.5s\"}]}}"), 34500);
    cr_expect_eq(body_wait(429, "{\"error\":{\"retry_after_ms\":1500}}"), 1500);
}

Test(wait, a_header_comes_before_the_body)
{
    const char *headers[][2] = {{"Retry-After", "18"}, {NULL, NULL}};
    cr_expect_eq(judge(429, headers, "{\"error\":{\"message\":\"Please try again in 17.359s.\"}}").wait_ms, 18000);
}
