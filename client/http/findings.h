/*
 * findings.h: what a call found, written as a JSON object member by member, and what it is read from.
 */
#ifndef KB_HTTP_FINDINGS_H
#define KB_HTTP_FINDINGS_H

#include "keybroker/call.h"
#include "text/json.h"

#include <stdio.h>

struct kb_findings {
    FILE *out; /* NULL: memory is short, and nothing is written */
    char *text;
    size_t len;
    bool more; /* a member stands before this one */
};

void kb_findings_begin(struct kb_findings *findings);
/* Members. */
void kb_findings_text(struct kb_findings *findings, const char *name, const char *text);
void kb_findings_bool(struct kb_findings *findings, const char *name, bool value);
void kb_findings_number(struct kb_findings *findings, const char *name, double value);
/* Copies a string, a number or a boolean under that name; nothing for any other token. */
void kb_findings_copy(struct kb_findings *findings, const char *name, const struct kb_json *doc, int token);
/* A member that holds a list or an object: open and close are "[" and "]", or "{" and "}". A NULL name: an element. */
void kb_findings_open(struct kb_findings *findings, const char *name, const char *open);
void kb_findings_close(struct kb_findings *findings, const char *close);
/* Puts the text into result->findings, in place of an earlier one; if memory is short the call has failed. */
void kb_findings_end(struct kb_findings *findings, kb_call_result *result);

/* The body of an answer of outcome ok, parsed; the root is an object. NULL: it is no such thing, and the call has
 * failed: outcome transient, ambiguous if `billed`. */
struct kb_json *kb_findings_answer(kb_call_result *result, bool billed);
/* The same failure for an answer that lacks what was asked for. */
void kb_findings_lacking(kb_call_result *result, bool billed, const char *what);

/* A string or number of findings as the typed interfaces give them; false: there is none that fits. */
bool kb_findings_read_text(const struct kb_json *doc, int object, const char *name, char *out, size_t size);
bool kb_findings_read_number(const struct kb_json *doc, int object, const char *name, double *out);

#endif
