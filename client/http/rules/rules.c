#include "http/rules/rules.h"

#include <string.h>

static const struct {
    const char *name;
    const struct kb_rules *rules;
} tables[] = {
    {"suno", &kb_rules_suno},
    {"kie", &kb_rules_kie},
    {"kie.ai", &kb_rules_kie},
    {"stability", &kb_rules_stability},
    {"stability-v1", &kb_rules_stability},
    {"stability-v2beta", &kb_rules_stability},
    {"google-maps", &kb_rules_google_maps},
    {"alphavantage", &kb_rules_alphavantage},
    {"etherscan", &kb_rules_etherscan},
    {"deepl", &kb_rules_deepl},
    {"minimax", &kb_rules_minimax},
    {"tavily", &kb_rules_tavily},
    {"facebook", &kb_rules_facebook},
    {"slack", &kb_rules_slack},
    {"volcengine", &kb_rules_volcengine},
    {"mistral", &kb_rules_mistral},
    {"salesforce", &kb_rules_salesforce},
    {"telegram", &kb_rules_telegram},
    {"omdb", &kb_rules_omdb},
    {"stripe", &kb_rules_stripe},
    {"aws-apigateway", &kb_rules_aws_apigateway},
};

const struct kb_rules *kb_rules_of(const char *service)
{
    for (size_t i = 0; service != NULL && i < sizeof tables / sizeof *tables; i++)
        if (strcmp(tables[i].name, service) == 0)
            return tables[i].rules;
    return NULL;
}
