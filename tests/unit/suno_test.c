/*
 * What Suno is asked, and what is made of its answers.
 */
#include "tests/unit/adapter_server.h"

#include "keybroker/suno.h"

TestSuite(suno, .init = begin, .fini = end, .timeout = 60);

#define STARTED "{\"code\":200,\"msg\":\"success\",\"data\":{\"taskId\":\"5c79****be8e\"}}"

static const char *handle_of(const char *id)
{
    static char task[KB_TASK_SIZE];
    snprintf(task, sizeof(task), "%s:%s", result.answer.fingerprint, id);
    return task;
}

static const char *found_task(void)
{
    static char findings[KB_TASK_SIZE + 20];
    snprintf(findings, sizeof(findings), "{\"task\":\"%s\"}", handle_of("5c79****be8e"));
    return findings;
}

Test(suno, music_by_description_leaves_custom_fields_out)
{
    will_say(STARTED);
    int code = RUN("suno.generate_music", {"title", "Rain"}, {"description", "a \"slow\" song"});
    succeeded(code, found_task());
    cr_assert_str_eq(method, "POST");
    cr_assert_str_eq(uri, "/api/v1/generate");
    cr_assert_str_eq(type_header, "application/json");
    cr_assert(strncmp(authorization, "Bearer kit-secret-", 18) == 0);
    cr_assert_str_eq(body, "{\"customMode\":false,\"model\":\"V4_5ALL\",\"instrumental\":false,\"callBackUrl\":"
                           "\"https://api.example.com/callback\",\"prompt\":\"Rain: a \\\"slow\\\" song\"}");
}

Test(suno, custom_music_carries_its_options)
{
    will_say(STARTED);
    int code = RUN("suno.generate_custom_music", {"title", "T"}, {"style", "jazz"}, {"prompt", "la"}, {"model", "V5"},
                   {"negative-tags", "metal"}, {"vocal_gender", "f"}, {"style_weight", "0.65"}, {"audio_weight", "1"},
                   {"weirdness_constraint", "0"}, {"persona_id", "p1"}, {"persona_model", "voice_persona"},
                   {"callback_url", "https://me.example/cb?x=1"});
    succeeded(code, found_task());
    cr_assert_str_eq(body, "{\"customMode\":true,\"title\":\"T\",\"style\":\"jazz\",\"prompt\":\"la\",\"model\":\"V5\","
                           "\"instrumental\":false,\"negativeTags\":\"metal\",\"vocalGender\":\"f\",\"styleWeight\":"
                           "0.65,\"weirdnessConstraint\":0,\"audioWeight\":1,\"personaId\":\"p1\",\"personaModel\":"
                           "\"voice_persona\",\"callBackUrl\":\"https://me.example/cb?x=1\"}");
}

Test(suno, an_instrumental_needs_no_prompt)
{
    will_say(STARTED);
    int code = RUN("suno.generate_custom_music", {"title", "T"}, {"style", "jazz"}, {"instrumental", "true"});
    succeeded(code, found_task());
    cr_assert_null(strstr(body, "prompt"));
}

Test(suno, an_answer_without_task_is_no_success)
{
    static const char *const answers[] = {"{\"code\":200,\"data\":null}", "{\"code\":200,\"data\":{\"taskId\":\"\"}}",
                                          "{\"code\":200,\"data\":{\"taskId\":\"a b\"}}",
                                          "{\"code\":200,\"data\":{\"taskId\":7}}", "<html>"};
    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++)
        will_say(answers[i]);
    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
        int code = RUN("suno.generate_music", {"description", "rain"});
        cr_assert_eq(code, 0);
        cr_assert_eq(result.answer.outcome, KB_OUTCOME_TRANSIENT, "%s", answers[i]);
        cr_assert(result.answer.ambiguous, "%s: %s", answers[i], result.answer.rule);
        cr_assert_not_null(result.answer.error);
        cr_assert_null(result.findings);
    }
    cr_assert_eq(requests, 5);
}

