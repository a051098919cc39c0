#include "segment/service_text.h"

#include <assert.h>
#include <string.h>

enum { BUSY = 0x8000 }; /* in a stamp: the text is being written */

/* The word of the text that begins at this byte, zero-filled behind the text. */
static uint64_t word_of(const char *text, size_t length, size_t at)
{
    uint64_t word = 0;
    memcpy(&word, text + at, length - at < sizeof word ? length - at : sizeof word);
    return word;
}

uint64_t kb_service_text_stamp(const struct kb_secrets *secrets, unsigned pool)
{
    const uint64_t stamp = atomic_load_explicit(&secrets->services[pool].stamp, memory_order_acquire);
    const size_t length = kb_service_text_length(stamp);
    return stamp & BUSY || length == 0 || length > KB_SERVICE_MAX ? 0 : stamp;
}

bool kb_service_text_copy(const struct kb_secrets *secrets, unsigned pool, uint64_t stamp, char *out)
{
    const struct kb_service_text *service = &secrets->services[pool];
    const size_t length = kb_service_text_length(stamp);
    assert(length <= KB_SERVICE_MAX);
    for (size_t at = 0; at < length; at += 8) {
        const uint64_t word = atomic_load_explicit(&service->text[at / 8], memory_order_relaxed);
        memcpy(out + at, &word, length - at < sizeof word ? length - at : sizeof word);
    }
    out[length] = 0;
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&service->stamp, memory_order_relaxed) == stamp;
}

static bool is_there(const struct kb_secrets *secrets, unsigned pool, const char *text, size_t length)
{
    const uint64_t stamp = kb_service_text_stamp(secrets, pool);
    bool same = stamp != 0 && kb_service_text_length(stamp) == length;
    for (size_t at = 0; same && at < length; at += 8)
        same = atomic_load_explicit(&secrets->services[pool].text[at / 8], memory_order_relaxed) ==
               word_of(text, length, at);
    return same;
}

void kb_service_text_write(struct kb_secrets *secrets, unsigned pool, const char *text, size_t length)
{
    struct kb_service_text *service = &secrets->services[pool];
    assert(length > 0 && length <= KB_SERVICE_MAX);
    if (is_there(secrets, pool, text, length))
        return;
    const uint64_t stamp = ++secrets->header.serial << 16 | length;
    atomic_store_explicit(&service->stamp, stamp | BUSY, memory_order_relaxed);
    atomic_thread_fence(memory_order_release); /* every word of the change stays behind the mark */
    for (size_t at = 0; at < length; at += 8)
        atomic_store_explicit(&service->text[at / 8], word_of(text, length, at), memory_order_relaxed);
    atomic_store_explicit(&service->stamp, stamp, memory_order_release);
}
