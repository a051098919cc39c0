/*
 * The key goes to the one host it is for, in the one place that is configured, and comes back from nowhere.
 */
#include "fixture.h"

static struct server other; /* another host: it knows the same keys and must never see one */

static void start_suno(void)
{
    start("suno");
}

static void stop_both(void)
{
    server_stop(&other);
    stop();
}

Test(secret, a_redirect_is_not_followed, .init = start_suno, .fini = stop_both, .timeout = 60)
{
    static const char *const keys[] = {"--key", "one=" SECRET("one") ":good", NULL};
    static const unsigned statuses[] = {301, 302, 303, 307, 308};
    server_start(&other, keys);
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        server_script(
            &server,
            text("status=%u&header=Location:http://127.0.0.1:%u/elsewhere?key=%s", statuses[i], other.port, "{KEY}"),
            "{}");
        cr_expect_eq(ask((kb_http_request){.url = "/moved", .body = "{}", .body_len = 2}), 0);
        cr_expect_eq(answer.status, (int)statuses[i]);
        cr_expect_eq(KB_FALLBACK(answer.outcome) & KB_FALLBACK_ALL, 0, "%s", kb_outcome_name(answer.outcome));
        cr_expect_not_null(kb_http_answer_header(&answer, "location"));
        cr_expect_null(answer.error, "%u: it is an answer like others: %s", statuses[i], answer.error);
        cr_expect_not(leaked(), "%u", statuses[i]);
    }
    cr_expect_eq(seen(), sizeof statuses / sizeof *statuses, "not on the same host either");
    cr_expect_eq(server_stat(&other, "one", "seen"), 0);
    cr_expect_eq(server_count(&other, "connections"), 0);
    cr_expect_eq(available(), KEYS);
}

Test(secret, another_name_of_the_same_host_is_another_host, .init = start_suno, .fini = stop, .timeout = 60)
{
    server_set(&server, "one", "redirect");
    server_set(&server, "two", "redirect");
    server_set(&server, "three", "redirect");
    cr_expect_eq(ask((kb_http_request){.url = "/moved"}), 0);
    cr_expect_eq(answer.status, 302);
    cr_expect_null(answer.error, "%s", answer.error);
    cr_expect_eq(seen(), 1);
    cr_expect_eq(server_count(&server, "unknown"), 0);
}

/* Echoed in every way an upstream might; each way is one script. */
Test(secret, an_echoed_key_is_told_nowhere, .init = start_suno, .fini = stop, .timeout = 60)
{
    static const struct {
        const char *what, *arguments, *body;
    } echoes[] = {
        {"in an error's message", "status=401", "{\"code\":401,\"msg\":\"Incorrect API key provided: {KEY}.\"}"},
        {"several times over", "status=403", "{KEY}{KEY} {KEY}"},
        {"in gzip", "status=401&gzip=1", "{\"msg\":\"bad key {KEY}\"}"},
        {"in a header", "status=401&header=X-Debug:key={KEY}", "{}"},
        {"in WWW-Authenticate", "status=401&header=WWW-Authenticate:Bearer%20error_description=%22{KEY}%22", "{}"},
        {"in a good answer", "status=200&header=X-Key:{KEY}", "{\"code\":200,\"data\":{\"key\":\"{KEY}\"}}"},
        {"in a page", "status=500&type=text/html", "<p>Authorization: Bearer {KEY}</p>"},
        {"where the body breaks off", "status=401&size=500&cut=80", "{\"msg\":\"Incorrect API key provided: {KEY}\"}"},
        {"in an absurd wait", "status=429&header=Retry-After:{KEY}", "{\"code\":430,\"msg\":\"{KEY}\"}"},
        {"in a cookie", "status=200&header=Set-Cookie:k={KEY}", "{\"code\":200}"},
    };
    for (size_t i = 0; i < sizeof echoes / sizeof *echoes; i++) {
        server_script(&server, text("times=3&%s", echoes[i].arguments), echoes[i].body);
        ask((kb_http_request){.url = "/echo"});
        cr_expect_geq(answer.attempts, 1, "%s", echoes[i].what);
        cr_expect_geq(answer.status, 200, "%s", echoes[i].what);
        cr_expect_not(leaked(), "%s: %s %s %s", echoes[i].what, answer.body, answer.error, answer.rule);
        broker_reset(&broker, POOL);
        server_unscript(&server);
    }
}

