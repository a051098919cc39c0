/*
 * textfile.h: a configuration file, read whole into memory for secrets.
 */
#ifndef KB_BROKER_TEXTFILE_H
#define KB_BROKER_TEXTFILE_H

#include "arena.h"
#include "config_error.h"

#include <stddef.h>

#define KB_TEXTFILE_MAX (32u << 20) /* bytes */

struct kb_textfile {
    char *text; /* without a UTF-8 byte order mark; a NUL follows. Lives in the arena, may be written */
    size_t len;
};

/*
 * Reads a regular file: a pipe or a device could block, and could not be read again at a reload.
 * Returns 0, or -1 with *error: missing, not readable, no regular file, too large, changed meanwhile.
 */
int kb_textfile_read(struct kb_textfile *out, const char *path, struct kb_arena *arena, struct kb_config_error *error);

#endif
