/*
 * OMDb: a key's day is spent under 401. Source: answers seen.
 */
#include "http/rules/rules.h"

static const struct kb_rule table[] = {
    {.field = "Response", .is = "False", .message = "limit reached", .outcome = KB_OUTCOME_QUOTA},
};

KB_RULES(kb_rules_omdb, "omdb", table);
