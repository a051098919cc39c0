#include "keypool/job.h"

#include "keypool/utf8.h"
#include "text/json.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

__attribute__((format(printf, 2, 3))) static bool refuse(struct kb_job *job, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(job->error, sizeof(job->error), format, args);
    va_end(args);
    return false;
}

/*
 * Decodes a string behind those decoded so far. The line is valid UTF-8, so no text grows by
 * decoding and each has room for its NUL in place of its quotes: the line's length is enough for all.
 */
static const char *decode(struct kb_job *job, const struct kb_json *doc, int token, size_t *len)
{
    char *text = job->strings + job->strings_used;
    ptrdiff_t n = kb_json_string(doc, token, text, job->strings_size - job->strings_used);
    if (n < 0)
        return NULL;
    job->strings_used += (size_t)n + 1;
    *len = (size_t)n;
    return text;
}

/* A string without a NUL inside. NULL, and an error that calls it `what`, if it is none. */
static const char *decode_text(struct kb_job *job, const struct kb_json *doc, int token, const char *what)
{
    size_t len = 0;
    const char *text = decode(job, doc, token, &len);
    if (text == NULL)
        refuse(job, "%s is no string", what);
    else if (strlen(text) != len) {
        refuse(job, "%s holds a NUL character", what);
        text = NULL;
    }
    return text;
}

static bool read_id(struct kb_job *job, const struct kb_json *doc, uint64_t number)
{
    int token = kb_json_member(doc, 0, "id");
    enum kb_json_type type = kb_json_type(doc, token);
    size_t len = 0;
    const char *raw = kb_json_raw(doc, token, &len);
    int written = 0;
    if (token < 0)
        written = asprintf(&job->id, "%" PRIu64, number);
    else if (type == KB_JSON_STRING)
        written = asprintf(&job->id, "\"%.*s\"", (int)len, raw);
    else if (type == KB_JSON_NUMBER)
        written = asprintf(&job->id, "%.*s", (int)len, raw);
    else
        return refuse(job, "id is neither a string nor a number");
    if (written < 0) {
        job->id = NULL;
        return refuse(job, "memory is short");
    }
    return true;
}

static bool check_members(struct kb_job *job, const struct kb_json *doc)
{
    static const char *const known[] = {"id", "method", "url", "headers", "json", "body", "out"};
    for (int name = kb_json_first(doc, 0); name >= 0; name = kb_json_next(doc, name)) {
        bool found = false;
        for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
            found = found || kb_json_equals(doc, name, known[i]);
        size_t len = 0;
        const char *raw = kb_json_raw(doc, name, &len);
        if (!found)
            return refuse(job, "unknown member \"%.*s\"", len < 40 ? (int)len : 40, raw);
    }
    return true;
}

static bool read_url(struct kb_job *job, const struct kb_json *doc)
{
    int token = kb_json_member(doc, 0, "url");
    if (token < 0)
        return refuse(job, "there is no url");
    const char *url = decode_text(job, doc, token, "url");
    if (url == NULL)
        return false;
    CURLU *parts = curl_url();
    if (parts == NULL)
        return refuse(job, "memory is short");
    char *scheme = NULL, *user = NULL;
    CURLUcode code = curl_url_set(parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME);
    if (code == CURLUE_OK)
        code = curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0);
    bool named = code == CURLUE_OK && curl_url_get(parts, CURLUPART_USER, &user, 0) == CURLUE_OK;
    if (code != CURLUE_OK)
        refuse(job, "bad url: %s", curl_url_strerror(code));
    else if (strcasecmp(scheme, "http") != 0 && strcasecmp(scheme, "https") != 0)
        refuse(job, "bad url: neither http nor https");
    else if (named)
        refuse(job, "bad url: it holds a user name");
    else
        job->request.url = url;
    curl_free(scheme);
    curl_free(user);
    curl_url_cleanup(parts);
    return job->request.url != NULL;
}

static bool is_token(const char *text)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        char lower = (char)(text[i] | 0x20);
        bool alphanumeric = (lower >= 'a' && lower <= 'z') || (text[i] >= '0' && text[i] <= '9');
        if (!alphanumeric && strchr(others, text[i]) == NULL)
            return false;
    }
    return len > 0;
}

static bool is_field_value(const char *text)
{
    for (; *text != '\0'; text++)
        if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7f)
            return false;
    return true;
}

/* The key is keypool's to give, and what frames the body is libcurl's: a wrong length would make the
 * next job on the connection part of this one. */
static bool is_reserved(const char *name)
{
    static const char *const reserved[] = {"Authorization", "Content-Length", "Transfer-Encoding"};
    for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
        if (strcasecmp(name, reserved[i]) == 0)
            return true;
    return false;
}

