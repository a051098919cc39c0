/*
 * Salesforce: REQUEST_LIMIT_EXCEEDED is the organisation's limit of a day. Source: the status codes of
 * developer.salesforce.com/docs, REST API, error responses.
 */
#include "http/rules/rules.h"

static const struct kb_rule table[] = {
    {.field = "0.errorCode", .is = "REQUEST_LIMIT_EXCEEDED", .outcome = KB_OUTCOME_QUOTA},
};

KB_RULES(kb_rules_salesforce, "salesforce", table);
