/*
 * Amazon API Gateway: "Limit Exceeded" is a usage plan's quota, "Too Many Requests" its rate. Source: the gateway
 * response types of docs.aws.amazon.com/apigateway.
 */
#include "http/rules/rules.h"

static const struct kb_rule table[] = {
    {.status_min = 429, .status_max = 429, .field = "message", .is = "Limit Exceeded", .outcome = KB_OUTCOME_QUOTA},
};

KB_RULES(kb_rules_aws_apigateway, "aws-apigateway", table);