static bool read_header(struct kb_job *job, const struct kb_json *doc, int name_token, struct kb_header *header)
{
    header->name = decode_text(job, doc, name_token, "a header's name");
    if (header->name == NULL)
        return false;
    if (!is_token(header->name))
        return refuse(job, "a header's name is empty or holds a character it must not");
    if (is_reserved(header->name))
        return refuse(job, "the header %s is not the job's to set", header->name);
    header->value = decode_text(job, doc, kb_json_value(doc, name_token), "a header's value");
    if (header->value == NULL)
        return false;
    if (!is_field_value(header->value))
        return refuse(job, "the header %.60s holds a control character", header->name);
    return true;
}

/* Leaves room for the one header read_body may add. */
static bool read_headers(struct kb_job *job, const struct kb_json *doc)
{
    int object = kb_json_member(doc, 0, "headers");
    unsigned count = kb_json_size(doc, object);
    if (object >= 0 && kb_json_type(doc, object) != KB_JSON_OBJECT)
        return refuse(job, "headers is no object");
    if (count > KB_JOB_HEADERS_MAX)
        return refuse(job, "more than %d headers", KB_JOB_HEADERS_MAX);
    job->headers = calloc((size_t)count + 1, sizeof(*job->headers));
    if (job->headers == NULL)
        return refuse(job, "memory is short");
    job->request.headers = job->headers;
    for (int name = kb_json_first(doc, object); name >= 0; name = kb_json_next(doc, name)) {
        if (!read_header(job, doc, name, &job->headers[job->request.header_count]))
            return false;
        job->request.header_count++;
    }
    return true;
}

static void take_json_body(struct kb_job *job, const struct kb_json *doc, int token)
{
    bool quoted = kb_json_type(doc, token) == KB_JSON_STRING;
    const char *raw = kb_json_raw(doc, token, &job->request.body_len);
    job->request.body = quoted ? raw - 1 : raw;
    job->request.body_len += quoted ? 2 : 0;
    for (size_t i = 0; i < job->request.header_count; i++)
        if (strcasecmp(job->headers[i].name, "Content-Type") == 0)
            return;
    job->headers[job->request.header_count++] = (struct kb_header){"Content-Type", "application/json"};
}

static bool read_body(struct kb_job *job, const struct kb_json *doc)
{
    int json = kb_json_member(doc, 0, "json");
    int body = kb_json_member(doc, 0, "body");
    if (json >= 0 && body >= 0)
        return refuse(job, "both json and body");
    if (json >= 0)
        take_json_body(job, doc, json);
    if (body >= 0) {
        job->request.body = decode(job, doc, body, &job->request.body_len);
        if (job->request.body == NULL)
            return refuse(job, "body is no string");
    }
    return true;
}

static bool read_method(struct kb_job *job, const struct kb_json *doc)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    int token = kb_json_member(doc, 0, "method");
    job->request.method = job->request.body != NULL ? "POST" : "GET";
    if (token < 0)
        return true;
    for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
        if (!kb_json_equals(doc, token, methods[i]))
            continue;
        job->request.method = methods[i];
        if (job->request.body != NULL && strcmp(methods[i], "HEAD") == 0)
            return refuse(job, "a HEAD request has no body");
        return true;
    }
    return refuse(job, "method is none of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
}

static bool read_out(struct kb_job *job, const struct kb_json *doc)
{
    int token = kb_json_member(doc, 0, "out");
    if (token < 0)
        return true;
    job->request.out = decode_text(job, doc, token, "out");
    if (job->request.out == NULL)
        return false;
    size_t len = strlen(job->request.out);
    if (len == 0 || len >= PATH_MAX || job->request.out[len - 1] == '/')
        return refuse(job, "out names no file");
    return true;
}

bool kb_job_parse(struct kb_job *job, const char *line, size_t len, uint64_t number)
{
    *job = (struct kb_job){.strings_size = len};
    if (len > KB_JOB_LINE_MAX)
        return refuse(job, "the line is longer than %zu bytes", KB_JOB_LINE_MAX);
    if (!kb_utf8_valid(line, len))
        return refuse(job, "the line is no UTF-8");
    struct kb_json_error error;
    struct kb_json *doc = kb_json_parse(line, len, &error);
    if (doc == NULL)
        return refuse(job, "the line is no JSON: %s", error.what);
    job->strings = malloc(len + 1);
    bool good = job->strings != NULL ? true : refuse(job, "memory is short");
    if (good && kb_json_type(doc, 0) != KB_JSON_OBJECT)
        good = refuse(job, "the line is no JSON object");
    good = good && read_id(job, doc, number) && check_members(job, doc) && read_url(job, doc) &&
           read_headers(job, doc) && read_body(job, doc) && read_method(job, doc) && read_out(job, doc);
    kb_json_free(doc);
    return good;
}

void kb_job_clear(struct kb_job *job)
{
    free(job->id);
    free(job->headers);
    free(job->strings);
    job->id = NULL;
    job->headers = NULL;
    job->strings = NULL;
    job->request = (struct kb_request){0};
}
