/*
 * config_error.h: what is said about bad configuration: one error, any number of warnings.
 *
 * A message names places, pools and items; never text read from a file or from the environment,
 * which may be a secret in the wrong place.
 */
#ifndef KB_BROKER_CONFIG_ERROR_H
#define KB_BROKER_CONFIG_ERROR_H

struct kb_config_error {
    const char *file; /* as the caller named it and owned by the caller; NULL: no file's fault */
    unsigned line;    /* counted from 1; 0: the whole file */
    char message[400];
};

/* file and line as in kb_config_error; "environment" and 0 for what came from there. */
typedef void kb_config_warn(void *arg, const char *file, unsigned line, const char *message);

/* Warnings of one load. After KB_CONFIG_WARNINGS_MAX that name a file, one more says that the others are
 * left out: a file that is no env file at all has one for each of its lines. */
#define KB_CONFIG_WARNINGS_MAX 100
struct kb_config_warnings {
    kb_config_warn *warn; /* NULL: nobody listens */
    void *arg;
    unsigned n;
};

/* Fills *error; returns -1. */
__attribute__((format(printf, 4, 5))) int kb_config_error_set(struct kb_config_error *error, const char *file,
                                                              unsigned line, const char *format, ...);

__attribute__((format(printf, 4, 5))) void kb_config_warnings_add(struct kb_config_warnings *warnings, const char *file,
                                                                  unsigned line, const char *format, ...);

#endif
