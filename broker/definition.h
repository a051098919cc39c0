/*
 * definition.h: which pools there may be, and what is said of their services: the built-in pools and those of the
 * JSON file
 *
 *     {"pools": {"NAME": {"env": "VARIABLE", "service": "SERVICE", "fallback": ["auth", "quota", "rate"]}, …},
 *      "services": {"SERVICE": { as http/service.h says }, …}}
 *
 * Every member but a new pool's "env" may be left out; any other member is an error. "services" may stand before or
 * after "pools", and define a built-in service anew.
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
    struct kb_definition_fallback {
        bool named;    /* false: the service's own */
        unsigned bits; /* KB_FALLBACK */
    } fallback;
    bool declared; /* named in the JSON file: exists even if its variable does not */
    unsigned line; /* where in the JSON file, 0 if it is not declared */
};

/* A service of the JSON file. */
struct kb_definition_service {
    char name[KB_NAME_MAX + 1];
    const char *text; /* its definition as it is written, checked; in the file's text */
    size_t len;
    bool open_to_all; /* keys go unencrypted to another host */
    unsigned line;
};

enum { KB_DEFINITIONS_BUILTIN = 2 };

struct kb_definitions {
    unsigned n, n_services;
    struct kb_definition list[KB_POOLS + KB_DEFINITIONS_BUILTIN]; /* built-in ones first, then in the file's order */
    struct kb_definition_service services[KB_POOLS];              /* in the file's order */
};

/* The built-in pools: suno and stability. */
void kb_definitions_init(struct kb_definitions *out);

/* Adds what the JSON file says; the text must outlive it. Returns 0, or -1 with *error. */
int kb_definitions_read(struct kb_definitions *definitions, const char *path, const struct kb_textfile *text,
                        struct kb_config_error *error);

/* The file's service of this name, or NULL. */
const struct kb_definition_service *kb_definitions_service(const struct kb_definitions *definitions, const char *name);

#endif