Test(suno, spent_credits_in_the_body_go_on_to_the_next_key)
{
    will_say("{\"code\":429,\"msg\":\"The current credits are insufficient. Please top up.\",\"data\":null}");
    will_say(STARTED);
    int code = RUN("suno.generate_music", {"description", "rain"});
    succeeded(code, found_task());
    cr_assert_eq(requests, 2);
}

Test(suno, credits_are_told)
{
    will_say("{\"code\":200,\"msg\":\"success\",\"data\":12}");
    double credits = -1;
    kb_call_result_clear(&result);
    cr_assert_eq(kb_suno_get_account_info(http, NULL, NULL, &credits, &result), 0);
    cr_assert_eq(credits, 12);
    cr_assert_str_eq(uri, "/api/v1/generate/credit");
    cr_assert_str_eq(method, "GET");
}

Test(suno, credits_of_one_key)
{
    will_say("{\"code\":200,\"msg\":\"success\",\"data\":3.5}");
    char first[KB_FINGERPRINT_LEN + 1], other[KB_FINGERPRINT_LEN + 1];
    double credits;
    for (int i = 0; i < 2; i++) {
        kb_call_result_clear(&result);
        cr_assert_eq(kb_suno_get_account_info(http, NULL, NULL, &credits, &result), 0);
        strcpy(i == 0 ? first : other, result.answer.fingerprint);
    }
    cr_assert_str_neq(first, other);
    for (int i = 0; i < 3; i++) {
        kb_call_result_clear(&result);
        cr_assert_eq(kb_suno_get_account_info(http, NULL, other, &credits, &result), 0);
        cr_assert_str_eq(result.answer.fingerprint, other);
    }
    cr_assert_eq(credits, 3.5);
    requests = 0;
    refused(RUN("suno.get_account_info", {"key", "kXYZ"}), "key: is no fingerprint");
}

#define SONG                                                                                                           \
    "{\"id\":\"s1\",\"audioUrl\":\"https://a/1.mp3\",\"streamAudioUrl\":\"https://a/1\",\"imageUrl\":null,"            \
    "\"title\":\"\\u94a2 \\\"x\\\"\",\"tags\":\"rock\",\"duration\":198.44,\"prompt\":\"la\",\"modelName\":\"m\"}"

static void start_task(char *task)
{
    kb_suno_music music = {.description = "rain"};
    will_say(STARTED);
    kb_call_result_clear(&result);
    cr_assert_eq(kb_suno_generate_music(http, NULL, &music, task, &result), 0, "%s", result.answer.error);
    cr_assert_str_eq(task, handle_of("5c79****be8e"));
}

Test(suno, a_task_is_asked_for_with_its_key)
{
    char task[KB_TASK_SIZE], bearer[100];
    kb_suno_state state;
    start_task(task);
    strcpy(bearer, authorization);
    will_say("{\"code\":200,\"data\":{\"status\":\"SUCCESS\",\"errorCode\":null,\"response\":{\"sunoData\":[" SONG
             "]}}}");
    for (int i = 0; i < 3; i++) {
        kb_call_result_clear(&result);
        cr_assert_eq(kb_suno_check_music_generation_status(http, NULL, task, &state, &result), 0);
        cr_assert_str_eq(authorization, bearer);
        cr_assert_eq(state.state, KB_SUNO_DONE);
        cr_assert_eq(state.song_count, 1);
        cr_assert_str_eq(state.songs[0].title, "\xe9\x92\xa2 \"x\"");
        cr_assert_str_eq(state.songs[0].audio_url, "https://a/1.mp3");
        cr_assert_null(state.songs[0].image_url);
        cr_assert_eq(state.songs[0].duration, 198.44);
        kb_suno_state_clear(&state);
    }
    cr_assert_str_eq(uri, "/api/v1/generate/record-info?taskId=5c79%2A%2A%2A%2Abe8e");
}

static kb_suno_progress_state state_told(const char *task, const char *answer)
{
    kb_suno_state state;
    requests = n_replies = 0;
    will_say(answer);
    kb_call_result_clear(&result);
    cr_assert_eq(kb_suno_check_music_generation_status(http, NULL, task, &state, &result), 0);
    kb_suno_progress_state told = state.state;
    kb_suno_state_clear(&state);
    return told;
}

