#include "tests/kit/answers.h"

#include "text/json.h"

#include <stdlib.h>
#include <string.h>

bool answers_open(struct answers *answers, const char *path)
{
    *answers = (struct answers){.file = fopen(path, "r"), .whole = true};
    return answers->file != NULL;
}

void answers_close(struct answers *answers)
{
    free(answers->text);
    (void)fclose(answers->file);
}

static long integer(const struct kb_json *doc, const char *name, long otherwise)
{
    int64_t value;
    return kb_json_integer(doc, kb_json_member(doc, 0, name), &value) ? (long)value : otherwise;
}

static bool outcome_of(const char *word, kb_outcome *out)
{
    for (kb_outcome outcome = KB_OUTCOME_OK; outcome <= KB_OUTCOME_CLIENT; outcome++) {
        *out = outcome;
        if (strcmp(kb_outcome_name(outcome), word) == 0)
            return true;
    }
    return false;
}

/* One text behind the other. */
static const char *keep(struct answer *out, size_t *used, const struct kb_json *doc, int token)
{
    char *at = out->header_text + *used;
    const size_t room = sizeof out->header_text - *used;
    size_t len;
    const char *raw = kb_json_raw(doc, token, &len);
    if (kb_json_type(doc, token) == KB_JSON_STRING) {
        const ptrdiff_t n = kb_json_string(doc, token, at, room);
        if (n < 0)
            return NULL;
        len = (size_t)n;
    } else {
        if (len >= room)
            return NULL;
        memcpy(at, raw, len);
        at[len] = '\0';
    }
    *used += len + 1;
    return at;
}

static bool read_headers(struct answer *out, const struct kb_json *doc)
{
    const int object = kb_json_member(doc, 0, "headers");
    size_t used = 0, n = 0;
    if (kb_json_size(doc, object) > sizeof out->headers / sizeof *out->headers)
        return false;
    for (int at = kb_json_first(doc, object); at >= 0; at = kb_json_next(doc, at), n++) {
        out->headers[n].name = keep(out, &used, doc, at);
        out->headers[n].value = keep(out, &used, doc, kb_json_value(doc, at));
        if (out->headers[n].name == NULL || out->headers[n].value == NULL)
            return false;
    }
    out->evidence.headers = out->headers;
    out->evidence.header_count = n;
    return true;
}

static bool read_entry(struct answer *out, const struct kb_json *doc)
{
    char word[16];
    out->evidence = (kb_http_evidence){.status = (int)integer(doc, "http_status", -1), .now = integer(doc, "now", 0)};
    out->expect_wait_ms = integer(doc, "expect_wait_ms", -1);
    out->uncertain = false;
    (void)kb_json_bool(doc, kb_json_member(doc, 0, "uncertain"), &out->uncertain);
    const ptrdiff_t len = kb_json_string(doc, kb_json_member(doc, 0, "body"), out->body, sizeof out->body);
    out->evidence.body = out->body;
    out->evidence.body_len = (size_t)len;
    return len >= 0 && out->evidence.status >= 0 && read_headers(out, doc) &&
           kb_json_string(doc, kb_json_member(doc, 0, "service"), out->service, sizeof out->service) > 0 &&
           kb_json_string(doc, kb_json_member(doc, 0, "expect"), word, sizeof word) > 0 &&
           outcome_of(word, &out->expect);
}

bool answers_next(struct answers *answers, struct answer *out)
{
    struct kb_json_error error;
    const ssize_t len = getline(&answers->text, &answers->size, answers->file);
    if (len <= 0)
        return false;
    answers->line++;
    struct kb_json *doc = kb_json_parse(answers->text, (size_t)len, &error);
    answers->whole = doc != NULL && read_entry(out, doc);
    kb_json_free(doc);
    return answers->whole;
}
