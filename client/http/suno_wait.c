/*
 * suno_wait.c: asking for a task until it has come to its end.
 */
#include "http/polling.h"
#include "http/suno.h"

_Static_assert(KB_SUNO_INTERVAL_MS == 30000, "the preset below");
_Static_assert(KB_SUNO_INTERVAL_MIN_MS == KB_POLLING_MIN_MS, "what suno.h says");

static const struct kb_param params[] = {
    {.name = "task",
     .type = KB_PARAM_TEXT,
     .max = KB_TASK_SIZE - 1,
     .required = KB_ALWAYS,
     .help = "what generate_music said: KEY:ID"},
    {.name = "interval_ms",
     .type = KB_PARAM_INTEGER,
     .min = KB_POLLING_MIN_MS,
     .max = KB_POLLING_MAX_MS,
     .preset = "30000",
     .help = "milliseconds between polls"},
    {.name = NULL},
};

static int run(kb_http *http, const struct kb_call_values *values, const kb_call_settings *settings,
               kb_call_result *result)
{
    return kb_polling_run(http, values, settings, kb_suno_ask, KB_SUNO_DEADLINE_MS, result);
}

const struct kb_call_spec kb_suno_wait_call = {
    .name = "suno.wait",
    .service = "suno",
    .summary = "ask for a task until it is done, has failed, or the deadline has come",
    .params = params,
    .check = kb_suno_check_task,
    .run = run,
};
