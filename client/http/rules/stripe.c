/*
 * Stripe: a card that is declined is the customer's. Source: docs.stripe.com/error-codes.
 */
#include "http/rules/rules.h"

static const struct kb_rule table[] = {
    {.field = "error.type", .is = "card_error|idempotency_error", .outcome = KB_OUTCOME_CLIENT},
};

KB_RULES(kb_rules_stripe, "stripe", table);
