/*
 * step.h: stopping a process in front of a chosen instruction of an operation, by ptrace.
 *
 * The victim is a child that marks where the operation begins and ends by stopping itself. One run is
 * single-stepped from mark to mark and its path recorded; later runs are brought to instruction k of that
 * path. System calls count as one instruction.
 *
 * A single step may cost 20 µs. On x86-64 a run therefore goes at full speed to a breakpoint on
 * an instruction near k that it has met seldom, and is stepped from there; elsewhere it is stepped all
 * the way.
 */
#ifndef KB_TESTS_STEP_H
#define KB_TESTS_STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { STEP_PATH_MAX = 1 << 17 };

struct step_path {
    size_t count;        /* instructions from mark to mark */
    uintptr_t *at;       /* address of each */
    uint32_t *before;    /* how often that address was met before */
    unsigned char *news; /* what is watched changed with it */
};

/* Forks a child that runs body(arg), which must not return, under this process's control. It is killed
 * with this process. Stopped at its first mark; -1: it cannot be traced here. */
pid_t step_fork(void (*body)(void *arg), void *arg);

/* In the victim: stops for the tracer. */
void step_mark(void);

/* Lets a stopped victim run to its next mark. False: it ended instead. */
bool step_on(pid_t victim);

/* Steps from this mark to the next and records the path. changed(arg) says after each instruction whether
 * what is watched has changed. The path is the caller's to free, also where the result is false: the victim
 * ended, or the path is too long. */
bool step_record(pid_t victim, struct step_path *path, bool (*changed)(void *arg), void *arg);
void step_path_free(struct step_path *path);

/* Brings a victim from the mark where `path` begins to just before instruction k of it. False: this run
 * took another way and is at the next mark. */
bool step_to(pid_t victim, const struct step_path *path, size_t k);

#endif
