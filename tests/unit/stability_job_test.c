/*
 * Jobs of Stability AI: what is started with a key is asked for with that key.
 */
#include "tests/unit/adapter_server.h"

#include "keybroker/stability.h"

TestSuite(stability_job, .init = begin, .fini = end, .timeout = 60);

#define JOB "a6dc6c6e20acda010fe14d71f180658f2896ed9b4ec25aa99a6ff06c796987c4"

static void start_job(char *task)
{
    kb_stability_background_options options = {
        .subject_image = small_file("from.png", "PIXELS"), .background_prompt = "sea", .keep_original_background = 1};
    will_say("{\"id\":\"" JOB "\"}");
    cr_assert_eq(kb_stability_replace_background(http, NULL, &options, task, &result), 0, "%s", result.answer.error);
    cr_assert_str_eq(uri, "/v2beta/stable-image/edit/replace-background-and-relight");
    has_part("subject_image", "PIXELS");
    has_part("background_prompt", "sea");
    has_part("keep_original_background", "true");
    cr_assert_eq(parts(), 3);
    cr_assert_str_eq(task + KB_FINGERPRINT_LEN, ":" JOB);
    kb_call_result_clear(&result);
}

static void will_be_in_progress(void)
{
    will_answer((struct reply){
        .status = 202, .type = "application/json", .body = "{\"id\":\"" JOB "\",\"status\":\"in-progress\"}"});
}

Test(stability_job, a_job_is_asked_for_with_its_key)
{
    char task[KB_TASK_SIZE], bearer[100];
    kb_stability_image image;
    const char *out = in_scratch("out.png");
    start_job(task);
    strcpy(bearer, authorization);
    will_be_in_progress();
    will_say("{\"image\":\"QUI=\",\"seed\":3,\"finish_reason\":\"SUCCESS\"}");
    cr_assert_eq(kb_stability_check_result(http, NULL, task, out, &image, &result), 0);
    cr_assert_not(image.made);
    cr_assert_not_null(strstr(result.findings, "\"state\":\"running\""));
    cr_assert_null(content_of(out));
    kb_call_result_clear(&result);
    cr_assert_eq(kb_stability_check_result(http, NULL, task, out, &image, &result), 0);
    cr_assert(image.made && image.seed == 3);
    cr_assert_str_eq(content_of(out), "AB");
    cr_assert_str_eq(uri, "/v2beta/results/" JOB);
    cr_assert_str_eq(accept_header, "application/json");
    cr_assert_str_eq(authorization, bearer);
}

Test(stability_job, waiting_for_a_job)
{
    char task[KB_TASK_SIZE];
    kb_stability_image image;
    start_job(task);
    will_be_in_progress();
    will_answer((struct reply){.status = 502, .body = ""});
    will_say("{\"image\":\"QUI=\",\"seed\":3,\"finish_reason\":\"CONTENT_FILTERED\"}");
    cr_assert_eq(kb_stability_wait(http, NULL, task, NULL, 100, &image, &result), 0);
    cr_assert(image.made && image.filtered);
    cr_assert_eq(result.data_len, 2);
    cr_assert_eq(requests, 4);
}

Test(stability_job, an_unknown_job_ends_the_waiting)
{
    char task[KB_TASK_SIZE];
    kb_stability_image image;
    start_job(task);
    will_answer((struct reply){.status = 404,
                               .type = "application/json",
                               .body = "{\"id\":\"x\",\"name\":\"generation_not_found\",\"errors\":[\"no\"]}"});
    cr_assert_eq(kb_stability_wait(http, NULL, task, NULL, 100, &image, &result), 0);
    cr_assert_eq(result.answer.outcome, KB_OUTCOME_CLIENT);
    cr_assert_not(image.made);
    cr_assert_eq(requests, 2);
}
