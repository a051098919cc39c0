/*
 * crew.h: worker processes that claim and report as fast as they can, each with a log of its own.
 *
 * Everything here lives in memory shared with the workers. A log has one writer, so a worker that is
 * killed leaves a true one, but for the claim it was at.
 */
#ifndef KB_TESTS_CREW_H
#define KB_TESTS_CREW_H

#include "keybroker.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

enum { CREW_MAX = 128, CREW_KEYS = 64, CREW_CODES = 16 };

struct crew_log {
    _Atomic uint64_t claims[CREW_KEYS]; /* by the number of the kit's secret */
    _Atomic uint64_t codes[CREW_CODES]; /* what kb_claim returned, negated; [0] is all claims */
    _Atomic uint64_t wrong;             /* secrets not whole, reports refused, and what `look` found */
};

struct crew {
    char name[KB_NAME_MAX + 1]; /* of the broker */
    const char *pool;
    int timeout_ms;   /* of every claim */
    uint64_t limit;   /* claims each worker makes; 0: until the crew is called off */
    kb_client *share; /* a handle opened before the fork, for every second worker. NULL: all open their own */
    /* Called around every claim, for tests that look closer: `before` may leave something in the 64
     * words, `look` says whether the claim was right. NULL: nothing. */
    void (*before)(void *arg, uint64_t words[64]);
    bool (*look)(void *arg, const uint64_t words[64], int number, const kb_key *key);
    void *arg;

    _Atomic int off;
    unsigned size;
    pid_t pid[CREW_MAX]; /* 0: killed */
    struct crew_log log[CREW_MAX];
};

/* A crew without workers, for the broker of that name. The memory is given back by crew_free. */
struct crew *crew_make(const char *name, const char *pool);
void crew_free(struct crew *crew);

/* Adds `count` workers. */
void crew_hire(struct crew *crew, unsigned count);
/* Kills one with SIGKILL. */
void crew_kill(struct crew *crew, unsigned worker);
/* Lets the workers come to their end and waits for it; true if every one that was not killed ended well. */
bool crew_end(struct crew *crew);

/* Waits until every living worker has made this many more claims; false when that takes too long. */
bool crew_progress(struct crew *crew, uint64_t claims);

/* Sums over all workers. */
uint64_t crew_claims(const struct crew *crew, unsigned number);
uint64_t crew_code(const struct crew *crew, int code);
/* Claims that failed, whatever the code, and whatever else was wrong. */
uint64_t crew_failures(const struct crew *crew);
uint64_t crew_wrong(const struct crew *crew);
/* The most claims of one of the keys first .. last minus the fewest. */
uint64_t crew_spread(const struct crew *crew, unsigned first, unsigned last);

#endif
