#include "text/json.h"
#include "text/json_grammar.h"

#include <stdlib.h>
#include <string.h>

#define JSMN_STATIC
#define JSMN_PARENT_LINKS /* without them jsmn searches all tokens at every bracket */
#include <jsmn.h>

struct kb_json {
    const char *text;
    unsigned n;        /* tokens, in the order of the text; a member's value is its name's only child */
    jsmntok_t *tokens; /* [n] */
    int *after;        /* [n] the first token behind the token and all it holds */
};

/* Every token is passed once as a child, so this is linear. */
static void link_siblings(struct kb_json *doc)
{
    for (unsigned i = doc->n; i-- > 0;) {
        int at = (int)i + 1;
        for (int child = 0; child < doc->tokens[i].size; child++)
            at = doc->after[at];
        doc->after[i] = at;
    }
}

/* The text has passed kb_json_check, so jsmn finds exactly doc->n tokens. */
static bool tokenize(struct kb_json *doc, size_t len)
{
    doc->tokens = calloc(doc->n, sizeof *doc->tokens);
    doc->after = calloc(doc->n, sizeof *doc->after);
    if (doc->tokens == NULL || doc->after == NULL)
        return false;
    jsmn_parser parser;
    jsmn_init(&parser);
    return jsmn_parse(&parser, doc->text, len, doc->tokens, doc->n) == (int)doc->n;
}

struct kb_json *kb_json_parse(const char *text, size_t len, struct kb_json_error *error)
{
    unsigned n;
    if (!kb_json_check(text, len, &n, error))
        return NULL;
    struct kb_json *doc = calloc(1, sizeof *doc);
    if (doc != NULL) {
        doc->text = text;
        doc->n = n;
        if (tokenize(doc, len)) {
            link_siblings(doc);
            return doc;
        }
    }
    kb_json_free(doc);
    *error = (struct kb_json_error){.line = 1, .what = "out of memory"};
    return NULL;
}

void kb_json_free(struct kb_json *doc)
{
    if (doc == NULL)
        return;
    free(doc->tokens);
    free(doc->after);
    free(doc);
}

static const jsmntok_t *token_at(const struct kb_json *doc, int token)
{
    return token >= 0 && (unsigned)token < doc->n ? &doc->tokens[token] : NULL;
}

enum kb_json_type kb_json_type(const struct kb_json *doc, int token)
{
    const jsmntok_t *t = token_at(doc, token);
    if (t == NULL)
        return KB_JSON_NULL;
    if (t->type == JSMN_OBJECT)
        return KB_JSON_OBJECT;
    if (t->type == JSMN_ARRAY)
        return KB_JSON_ARRAY;
    if (t->type == JSMN_STRING)
        return KB_JSON_STRING;
    switch (doc->text[t->start]) {
    case 't':
    case 'f':
        return KB_JSON_BOOL;
    case 'n':
        return KB_JSON_NULL;
    default:
        return KB_JSON_NUMBER;
    }
}

unsigned kb_json_line(const struct kb_json *doc, int token)
{
    const jsmntok_t *t = token_at(doc, token);
    return t != NULL ? kb_json_line_at(doc->text, (size_t)t->start) : 0;
}

unsigned kb_json_size(const struct kb_json *doc, int token)
{
    const jsmntok_t *t = token_at(doc, token);
    return t != NULL && t->type != JSMN_STRING ? (unsigned)t->size : 0;
}

int kb_json_first(const struct kb_json *doc, int token)
{
    return kb_json_size(doc, token) > 0 ? token + 1 : -1;
}

int kb_json_next(const struct kb_json *doc, int token)
{
    const jsmntok_t *t = token_at(doc, token);
    if (t == NULL)
        return -1;
    const jsmntok_t *next = token_at(doc, doc->after[token]);
    return next != NULL && next->parent == t->parent ? doc->after[token] : -1;
}

int kb_json_value(const struct kb_json *doc, int name_token)
{
    const jsmntok_t *t = token_at(doc, name_token);
    return t != NULL && t->type == JSMN_STRING && t->size == 1 ? name_token + 1 : -1;
}

int kb_json_member(const struct kb_json *doc, int object, const char *name)
{
    int found = -1;
    if (kb_json_type(doc, object) != KB_JSON_OBJECT)
        return -1;
    for (int at = kb_json_first(doc, object); at >= 0; at = kb_json_next(doc, at))
        if (kb_json_equals(doc, at, name))
            found = kb_json_value(doc, at);
    return found;
}

const char *kb_json_raw(const struct kb_json *doc, int token, size_t *len)
{
    const jsmntok_t *t = token_at(doc, token);
    *len = t != NULL ? (size_t)(t->end - t->start) : 0;
    return t != NULL ? doc->text + t->start : "";
}

bool kb_json_integer(const struct kb_json *doc, int token, int64_t *out)
{
    size_t len;
    const char *text = kb_json_raw(doc, token, &len);
    if (kb_json_type(doc, token) != KB_JSON_NUMBER)
        return false;
    bool negative = text[0] == '-';
    int64_t value = 0; /* kept negative on the way: INT64_MIN has no positive twin */
    for (size_t i = negative; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_sub_overflow(value, text[i] - '0', &value))
            return false;
    }
    if (!negative && value == INT64_MIN)
        return false;
    *out = negative ? value : -value;
    return true;
}

bool kb_json_bool(const struct kb_json *doc, int token, bool *out)
{
    if (kb_json_type(doc, token) != KB_JSON_BOOL)
        return false;
    *out = doc->text[doc->tokens[token].start] == 't';
    return true;
}
