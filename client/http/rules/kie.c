/*
 * kie.ai, Suno's sister: `code` in the body, with other meanings. Source: the code tables of docs.kie.ai.
 */
#include "http/rules/rules.h"

static const struct kb_rule table[] = {
    {.field = "code", .is = "402|433", .outcome = KB_OUTCOME_QUOTA},
    {.field = "code", .is = "429|430", .outcome = KB_OUTCOME_RATE},
    {.field = "code", .is = "401|403", .outcome = KB_OUTCOME_AUTH},
    {.field = "code", .is = "400|404|413|422", .outcome = KB_OUTCOME_CLIENT},
    {.field = "code", .is = "408|455|500|501|505|531", .outcome = KB_OUTCOME_TRANSIENT},
    {.field = "code", .is = "200", .outcome = KB_OUTCOME_OK},
    {.field = "code", .as_status = true},
};

KB_RULES(kb_rules_kie, "kie", table);
