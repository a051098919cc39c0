/*
 * Stability AI, v2beta and v1: errors go by `name`. Source: the OpenAPI documents of api.stability.ai; 402 and
 * insufficient_balance are not in them and were seen.
 */
#include "http/rules/rules.h"

static const struct kb_rule table[] = {
    /* The request was flagged: the caller's fault, under a status that elsewhere speaks of the key. */
    {.field = "name",
     .is = "content_moderation|invalid_prompts|invalid_language|public_figure",
     .outcome = KB_OUTCOME_CLIENT},
    {.field = "name", .is = "payment_required|insufficient_balance", .outcome = KB_OUTCOME_QUOTA},
    {.field = "name", .is = "rate_limit_exceeded", .outcome = KB_OUTCOME_RATE},
    {.status_min = 401,
     .status_max = 403,
     .field = "name",
     .is = "unauthorized|permission_denied",
     .outcome = KB_OUTCOME_AUTH},
    {.field = "name",
     .is = "bad_request|payload_too_large|generation_not_found|not_found",
     .outcome = KB_OUTCOME_CLIENT},
};

KB_RULES(kb_rules_stability, "stability", table);
