/*
 * output.h: the results on their way out. Written only as far as the reader takes them, so that a
 * reader that is slow never keeps the master from its workers or from a signal.
 */
#ifndef KB_KEYPOOL_OUTPUT_H
#define KB_KEYPOOL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kb_output {
    int fd;
    char *bytes; /* owned */
    size_t size;
    size_t begin, end; /* to be written: bytes[begin..end) */
    int error;         /* errno that ended the writing, 0: none */
    uint64_t lost;     /* results that came after it */
};

/* Adds one result; after an error it is only counted as lost. */
void kb_output_add(struct kb_output *output, const char *text, size_t len);
size_t kb_output_pending(const struct kb_output *output);
/* Writes one piece; to be called when the descriptor has room. */
void kb_output_write(struct kb_output *output);
/* Ends the writing for this reason; what is pending is dropped. */
void kb_output_fail(struct kb_output *output, int error);
void kb_output_clear(struct kb_output *output);

#endif
