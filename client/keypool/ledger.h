/*
 * ledger.h: the books of a run: every job read gets exactly one result, is counted once, and shows
 * in the progress.
 */
#ifndef KB_KEYPOOL_LEDGER_H
#define KB_KEYPOOL_LEDGER_H

#include "keypool/frame.h"
#include "keypool/output.h"
#include "keypool/progress.h"
#include "keypool/result.h"

#include <sys/types.h>

struct kb_ledger {
    struct kb_output output;
    struct kb_progress progress;
    bool failed; /* a job was not started, or the run had to stop */
};

/* Enters the result line a worker sent. */
void kb_ledger_enter(struct kb_ledger *ledger, const struct kb_frame *result);

/* Enters a result for a job no worker answers. Its id is read from the job's line and set here. */
void kb_ledger_answer(struct kb_ledger *ledger, struct kb_result *result, const char *line, size_t len);
/* The same for a job that was never handed to a worker. */
void kb_ledger_not_started(struct kb_ledger *ledger, uint64_t number, const char *line, size_t len, const char *why);
/* The same for a job whose worker, now reaped, died: it may have been carried out. Its half-written
 * file is removed. */
void kb_ledger_lost(struct kb_ledger *ledger, const struct kb_frame *job, pid_t worker, int64_t ms, const char *why);

/* One line on stderr, around the progress. */
__attribute__((format(printf, 2, 3))) void kb_ledger_complain(struct kb_ledger *ledger, const char *format, ...);

#endif
