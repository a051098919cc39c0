/*
 * stability_result.c: what has become of a job: GET /v2beta/results/ID, with the key that started it. Upstream asks for
 * 10 s between polls at least, and keeps results for 24 h.
 */
#include "http/polling.h"
#include "http/stability.h"
#include "http/task.h"

#define TASK                                                                                                           \
    {                                                                                                                  \
        .name = "task", .type = KB_PARAM_TEXT, .max = KB_TASK_SIZE - 1, .required = KB_ALWAYS,                         \
        .help = "what replace_background said: KEY:ID"                                                                 \
    }
#define OUT                                                                                                            \
    {                                                                                                                  \
        .name = "out", .type = KB_PARAM_OUT, .help = "file for the image; without it the answer has it in base64"      \
    }

static const struct kb_param result_params[] = {
    TASK,
    OUT,
    {.name = NULL},
};

static const struct kb_param wait_params[] = {
    TASK,
    OUT,
    {.name = "interval_ms",
     .type = KB_PARAM_INTEGER,
     .min = KB_POLLING_MIN_MS,
     .max = KB_POLLING_MAX_MS,
     .preset = "10000",
     .help = "milliseconds between polls; upstream asks for 10000 at least"},
    {.name = NULL},
};

static bool check(const struct kb_call_values *values, char *error)
{
    struct kb_task task;
    if (kb_task_parse(kb_call_value(values, "task"), &task))
        return true;
    snprintf(error, KB_PARAM_ERROR_SIZE, "task: is no handle of a job (the key's fingerprint, a colon, the id)");
    return false;
}

static void write_running(const char *task, kb_call_result *result)
{
    struct kb_findings findings;
    kb_findings_begin(&findings);
    kb_findings_text(&findings, "task", task);
    kb_findings_text(&findings, "state", "running");
    kb_findings_end(&findings, result);
}

static int ask(kb_http *http, const struct kb_call_values *values, const kb_call_settings *settings,
               kb_call_result *result)
{
    struct kb_task task;
    char id[3 * KB_TASK_ID_MAX + 4], url[sizeof(id) + 32];
    const kb_http_header accept = {"Accept", "application/json"};
    const char *handle = kb_call_value(values, "task");
    if (!kb_task_parse(handle, &task))
        return KB_EINVAL;
    kb_task_escape(task.id, id, sizeof(id));
    snprintf(url, sizeof(url), "/v2beta/results/%s", id);
    kb_http_request request = {.url = url, .headers = &accept, .header_count = 1, .fingerprint = task.fingerprint};
    int code = kb_call_perform(http, values, settings, &request, result);
    if (code != 0 || result->answer.outcome != KB_OUTCOME_OK)
        return code;
    if (result->answer.status == 202)
        write_running(handle, result);
    else
        kb_stability_read_json(handle, kb_call_value(values, "out"), result);
    return code;
}

static int wait_for(kb_http *http, const struct kb_call_values *values, const kb_call_settings *settings,
                    kb_call_result *result)
{
    return kb_polling_run(http, values, settings, ask, KB_STABILITY_DEADLINE_MS, result);
}

const struct kb_call_spec kb_stability_result_call = {
    .name = "stability.check_result",
    .service = "stability",
    .summary = "a job's image if it is there, asked for with the key that started it",
    .params = result_params,
    .check = check,
    .run = ask,
};

const struct kb_call_spec kb_stability_wait_call = {
    .name = "stability.wait",
    .service = "stability",
    .summary = "ask for a job until its image is there or the deadline has come",
    .params = wait_params,
    .check = check,
    .run = wait_for,
};
