/*
 * options.h: keyctl's command line, taken apart. What a command makes of it is checked by main.c.
 */
#ifndef KB_KEYCTL_OPTIONS_H
#define KB_KEYCTL_OPTIONS_H

#include "keybroker/http.h"

#include <stdbool.h>

enum { KB_CTL_WORDS_MAX = 2, KB_CTL_HEADERS_MAX = 100, KB_CTL_CLAIM_MS = 10000 };

struct kb_ctl_options {
    const char *name;    /* of the broker: valid, from -n or the default. NULL: the environment's is no name */
    const char *command; /* NULL: none given */
    const char *words[KB_CTL_WORDS_MAX]; /* behind the command: POOL, KEY; NULL where not given */
    unsigned n_words;                    /* all that were given, more than fit included */
    unsigned used;                       /* kb_takes of the options given */
    bool json, help;
    const char *env; /* NULL: not given */
    int timeout_ms;
    kb_http_header headers[KB_CTL_HEADERS_MAX]; /* of -H */
    unsigned n_headers;
    char **cmd; /* what stands behind "--", NULL-terminated; NULL: nothing */
};

/* Borrows argv, and parts the arguments of -H in place. 0, or KB_EXIT_USAGE with the reason told on stderr. No argument
 * is ever repeated in a message: it may be a secret in the wrong place. */
int kb_ctl_options_parse(struct kb_ctl_options *out, int argc, char **argv);

/* For what runs no CMD: the words behind "--" are words like those before it. */
void kb_ctl_options_no_cmd(struct kb_ctl_options *told);

#endif
