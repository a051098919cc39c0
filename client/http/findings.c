#include "http/findings.h"

#include "http/call.h"
#include "http/number.h"

#include <stdlib.h>
#include <string.h>

void kb_findings_begin(struct kb_findings *findings)
{
    *findings = (struct kb_findings){0};
    findings->out = open_memstream(&findings->text, &findings->len);
    if (findings->out != NULL)
        fputc('{', findings->out);
}

/* Writes what stands before a value. False: there is nowhere to write. */
static bool member(struct kb_findings *findings, const char *name)
{
    if (findings->out == NULL)
        return false;
    if (findings->more)
        fputc(',', findings->out);
    if (name != NULL)
        fprintf(findings->out, "\"%s\":", name);
    findings->more = true;
    return true;
}

void kb_findings_text(struct kb_findings *findings, const char *name, const char *text)
{
    if (member(findings, name))
        kb_json_write_string(findings->out, text, strlen(text));
}

void kb_findings_bool(struct kb_findings *findings, const char *name, bool value)
{
    if (member(findings, name))
        fputs(value ? "true" : "false", findings->out);
}

void kb_findings_number(struct kb_findings *findings, const char *name, double value)
{
    char text[KB_NUMBER_SIZE];
    kb_number_write(text, value);
    if (strcmp(text, "nan") != 0 && member(findings, name))
        fputs(text, findings->out);
}

static void copy_string(struct kb_findings *findings, const char *name, const struct kb_json *doc, int token)
{
    size_t raw_len;
    kb_json_raw(doc, token, &raw_len);
    size_t size = 3 * raw_len + 1; /* a broken byte becomes three */
    char *text = malloc(size);
    ptrdiff_t len = text != NULL ? kb_json_string(doc, token, text, size) : -1;
    if (len >= 0 && member(findings, name))
        kb_json_write_string(findings->out, text, (size_t)len);
    free(text);
}

void kb_findings_copy(struct kb_findings *findings, const char *name, const struct kb_json *doc, int token)
{
    size_t len;
    const char *raw = kb_json_raw(doc, token, &len);
    enum kb_json_type type = kb_json_type(doc, token);
    if (type == KB_JSON_STRING)
        copy_string(findings, name, doc, token);
    else if ((type == KB_JSON_NUMBER || type == KB_JSON_BOOL) && member(findings, name))
        fwrite(raw, 1, len, findings->out);
}

void kb_findings_open(struct kb_findings *findings, const char *name, const char *open)
{
    if (member(findings, name))
        fputs(open, findings->out);
    findings->more = false;
}

void kb_findings_close(struct kb_findings *findings, const char *close)
{
    if (findings->out != NULL)
        fputs(close, findings->out);
    findings->more = true;
}

void kb_findings_end(struct kb_findings *findings, kb_call_result *result)
{
    bool whole = findings->out != NULL && fputc('}', findings->out) != EOF && fflush(findings->out) == 0;
    if (findings->out != NULL)
        whole = fclose(findings->out) == 0 && whole;
    free(result->findings);
    result->findings = whole ? findings->text : NULL;
    if (whole)
        return;
    free(findings->text);
    kb_call_fail(result, KB_OUTCOME_TRANSIENT, "memory is short");
}

void kb_findings_lacking(kb_call_result *result, bool billed, const char *what)
{
    kb_call_fail(result, KB_OUTCOME_TRANSIENT, "the answer, status %d, has no %s", result->answer.status, what);
    result->answer.ambiguous = billed;
}

struct kb_json *kb_findings_answer(kb_call_result *result, bool billed)
{
    struct kb_json_error error;
    struct kb_json *doc =
        result->answer.body != NULL ? kb_json_parse(result->answer.body, result->answer.body_len, &error) : NULL;
    if (doc != NULL && kb_json_type(doc, 0) == KB_JSON_OBJECT)
        return doc;
    kb_json_free(doc);
    kb_findings_lacking(result, billed, "JSON object");
    return NULL;
}

bool kb_findings_read_text(const struct kb_json *doc, int object, const char *name, char *out, size_t size)
{
    ptrdiff_t len = kb_json_string(doc, kb_json_member(doc, object, name), out, size);
    if (len < 0 || memchr(out, '\0', (size_t)len) != NULL) {
        *out = '\0';
        return false;
    }
    return true;
}

bool kb_findings_read_number(const struct kb_json *doc, int object, const char *name, double *out)
{
    size_t len;
    int token = kb_json_member(doc, object, name);
    const char *raw = kb_json_raw(doc, token, &len);
    return kb_json_type(doc, token) == KB_JSON_NUMBER && kb_number_read(raw, len, out);
}
