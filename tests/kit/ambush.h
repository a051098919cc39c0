/*
 * ambush.h: something that happens in the middle of a function under test, at a place of our choosing.
 *
 * The pages of a memory range are made unreadable; the first touch of one runs `strike` and makes them
 * readable again. So a race that needs luck otherwise happens every time. One ambush at a time, for the
 * calling thread.
 */
#ifndef KB_TESTS_AMBUSH_H
#define KB_TESTS_AMBUSH_H

#include <stdbool.h>
#include <stddef.h>

/* Lies in wait around [start, start + size), whole pages of it. `strike` may touch the range. */
void kit_ambush(const void *start, size_t size, bool writable, void (*strike)(void *arg), void *arg);

/* Ends it; whether it has struck. */
bool kit_ambush_end(void);

#endif
