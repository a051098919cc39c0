/*
 * suno_account.c: the credits of a key's account: GET /api/v1/generate/credit.
 */
#include "http/findings.h"
#include "http/suno.h"
#include "http/task.h"

static const struct kb_param params[] = {
    {.name = "key",
     .type = KB_PARAM_TEXT,
     .max = KB_FINGERPRINT_LEN,
     .help = "fingerprint of the key to ask with; else the next one"},
    {.name = NULL},
};

static bool check(const struct kb_call_values *values, char *error)
{
    const char *key = kb_call_value(values, "key");
    if (key == NULL || kb_task_fingerprint(key))
        return true;
    snprintf(error, KB_PARAM_ERROR_SIZE, "key: is no fingerprint (k and 12 hex digits)");
    return false;
}

static void read_credits(kb_call_result *result)
{
    double credits;
    struct kb_findings findings;
    struct kb_json *doc = kb_findings_answer(result, false);
    if (doc == NULL)
        return;
    if (kb_findings_read_number(doc, 0, "data", &credits)) {
        kb_findings_begin(&findings);
        kb_findings_text(&findings, "key", result->answer.fingerprint);
        kb_findings_copy(&findings, "credits", doc, kb_json_member(doc, 0, "data"));
        kb_findings_end(&findings, result);
    } else {
        kb_findings_lacking(result, false, "number of credits");
    }
    kb_json_free(doc);
}

static int run(kb_http *http, const struct kb_call_values *values, const kb_call_settings *settings,
               kb_call_result *result)
{
    kb_http_request request = {
        .url = "/api/v1/generate/credit", .fingerprint = kb_call_value(values, "key"), .body_max = KB_SUNO_BODY_MAX};
    int code = kb_call_perform(http, values, settings, &request, result);
    if (code == 0 && result->answer.outcome == KB_OUTCOME_OK)
        read_credits(result);
    return code;
}

const struct kb_call_spec kb_suno_account_call = {
    .name = "suno.get_account_info",
    .service = "suno",
    .summary = "credits left on a key's account",
    .params = params,
    .check = check,
    .run = run,
};
