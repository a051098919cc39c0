/*
 * buffer.h: bytes that grow, and may hold a secret: what is outgrown is wiped.
 */
#ifndef KB_HTTP_BUFFER_H
#define KB_HTTP_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct kb_buffer {
    char *bytes; /* with a final NUL that len does not count; NULL: nothing was ever added */
    size_t len, size;
};

/* Appends bytes for the caller to fill; NULL if memory is short: the buffer is as it was. */
char *kb_buffer_extend(struct kb_buffer *buffer, size_t len);
/* Appends; nothing, too, makes bytes. False if memory is short: the buffer is as it was. */
bool kb_buffer_append(struct kb_buffer *buffer, const char *bytes, size_t len);
/* Wipes and frees. */
void kb_buffer_clear(struct kb_buffer *buffer);

#endif
