/*
 * rule.h: one line of a table of outcome rules. Built-in tables (rules/) and the rules of the configuration
 * (service.h) are the same data.
 *
 * All conditions of a rule that are not empty must hold. In a table the first rule that holds decides.
 *
 * A path names a member of the JSON body: "error.code", "errors.0.reason"; a step "*" is any element or member. Its
 * value is compared as text: a string's characters, a number or true, false, null as written. Phrases are as words.h
 * has them; a field's camelCase and punctuation make no difference to them. Case never counts.
 */
#ifndef KB_HTTP_RULE_H
#define KB_HTTP_RULE_H

#include "http/envelope.h"
#include "keybroker/http.h"
#include "text/json.h"

#include <stdbool.h>

struct kb_rule {
    int status_min, status_max; /* of the HTTP status; 0, 0: any */
    const char *field;          /* path; NULL: no condition on a field */
    const char *header;         /* name; NULL: no condition on a header */
    const char *is;             /* the field or header is one of these, between '|'; NULL: it is there, and not null */
    const char *has;            /* the field or header holds one of these phrases, between '|'; NULL: any */
    const char *message;        /* the error's own message holds one of these phrases; NULL: any */
    kb_outcome outcome;
    int wait_ms;            /* what to wait if upstream names no time; 0: no such thing */
    const char *wait_field; /* path of a field with seconds, a duration or a date; NULL: none */
    bool as_status;         /* outcome is not used: the field's number is judged as an HTTP status */
    bool no_json;           /* the body is no JSON */
};

/* What a rule is held against. */
struct kb_rule_subject {
    const kb_http_evidence *evidence;
    const struct kb_json *doc; /* NULL: the body is no JSON */
    const struct kb_envelope *envelope;
};

/* Whether the rule holds; *token is then its field's value, -1 if it names none. */
bool kb_rule_holds(const struct kb_rule *rule, const struct kb_rule_subject *subject, int *token);

/* The first value at this path that is not null, or -1. */
int kb_rule_find(const struct kb_json *doc, const char *path);

/* The value of the header of this name, or NULL. */
const char *kb_rule_header(const kb_http_evidence *evidence, const char *name);

#endif
