/*
 * service_text.h: reading and writing what the secrets segment publishes of a pool's service.
 */
#ifndef KB_SEGMENT_SERVICE_TEXT_H
#define KB_SEGMENT_SERVICE_TEXT_H

#include "segment/layout.h"

#include <stdbool.h>

/* The text's stamp at this moment: 0 if there is none, if it is being written or left half-written by a death, or if
 * its length cannot be. Another number after each change. */
uint64_t kb_service_text_stamp(const struct kb_secrets *secrets, unsigned pool);

static inline size_t kb_service_text_length(uint64_t stamp)
{
    return (size_t)(stamp & 0x7fff);
}

/* Copies the text of this stamp, which is not 0, with a final NUL to out, which has room for it. False: it was
 * written meanwhile; out may then hold a part of it. */
bool kb_service_text_copy(const struct kb_secrets *secrets, unsigned pool, uint64_t stamp, char *out);

/* Makes the text this one; leaves it and its stamp alone if it is this one already, whole. For the broker alone,
 * under the guard, once the pages are allocated. */
void kb_service_text_write(struct kb_secrets *secrets, unsigned pool, const char *text, size_t length);

#endif