/* As it stands in JSON, percent-encoded in a URL, and as the header it came in. */
Test(secret, an_echoed_key_in_other_spellings_is_told_nowhere, .init = start_suno, .fini = stop, .timeout = 60)
{
    server_script(&server, "key=one&status=400", "{\"msg\":\"bad key: sk-one-" MARK "\\/with+signs=1\"}");
    server_script(&server, "key=two&status=400&header=Location:/x?key=sk-two-" MARK "%252Fwith%252Bsigns%253D1",
                  "{\"msg\":\"/x?key=sk-two-" MARK "%2Fwith%2Bsigns%3D1\"}");
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(ask((kb_http_request){.url = "/echo"}), 0);
        cr_expect_eq(answer.status, 400);
        cr_expect_not(leaked(), "%d: %s", i, answer.body);
    }
}

/* The log line of the only request. */
static char *only_request(void)
{
    char *log = server_log(&server);
    cr_expect_eq(seen(), 1);
    cr_expect_eq(server_count(&server, "unknown"), 0);
    cr_expect_null(strstr(log, MARK), "%s", log);
    return log;
}

Test(secret, is_a_bearer_token_by_default, .init = start_suno, .fini = stop, .timeout = 60)
{
    cr_expect_eq(ask((kb_http_request){.url = "/v1/thing?a=b"}), 0);
    cr_expect_eq(answer.outcome, KB_OUTCOME_OK);
    char *log = only_request();
    cr_expect_not_null(strstr(log, "\"authorization\":\"Bearer ***\""), "%s", log);
    cr_expect_not_null(strstr(log, "\"query\":{\"a\":\"b\"}"), "%s", log);
    free(log);
}

Test(secret, goes_into_a_header_of_another_name, .fini = stop, .timeout = 60)
{
    static const char *const options[] = {"--key-header", "x-api-key", NULL};
    start_with("other", ",\"key\":{\"header\":\"X-Api-Key\",\"prefix\":\"\"}", "", options);
    cr_expect_eq(ask((kb_http_request){.url = "/v1/thing"}), 0);
    cr_expect_eq(answer.outcome, KB_OUTCOME_OK);
    char *log = only_request();
    cr_expect_not_null(strstr(log, "\"x-api-key\":\"***\""), "%s", log);
    cr_expect_null(strstr(log, "\"authorization\""), "%s", log);
    free(log);
}

Test(secret, goes_behind_another_prefix, .fini = stop, .timeout = 60)
{
    static const char *const options[] = {"--key-header", "x-token", NULL};
    start_with("other", ",\"key\":{\"header\":\"X-Token\",\"prefix\":\"Key \"}", "", options);
    ask((kb_http_request){.url = "/v1/thing", .no_fallback = 1});
    cr_expect_eq(answer.status, 401, "this upstream knows keys without a prefix");
    char *log = server_log(&server);
    cr_expect_not_null(strstr(log, "\"x-token\":\"***\""), "%s", log);
    cr_expect_null(strstr(log, "\"authorization\""), "%s", log);
    free(log);
}

Test(secret, goes_into_the_query_only_where_that_is_configured, .fini = stop, .timeout = 60)
{
    static const char *const options[] = {"--key-query", "key", NULL};
    start_with("other", ",\"key\":{\"query\":\"key\"}", "", options);
    cr_expect_eq(ask((kb_http_request){.url = "/v1/thing?a=b%2Bc"}), 0);
    cr_expect_eq(answer.outcome, KB_OUTCOME_OK);
    char *log = only_request();
    cr_expect_not_null(strstr(log, "\"key\":\"***\""), "%s", log);
    cr_expect_not_null(strstr(log, "\"a\":\"b+c\""), "%s", log);
    cr_expect_null(strstr(log, "\"authorization\""), "%s", log);
    free(log);
}

Test(secret, in_the_query_stays_out_of_errors, .fini = stop, .timeout = 60)
{
    static const char *const options[] = {"--key-query", "key", NULL};
    start_with("other", ",\"key\":{\"query\":\"key\"}", "", options);
    server_script(&server, "times=1&size=500&cut=40", "{\"url\":\"/v1/thing?key={KEY}\"}");
    cr_expect_eq(ask((kb_http_request){.url = "/v1/thing"}), 0);
    cr_expect(answer.ambiguous);
    cr_expect_not(leaked());
    server_stop(&server);
    cr_expect_eq(ask((kb_http_request){.url = "/v1/thing"}), 0);
    cr_expect_eq(answer.outcome, KB_OUTCOME_TRANSIENT);
    cr_expect_not(leaked(), "%s", answer.error);
}
