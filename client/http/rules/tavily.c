/*
 * Tavily: 432 is the plan's limit, 433 the pay-as-you-go limit. Source: docs.tavily.com, the search endpoint's errors.
 */
#include "http/rules/rules.h"

static const struct kb_rule table[] = {
    {.status_min = 432, .status_max = 433, .outcome = KB_OUTCOME_QUOTA},
};

KB_RULES(kb_rules_tavily, "tavily", table);
