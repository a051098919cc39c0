/*
 * options.h: the broker's command line.
 */
#ifndef KB_BROKER_OPTIONS_H
#define KB_BROKER_OPTIONS_H

#include <stdbool.h>
#include <sys/types.h>

enum { KB_ENV_FILES_MAX = 64 };

struct kb_options {
    const char *name;
    const char *env_files[KB_ENV_FILES_MAX];
    unsigned n_env_files;
    const char *config;   /* NULL: none */
    const char *snapshot; /* NULL: none */
    gid_t group;          /* -1: the process's own */
    bool replace, check;
};

/* Returns -1 to go on, else the status to exit with: 0 after --help or --version, 2 after a usage error,
 * which is told on stderr. */
int kb_options_parse(struct kb_options *out, int argc, char **argv);

#endif
