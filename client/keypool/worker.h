/*
 * worker.h: the process that sends the requests. It takes one job at a time from its socket and
 * answers with the job's result line.
 */
#ifndef KB_KEYPOOL_WORKER_H
#define KB_KEYPOOL_WORKER_H

#include "keypool/settings.h"

#include <sys/types.h>

/*
 * The life of a forked worker: ends when its socket does, and is killed when the master dies. Takes
 * no notice of SIGINT, SIGTERM and SIGHUP, which reach the whole process group: what is in flight
 * is the master's to end. Killed in mid-job it leaves the job to the master, a part of an output
 * file, and to the broker a claim like any other dead process.
 */
_Noreturn void kb_worker_run(int fd, pid_t master, const struct kb_settings *settings);

#endif
