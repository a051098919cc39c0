/*
 * envelope.h: the part of a JSON answer that says what went wrong.
 *
 * Services agree on little, but they put it in few places: members called code, type, status, reason, message, detail
 * and so on, at the top or inside error, errors, detail, fault and kin. Only what stands there is read; the rest of a
 * body may say anything.
 */
#ifndef KB_HTTP_ENVELOPE_H
#define KB_HTTP_ENVELOPE_H

#include "http/words.h"
#include "text/json.h"

#include <stdbool.h>

struct kb_envelope {
    struct kb_words names;    /* for machines: codes, types, reasons */
    struct kb_words messages; /* for people */
    int status;               /* an HTTP error status that it names; 0: none */
    bool error;               /* it says that something went wrong */
    bool alone;               /* the body holds nothing else */
    bool input;               /* it names the part of the request that is to blame */
    int wait;                 /* token of a time to wait that it names, -1: none */
    bool wait_in_ms;          /* if that is a number: of milliseconds, not seconds */
    char hint[1024];          /* the messages as they are written, one a line, as far as they fit; a NUL at the end */
};

/* Reads the envelope of a body; doc NULL leaves *out empty. */
void kb_envelope_read(struct kb_envelope *out, const struct kb_json *doc);

/* Takes a short text that is no JSON for the message of an envelope, if it looks like one. */
void kb_envelope_read_text(struct kb_envelope *out, const char *text, size_t len);

#endif
