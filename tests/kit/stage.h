/*
 * stage.h: an operation, killed or stopped in front of every instruction, and what must hold then.
 *
 * The victim is a process with its own worker slot; this process is its peer and has a handle of its own.
 * One key, the target, is what the operation is about; the others are available throughout (books.h).
 *
 * A killed victim:  the others are handed out at once and in turn; the target stands as it did before the
 *                   operation or as it does after it; it comes back with no help but claims, within
 *                   65,536 turns of its time; a sweep leaves nothing to mend; the slot, reaped, is free.
 * A stopped victim: the same for the others. Meanwhile something happens to the target, then the victim
 *                   goes on to its end: nobody else had a trial it has, the target stands as the order of
 *                   events demands, and bits agree with words without any sweep.
 */
#ifndef KB_TESTS_STAGE_H
#define KB_TESTS_STAGE_H

#include "segment/word.h"
#include "tests/kit/books.h"

#include <sys/types.h>

/* What happens while the victim stands. */
enum stage_event {
    STAGE_NOTHING, /* peers claim; one that gets the target's trial keeps it */
    STAGE_SWEEP,   /* the pool is swept too */
    STAGE_FAIL,    /* a peer reports AUTH for the target */
    STAGE_RESET,   /* the target is made available */
    STAGE_RELOAD,  /* the target is removed, and another key takes its slot */
    STAGE_EVENTS
};

/* How the target stands; KB_EMPTY: nothing is said. */
struct stage_key {
    unsigned state, strikes;
};

struct stage;

struct stage_play {
    const char *name;
    unsigned keys, target;                      /* 0, 0: 5 keys, the first is the target */
    struct stage_key start;                     /* the target before each run; its time, if any, is an hour away */
    void (*set)(struct stage *);                /* in the peer, after that: what else a run needs. NULL: nothing */
    void (*before)(struct stage *);             /* in the victim: leads up to the operation */
    void (*run)(struct stage *);                /* in the victim: the operation */
    void (*after)(struct stage *);              /* in the victim, after a whole run: gives back. NULL: nothing */
    struct stage_key killed[2];                 /* the target after a kill: one of these */
    struct stage_key ends[STAGE_EVENTS][2];     /* after a whole run with this event: one of these */
    void (*meanwhile)(struct stage *);          /* in the peer, in place of the events. NULL: the events */
    void (*check)(struct stage *, bool killed); /* in the peer, at the end of each run. NULL: nothing */
};

/* In memory that victim and peer share. */
struct stage {
    const struct stage_play *play;
    struct kit kit;
    struct books books;
    kb_client *client; /* opened by the peer; the victim inherits it and takes a slot of its own */
    pid_t victim;
    enum stage_event event;
    bool reloaded; /* the target's secret is number `keys`, not 0 */

    /* A worker that died before: peer_leave_trial. */
    unsigned dead_slot;
    uint64_t dead_identity;

    /* The victim's. */
    kb_client *own; /* a handle it opened itself */
    kb_key key;
    int code; /* of a claim, or of the operation */
    bool has_trial;
    _Atomic int waiter; /* what became of a process it forked: 1 well, 2 not */

    /* The peer's. */
    kb_key held; /* the target's trial */
    bool holds;
    bool copied;                /* the victim's claim had its secret whole when the target failed */
    bool barred;                /* the target has failed: no claim may return it */
    bool returned;              /* the last round returned the target */
    unsigned long runs, strays; /* strays did not come to their place */
};

/* In the victim. Attaches without taking a turn; claims in turn into `key`; gives that back. */
void stage_attach(struct stage *stage);
void stage_claim(struct stage *stage);
void stage_release(struct stage *stage);

/* Runs the plays; prints a line for each and "N passed, N failed". The program's exit status. */
int stage_run(const struct stage_play *plays, size_t count);

#endif
