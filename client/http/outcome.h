/*
 * outcome.h: what an HTTP answer says about the key it was asked with.
 */
#ifndef KB_HTTP_OUTCOME_H
#define KB_HTTP_OUTCOME_H

#include "keybroker.h"

#include <time.h>

/*
 * Judges an HTTP status by the rules that hold for any service: 2xx is ok; 401 and 403 auth; 402
 * quota; 429 rate; 408, 425 and 5xx transient; every other 4xx client, and 3xx too, as redirects are
 * not followed. A number that is no final HTTP status (0: no answer came) is transient.
 */
kb_outcome kb_outcome_judge(int status);

/*
 * The wait a Retry-After header asks for, in milliseconds: VALUE is a number of seconds or an
 * HTTP-date, which is taken relative to NOW. Returns 0 for a date that has passed, -1 for NULL and
 * for text that is neither. The longest wait is 31 days or INT_MAX ms, whichever is less.
 */
int kb_outcome_wait(const char *value, time_t now);

#endif
