#include "http/buffer.h"

#include <stdlib.h>
#include <string.h>

enum { SIZE_AT_FIRST = 2048 };

static bool grow(struct kb_buffer *buffer, size_t needed)
{
    size_t size = buffer->size > 0 ? buffer->size : SIZE_AT_FIRST;
    while (size < needed)
        size *= 2;
    char *grown = malloc(size);
    if (grown == NULL)
        return false;
    if (buffer->bytes != NULL) {
        memcpy(grown, buffer->bytes, buffer->len);
        explicit_bzero(buffer->bytes, buffer->len);
        free(buffer->bytes);
    }
    buffer->bytes = grown;
    buffer->size = size;
    return true;
}

char *kb_buffer_extend(struct kb_buffer *buffer, size_t len)
{
    if (len >= buffer->size - buffer->len && !grow(buffer, buffer->len + len + 1))
        return NULL;
    char *at = buffer->bytes + buffer->len;
    buffer->len += len;
    buffer->bytes[buffer->len] = '\0';
    return at;
}

bool kb_buffer_append(struct kb_buffer *buffer, const char *bytes, size_t len)
{
    char *at = kb_buffer_extend(buffer, len);
    if (at != NULL && len > 0)
        memcpy(at, bytes, len);
    return at != NULL;
}

void kb_buffer_clear(struct kb_buffer *buffer)
{
    if (buffer->bytes != NULL)
        explicit_bzero(buffer->bytes, buffer->len);
    free(buffer->bytes);
    *buffer = (struct kb_buffer){.bytes = NULL};
}
