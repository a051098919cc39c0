/*
 * seat.h: a worker as the master sees it: its process, its socket, and the job it holds.
 */
#ifndef KB_KEYPOOL_SEAT_H
#define KB_KEYPOOL_SEAT_H

#include "keypool/frame.h"
#include "keypool/settings.h"

#include <stdbool.h>
#include <sys/types.h>

#define KB_SEAT_SLACK_MS 20000 /* to read a job, sync its file, and send its result */

struct kb_seat {
    pid_t pid; /* 0: empty */
    int fd;    /* the master's end, non-blocking; -1: empty */
    bool busy; /* a job has been handed over: it counts as begun */
    int64_t begun_ms;
    int64_t deadline_ms; /* if busy: no worker that goes on is silent until then */
    struct kb_frame job; /* kept whole until its result is there */
    struct kb_frame result;
};

/* Forks a worker into the empty seats[index]; seats[0..settings->workers) are what its copy of the
 * master must close. Returns 0 or an errno. */
int kb_seat_start(struct kb_seat *seats, int index, const struct kb_settings *settings);

/* Empties the seat of a worker that has died, or that has let go of its socket and is killed for it.
 * Returns its wait status. The job it held is still in seat->job. */
int kb_seat_bury(struct kb_seat *seat);

/*
 * The longest a job begun now may take: its wait for keys, one request for each key of the pool now,
 * and KB_SEAT_SLACK_MS for all else. A pool that cannot be read counts as full. A call may have longer
 * times of its own, and wait for what it started.
 */
int64_t kb_seat_deadline(const struct kb_settings *settings, bool call, int64_t now_ms);

/* Lets idle workers end by themselves, kills those that have not within a second, and empties the seats. */
void kb_seat_close_all(struct kb_seat *seats, int count);

#endif
