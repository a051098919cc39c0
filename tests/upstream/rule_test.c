/*
 * What the configuration says decides: rules of one's own, which outcomes go on to the next key; and the waits that
 * upstream names.
 */
#include "fixture.h"

#include <time.h>

#define FLAGGED "{\"error\":{\"code\":\"E-1234\",\"message\":\"no\"}}"
#define RULE    ",\"rules\":[{\"status\":403,\"field\":\"error.code\",\"is\":\"E-1234\",\"outcome\":\"client\"}]"

static const char *judged_as(void)
{
    ask((kb_http_request){.url = "/v1/thing", .no_fallback = 1});
    const char *name = kb_outcome_name(answer.outcome);
    broker_reset(&broker, POOL);
    return name;
}

Test(rule, of_the_configuration_comes_before_the_built_in_ones, .fini = stop, .timeout = 60)
{
    start_with("other", RULE, "", NULL);
    server_script(&server, "status=403&times=2", FLAGGED);
    cr_expect_str_eq(judged_as(), "client");
    cr_expect_eq(ask((kb_http_request){.url = "/v1/thing"}), 0);
    cr_expect_eq(answer.attempts, 1);
    server_script(&server, "status=403", "{\"error\":{\"code\":\"forbidden\"}}");
    cr_expect_str_eq(judged_as(), "auth", "the rule is about another code");
}

Test(rule, beats_a_built_in_service, .fini = stop, .timeout = 60)
{
    start_with("suno", ",\"rules\":[{\"field\":\"code\",\"is\":[429,\"430\"],\"outcome\":\"rate\",\"wait_ms\":7000}]",
               "", NULL);
    server_script(&server, "", "{\"code\":429,\"msg\":\"credits\"}");
    ask((kb_http_request){.url = "/v1/thing", .no_fallback = 1});
    cr_expect_eq(answer.outcome, KB_OUTCOME_RATE);
    const struct broker_key key = last_key();
    cr_expect(key.retry_ms > 5000 && key.retry_ms <= 7100, "%ld", key.retry_ms);
    server_script(&server, "", "{\"code\":401,\"msg\":\"no access\"}");
    cr_expect_str_eq(judged_as(), "auth", "its built-in rules stand behind");
}

Test(rule, changes_with_a_reload, .fini = stop, .timeout = 60)
{
    start_with("other", "", "", NULL);
    server_script(&server, "status=403&times=0", FLAGGED);
    cr_expect_str_eq(judged_as(), "auth");
    cr_assert(broker_reload(&broker, configuration(RULE, "")));
    cr_expect_str_eq(judged_as(), "client");
    cr_assert(broker_reload(&broker, configuration("", "")));
    cr_expect_str_eq(judged_as(), "auth");
}

Test(rule, by_header_status_range_and_message, .fini = stop, .timeout = 60)
{
    start_with("other",
               ",\"rules\":[{\"status\":\"4xx\",\"header\":\"X-Blame\",\"is\":\"you\",\"outcome\":\"client\"},"
               "{\"status\":\"500-503\",\"message\":\"out of tokens\",\"outcome\":\"quota\"},"
               "{\"status\":420,\"outcome\":\"rate\",\"wait_field\":\"retry.seconds\"}]",
               "", NULL);
    server_script(&server, "status=401&header=X-Blame:you", "{}");
    cr_expect_str_eq(judged_as(), "client");
    server_script(&server, "status=401&header=X-Blame:key", "{}");
    cr_expect_str_eq(judged_as(), "auth");
    server_script(&server, "status=502", "{\"error\":{\"message\":\"You are out of tokens.\"}}");
    cr_expect_str_eq(judged_as(), "quota");
    server_script(&server, "status=502", "{\"prompt\":\"out of tokens\"}");
    cr_expect_str_eq(judged_as(), "transient");
    server_script(&server, "status=420", "{\"retry\":{\"seconds\":33}}");
    cr_expect_str_eq(judged_as(), "rate");
    cr_expect_eq(answer.retry_after_ms, 33000);
}

Test(rule, base_url_changes_with_a_reload, .fini = stop, .timeout = 60)
{
    static struct server second;
    static const char *const keys[] = {"--key", "one=" SECRET("one") ":good",     "--key", "two=" SECRET("two") ":good",
                                       "--key", "three=" SECRET("three") ":good", NULL};
    start_with("other", "", "", NULL);
    cr_expect_eq(ask((kb_http_request){.url = "/first"}), 0);
    const struct server first = server;
    server_start(&second, keys);
    server.port = second.port;
    cr_assert(broker_reload(&broker, configuration("", "")));
    cr_expect_eq(ask((kb_http_request){.url = "/second"}), 0);
    cr_expect_eq(seen(), 1);
    server = first;
    cr_expect_eq(seen(), 1);
    server_stop(&second);
}

