/*
 * guard.h: the semaphore that guards what is wider than a word: adding and removing keys, changing
 * several at once, the configuration, the end of a segment. Claims and reports never touch it.
 *
 * The owner word is the lock; the semaphore is only the gate at which those wait who did not get it.
 *
 *     enter:   CAS owner 0 -> self, or proven-dead -> self. Failed: wait at the gate for a token, at
 *              most a slice, and try again.
 *     leave:   owner = 0; fence; if the gate holds no token, post one.
 *     slice over without a token: if the gate holds none and the owner is 0 or dead, post one.
 *
 * A token too many costs a vain try. A token too few would be a lost wake, which the slices bound. A
 * death anywhere:
 *     before the CAS, or at the gate: a token may be lost; the next slice posts one
 *     as owner: the next to try proves it dead and takes over; what it had half done is mended by the
 *               operations themselves, which leave a key EMPTY until it is whole
 *     after owner = 0, before the post: the next slice posts
 * A living owner that is stopped keeps the guard: the others get KB_EBUSY after their limit.
 */
#ifndef KB_SEGMENT_GUARD_H
#define KB_SEGMENT_GUARD_H

#include "segment/layout.h"

#include <stdbool.h>

#define KB_GUARD_LIMIT_MS 2000 /* what programs wait before they say "busy" */

/* By the creator, before the segment is published. False: no process-shared semaphores here. */
bool kb_guard_init(struct kb_header *header);

/* 0 or KB_EBUSY. Not recursive. Not async-signal-safe. */
int kb_guard_enter(struct kb_header *header, uint64_t limit_ms);
void kb_guard_leave(struct kb_header *header);

/* Who holds it, as an identity; 0: nobody. */
uint64_t kb_guard_owner(struct kb_header *header);

#endif
