#include "keypool/ledger.h"

#include "http/outfile.h"
#include "keypool/job.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void count(struct kb_ledger *ledger, enum kb_frame_kind kind)
{
    ledger->progress.done++;
    ledger->progress.failed += kind != KB_FRAME_OK;
    ledger->failed = ledger->failed || kind == KB_FRAME_NOT_STARTED;
}

void kb_ledger_enter(struct kb_ledger *ledger, const struct kb_frame *result)
{
    kb_output_add(&ledger->output, result->payload, result->head.size);
    count(ledger, result->head.kind);
}

void kb_ledger_answer(struct kb_ledger *ledger, struct kb_result *result, const char *line, size_t line_len)
{
    struct kb_job job;
    (void)kb_job_parse(&job, line, line_len, result->line);
    result->id = job.id;
    size_t len = 0;
    char *text = kb_result_text(result, &len);
    kb_job_clear(&job);
    if (text == NULL)
        kb_output_fail(&ledger->output, ENOMEM);
    kb_output_add(&ledger->output, text, len);
    free(text);
    count(ledger, strcmp(result->outcome, KB_RESULT_NOT_STARTED) != 0 ? KB_FRAME_FAILED : KB_FRAME_NOT_STARTED);
}

void kb_ledger_not_started(struct kb_ledger *ledger, uint64_t number, const char *line, size_t len, const char *why)
{
    struct kb_result result = {.line = number, .outcome = KB_RESULT_NOT_STARTED, .error = why};
    kb_ledger_answer(ledger, &result, line, len);
}

void kb_ledger_lost(struct kb_ledger *ledger, const struct kb_frame *frame, pid_t worker, int64_t ms, const char *why)
{
    struct kb_result result = {.line = frame->head.line,
                               .lost = true,
                               .outcome = kb_outcome_name(KB_OUTCOME_TRANSIENT),
                               .ms = ms,
                               .ambiguous = true,
                               .error = why};
    struct kb_job job;
    if (kb_job_parse(&job, frame->payload, frame->head.size, frame->head.line) && kb_job_out(&job) != NULL)
        kb_outfile_sweep(kb_job_out(&job), worker);
    kb_job_clear(&job);
    kb_ledger_answer(ledger, &result, frame->payload, frame->head.size);
}

void kb_ledger_complain(struct kb_ledger *ledger, const char *format, ...)
{
    kb_progress_hide(&ledger->progress);
    va_list args;
    va_start(args, format);
    fputs("keypool: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}
