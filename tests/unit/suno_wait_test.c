/*
 * Waiting for a task of Suno: what passes is survived, what does not pass ends it.
 */
#include "tests/unit/adapter_server.h"

#include "keybroker/suno.h"

TestSuite(suno_wait, .init = begin, .fini = end, .timeout = 60);

#define SONG                                                                                                           \
    "{\"id\":\"s1\",\"audioUrl\":\"https://a/1.mp3\",\"streamAudioUrl\":\"https://a/1\",\"imageUrl\":null,"            \
    "\"title\":\"\\u94a2 \\\"x\\\"\",\"tags\":\"rock\",\"duration\":198.44,\"prompt\":\"la\",\"modelName\":\"m\"}"

static void start_task(char *task)
{
    kb_suno_music music = {.description = "rain"};
    will_say("{\"code\":200,\"msg\":\"success\",\"data\":{\"taskId\":\"5c79\"}}");
    cr_assert_eq(kb_suno_generate_music(http, NULL, &music, task, &result), 0, "%s", result.answer.error);
}

static int tell(void *arg, const kb_suno_state *state)
{
    char *told = arg;
    strcat(strcat(told, state->status), " ");
    return strcmp(state->status, "TEXT_SUCCESS") == 0 && strstr(told, "stop") != NULL;
}

static kb_suno_state wait_for(const char *task, int deadline_ms, char *told)
{
    kb_suno_wait_options options = {.interval_ms = 100, .progress = tell, .arg = told};
    kb_call_settings settings = {.deadline_ms = deadline_ms};
    kb_suno_state state;
    kb_call_result_clear(&result);
    cr_assert_eq(kb_suno_wait(http, &settings, task, &options, &state, &result), 0, "%s", result.answer.error);
    return state;
}

Test(suno_wait, survives_what_passes)
{
    char task[KB_TASK_SIZE], told[200] = "";
    start_task(task);
    will_say("{\"code\":200,\"data\":{\"status\":\"PENDING\"}}");
    will_answer((struct reply){.status = 500, .body = ""});
    will_answer((struct reply){.status = 200, .type = "text/html", .body = "<html>"});
    will_say("{\"code\":455,\"msg\":\"System maintenance\",\"data\":null}");
    will_answer((struct reply){.status = 429,
                               .body = "{\"code\":430,\"msg\":\"Your call frequency is too high.\"}",
                               .headers = {{"Retry-After", "1"}}});
    will_say("{\"code\":200,\"data\":{\"status\":\"FIRST_SUCCESS\"}}");
    will_say("{\"code\":200,\"data\":{\"status\":\"SUCCESS\",\"response\":{\"sunoData\":[" SONG "]}}}");
    kb_suno_state state = wait_for(task, 20000, told);
    cr_assert_eq(state.state, KB_SUNO_DONE, "%s", result.answer.error);
    cr_assert_eq(state.song_count, 1);
    cr_assert_str_eq(told, "PENDING FIRST_SUCCESS SUCCESS ");
    cr_assert_eq(requests, 8);
    kb_suno_state_clear(&state);
}

Test(suno_wait, ends_with_the_deadline)
{
    char task[KB_TASK_SIZE], told[1000] = "";
    start_task(task);
    will_say("{\"code\":200,\"data\":{\"status\":\"PENDING\"}}");
    kb_suno_state state = wait_for(task, 450, told);
    cr_assert_eq(state.state, KB_SUNO_RUNNING);
    cr_assert_str_eq(state.status, "PENDING");
    cr_assert_eq(result.answer.outcome, KB_OUTCOME_TRANSIENT);
    cr_assert_not_null(strstr(result.answer.error, "450 ms"));
    kb_suno_state_clear(&state);
}

Test(suno_wait, ends_when_told_to)
{
    char task[KB_TASK_SIZE], told[100] = "stop ";
    start_task(task);
    will_say("{\"code\":200,\"data\":{\"status\":\"PENDING\"}}");
    will_say("{\"code\":200,\"data\":{\"status\":\"TEXT_SUCCESS\"}}");
    kb_suno_state state = wait_for(task, 20000, told);
    cr_assert_str_eq(told, "stop PENDING TEXT_SUCCESS ");
    cr_assert_eq(state.state, KB_SUNO_RUNNING);
    kb_suno_state_clear(&state);
}

Test(suno_wait, ends_when_the_key_is_refused)
{
    char task[KB_TASK_SIZE];
    kb_suno_state state;
    start_task(task);
    will_say("{\"code\":401,\"msg\":\"Unauthorized access\",\"data\":null}");
    kb_call_result_clear(&result);
    cr_assert_eq(kb_suno_wait(http, NULL, task, NULL, &state, &result), KB_EEXHAUSTED);
    cr_assert_eq(result.answer.outcome, KB_OUTCOME_AUTH);
    cr_assert_eq(state.state, KB_SUNO_UNKNOWN);
    cr_assert_eq(requests, 2);
    kb_suno_state_clear(&state);
}

Test(suno_wait, ends_with_a_failed_task)
{
    char task[KB_TASK_SIZE], told[100] = "";
    start_task(task);
    will_say("{\"code\":200,\"data\":{\"status\":\"CREATE_TASK_FAILED\",\"errorMessage\":\"busy\"}}");
    kb_suno_state state = wait_for(task, 20000, told);
    cr_assert_eq(state.state, KB_SUNO_FAILED);
    cr_assert_str_eq(state.error_message, "busy");
    cr_assert_eq(requests, 2);
    kb_suno_state_clear(&state);
}
