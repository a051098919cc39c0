/*
 * polling.h: asking for a job until it has come to its end.
 */
#ifndef KB_HTTP_POLLING_H
#define KB_HTTP_POLLING_H

#include "http/call.h"

enum { KB_POLLING_MIN_MS = 100, KB_POLLING_MAX_MS = 3600000 }; /* limits of an argument "interval_ms" */

/* Asks once: a call's run. Its findings, only if something was learnt, have "state": "running", "done", "failed". */
typedef int kb_polling_ask(kb_http *http, const struct kb_call_values *values, const kb_call_settings *settings,
                           kb_call_result *result);

/*
 * Asks every "interval_ms" (an argument) until the state is done or failed, the progress function says so, an answer
 * comes that no later one will mend, or the deadline does: settings', else deadline_ms. The findings are those of the
 * last poll that learnt something.
 */
int kb_polling_run(kb_http *http, const struct kb_call_values *values, const kb_call_settings *settings,
                   kb_polling_ask *ask, int deadline_ms, kb_call_result *result);

#endif
