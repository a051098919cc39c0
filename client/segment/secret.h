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

/* Copies the secret and its fingerprint to *out. False: there is none, or it was written meanwhile;
 * out->secret may then hold a part of one. Words past the length are copied too: they are zero. */
static inline bool kb_secret_copy(const struct kb_secrets *secrets, unsigned pool, unsigned key, kb_key *out)
{
    const struct kb_secret *secret = &secrets->secrets[pool][key];
    const uint64_t stamp = atomic_load_explicit(&secret->stamp, memory_order_acquire);
    const size_t length = kb_secret_length(stamp);
    if (length == 0 || length > KB_SECRET_MAX)
        return false;
    const _Atomic uint64_t *text = length <= KB_SECRET_SHORT ? secret->text : secrets->longs[pool][key];
    uint64_t name[2];
    for (size_t i = 0; i < (length + 7) / 8; i++) {
        const uint64_t eight = atomic_load_explicit(&text[i], memory_order_relaxed);
        memcpy(out->secret + i * 8, &eight, 8);
    }
    for (int i = 0; i < 2; i++)
        name[i] = atomic_load_explicit(&secret->fingerprint[i], memory_order_relaxed);
    memcpy(out->fingerprint, name, sizeof out->fingerprint);
    out->secret[length] = 0;
    out->secret_len = length;
    /* The text is read before the second look at the stamp, and before the caller's at the word. */
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&secret->stamp, memory_order_relaxed) == stamp;
}

/* For the broker alone, under the guard, while the key's word is EMPTY and its pages are allocated.
 * A death in between leaves a busy stamp: readers refuse it, and the next write or wipe covers what
 * was there. */
void kb_secret_write(struct kb_secrets *secrets, unsigned pool, unsigned key, const char *text, size_t length,
                     const char *fingerprint);
void kb_secret_wipe(struct kb_secrets *secrets, unsigned pool, unsigned key);

#endif
