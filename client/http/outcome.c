#include "outcome.h"

#include <ctype.h>
#include <curl/curl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#define WAIT_SECONDS_MAX INT64_C(2678400) /* 31 days, as kb_report takes them */

kb_outcome kb_outcome_judge(int status)
{
    if (status >= 200 && status < 300)
        return KB_OUTCOME_OK;
    switch (status) {
    case 401:
    case 403:
        return KB_OUTCOME_AUTH;
    case 402:
        return KB_OUTCOME_QUOTA;
    case 429:
        return KB_OUTCOME_RATE;
    case 408:
    case 425:
        return KB_OUTCOME_TRANSIENT;
    default:
        return status >= 300 && status < 500 ? KB_OUTCOME_CLIENT : KB_OUTCOME_TRANSIENT;
    }
}

static int clamped_ms(int64_t seconds)
{
    if (seconds < 0)
        return 0;
    int64_t ms = (seconds < WAIT_SECONDS_MAX ? seconds : WAIT_SECONDS_MAX) * 1000;
    return ms < INT_MAX ? (int)ms : INT_MAX;
}

/* The seconds in text of digits only, -1 for other text; stops counting once the limit is passed. */
static int64_t whole_seconds(const char *text)
{
    int64_t seconds = 0;
    if (!isdigit((unsigned char)*text))
        return -1;
    for (; isdigit((unsigned char)*text); text++)
        if (seconds <= WAIT_SECONDS_MAX)
            seconds = seconds * 10 + (*text - '0');
    return text[strspn(text, " \t")] == '\0' ? seconds : -1;
}

int kb_outcome_wait(const char *value, time_t now)
{
    if (value == NULL)
        return -1;
    value += strspn(value, " \t");
    int64_t seconds = whole_seconds(value);
    if (seconds >= 0)
        return clamped_ms(seconds);
    /* All forms of an HTTP-date begin with a day's name; curl_getdate alone would also take bare numbers. */
    if (!isalpha((unsigned char)*value))
        return -1;
    time_t date = curl_getdate(value, NULL);
    return date == -1 ? -1 : clamped_ms((int64_t)date - (int64_t)now);
}
