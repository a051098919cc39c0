#include "segment/secret.h"

#include <assert.h>

static void fill(_Atomic uint64_t *words, size_t count, const char *text, size_t length)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t eight = 0;
        if (i * 8 < length)
            memcpy(&eight, text + i * 8, length - i * 8 < 8 ? length - i * 8 : 8);
        atomic_store_explicit(&words[i], eight, memory_order_relaxed);
    }
}

/* Marks the text as being written: readers refuse it, and whoever finds it after a death knows how
 * much there is to wipe. The fence keeps every word of the change behind the mark. */
static void begin(struct kb_secret *secret, uint64_t stamp)
{
    atomic_store_explicit(&secret->stamp, stamp | KB_SECRET_BUSY, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
}

void kb_secret_write(struct kb_secrets *secrets, unsigned pool, unsigned key, const char *text, size_t length,
                     const char *fingerprint)
{
    struct kb_secret *secret = &secrets->secrets[pool][key];
    const bool is_short = length <= KB_SECRET_SHORT;
    const uint64_t stamp = ++secrets->header.serial << 16 | length;
    assert(length > 0 && length <= KB_SECRET_MAX);
    kb_secret_wipe(secrets, pool, key);
    begin(secret, stamp);
    if (is_short)
        fill(secret->text, KB_SECRET_SHORT / 8, text, length);
    else
        fill(secrets->longs[pool][key], KB_SECRET_MAX / 8, text, length);
    fill(secret->fingerprint, 2, fingerprint, strlen(fingerprint));
    atomic_store_explicit(&secret->stamp, stamp, memory_order_release);
}

void kb_secret_wipe(struct kb_secrets *secrets, unsigned pool, unsigned key)
{
    struct kb_secret *secret = &secrets->secrets[pool][key];
    const uint64_t stamp = atomic_load_explicit(&secret->stamp, memory_order_relaxed);
    const size_t length = kb_secret_length(stamp & ~(uint64_t)KB_SECRET_BUSY);
    if (stamp == 0)
        return;
    begin(secret, stamp);
    fill(secret->text, KB_SECRET_SHORT / 8, NULL, 0);
    fill(secret->fingerprint, 2, NULL, 0);
    /* A long text's page is there only if it was written: do not make one. */
    if (length > KB_SECRET_SHORT && length <= KB_SECRET_MAX)
        fill(secrets->longs[pool][key], KB_SECRET_MAX / 8, NULL, 0);
    atomic_store_explicit(&secret->stamp, 0, memory_order_release);
}
