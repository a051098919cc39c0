/*
 * Answers that come late, in part or not at all: upstream may have done the work, so nothing is sent again, though
 * there are other keys.
 */
#include "fixture.h"

enum { SOON_MS = 300, LATE_MS = 4000 };

static void start_suno(void)
{
    start("suno");
}

static kb_http_request generate(void)
{
    return (kb_http_request){.url = "/api/v1/generate",
                             .body = "{\"prompt\":\"x\"}",
                             .body_len = 14,
                             .timeout_ms = SOON_MS,
                             .wait_ms = 5000};
}

/* One request went out, what became of it is not known, and no key is blamed. */
static void check_lost(int code, uint64_t requests)
{
    cr_expect_eq(code, 0, "%s", kb_strerror(code));
    cr_expect_str_eq(kb_outcome_name(answer.outcome), "transient", "%s by \"%s\"", kb_outcome_name(answer.outcome),
                     answer.rule);
    cr_expect(answer.ambiguous);
    cr_expect_not_null(answer.error);
    cr_expect_eq(answer.attempts, 1);
    cr_expect_eq(seen(), requests, "upstream saw %llu requests", (unsigned long long)seen());
    cr_expect_eq(available(), KEYS);
    cr_expect_not(leaked());
}

Test(lost, an_answer_after_the_time_is_not_asked_for_again, .init = start_suno, .fini = stop, .timeout = 60)
{
    server_script(&server, text("times=0&delay_ms=%d", LATE_MS), "{\"code\":200}");
    check_lost(ask(generate()), 1);
    cr_expect_eq(answer.status, 0);
}

Test(lost, the_deadline_cuts_an_attempt_short, .init = start_suno, .fini = stop, .timeout = 60)
{
    kb_http_request request = generate();
    request.timeout_ms = 60000;
    request.deadline_ms = SOON_MS;
    server_script(&server, text("times=0&delay_ms=%d", LATE_MS), "{\"code\":200}");
    check_lost(ask(request), 1);
}

Test(lost, a_drop_in_mid_body_on_every_key, .init = start_suno, .fini = stop, .timeout = 60)
{
    server_script(&server, "times=0&size=1000&cut=13", "{\"code\":200,\"data\":1}");
    for (uint64_t i = 1; i <= KEYS; i++)
        check_lost(ask(generate()), i);
}

Test(lost, a_body_that_stalls, .init = start_suno, .fini = stop, .timeout = 60)
{
    server_script(&server, text("size=70000&cut=66000&stall_ms=%d", LATE_MS), "{\"code\":200}");
    check_lost(ask(generate()), 1);
}

Test(lost, a_drop_in_mid_body_leaves_no_file, .init = start_suno, .fini = stop, .timeout = 60)
{
    kb_http_request request = generate();
    request.out = file_path("song.mp3");
    server_script(&server, "type=audio/mpeg&size=5000000&cut=3000000", "");
    request.timeout_ms = 20000;
    check_lost(ask(request), 1);
    cr_expect_not(answer.in_file);
    cr_expect_eq(files_like("song.mp3"), 0);
}

Test(lost, no_answer_at_all, .init = start_suno, .fini = stop, .timeout = 60)
{
    server_script(&server, "status=0", "");
    check_lost(ask(generate()), 1);
}

/* libcurl by itself repeats a request that gets no byte on a connection which was kept alive. */
Test(lost, no_answer_on_a_kept_connection, .init = start_suno, .fini = stop, .timeout = 60)
{
    cr_assert_eq(ask(generate()), 0);
    cr_assert_eq(answer.outcome, KB_OUTCOME_OK);
    server_script(&server, "status=0", "");
    check_lost(ask(generate()), 2);
    cr_assert_eq(ask((kb_http_request){.url = "/api/v1/generate/credit"}), 0, "the next one is well again");
    cr_assert_eq(answer.outcome, KB_OUTCOME_OK);
    server_script(&server, "status=0", "");
    check_lost(ask((kb_http_request){.url = "/api/v1/generate/credit"}), 4);
}

Test(lost, a_refusal_that_breaks_off_still_fails_its_key, .init = start_suno, .fini = stop, .timeout = 60)
{
    server_script(&server, "status=401&key=one&times=0&size=1000&cut=13", "{\"code\":401}");
    server_script(&server, "status=401&key=two&times=0&size=0&cut=0", "{\"code\":401}");
    cr_expect_eq(ask(generate()), 0);
    cr_expect_eq(answer.outcome, KB_OUTCOME_OK);
    cr_expect_eq(answer.attempts, 3);
    cr_expect_not(answer.ambiguous);
    cr_expect_eq(seen(), 3);
    cr_expect_eq(available(), 1);
}

Test(lost, nothing_listens, .init = start_suno, .fini = stop, .timeout = 60)
{
    kit_kill(server.pid, true);
    server.pid = 0;
    cr_expect_eq(ask(generate()), 0);
    cr_expect_eq(answer.outcome, KB_OUTCOME_TRANSIENT);
    cr_expect_not(answer.ambiguous, "it was never sent");
    cr_expect_not_null(answer.error);
    cr_expect_eq(answer.attempts, 1);
    cr_expect_eq(available(), KEYS);
    cr_expect_not(leaked());
}
