/*
 * Etherscan and its sisters: HTTP 200, status "0", message "NOTOK", the error in `result`. Source:
 * docs.etherscan.io, common error messages.
 */
#include "http/rules/rules.h"

static const struct kb_rule table[] = {
    {.field = "result", .has = "daily limit~|max daily~|daily rate limit", .outcome = KB_OUTCOME_QUOTA},
    {.field = "result", .has = "max .. rate limit|rate limit reached|calls per sec~", .outcome = KB_OUTCOME_RATE},
    {.field = "result",
     .has = "invalid api key|missing .. api key|too many invalid api key~",
     .outcome = KB_OUTCOME_AUTH},
    {.field = "message", .is = "NOTOK", .outcome = KB_OUTCOME_CLIENT},
};

KB_RULES(kb_rules_etherscan, "etherscan", table);
