/*
 * config.h: everything the broker is told: pools and their keys.
 *
 * Where a pool's variable is set in several places, the last env file beats the earlier ones, and
 * any of them beats the environment; within a file the last assignment counts. The variable's value
 * is keys between commas. White space around a key, empty items and repeated keys are dropped.
 */
#ifndef KB_BROKER_CONFIG_H
#define KB_BROKER_CONFIG_H

#include "arena.h"
#include "config_error.h"
#include "environment.h"
#include "segment/layout.h"

#include <stdbool.h>

struct kb_config_key {
    const char *secret; /* len bytes, 0x21 and up but 0x7f, and a NUL */
    size_t len;         /* 1 to KB_SECRET_MAX */
    char fingerprint[KB_FINGERPRINT_LEN + 1];
    const char *file; /* where the variable is assigned; "environment" and 0 if it came from there */
    unsigned line;
};

struct kb_config_pool {
    char name[KB_NAME_MAX + 1];
    char service[KB_NAME_MAX + 1];
    bool fallback_named;        /* false: after every failure of a key */
    unsigned fallback;          /* KB_FALLBACK bits, if named */
    const char *definition;     /* of the service, as the JSON file has it, checked; NULL: it has none */
    char env[KB_ENV_MAX + 1];   /* not for messages: people put the secret itself there by mistake */
    unsigned n_keys;            /* at most KB_KEYS */
    struct kb_config_key *keys; /* in the variable's order; no two share a fingerprint */
    const char *file;           /* where the JSON file declares it, else where its variable is assigned */
    unsigned line;
};

struct kb_config {
    unsigned n_pools;             /* at most KB_POOLS */
    struct kb_config_pool *pools; /* suno, stability, then in the JSON file's order */
    struct kb_arena arena;        /* holds all of it but the names of files */
};

/* What to read. All of it is the caller's and is only read; file names must outlive the result. */
struct kb_config_sources {
    const char *const *env_files; /* in the order given */
    unsigned n_env_files;
    const char *json_file;                    /* NULL: none */
    const struct kb_environment *environment; /* NULL: none */
};

/*
 * Reads everything, and takes the variables of all pools out of the process's own environment. A
 * built-in pool exists when its variable is set anywhere or the JSON file declares it. A pool without
 * keys, no pool at all, a service no pool uses and one that keys go to unencrypted are no error but a warning. `warn`
 * may be NULL.
 * Returns 0; or -1 with *error, *out empty: a file that cannot be read, JSON that says something else
 * than definition.h allows, a key that cannot be held (too long, a NUL byte, white space or a control
 * character within), more than KB_POOLS pools or KB_KEYS keys, no memory.
 */
int kb_config_load(struct kb_config *out, const struct kb_config_sources *from, kb_config_warn *warn, void *arg,
                   struct kb_config_error *error);

/* Wipes and frees it all; *config is empty then. */
void kb_config_free(struct kb_config *config);

#endif
