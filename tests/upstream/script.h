/*
 * script.h: answers the tests have scripted, each for the next so many requests.
 *
 * Scripts are matched in the order they were added. One that is spent or cleared stays where it is until the
 * server ends, so an answer under way may go on reading it. Any thread may call these.
 */
#ifndef KB_UPSTREAM_SCRIPT_H
#define KB_UPSTREAM_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KB_UPSTREAM_SCRIPTS_MAX 1024
#define KB_UPSTREAM_HEADERS_MAX 16

struct kb_upstream_script {
    char *key, *path; /* for requests of this key, of this path only; NULL: any */
    uint64_t times;   /* requests still to be answered; UINT64_MAX: all */
    unsigned status;  /* 0: the connection is closed without an answer */
    int delay_ms;     /* before the answer */
    int stall_ms;     /* in the body, before the byte it is cut at */
    bool gzip;        /* the body goes out in gzip, and says so */
    uint64_t size;    /* of the body: text shorter than this is filled up with 'x' */
    uint64_t cut;     /* the connection breaks behind so many bytes of the body; UINT64_MAX: it does not */
    char *type;       /* Content-Type; "" for none */
    struct {
        char *name, *value;
    } headers[KB_UPSTREAM_HEADERS_MAX];
    unsigned header_count;
    char *body; /* {KEY}, here and in header values, becomes the secret the request came with */
    size_t body_len;
};

struct kb_upstream_scripts;

/* NULL when memory is short. */
struct kb_upstream_scripts *kb_upstream_scripts_new(void);
void kb_upstream_scripts_free(struct kb_upstream_scripts *scripts);

/* Takes the script over, with all it points to. False: there are too many, or no memory; it is freed then. */
bool kb_upstream_scripts_add(struct kb_upstream_scripts *scripts, const struct kb_upstream_script *script);
/* Spends all of them. */
void kb_upstream_scripts_clear(struct kb_upstream_scripts *scripts);
/* The answer to a request of this key (its name) and path, which counts as answered; NULL: none is scripted. */
const struct kb_upstream_script *kb_upstream_scripts_take(struct kb_upstream_scripts *scripts, const char *key,
                                                          const char *path);

/* Frees what a script points to. */
void kb_upstream_script_clear(struct kb_upstream_script *script);

#endif
