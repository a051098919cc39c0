/*
 * responder.h: the least an HTTP server can do: a process for each connection to 127.0.0.1, which gives the same
 * answer to whatever ends its headers.
 */
#ifndef KB_BENCH_RESPONDER_H
#define KB_BENCH_RESPONDER_H

#include <sys/types.h>

struct responder {
    pid_t pid;
    unsigned port;
};

/* Starts it; all its processes run on the last core. Aborts if it cannot. It ends with this process. */
void responder_start(struct responder *responder);
void responder_stop(struct responder *responder);

#endif
