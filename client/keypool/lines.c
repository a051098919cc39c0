#include "keypool/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_SIZE ((size_t)64 << 10)

/* Moves what is left to the front and makes room for one more read. */
static bool make_room(struct kb_lines *lines)
{
    size_t left = lines->end - lines->begin;
    if (lines->begin > 0) {
        memmove(lines->bytes, lines->bytes + lines->begin, left);
        lines->searched -= lines->begin;
        lines->begin = 0;
        lines->end = left;
    }
    if (lines->size - left >= READ_SIZE)
        return true;
    size_t size = lines->size * 2 > READ_SIZE * 2 ? lines->size * 2 : READ_SIZE * 2;
    char *bytes = realloc(lines->bytes, size);
    if (bytes == NULL)
        return false;
    lines->bytes = bytes;
    lines->size = size;
    return true;
}

int kb_lines_read(struct kb_lines *lines)
{
    if (!make_room(lines))
        return ENOMEM;
    ssize_t n = read(lines->fd, lines->bytes + lines->end, READ_SIZE);
    if (n < 0)
        return errno == EINTR || errno == EAGAIN ? 0 : errno;
    lines->end += (size_t)n;
    lines->at_end = n == 0;
    return 0;
}

uint64_t kb_lines_bytes(const struct kb_lines *lines)
{
    return lines->taken + (lines->end - lines->begin);
}

static bool is_blank(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
            return false;
    return true;
}

static void take_until(struct kb_lines *lines, size_t end)
{
    lines->taken += end - lines->begin;
    lines->begin = end;
    lines->searched = end;
}

/* Takes bytes up to and with the next newline, or all there are; false while the line goes on. */
static bool skip_rest(struct kb_lines *lines)
{
    const char *from = lines->bytes + lines->begin;
    const char *newline = lines->end > lines->begin ? memchr(from, '\n', lines->end - lines->begin) : NULL;
    take_until(lines, newline != NULL ? (size_t)(newline - lines->bytes) + 1 : lines->end);
    lines->skipping = newline == NULL;
    return newline != NULL;
}

/* Takes one line, blank or not. */
static enum kb_line next_line(struct kb_lines *lines, const char **text, size_t *len)
{
    if (lines->skipping && !skip_rest(lines))
        return KB_LINE_NONE;
    if (lines->begin == lines->end)
        return KB_LINE_NONE;
    const char *newline = memchr(lines->bytes + lines->searched, '\n', lines->end - lines->searched);
    size_t end = newline != NULL ? (size_t)(newline - lines->bytes) : lines->end;
    bool too_long = end - lines->begin > lines->line_max;
    if (newline == NULL && !too_long && !lines->at_end) {
        lines->searched = lines->end;
        return KB_LINE_NONE;
    }
    *text = lines->bytes + lines->begin;
    *len = end - lines->begin;
    lines->number++;
    lines->skipping = newline == NULL;
    take_until(lines, newline != NULL ? end + 1 : end);
    return too_long ? KB_LINE_TOO_LONG : KB_LINE_WHOLE;
}

enum kb_line kb_lines_next(struct kb_lines *lines, const char **text, size_t *len)
{
    enum kb_line line;
    do
        line = next_line(lines, text, len);
    while (line == KB_LINE_WHOLE && is_blank(*text, *len));
    return line;
}

void kb_lines_clear(struct kb_lines *lines)
{
    free(lines->bytes);
    *lines = (struct kb_lines){.fd = -1};
}
