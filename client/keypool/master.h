/*
 * master.h: reads the jobs, hands each to an idle worker, and writes one result for each.
 */
#ifndef KB_KEYPOOL_MASTER_H
#define KB_KEYPOOL_MASTER_H

#include "keypool/settings.h"

/*
 * Runs all jobs from standard input to standard output. Input is read only while a worker is idle,
 * so what is read and not begun is never more than one read's worth of lines.
 *
 * The first SIGINT, SIGTERM or SIGHUP stops the run: jobs in flight are finished, and no more are
 * begun. If the input is a file it is read to its end, otherwise as far as it is there without
 * waiting (1 MiB and a read at most), and each job in it reported as not started; stderr says how
 * many lines were read. The second ends the reading and kills the workers: their jobs are
 * reported as ambiguous. A worker that dies, or is silent beyond its job's deadline and is killed
 * for it, is replaced, its job reported as ambiguous, and not tried again. When the output fails,
 * jobs in flight are finished and their results lost.
 *
 * Returns the exit code: 0 if every job was answered, 128 + signal when interrupted, else 1.
 */
int kb_master_run(const struct kb_settings *settings);

#endif
