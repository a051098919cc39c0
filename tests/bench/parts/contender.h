/*
 * contender.h: what claim_bench compares: ways to hand out 8 keys in turn to many processes.
 */
#ifndef KB_BENCH_CONTENDER_H
#define KB_BENCH_CONTENDER_H

enum { KEYBROKER, TWO_LINE_LIMIT, PLAIN_SEM, ROBUST_MUTEX, PRIVATE_ROTATION, CONTENDERS };
enum { CONTENDER_KEYS = 8 };

struct contender {
    const char *name;
    void (*enter)(void); /* in a worker, before the clock starts */
    void (*batch)(unsigned operations);
    void (*leave)(void);
};

extern const struct contender contenders[CONTENDERS];

/* Once, before workers are forked. */
void contenders_start(void);
void contenders_stop(void);

#endif
