/*
 * os.h: what POSIX does not have. Implemented in os_linux.c, the only file that knows the system.
 */
#ifndef KB_SEGMENT_OS_H
#define KB_SEGMENT_OS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* CLOCK_MONOTONIC in milliseconds. The coarse one costs a tenth and lags by up to one kernel tick
 * (1–10 ms), never ahead: deadlines are set with the exact clock and found due with either. */
uint64_t kb_os_now(void);
uint64_t kb_os_now_coarse(void);
/* The wall clock, for people: milliseconds since 1970. */
int64_t kb_os_unix_ms(void);

/* Sleeps for ms; goes on after signals. */
void kb_os_sleep(uint64_t ms);

/* Waits while *word is `seen`, at most limit_ms. Returns early for reasons of its own: the caller
 * looks again. Works between processes. */
void kb_os_wait(_Atomic uint32_t *word, uint32_t seen, uint64_t limit_ms);
void kb_os_wake(_Atomic uint32_t *word);

/* A zeroed page that is all zeros again in every forked child. NULL: no memory. *wiped is false where
 * the kernel cannot do that; the caller then compares process ids. */
void *kb_os_fork_page(bool *wiped);
void kb_os_fork_page_free(void *page);

/* Keeps a range out of core dumps; false where the kernel refuses. */
bool kb_os_no_dump(void *start, size_t size);

/* Allocates [offset, offset + size) of a shared-memory object. 0 or an errno (ENOSPC). */
int kb_os_allocate(int fd, uint64_t offset, uint64_t size);

/* What /proc says of a process. False: it cannot be told (no /proc, another namespace's, hidden). */
struct kb_os_process {
    uint64_t start; /* clock ticks since boot */
    bool dead;      /* a zombie, or dying: it runs no more */
};
bool kb_os_process(int pid, struct kb_os_process *out);
/* A number that names this process's pid namespace; 0: cannot tell. */
uint64_t kb_os_pid_namespace(void);

/* A descriptor that becomes readable when the process ends; -1. Close-on-exec. */
int kb_os_pidfd(int pid);

/* 64 random bits. */
uint64_t kb_os_random(void);

#endif
