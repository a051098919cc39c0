/*
 * keylist.h: the keys in a variable's value.
 */
#ifndef KB_BROKER_KEYLIST_H
#define KB_BROKER_KEYLIST_H

#include "config.h"

/* A variable's value: any bytes, and where it was assigned. */
struct kb_value {
    const char *text; /* NULL: not set */
    size_t len;
    const char *file;
    unsigned line;
};

/*
 * Fills pool->keys and pool->n_keys with copies of the keys; they live in the arena. What is dropped
 * is warned of. Returns 0, or -1 with *error: a key that cannot be held, too many, no memory.
 */
int kb_keylist_read(struct kb_config_pool *pool, const struct kb_value *value, struct kb_arena *arena,
                    struct kb_config_warnings *warnings, struct kb_config_error *error);

#endif
