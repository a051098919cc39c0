/*
 * options.h: keycall's command line, taken apart.
 */
#ifndef KB_KEYCALL_OPTIONS_H
#define KB_KEYCALL_OPTIONS_H

#include "http/call.h"

/* What keycall ends with; fixed, and keyctl's too. A signal adds its number to the last. */
enum kb_call_exit {
    KB_CALL_EXIT_OK,
    KB_CALL_EXIT_FAILED, /* another outcome than ok */
    KB_CALL_EXIT_USAGE,  /* arguments that were refused before a key was claimed, too */
    KB_CALL_EXIT_NO_BROKER,
    KB_CALL_EXIT_UNKNOWN, /* no such pool or key */
    KB_CALL_EXIT_NO_KEY,  /* none available */
    KB_CALL_EXIT_SIGNAL = 128
};

enum { KB_CALL_WAIT_MS = 30000 }; /* for keys, where nothing is said */

struct kb_call_options {
    const char *name, *pool;              /* NULL: the default */
    const char *service;                  /* NULL: not given */
    const char *call;                     /* the second half of its name; NULL: not given */
    const struct kb_call_spec *spec;      /* NULL: none was named */
    int wait_ms, timeout_ms, deadline_ms; /* the last two: 0 where not given */
    bool json, help, version;
    kb_call_arg args[KB_CALL_PARAMS_MAX];
    char *read[KB_CALL_PARAMS_MAX]; /* texts of args that come from a file; NULL: from the command line */
    size_t arg_count;
};

/*
 * Takes the command line apart and reads the files it names as "@FILE". A SERVICE and CALL that were given exist, and
 * so do the arguments' names; what they hold is not checked. 0, or KB_CALL_EXIT_USAGE with the reason told on stderr;
 * free it with kb_call_options_clear in either case. Texts that may be a secret in the wrong place are not repeated.
 */
int kb_call_options_parse(struct kb_call_options *out, int argc, char **argv);
void kb_call_options_clear(struct kb_call_options *options);

/* Tells "keycall: …" on stderr; returns exit_code. */
int kb_call_refuse(int exit_code, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
