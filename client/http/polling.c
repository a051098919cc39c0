#include "http/polling.h"

#include "http/findings.h"
#include "http/number.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LAST_POLL_MS = 2000 }; /* before the deadline */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void sleep_until(int64_t when)
{
    struct timespec at = {.tv_sec = when / 1000, .tv_nsec = when % 1000 * 1000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
        ;
}

/* Whether a poll that came back like this may go better the next time. */
static bool passing(int code, const kb_http_answer *answer)
{
    if (code == 0)
        return answer->outcome == KB_OUTCOME_OK || answer->outcome == KB_OUTCOME_TRANSIENT;
    if (code == KB_EEXHAUSTED)
        return answer->attempts == 0 || answer->outcome == KB_OUTCOME_RATE;
    return code == KB_ENOBROKER || code == KB_EFULL || code == KB_EBUSY;
}

/* Whether the findings say that the task has come to its end. */
static bool ended(const char *findings)
{
    struct kb_json_error error;
    char state[16] = "";
    struct kb_json *doc = kb_json_parse(findings, strlen(findings), &error);
    if (doc != NULL)
        kb_findings_read_text(doc, 0, "state", state, sizeof(state));
    kb_json_free(doc);
    return strcmp(state, "done") == 0 || strcmp(state, "failed") == 0;
}

/* One poll within the time left. What was learnt before stays in result->findings if it learns nothing. */
static int poll(kb_http *http, const struct kb_call_values *values, const kb_call_settings *settings,
                kb_polling_ask *ask, int64_t deadline, kb_call_result *result, bool *learnt)
{
    kb_call_settings once = *settings;
    char *before = result->findings;
    int64_t left = deadline - now_ms();
    once.deadline_ms = left > 1 ? (int)left : 1;
    result->findings = NULL;
    int code = ask(http, values, &once, result);
    *learnt = result->findings != NULL;
    if (*learnt)
        free(before);
    else
        result->findings = before;
    return code;
}

static int time_is_up(int deadline_ms, kb_call_result *result)
{
    char *reason = result->answer.error;
    result->answer.error = NULL;
    kb_call_fail(result, KB_OUTCOME_TRANSIENT, "the job has not come to its end in %d ms%s%s", deadline_ms,
                 reason != NULL ? "; the last poll: " : "", reason != NULL ? reason : "");
    free(reason);
    return 0;
}

/*
 * Sleeps before the next poll: the interval, or what upstream asked for if that is longer. A last poll is brought
 * forward to be answered before the deadline. False: no other poll fits.
 */
static bool rest(int64_t interval, const kb_http_answer *answer, int64_t deadline, bool *last)
{
    int64_t now = now_ms(), left = deadline - now;
    int64_t asked = answer->retry_after_ms, pause = asked > interval ? asked : interval;
    if (pause >= left) {
        if (*last || asked >= left || left <= 0)
            return false;
        *last = true;
        pause = left / 2 > LAST_POLL_MS ? left - LAST_POLL_MS : left / 2;
        pause = asked > pause ? asked : pause;
    }
    sleep_until(now + pause);
    return true;
}

int kb_polling_run(kb_http *http, const struct kb_call_values *values, const kb_call_settings *settings,
                   kb_polling_ask *ask, int deadline_ms, kb_call_result *result)
{
    double interval = KB_POLLING_MAX_MS;
    const char *text = kb_call_value(values, "interval_ms");
    deadline_ms = settings->deadline_ms > 0 ? settings->deadline_ms : deadline_ms;
    int64_t deadline = now_ms() + deadline_ms;
    bool last = false;
    kb_number_read(text, strlen(text), &interval);
    for (;;) {
        bool learnt;
        int code = poll(http, values, settings, ask, deadline, result, &learnt);
        if (learnt && settings->progress != NULL && settings->progress(settings->progress_arg, result->findings) != 0)
            return code;
        if ((learnt && ended(result->findings)) || !passing(code, &result->answer))
            return code;
        if (!rest((int64_t)interval, &result->answer, deadline, &last))
            return time_is_up(deadline_ms, result);
    }
}
