/*
 * Facebook Graph API: error.code decides, under HTTP 400 as a rule. Source: developers.facebook.com/docs/graph-api,
 * handling errors and rate limits.
 */
#include "http/rules/rules.h"

static const struct kb_rule table[] = {
    {.field = "error.code",
     .is = "4|17|32|613|80000|80001|80002|80003|80004|80005|80006|80008|80009|80014",
     .outcome = KB_OUTCOME_RATE},
    {.field = "error.code", .is = "102|190|10|200|299|467|463", .outcome = KB_OUTCOME_AUTH},
    {.field = "error.code", .is = "1|2", .outcome = KB_OUTCOME_TRANSIENT},
    {.field = "error.code", .is = "100|368|506", .outcome = KB_OUTCOME_CLIENT},
};

KB_RULES(kb_rules_facebook, "facebook", table);