Test(fallback, limited_to_auth_a_429_uses_no_second_key, .fini = stop, .timeout = 60)
{
    start_with("suno", "", ",\"fallback\":[\"auth\"]", NULL);
    server_script(&server, "status=429", "{\"code\":430,\"msg\":\"too many\"}");
    cr_expect_eq(ask((kb_http_request){.url = "/v1/thing"}), KB_EEXHAUSTED);
    cr_expect_eq(answer.outcome, KB_OUTCOME_RATE);
    cr_expect_eq(answer.attempts, 1);
    cr_expect_eq(seen(), 1);
    cr_expect_str_eq(last_key().state, "cooling");
    server_script(&server, "status=401", "{\"code\":401}");
    cr_expect_eq(ask((kb_http_request){.url = "/v1/thing"}), 0);
    cr_expect_eq(answer.attempts, 2, "a 401 does");
    cr_expect_eq(seen(), 3);
}

Test(fallback, of_the_request_beats_the_pools, .fini = stop, .timeout = 60)
{
    start_with("suno", "", ",\"fallback\":[\"auth\"]", NULL);
    server_script(&server, "status=429", "{\"code\":430}");
    cr_expect_eq(ask((kb_http_request){.url = "/v1/thing", .fallback = KB_FALLBACK(KB_OUTCOME_RATE)}), 0);
    cr_expect_eq(answer.attempts, 2);
    broker_reset(&broker, POOL);
    server_script(&server, "status=401", "{\"code\":401}");
    cr_expect_eq(ask((kb_http_request){.url = "/v1/thing", .fallback = KB_FALLBACK(KB_OUTCOME_RATE)}), KB_EEXHAUSTED);
    cr_expect_eq(answer.attempts, 1);
}

Test(fallback, none_at_all, .fini = stop, .timeout = 60)
{
    start_with("suno", "", ",\"fallback\":[]", NULL);
    server_script(&server, "status=401", "{\"code\":401}");
    cr_expect_eq(ask((kb_http_request){.url = "/v1/thing"}), KB_EEXHAUSTED);
    cr_expect_eq(answer.attempts, 1);
    cr_expect_eq(seen(), 1);
    cr_expect_str_eq(last_key().state, "failed");
}

/* An HTTP-date so many seconds from now, ready for a query. */
static const char *date_in(long seconds)
{
    static char out[64];
    const time_t at = time(NULL) + seconds;
    struct tm parts;
    strftime(out, sizeof out, "%a,%%20%d%%20%b%%20%Y%%20%H:%M:%S%%20GMT", gmtime_r(&at, &parts));
    return out;
}

static void ask_with_retry_after(const char *value)
{
    server_script(&server, text("status=429&header=Retry-After:%s", value), "{}");
    cr_expect_eq(ask((kb_http_request){.url = "/v1/thing", .no_fallback = 1}), KB_EEXHAUSTED);
    cr_expect_eq(answer.outcome, KB_OUTCOME_RATE);
}

Test(wait, is_named_as_an_http_date, .fini = stop, .timeout = 60)
{
    start_with("other", "", "", NULL);
    ask_with_retry_after(date_in(90));
    cr_expect(answer.retry_after_ms > 60000 && answer.retry_after_ms <= 90000, "%d ms", answer.retry_after_ms);
    const struct broker_key key = last_key();
    cr_expect_str_eq(key.state, "cooling");
    cr_expect(key.retry_ms > 60000 && key.retry_ms <= 90100, "%ld ms", key.retry_ms);
}

Test(wait, that_has_passed_is_none, .fini = stop, .timeout = 60)
{
    start_with("other", "", "", NULL);
    ask_with_retry_after(date_in(-3600));
    cr_expect_leq(answer.retry_after_ms, 0, "%d ms", answer.retry_after_ms);
}

Test(wait, that_is_no_time_is_none, .fini = stop, .timeout = 60)
{
    start_with("other", "", "", NULL);
    ask_with_retry_after("soon");
    cr_expect_eq(answer.retry_after_ms, -1);
    const struct broker_key key = last_key();
    cr_expect(key.retry_ms > 5000 && key.retry_ms <= 10100, "%ld ms", key.retry_ms);
}

Test(wait, that_is_absurd_is_clamped_and_told, .fini = stop, .timeout = 60)
{
    start_with("other", "", "", NULL);
    ask_with_retry_after(date_in(3600L * 24 * 365 * 10));
    cr_expect_eq(answer.retry_after_ms, KB_HTTP_WAIT_MAX_MS, "%d ms", answer.retry_after_ms);
    cr_expect_neq(*said, '\0');
    cr_expect_not(leaked());
}
