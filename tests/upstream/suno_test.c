/*
 * Suno's answers as recorded and documented, over HTTP: the verdict is in the body, whatever the HTTP status.
 */
#include "rows.h"

#define CODE(number, message) "{\"code\":" number ",\"msg\":\"" message "\",\"data\":null}"
#define CREDITS               "The current credits are insufficient. Please top up."
#define TASK(status, code, message)                                                                                    \
    "{\"code\":200,\"msg\":\"success\",\"data\":{\"taskId\":\"t1\",\"status\":\"" status "\",\"errorCode\":" code      \
    ",\"errorMessage\":\"" message "\",\"param\":\"{\\\"prompt\\\":\\\"unauthorized, rate limit exceeded\\\"}\"}}"

static const struct row rows[] = {
    {"a task", 200, NULL, "{\"code\":200,\"msg\":\"success\",\"data\":{\"taskId\":\"5c79\"}}", KB_OUTCOME_OK, 0},
    {"credits", 200, NULL, "{\"code\":200,\"msg\":\"success\",\"data\":0}", KB_OUTCOME_OK, 0},
    {"code 400", 200, NULL, CODE("400", "Validation Error"), KB_OUTCOME_CLIENT, 0},
    {"code 401", 200, NULL, CODE("401", "You do not have access permissions"), KB_OUTCOME_AUTH, 0},
    {"code 404", 200, NULL, CODE("404", "Not Found"), KB_OUTCOME_CLIENT, 0},
    {"code 405", 200, NULL, CODE("405", "Rate limit exceeded"), KB_OUTCOME_RATE, 0},
    {"code 413", 200, NULL, CODE("413", "The theme or prompt is too long"), KB_OUTCOME_CLIENT, 0},
    {"code 422", 200, NULL, CODE("422", "Please enter callBackUrl"), KB_OUTCOME_CLIENT, 0},
    {"code 429", 200, NULL, CODE("429", CREDITS), KB_OUTCOME_QUOTA, 0},
    {"code 430", 200, NULL, CODE("430", "Your call frequency is too high. Please try again later."), KB_OUTCOME_RATE,
     0},
    {"code 455", 200, NULL, CODE("455", "System maintenance"), KB_OUTCOME_TRANSIENT, 0},
    {"code 500", 200, NULL, CODE("500", "Server Error"), KB_OUTCOME_TRANSIENT, 0},
    {"code 501", 200, NULL, CODE("501", "Audio generation failed"), KB_OUTCOME_TRANSIENT, 0},
    {"code 531", 200, NULL, CODE("531", "Generation failed, credits given back"), KB_OUTCOME_TRANSIENT, 0},
    {"code 429 and the reason is no matter", 200, NULL, CODE("429", "success"), KB_OUTCOME_QUOTA, 0},
    {"HTTP 401", 401, NULL, CODE("401", "You do not have access permissions"), KB_OUTCOME_AUTH, 0},
    {"HTTP 401 without a body", 401, NULL, "", KB_OUTCOME_AUTH, 0},
    {"HTTP 429 with the credits' code", 429, NULL, CODE("429", CREDITS), KB_OUTCOME_QUOTA, 0},
    {"HTTP 429 with 430 inside", 429, NULL, CODE("430", "Call frequency too high"), KB_OUTCOME_RATE, 0},
    {"HTTP 500 with credits inside", 500, NULL, CODE("429", CREDITS), KB_OUTCOME_QUOTA, 0},
    {"HTTP 500 without a body", 500, "&type=", "", KB_OUTCOME_TRANSIENT, 0},
    {"HTTP 502 of a proxy", 502, "&type=text/html", "<html>502 Bad Gateway</html>", KB_OUTCOME_TRANSIENT, 0},
    {"HTTP 413 of a proxy", 413, "&type=text/html", "<html>413</html>", KB_OUTCOME_CLIENT, 0},
    {"a task refused for its words", 200, NULL, TASK("SENSITIVE_WORD_ERROR", "401", "unauthorized words"),
     KB_OUTCOME_CLIENT, 0},
    {"a task that failed", 200, NULL, TASK("GENERATE_AUDIO_FAILED", "429", "rate limit"), KB_OUTCOME_TRANSIENT, 0},
    {"a task under way", 200, NULL, TASK("TEXT_SUCCESS", "null", "credits are insufficient"), KB_OUTCOME_OK, 0},
    {"a song of that name", 200, NULL,
     "{\"code\":200,\"msg\":\"success\",\"data\":{\"response\":{\"sunoData\":[{\"title\":\"Rate Limit\",\"prompt\":"
     "\"invalid api key, insufficient credits\"}]}}}",
     KB_OUTCOME_OK, 0},
    {"Retry-After is kept", 200, "&header=Retry-After:40", CODE("430", "Call frequency too high"), KB_OUTCOME_RATE,
     40000},
};

static void start_suno(void)
{
    start("suno");
}

Test(suno, each_answer_is_judged_and_the_key_stands_accordingly, .init = start_suno, .fini = stop, .timeout = 90)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_row(&rows[i], 10000);
    cr_expect_eq(seen(), sizeof rows / sizeof rows[0]);
}

Test(suno, a_key_without_credits_falls_back_to_the_next, .init = start_suno, .fini = stop, .timeout = 60)
{
    server_set(&server, "one", "suno-credits");
    server_set(&server, "two", "revoked");
    cr_expect_eq(ask((kb_http_request){.url = "/api/v1/generate", .body = "{}", .body_len = 2}), 0);
    cr_expect_eq(answer.outcome, KB_OUTCOME_OK);
    cr_expect_eq(answer.attempts, 3);
    cr_expect_not_null(strstr(answer.body ? answer.body : "", "\"key\":\"three\""));
    cr_expect_eq(available(), 1);
    cr_expect_eq(ask((kb_http_request){.url = "/api/v1/generate", .body = "{}", .body_len = 2}), 0);
    cr_expect_eq(answer.attempts, 1, "failed keys are passed over");
    cr_expect_eq(seen(), 4);
    cr_expect_eq(server_count(&server, "connections"), 1, "one connection for all keys");
}

Test(suno, when_every_key_fails_the_last_answer_is_told, .init = start_suno, .fini = stop, .timeout = 60)
{
    server_script(&server, "status=401&times=3", CODE("401", "no access"));
    cr_expect_eq(ask((kb_http_request){.url = "/api/v1/generate/credit"}), KB_EEXHAUSTED);
    cr_expect_eq(answer.outcome, KB_OUTCOME_AUTH);
    cr_expect_eq(answer.status, 401);
    cr_expect_eq(answer.attempts, 3);
    cr_expect_eq(seen(), 3, "each key once");
    for (int i = 0; i < KEYS; i++)
        cr_expect_eq(server_stat(&server, key_names[i], "seen"), 1, "key %s", key_names[i]);
}
