/*
 * rotation.h: whose turn it is.
 *
 * A turn is one CAS of the cursor {sequence, last position} to the next set bit behind the last
 * position. Whoever wins it has that turn; a worker that dies holding one has used it up and holds up
 * nobody. Between two turns of a key every other key whose bit stayed set has exactly one.
 */
#ifndef KB_SEGMENT_ROTATION_H
#define KB_SEGMENT_ROTATION_H

#include "segment/layout.h"

#include <stdbool.h>

#define KB_NO_POSITION (-1)

/* The first position of BITS[word] in MASK; the bits are a hint, so relaxed. */
static inline int kb_rotation_look(struct kb_rotation *r, unsigned word, uint64_t mask)
{
    const uint64_t bits = atomic_load_explicit(&r->bits[word], memory_order_relaxed) & mask;
    return bits ? (int)(word * 64 + (unsigned)__builtin_ctzll(bits)) : KB_NO_POSITION;
}

/* The next set bit behind position `last`, round and round; KB_NO_POSITION when no bit is set. */
static inline int kb_rotation_next(struct kb_rotation *r, unsigned last)
{
    const unsigned start = (last + 1) % KB_KEYS, word = start / 64;
    int position = kb_rotation_look(r, word, ~UINT64_C(0) << (start % 64));
    if (position >= 0)
        return position;
    const uint64_t summary = atomic_load_explicit(&r->summary, memory_order_relaxed);
    const uint64_t behind = ~((UINT64_C(2) << word) - 1);
    for (uint64_t words = summary & behind; words; words &= words - 1)
        if ((position = kb_rotation_look(r, (unsigned)__builtin_ctzll(words), ~UINT64_C(0))) >= 0)
            return position;
    for (uint64_t words = summary & ~behind; words; words &= words - 1)
        if ((position = kb_rotation_look(r, (unsigned)__builtin_ctzll(words), ~UINT64_C(0))) >= 0)
            return position;
    return KB_NO_POSITION;
}

/* Takes the next turn: its position, or KB_NO_POSITION. *sequence counts turns. A CAS that fails means
 * that somebody else took a turn, so this ends unless the whole host is busy taking turns. */
static inline int kb_rotation_turn(struct kb_rotation *r, uint64_t *sequence)
{
    uint64_t cursor = atomic_load_explicit(&r->cursor, memory_order_relaxed);
    for (;;) {
        const int position = kb_rotation_next(r, (unsigned)(cursor & 0xffff));
        if (position < 0)
            return KB_NO_POSITION;
        const uint64_t next = ((cursor >> 16) + 1) << 16 | (uint64_t)position;
        /* Acquire: the key's word is read after the turn is won, so a claim that began after a
         * failure was reported cannot see the word from before it. */
        if (atomic_compare_exchange_weak_explicit(&r->cursor, &cursor, next, memory_order_acq_rel,
                                                  memory_order_relaxed)) {
            *sequence = cursor >> 16;
            return position;
        }
    }
}

/* Sets or clears a position's bit. The summary goes up before it is needed and comes down with a
 * second look; a death in between leaves a summary bit too many, which costs a look, or one too few,
 * which the next sweep mends. */
static inline void kb_rotation_mark(struct kb_rotation *r, unsigned position, bool claimable)
{
    const unsigned word = position / 64;
    const uint64_t bit = UINT64_C(1) << (position % 64), word_bit = UINT64_C(1) << word;
    if (claimable) {
        if (!(atomic_load(&r->bits[word]) & bit))
            atomic_fetch_or(&r->bits[word], bit);
        if (!(atomic_load(&r->summary) & word_bit))
            atomic_fetch_or(&r->summary, word_bit);
    } else {
        if ((atomic_load(&r->bits[word]) & bit) == 0)
            return;
        if ((atomic_fetch_and(&r->bits[word], ~bit) & ~bit) != 0)
            return;
        atomic_fetch_and(&r->summary, ~word_bit);
        if (atomic_load(&r->bits[word]) != 0)
            atomic_fetch_or(&r->summary, word_bit);
    }
}

#endif
