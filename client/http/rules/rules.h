/*
 * rules.h: the built-in tables of outcome rules, one a service. What a table does not decide the generic rules do
 * (generic.h). A table is for what a service does unlike the others; most need none.
 *
 * To add a service: a file with its table, its source named, and a line in rules.c.
 */
#ifndef KB_HTTP_RULES_H
#define KB_HTTP_RULES_H

#include "http/rule.h"

struct kb_rules {
    const char *service; /* as in the configuration */
    const struct kb_rule *list;
    size_t n;
};

extern const struct kb_rules kb_rules_suno, kb_rules_kie, kb_rules_stability, kb_rules_google_maps,
    kb_rules_alphavantage, kb_rules_etherscan, kb_rules_deepl, kb_rules_minimax, kb_rules_tavily, kb_rules_facebook,
    kb_rules_slack, kb_rules_volcengine, kb_rules_mistral, kb_rules_salesforce, kb_rules_telegram, kb_rules_omdb,
    kb_rules_stripe, kb_rules_aws_apigateway;

/* The table of a service by its name or another name of it ("stability-v1"), NULL if there is none. */
const struct kb_rules *kb_rules_of(const char *service);

#define KB_RULES(symbol, name, table)                                                                                  \
    const struct kb_rules symbol = {.service = (name), .list = (table), .n = sizeof(table) / sizeof *(table)}

#endif
