/*
 * members.h: reading the objects of the JSON configuration, whose members are known by name.
 */
#ifndef KB_BROKER_MEMBERS_H
#define KB_BROKER_MEMBERS_H

#include "config_error.h"
#include "text/json.h"

#include <stdbool.h>
#include <stddef.h>

struct kb_definitions;

struct kb_reader {
    const struct kb_json *json;
    const char *path;
    struct kb_definitions *definitions;
    struct kb_config_error *error;
};

/* A member an object may have: `read` checks the value and stores it in `field`. */
struct kb_member {
    const char *name;
    int (*read)(struct kb_reader *r, int token, void *field);
    size_t offset; /* of the field in the struct the object describes */
};

/* Fills the reader's error with the token's line; returns -1. */
int kb_reader_fail(const struct kb_reader *r, int token, const char *message);

/* Reads an object into *target: every member must be one of the `n`, and be there once at most. 0 or -1. */
int kb_reader_members(struct kb_reader *r, int object, const struct kb_member *members, size_t n, void *target);

/* Copies a string to `out` if `valid` says so; fails with `message` if not. */
int kb_reader_name(const struct kb_reader *r, int token, char *out, size_t size, bool (*valid)(const char *name),
                   const char *message);

#endif
