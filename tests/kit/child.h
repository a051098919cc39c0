/*
 * child.h: child processes of a test, memory shared with them, and bounded waits.
 *
 * A child is killed when the test that made it ends, however it ends.
 */
#ifndef KB_TESTS_CHILD_H
#define KB_TESTS_CHILD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { KIT_LIMIT_MS = 20000 }; /* no wait of a test is longer */

/* Runs body(arg) in a forked child, whose exit status is the result (0 to 99). Aborts if it cannot. */
pid_t kit_fork(int (*body)(void *arg), void *arg);

/* The exit status; 100 + the signal that ended it; -1 when KIT_LIMIT_MS have passed (it is killed then). */
int kit_wait(pid_t pid);

/* Sends SIGKILL; and waits for the end, but leaves the zombie where `reap` is false. */
void kit_kill(pid_t pid, bool reap);

/* Sends SIGSTOP and waits until it stands. */
void kit_freeze(pid_t pid);

/* Zeroed memory shared with children forked later. Never freed. */
void *kit_shared(size_t size);

/* Waits until *flag is at least `least`; false when KIT_LIMIT_MS have passed. */
bool kit_await(const _Atomic int *flag, int least);

/* Gives this process a /dev/shm of its own of that size ("1m"), empty; false where that is not allowed. */
bool kit_own_shm(const char *size);

/* A body for a child that only has to be there: raises *(_Atomic int *)arg and waits to be killed. */
int kit_stand_by(void *arg);

#endif
