#include "arena.h"

#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

enum { BLOCK_SIZE = 256 * 1024 }; /* more than a small host's keys; RLIMIT_MEMLOCK is often 8 MiB */

struct kb_arena_block {
    struct kb_arena_block *next;
    size_t size; /* with this header */
    alignas(max_align_t) size_t used;
};

static struct kb_arena_block *map_block(struct kb_arena *arena, size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    (void)madvise(memory, size, MADV_DONTDUMP);
    if (mlock(memory, size) != 0)
        arena->lock_errno = errno;
    struct kb_arena_block *block = memory;
    block->next = arena->blocks;
    block->size = size;
    block->used = sizeof *block;
    arena->blocks = block;
    return block;
}

void *kb_arena_alloc(struct kb_arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    struct kb_arena_block *block = arena->blocks;
    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + align - 1) / align * align;
    if (block == NULL || size > block->size - block->used) {
        size_t needed = size + sizeof *block;
        block = map_block(arena, needed > BLOCK_SIZE ? needed : BLOCK_SIZE);
        if (block == NULL)
            return NULL;
    }
    void *memory = (char *)block + block->used;
    block->used += size;
    return memory;
}

void kb_arena_free(struct kb_arena *arena)
{
    struct kb_arena_block *next;
    for (struct kb_arena_block *block = arena->blocks; block != NULL; block = next) {
        size_t size = block->size;
        next = block->next;
        explicit_bzero(block, size);
        (void)munmap(block, size);
    }
    *arena = (struct kb_arena){0};
}
