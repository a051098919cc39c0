/*
 * Mistral: a tier's share of a model is the account's, not the server's load. Source: answers seen; code 3505.
 */
#include "http/rules/rules.h"

static const struct kb_rule table[] = {
    {.status_min = 429, .status_max = 429, .message = "tier capacity exceeded", .outcome = KB_OUTCOME_RATE},
};

KB_RULES(kb_rules_mistral, "mistral", table);
