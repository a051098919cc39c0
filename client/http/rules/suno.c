/*
 * Suno (api.sunoapi.org). The verdict is `code` in the body, mostly under HTTP 200; 405 and 430 are rate limits there
 * and 429 is spent credits. Source: the code table of docs.sunoapi.org/suno-api/get-remaining-credits, the callback
 * codes of docs.sunoapi.org/suno-api/generate-music-callbacks.
 */
#include "http/rules/rules.h"

static const struct kb_rule table[] = {
    {.field = "code", .is = "429|402", .outcome = KB_OUTCOME_QUOTA},
    {.field = "code", .is = "405|430", .outcome = KB_OUTCOME_RATE},
    {.field = "code", .is = "401|403", .outcome = KB_OUTCOME_AUTH},
    {.field = "code", .is = "400|404|413|422", .outcome = KB_OUTCOME_CLIENT},
    {.field = "code", .is = "408|455|500|501|531", .outcome = KB_OUTCOME_TRANSIENT},
    /* A poll that went well may tell of a task that did not: its content, or the service. */
    {.field = "data.status", .is = "SENSITIVE_WORD_ERROR", .outcome = KB_OUTCOME_CLIENT},
    {.field = "data.status",
     .is = "CREATE_TASK_FAILED|GENERATE_AUDIO_FAILED|CALLBACK_EXCEPTION",
     .outcome = KB_OUTCOME_TRANSIENT},
    {.field = "code", .is = "200", .outcome = KB_OUTCOME_OK},
    {.field = "code", .as_status = true},
    {.status_min = 430, .status_max = 430, .outcome = KB_OUTCOME_RATE},
    {.status_min = 455, .status_max = 455, .outcome = KB_OUTCOME_TRANSIENT},
    /* Every answer is JSON: this one is somebody else's, or cut off. */
    {.status_min = 200, .status_max = 299, .no_json = true, .outcome = KB_OUTCOME_TRANSIENT},
};

KB_RULES(kb_rules_suno, "suno", table);
