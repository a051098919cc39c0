/*
 * arena.h: memory for secrets.
 *
 * Pages of their own, locked into memory where the system allows it, left out of core dumps, and
 * wiped when the arena is freed. One owner, one thread.
 */
#ifndef KB_BROKER_ARENA_H
#define KB_BROKER_ARENA_H

#include <stddef.h>

struct kb_arena_block;

/* All zero is an empty arena. */
struct kb_arena {
    struct kb_arena_block *blocks;
    int lock_errno; /* why some of it could not be locked (it may be swapped out), 0 if all is */
};

/* `size` bytes, zeroed and aligned for any type, which live until the arena is freed; NULL if memory is short. */
void *kb_arena_alloc(struct kb_arena *arena, size_t size);

/* Wipes and unmaps everything; the arena is empty then. */
void kb_arena_free(struct kb_arena *arena);

#endif
