/*
 * stability_account.c: a key's account: GET /v1/user/balance and /v1/user/account.
 */
#include "http/stability.h"
#include "http/task.h"

#define BODY_MAX ((uint64_t)1 << 20) /* bytes of an answer */

#define KEY                                                                                                            \
    {                                                                                                                  \
        .name = "key", .type = KB_PARAM_TEXT, .max = KB_FINGERPRINT_LEN,                                               \
        .help = "fingerprint of the key to ask with; else the next one"                                                \
    }

static const struct kb_param balance_params[] = {
    KEY,
    {.name = "organization", .type = KB_PARAM_TEXT, .max = 200, .help = "whose balance; else the key's default one"},
    {.name = NULL},
};

static const struct kb_param account_params[] = {
    KEY,
    {.name = NULL},
};

bool kb_stability_check_organization(const struct kb_call_values *values, char *error)
{
    const char *organization = kb_call_value(values, "organization");
    for (const char *at = organization; at != NULL && *at != '\0'; at++)
        if (*at < ' ' || *at > '~') {
            snprintf(error, KB_PARAM_ERROR_SIZE, "organization: is no plain text");
            return false;
        }
    return true;
}

static bool check(const struct kb_call_values *values, char *error)
{
    const char *key = kb_call_value(values, "key");
    if (key != NULL && !kb_task_fingerprint(key)) {
        snprintf(error, KB_PARAM_ERROR_SIZE, "key: is no fingerprint (k and 12 hex digits)");
        return false;
    }
    return kb_stability_check_organization(values, error);
}

static int ask(kb_http *http, const struct kb_call_values *values, const kb_call_settings *settings, const char *path,
               kb_call_result *result)
{
    const char *organization = kb_call_value(values, "organization");
    const kb_http_header header = {"Organization", organization};
    kb_http_request request = {.url = path,
                               .fingerprint = kb_call_value(values, "key"),
                               .headers = &header,
                               .header_count = organization != NULL,
                               .body_max = BODY_MAX};
    return kb_call_perform(http, values, settings, &request, result);
}

static void read_balance(kb_call_result *result)
{
    double credits;
    struct kb_findings findings;
    struct kb_json *doc = kb_findings_answer(result, false);
    if (doc == NULL)
        return;
    if (kb_findings_read_number(doc, 0, "credits", &credits)) {
        kb_findings_begin(&findings);
        kb_findings_text(&findings, "key", result->answer.fingerprint);
        kb_findings_copy(&findings, "credits", doc, kb_json_member(doc, 0, "credits"));
        kb_findings_end(&findings, result);
    } else {
        kb_findings_lacking(result, false, "number of credits");
    }
    kb_json_free(doc);
}

static int run_balance(kb_http *http, const struct kb_call_values *values, const kb_call_settings *settings,
                       kb_call_result *result)
{
    int code = ask(http, values, settings, "/v1/user/balance", result);
    if (code == 0 && result->answer.outcome == KB_OUTCOME_OK)
        read_balance(result);
    return code;
}

static void copy_members(struct kb_findings *findings, const struct kb_json *doc, int object)
{
    static const char *const names[] = {"id", "email", "name", "role", "is_default"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        kb_findings_copy(findings, names[i], doc, kb_json_member(doc, object, names[i]));
}

static void write_account(const struct kb_json *doc, kb_call_result *result)
{
    struct kb_findings findings;
    int organizations = kb_json_member(doc, 0, "organizations");
    organizations = kb_json_type(doc, organizations) == KB_JSON_ARRAY ? organizations : -1;
    kb_findings_begin(&findings);
    kb_findings_text(&findings, "key", result->answer.fingerprint);
    copy_members(&findings, doc, 0);
    kb_findings_open(&findings, "organizations", "[");
    for (int one = kb_json_first(doc, organizations); one >= 0; one = kb_json_next(doc, one)) {
        if (kb_json_type(doc, one) != KB_JSON_OBJECT)
            continue;
        kb_findings_open(&findings, NULL, "{");
        copy_members(&findings, doc, one);
        kb_findings_close(&findings, "}");
    }
    kb_findings_close(&findings, "]");
    kb_findings_end(&findings, result);
}

static int run_account(kb_http *http, const struct kb_call_values *values, const kb_call_settings *settings,
                       kb_call_result *result)
{
    int code = ask(http, values, settings, "/v1/user/account", result);
    if (code != 0 || result->answer.outcome != KB_OUTCOME_OK)
        return code;
    struct kb_json *doc = kb_findings_answer(result, false);
    if (doc != NULL && kb_json_type(doc, kb_json_member(doc, 0, "id")) == KB_JSON_STRING)
        write_account(doc, result);
    else if (doc != NULL)
        kb_findings_lacking(result, false, "id of an account");
    kb_json_free(doc);
    return code;
}

const struct kb_call_spec kb_stability_balance_call = {
    .name = "stability.balance",
    .service = "stability",
    .summary = "credits left on a key's account",
    .params = balance_params,
    .check = check,
    .run = run_balance,
};

const struct kb_call_spec kb_stability_account_call = {
    .name = "stability.account",
    .service = "stability",
    .summary = "whose key it is",
    .params = account_params,
    .check = check,
    .run = run_account,
};
