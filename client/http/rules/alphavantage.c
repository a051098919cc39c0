/*
 * Alpha Vantage: everything under HTTP 200, errors as a lone Note, Information or Error Message. Source:
 * alphavantage.co/documentation and answers seen.
 */
#include "http/rules/rules.h"

static const struct kb_rule table[] = {
    {.field = "Note", .outcome = KB_OUTCOME_RATE},
    {.field = "Information", .message = "per second|per minute|burst|more sparingly", .outcome = KB_OUTCOME_RATE},
    {.field = "Information", .message = "per day|daily", .outcome = KB_OUTCOME_QUOTA},
    {.field = "Error Message", .message = "apikey .. invalid|apikey .. missing", .outcome = KB_OUTCOME_AUTH},
    {.field = "Error Message", .outcome = KB_OUTCOME_CLIENT},
};

KB_RULES(kb_rules_alphavantage, "alphavantage", table);
