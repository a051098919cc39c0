#include "keypool/output.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool make_room(struct kb_output *output, size_t len)
{
    if (output->size - output->end >= len)
        return true;
    size_t pending = kb_output_pending(output);
    size_t size = output->size > 0 ? output->size : 4096;
    while (size < pending + len)
        size *= 2;
    char *bytes = malloc(size);
    if (bytes == NULL)
        return false;
    if (pending > 0)
        memcpy(bytes, output->bytes + output->begin, pending);
    free(output->bytes);
    output->bytes = bytes;
    output->size = size;
    output->begin = 0;
    output->end = pending;
    return true;
}

void kb_output_add(struct kb_output *output, const char *text, size_t len)
{
    if (output->error == 0 && !make_room(output, len))
        kb_output_fail(output, ENOMEM);
    if (output->error != 0) {
        output->lost++;
        return;
    }
    memcpy(output->bytes + output->end, text, len);
    output->end += len;
}

size_t kb_output_pending(const struct kb_output *output)
{
    return output->end - output->begin;
}

void kb_output_write(struct kb_output *output)
{
    /* A pipe that poll calls writable takes this much without blocking. */
    size_t pending = kb_output_pending(output);
    ssize_t n = write(output->fd, output->bytes + output->begin, pending < PIPE_BUF ? pending : PIPE_BUF);
    if (n < 0 && errno != EINTR && errno != EAGAIN)
        kb_output_fail(output, errno);
    if (n > 0)
        output->begin += (size_t)n;
    if (output->begin == output->end)
        kb_output_clear(output);
}

void kb_output_fail(struct kb_output *output, int error)
{
    for (size_t i = output->begin; i < output->end; i++)
        output->lost += output->bytes[i] == '\n';
    output->begin = output->end = 0;
    output->error = error;
}

void kb_output_clear(struct kb_output *output)
{
    free(output->bytes);
    output->bytes = NULL;
    output->size = output->begin = output->end = 0;
}
