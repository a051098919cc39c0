/*
 * secret.h: reading and writing the secrets segment.
 */
#ifndef KB_SEGMENT_SECRET_H
#define KB_SEGMENT_SECRET_H

#include "segment/layout.h"

#include <stdbool.h>
#include <string.h>

#define KB_SECRET_BUSY 0x8000u /* in a stamp's length: the text is being written or wiped */

static inline size_t kb_secret_length(uint64_t stamp)
{
    return (size_t)(stamp & 0xffff);
}

enum { KB_SECRET_BLOCK = 4 }; /* words copied at a time */
_Static_assert(KB_SECRET_SHORT % (KB_SECRET_BLOCK * 8) == 0 && KB_SECRET_MAX % (KB_SECRET_BLOCK * 8) == 0,
               "whole blocks fit both texts and kb_key.secret");
_Static_assert(offsetof(kb_key, index) == offsetof(kb_key, fingerprint) + 16, "a fingerprint is written as two words");

/* Word by word, each load atomic: the broker may be writing. */
static inline void kb_secret_copy_words(void *out, const _Atomic uint64_t *from, size_t count)
{
#pragma GCC unroll 4
    for (size_t i = 0; i < count; i++) {
        const uint64_t word = atomic_load_explicit(&from[i], memory_order_relaxed);
        memcpy((char *)out + i * sizeof word, &word, sizeof word);
    }
}

/* Copies the secret and its fingerprint to *out. False: there is none, or it was written meanwhile;
 * out->secret may then hold a part of one. Words behind the secret are copied too: they are zero. */
static inline bool kb_secret_copy(const struct kb_secrets *secrets, unsigned pool, unsigned key, kb_key *out)
{
    const struct kb_secret *secret = &secrets->secrets[pool][key];
    const uint64_t stamp = atomic_load_explicit(&secret->stamp, memory_order_acquire);
    const size_t length = kb_secret_length(stamp);
    if (length == 0 || length > KB_SECRET_MAX)
        return false;
    const _Atomic uint64_t *text = length <= KB_SECRET_SHORT ? secret->text : secrets->longs[pool][key];
    for (size_t word = 0; word * 8 < length; word += KB_SECRET_BLOCK)
        kb_secret_copy_words(out->secret + word * 8, text + word, KB_SECRET_BLOCK);
    kb_secret_copy_words((char *)out + offsetof(kb_key, fingerprint), secret->fingerprint, 2);
    out->secret[length] = 0;
    out->secret_len = length;
    /* The text is read before the second look at the stamp, and before the caller's at the word. */
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&secret->stamp, memory_order_relaxed) == stamp;
}

/* Slots of the pool that may hold a key, by the broker's own word: no worker can hide one from it. */
static inline unsigned kb_secret_span(const struct kb_secrets *secrets, unsigned pool)
{
    const uint32_t span = atomic_load_explicit(&secrets->header.spans[pool], memory_order_relaxed);
    return span < KB_KEYS ? span : KB_KEYS;
}

/* For the broker alone, under the guard, while the key's word is EMPTY and its pages are allocated.
 * A death in between leaves a busy stamp: readers refuse it, and the next write or wipe covers what
 * was there. */
void kb_secret_write(struct kb_secrets *secrets, unsigned pool, unsigned key, const char *text, size_t length,
                     const char *fingerprint);
void kb_secret_wipe(struct kb_secrets *secrets, unsigned pool, unsigned key);

#endif
