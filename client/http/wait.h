/*
 * wait.h: how long upstream asks to wait.
 */
#ifndef KB_HTTP_WAIT_H
#define KB_HTTP_WAIT_H

#include "http/rule.h"

/*
 * A text that names a time, as milliseconds from `now` (unix seconds): seconds ("30", "17.4"), a duration ("1m30s",
 * "250ms", "12:34:56"), an HTTP-date or RFC 3339 time, or, if EPOCH, a point in time in unix seconds or milliseconds
 * where the number is too large to be a duration. 0 for a time that has passed, -1 for any other text. Not clamped.
 */
double kb_wait_parse(const char *text, size_t len, int64_t now, bool epoch);

/*
 * The time an answer of this outcome names, in milliseconds, -1 for none; the first of
 *   retry-after-ms, Retry-After (RFC 9110) and x-ratelimit-reset-after;
 *   the longest reset of a limit of which nothing is left: *-reset* beside *-remaining* = 0, or r= and t= of RateLimit
 *   (draft-ietf-httpapi-ratelimit-headers);
 *   the envelope's own field;
 *   its message ("try again in 7m12s");
 *   the one reset there is, if nothing is said of what is left.
 * For AUTH only Retry-After counts, for OK and CLIENT nothing does.
 */
double kb_wait_named(const struct kb_rule_subject *subject, kb_outcome outcome, int64_t now);

#endif
