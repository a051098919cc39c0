/*
 * doorbell.h: hearing the segment's doorbell in a poll loop.
 *
 * Workers ring by a futex in the segment (worker.h); a poll loop needs a descriptor. A thread of its
 * own waits on the one and writes the other.
 */
#ifndef KB_BROKER_DOORBELL_H
#define KB_BROKER_DOORBELL_H

#include "segment/layout.h"

#include <pthread.h>
#include <stdbool.h>

struct kb_doorbell {
    struct kb_state *state;
    uint32_t heard; /* rings up to here are the starter's to look after */
    int fd;         /* an eventfd: readable when it has rung */
    _Atomic bool stop;
    pthread_t thread;
};

/* Signals must be blocked by the caller already. False: no descriptor or thread left. */
bool kb_doorbell_start(struct kb_doorbell *doorbell, struct kb_state *state);
/* Empties fd. */
void kb_doorbell_answer(struct kb_doorbell *doorbell);
void kb_doorbell_stop(struct kb_doorbell *doorbell);

#endif
