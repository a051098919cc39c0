/*
 * identity.h: naming a process in shared memory, and proving one dead.
 *
 * An identity is one word {pid :22, start time :26, pid namespace :16}: numbers are used again, so a pid
 * alone proves nothing. Never 0.
 */
#ifndef KB_SEGMENT_IDENTITY_H
#define KB_SEGMENT_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

/* The calling process. About 20 µs of reading /proc; not kept, so right after a fork too. */
uint64_t kb_identity_self(void);

/* Of another process, by pid in this namespace. 0: there is none, or it cannot be told. */
uint64_t kb_identity_of(int pid);

int kb_identity_pid(uint64_t identity);

/* Whether two processes share a pid namespace: only then does a pid mean anything. */
bool kb_identity_near(uint64_t identity, uint64_t self);

/* True only with proof: no such process, another one under its number, or a zombie. "Cannot tell",
 * a foreign pid namespace and 0 are false. */
bool kb_identity_dead(uint64_t identity);

#endif
