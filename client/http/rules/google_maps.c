/*
 * Google Maps web services: `status` in the body under HTTP 200. Source: the status codes of
 * developers.google.com/maps/documentation/geocoding/requests-geocoding.
 */
#include "http/rules/rules.h"

static const struct kb_rule table[] = {
    {.field = "status", .is = "OK|ZERO_RESULTS|NOT_FOUND", .outcome = KB_OUTCOME_OK},
    {.field = "status",
     .is = "OVER_QUERY_LIMIT",
     .message = "rate limit|per second|per minute",
     .outcome = KB_OUTCOME_RATE},
    {.field = "status", .is = "OVER_QUERY_LIMIT|OVER_DAILY_LIMIT", .outcome = KB_OUTCOME_QUOTA},
    {.field = "status", .is = "REQUEST_DENIED", .outcome = KB_OUTCOME_AUTH},
    {.field = "status", .is = "UNKNOWN_ERROR", .outcome = KB_OUTCOME_TRANSIENT},
    {.field = "status", .has = "invalid request|max~", .outcome = KB_OUTCOME_CLIENT},
};

KB_RULES(kb_rules_google_maps, "google-maps", table);
