/*
 * DeepL: 456 is the month's quota. Source: the status codes of developers.deepl.com/docs/best-practices/error-handling.
 */
#include "http/rules/rules.h"

static const struct kb_rule table[] = {
    {.status_min = 456, .status_max = 456, .outcome = KB_OUTCOME_QUOTA},
};

KB_RULES(kb_rules_deepl, "deepl", table);
