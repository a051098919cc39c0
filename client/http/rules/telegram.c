/*
 * Telegram bots: a 403 is about the chat; a bad token is 401 or 404. Source: core.telegram.org/api/errors and answers
 * seen.
 */
#include "http/rules/rules.h"

static const struct kb_rule table[] = {
    {.status_min = 403, .status_max = 403, .field = "error_code", .outcome = KB_OUTCOME_CLIENT},
    {.status_min = 404, .status_max = 404, .field = "description", .is = "Not Found", .outcome = KB_OUTCOME_AUTH},
};

KB_RULES(kb_rules_telegram, "telegram", table);
