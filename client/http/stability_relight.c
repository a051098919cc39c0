/*
 * stability_relight.c: a job: POST /v2beta/stable-image/edit/replace-background-and-relight.
 */
#include "http/stability.h"
#include "http/task.h"

static const struct kb_param params[] = {
    {.name = "subject_image",
     .field = "subject_image",
     .type = KB_PARAM_FILE,
     .required = KB_ALWAYS,
     .help = "image whose background is to be another"},
    {.name = "background_prompt",
     .field = "background_prompt",
     .type = KB_PARAM_TEXT,
     .max = 10000,
     .help = "what to show behind; this or background_reference is needed"},
    {.name = "background_reference",
     .field = "background_reference",
     .type = KB_PARAM_FILE,
     .help = "image whose style to use behind"},
    {.name = "foreground_prompt",
     .field = "foreground_prompt",
     .type = KB_PARAM_TEXT,
     .max = 10000,
     .help = "what the subject is"},
    {.name = "negative_prompt",
     .field = "negative_prompt",
     .type = KB_PARAM_TEXT,
     .max = 10000,
     .help = "what not to show"},
    {.name = "preserve_original_subject",
     .field = "preserve_original_subject",
     .type = KB_PARAM_NUMBER,
     .max = 1,
     .help = "how far to keep the subject"},
    {.name = "original_background_depth",
     .field = "original_background_depth",
     .type = KB_PARAM_NUMBER,
     .max = 1,
     .help = "how far to match the depth behind"},
    {.name = "keep_original_background",
     .field = "keep_original_background",
     .type = KB_PARAM_BOOLEAN,
     .help = "only the light is to be another"},
    {.name = "light_source_direction",
     .field = "light_source_direction",
     .type = KB_PARAM_CHOICE,
     .choices = "left|right|above|below",
     .help = "where the light is from"},
    {.name = "light_reference",
     .field = "light_reference",
     .type = KB_PARAM_FILE,
     .help = "image with the light that is wanted"},
    {.name = "light_source_strength",
     .field = "light_source_strength",
     .type = KB_PARAM_NUMBER,
     .max = 1,
     .help = "how strong it is"},
    {.name = "seed", .field = "seed", .type = KB_PARAM_INTEGER, .max = 4294967294, .help = "0: a random one"},
    {.name = "output_format",
     .field = "output_format",
     .type = KB_PARAM_CHOICE,
     .choices = "png|jpeg|webp",
     .help = "png if not given"},
    {.name = NULL},
};

static bool check(const struct kb_call_values *values, char *error)
{
    if (kb_call_given(values, "background_prompt") || kb_call_given(values, "background_reference"))
        return kb_stability_check_size(values, error);
    snprintf(error, KB_PARAM_ERROR_SIZE, "background_prompt: is missing, this or background_reference is needed");
    return false;
}

static void read_id(kb_call_result *result)
{
    struct kb_task task;
    struct kb_findings findings;
    char id[KB_TASK_ID_MAX + 1], text[KB_TASK_SIZE];
    struct kb_json *doc = kb_findings_answer(result, true);
    if (doc == NULL)
        return;
    if (kb_findings_read_text(doc, 0, "id", id, sizeof(id)) && kb_task_make(result->answer.fingerprint, id, &task)) {
        kb_task_write(&task, text);
        kb_findings_begin(&findings);
        kb_findings_text(&findings, "task", text);
        kb_findings_end(&findings, result);
    } else {
        kb_findings_lacking(result, true, "id of the job");
    }
    kb_json_free(doc);
}

static int run(kb_http *http, const struct kb_call_values *values, const kb_call_settings *settings,
               kb_call_result *result)
{
    kb_http_part parts[KB_CALL_PARAMS_MAX];
    kb_http_request request = {.url = "/v2beta/stable-image/edit/replace-background-and-relight",
                               .parts = parts,
                               .part_count = kb_call_parts(values, parts),
                               .timeout_ms = KB_STABILITY_TIMEOUT_MS};
    int code = kb_call_perform(http, values, settings, &request, result);
    if (code == 0 && result->answer.outcome == KB_OUTCOME_OK)
        read_id(result);
    return code;
}

const struct kb_call_spec kb_stability_replace_background_call = {
    .name = "stability.replace_background",
    .service = "stability",
    .summary = "start a job: another background, and its light",
    .params = params,
    .check = check,
    .run = run,
};
