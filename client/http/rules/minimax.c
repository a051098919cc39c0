/*
 * MiniMax: the verdict is base_resp.status_code under HTTP 200. Source: the error codes of platform.minimax.io/docs.
 */
#include "http/rules/rules.h"

static const struct kb_rule table[] = {
    {.field = "base_resp.status_code", .is = "0", .outcome = KB_OUTCOME_OK},
    {.field = "base_resp.status_code", .is = "1004|2049", .outcome = KB_OUTCOME_AUTH},
    {.field = "base_resp.status_code", .is = "1008", .outcome = KB_OUTCOME_QUOTA},
    {.field = "base_resp.status_code", .is = "1002|1039|1041|2045|2056", .outcome = KB_OUTCOME_RATE},
    {.field = "base_resp.status_code", .is = "1000|1001|1024|1033", .outcome = KB_OUTCOME_TRANSIENT},
    {.field = "base_resp.status_code", .outcome = KB_OUTCOME_CLIENT},
};

KB_RULES(kb_rules_minimax, "minimax", table);
