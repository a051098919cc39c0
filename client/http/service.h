/*
 * service.h: what is known of a service: where it is, how it wants its key, how its answers are to be judged.
 *
 * The built-in services are a table in service_table.c. The configuration adds to them or changes them:
 *
 *     {"services": {"NAME": {
 *         "base_url": "https://api.example.com",
 *         "key": {"header": "x-api-key", "prefix": ""}          or {"query": "key"}
 *         "probe": {"url": "/v1/me", "credits": "data.credits"},
 *         "rules": [{"status": 403, "field": "error.code", "is": "flagged", "outcome": "client"}, …]}},
 *      "pools": {"NAME": {"env": "VARIABLE", "service": "NAME", "fallback": ["auth", "quota", "rate"]}}}
 *
 * Every member may be left out. "base_url" is http or https, without user name, query and fragment. A key's "header" is
 * a token of RFC 9110, not Content-Length, Transfer-Encoding or Host; its "prefix" printable ASCII, left out: none. A
 * "query" parameter is named with A-Z a-z 0-9 - . _ ~. A probe's "url" is a path below base_url or a URL; its
 * "credits" a path as in rule.h. A rule's members: "status" (a number, a text "4xx" or "400-499"), "field" or "header",
 * "is" or "has" (a text or a list of texts; "is" also takes numbers and booleans), "message" (a text or a list),
 * "outcome" (ok, auth, quota, rate, transient, client), "wait_ms" (0 to KB_HTTP_WAIT_MAX_MS), "wait_field". rule.h says
 * what they mean. "outcome" and at least one condition are needed; "is" and "has" belong to a field or header. No text
 * is empty or has a control character, and those to compare with have no '|'. An empty list of rules is one.
 *
 * The broker checks this and publishes for each pool (kb_pool_service)
 *
 *     {"service":"NAME","fallback":["auth"],"definition":{ as in the configuration }}
 *
 * with "fallback" and "definition" only where the configuration has them. This reader is used by both.
 * No part of this knows libcurl, so the broker can use it.
 */
#ifndef KB_HTTP_SERVICE_H
#define KB_HTTP_SERVICE_H

#include "http/rule.h"
#include "text/json.h"

enum {
    KB_SERVICE_RULES_MAX = 100,
    KB_SERVICE_DEFINITION_MAX = 16000 /* bytes of a definition as it is written: with the rest it fits KB_SERVICE_MAX */
};

struct kb_service {
    const char *name;       /* of the service; the table of built-in rules to judge by */
    const char *base_url;   /* without a final slash; NULL: none is known, only whole URLs can be asked */
    const char *key_header; /* where the key goes: this header … */
    const char *key_prefix; /* … behind this text, "" for none */
    const char *key_query;  /* … or this query parameter; NULL: the header */
    const char *const
        *headers;          /* "Name: value" every request needs ("anthropic-version: 2023-06-01"), NULL-ended; NULL */
    const char *probe_url; /* a cheap authenticated GET, a path or a URL; NULL: none is known */
    const char *probe_credits;   /* path of a number in its answer: nothing left if it is 0 or less; NULL: none */
    unsigned fallback;           /* KB_FALLBACK bits of the pool */
    const struct kb_rule *rules; /* the configuration's, before the built-in ones */
    size_t n_rules;
    void *memory; /* all that was read; NULL for a built-in one */
};

/* Characters and length of a service's name: those of a pool, and '.'. */
bool kb_service_name_valid(const char *name);

/* The built-in service of this name; for an unknown name (and NULL) one with bearer placement and nothing else. Never
 * NULL; constant but for `name`, which for an unknown service is "generic". */
const struct kb_service *kb_service_builtin(const char *name);

struct kb_service_error {
    int token;        /* of the document where reading stopped */
    const char *what; /* constant text */
};

/* Checks and reads a service's definition as in the configuration ("services"."NAME"): token of doc is the object.
 * Starts from the built-in service of that valid name: what is left out stays as it is there, "key" and "probe" as a
 * whole. Returns NULL and fills *error if it breaks the rules above or memory is short. The result does not borrow doc.
 */
struct kb_service *kb_service_read(const char *name, const struct kb_json *doc, int token,
                                   struct kb_service_error *error);

/* Reads the outcomes of a "fallback" list (auth, quota, rate; an empty list: none) to KB_FALLBACK bits. */
bool kb_service_read_fallback(const struct kb_json *doc, int token, unsigned *out, struct kb_service_error *error);

/* Reads what kb_pool_service gave; an unknown service has its own name. NULL if it breaks the rules or memory is short.
 */
struct kb_service *kb_service_parse(const char *text, size_t len);

/* Frees what was read; NULL is ignored. Not for built-in services. */
void kb_service_free(struct kb_service *service);

#endif
