/*
 * lines.h: the input, line by line, read no further than asked.
 */
#ifndef KB_KEYPOOL_LINES_H
#define KB_KEYPOOL_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kb_lines {
    int fd;
    size_t line_max; /* longer lines are not kept */
    char *bytes;     /* owned */
    size_t size;
    size_t begin, end; /* read and not yet taken: bytes[begin..end) */
    size_t searched;   /* no newline in bytes[begin..searched) */
    uint64_t number;   /* of the last line taken, counted from 1; blank lines count */
    uint64_t taken;    /* bytes of the lines taken */
    bool skipping;     /* in the rest of a line that is too long */
    bool at_end;       /* nothing more to read */
};

enum kb_line { KB_LINE_NONE, KB_LINE_WHOLE, KB_LINE_TOO_LONG };

/* One read() of the input. Returns 0, also at its end and when there is nothing to read yet, or an errno. */
int kb_lines_read(struct kb_lines *lines);

/* Bytes read so far. */
uint64_t kb_lines_bytes(const struct kb_lines *lines);

/*
 * Takes the next line that is not blank, without its newline: *text stays valid until the next
 * kb_lines_read. NONE: none is there as a whole; a last line without newline is whole at the end.
 */
enum kb_line kb_lines_next(struct kb_lines *lines, const char **text, size_t *len);

void kb_lines_clear(struct kb_lines *lines);

#endif
