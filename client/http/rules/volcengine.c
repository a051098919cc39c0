/*
 * Volcengine Ark: error.code is for one thing each. Source: the error codes of volcengine.com/docs/82379.
 */
#include "http/rules/rules.h"

static const struct kb_rule table[] = {
    {.field = "error.code", .is = "SetLimitExceeded|AccountOverdueError|QuotaExceeded", .outcome = KB_OUTCOME_QUOTA},
    {.field = "error.code", .is = "ServerOverloaded|ModelLoading", .outcome = KB_OUTCOME_TRANSIENT},
    {.field = "error.code", .has = "sensitive content~|model not open", .outcome = KB_OUTCOME_CLIENT},
};

KB_RULES(kb_rules_volcengine, "volcengine", table);
