/*
 * Slack: {"ok":false,"error":"…"} under HTTP 200. Source: the errors every method may give, api.slack.com/methods.
 */
#include "http/rules/rules.h"

static const struct kb_rule table[] = {
    {.field = "error", .is = "ratelimited|rate_limited", .outcome = KB_OUTCOME_RATE},
    {.field = "error",
     .is = "invalid_auth|not_authed|account_inactive|token_revoked|token_expired|no_permission|missing_scope|"
           "org_login_required|access_denied|not_allowed_token_type",
     .outcome = KB_OUTCOME_AUTH},
    {.field = "error",
     .is = "internal_error|fatal_error|service_unavailable|request_timeout",
     .outcome = KB_OUTCOME_TRANSIENT},
    {.status_min = 200, .status_max = 299, .field = "error", .outcome = KB_OUTCOME_CLIENT},
};

KB_RULES(kb_rules_slack, "slack", table);