Test(suno, a_failed_task_is_no_failed_key)
{
    char task[KB_TASK_SIZE];
    start_task(task);
    cr_assert_eq(state_told(task, "{\"code\":200,\"data\":{\"status\":\"SENSITIVE_WORD_ERROR\",\"errorCode\":400,"
                                  "\"errorMessage\":\"bad word: unauthorized\"}}"),
                 KB_SUNO_FAILED);
    cr_assert_eq(result.answer.outcome, KB_OUTCOME_CLIENT);
    cr_assert_str_eq(result.answer.error, "the task has failed: SENSITIVE_WORD_ERROR");
    cr_assert_not_null(strstr(result.findings, "\"error_message\":\"bad word: unauthorized\""));
    cr_assert_eq(state_told(task, "{\"code\":200,\"data\":{\"status\":\"PENDING\"}}"), KB_SUNO_RUNNING);
    cr_assert_eq(state_told(task, "{\"code\":200,\"data\":{\"status\":\"DREAMING\"}}"), KB_SUNO_RUNNING);
    cr_assert_eq(state_told(task, "{\"code\":200,\"data\":{\"status\":\"GENERATE_AUDIO_FAILED\"}}"), KB_SUNO_FAILED);
    cr_assert_eq(result.answer.outcome, KB_OUTCOME_TRANSIENT);
    cr_assert_eq(state_told(task, "{\"code\":200,\"data\":{\"status\":\"CALLBACK_EXCEPTION\"}}"), KB_SUNO_FAILED);
    cr_assert_eq(state_told(task, "{\"code\":200,\"data\":{\"status\":\"CALLBACK_EXCEPTION\",\"response\":"
                                  "{\"sunoData\":[" SONG "]}}}"),
                 KB_SUNO_DONE);
    cr_assert_eq(result.answer.outcome, KB_OUTCOME_OK);
    cr_assert_eq(state_told(task, "{\"code\":200,\"data\":{}}"), KB_SUNO_UNKNOWN);
    cr_assert_eq(result.answer.outcome, KB_OUTCOME_TRANSIENT);
    kb_pool_status status;
    cr_assert_eq(kb_status(client, "suno", &status), 0);
    cr_assert_eq(status.available, 2);
}

Test(suno, a_handle_is_checked)
{
    static const char *const wrong[] = {"x",
                                        "k0123456789ab",
                                        "k0123456789ab:",
                                        "k0123456789aB:id",
                                        "k0123456789ab:a b",
                                        "k0123456789ab:a\"b",
                                        "k0123456789ab:a\nb",
                                        "q0123456789ab:id"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        refused(RUN("suno.check_music_generation_status", {"task", wrong[i]}), "task: is no handle");
    refused(RUN("suno.wait", {"task", "x"}), "task: is no handle");
    cr_assert_eq(RUN("suno.check_music_generation_status", {"task", "k0123456789ab:id"}), KB_EKEY);
}

/* The same task, asked for by another process. */
Test(suno, a_handle_outlives_its_process)
{
    char task[KB_TASK_SIZE];
    start_task(task);
    kb_http_close(http);
    kb_close(client);
    cr_assert_eq(kb_open(kit.name, &client), 0);
    cr_assert_eq(kb_http_open(client, &http), 0);
    cr_assert_eq(state_told(task, "{\"code\":200,\"data\":{\"status\":\"SUCCESS\"}}"), KB_SUNO_DONE);
    cr_assert(strncmp(task, result.answer.fingerprint, KB_FINGERPRINT_LEN) == 0);
}

Test(suno, headers_of_the_settings_are_sent)
{
    kb_http_header more = {"X-More", "yes"};
    kb_call_settings settings = {.headers = &more, .header_count = 1};
    will_say("{\"code\":200,\"data\":1}");
    cr_assert_eq(kb_call_run(http, "suno.get_account_info", NULL, 0, &settings, &result), 0);
    cr_assert_str_eq(more_header, "yes");
}
