/*
 * definition.h: which pools there may be: the built-in ones and those of the JSON file
 *
 *     {"pools": {"NAME": {"env": "VARIABLE", "service": "SERVICE"}, ...}}
 *
 * Every member but a new pool's "env" may be left out; any other member is an error.
 */
#ifndef KB_BROKER_DEFINITION_H
#define KB_BROKER_DEFINITION_H

#include "config_error.h"
#include "segment/layout.h"
#include "textfile.h"

#include <stdbool.h>

/* One pool. Adding a member: a field here and a row in the table of definition.c. */
struct kb_definition {
    char name[KB_NAME_MAX + 1];
    char service[KB_NAME_MAX + 1];
    char env[KB_ENV_MAX + 1]; /* not for messages: people put the secret itself there by mistake */
    bool declared;            /* named in the JSON file: exists even if its variable does not */
    unsigned line;            /* where in the JSON file, 0 if it is not declared */
};

enum { KB_DEFINITIONS_BUILTIN = 2 };

struct kb_definitions {
    unsigned n;
    struct kb_definition list[KB_POOLS + KB_DEFINITIONS_BUILTIN]; /* built-in ones first, then in the file's order */
};

/* The built-in pools: suno and stability. */
void kb_definitions_init(struct kb_definitions *out);

/* Adds what the JSON file says. Returns 0, or -1 with *error. */
int kb_definitions_read(struct kb_definitions *definitions, const char *path, const struct kb_textfile *text,
                        struct kb_config_error *error);

#endif
