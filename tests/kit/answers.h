/*
 * answers.h: reading the .jsonl files of tests/answers: answers of services, and what each deserves.
 */
#ifndef KB_KIT_ANSWERS_H
#define KB_KIT_ANSWERS_H

#include "keybroker/http.h"

#include <stdbool.h>
#include <stdio.h>

struct answers {
    FILE *file;
    unsigned line; /* of the last entry */
    bool whole;    /* every line was an entry so far */
    char *text;
    size_t size;
};

struct answer {
    char service[64];
    kb_http_evidence evidence; /* points into the members below */
    kb_outcome expect;
    long expect_wait_ms; /* -1: nothing is said of it */
    bool uncertain;      /* nobody is to be failed on it */
    kb_http_header headers[32];
    char header_text[8192];
    char body[65536];
};

/* False: it cannot be read. */
bool answers_open(struct answers *answers, const char *path);
/* False at the end, and at a line that is no entry. */
bool answers_next(struct answers *answers, struct answer *out);
void answers_close(struct answers *answers);

#endif
