/*
 * job_request.c: jobs that say what to send.
 */
#include "keypool/job_part.h"

#include <stdlib.h>
#include <strings.h>

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
            return kb_job_refuse(job, "unknown member \"%.*s\"", len < 40 ? (int)len : 40, raw);
    }
    return true;
}

static bool read_url(struct kb_job *job, const struct kb_json *doc)
{
    int token = kb_json_member(doc, 0, "url");
    if (token < 0)
        return kb_job_refuse(job, "there is no url");
    job->request.url = kb_job_text(job, doc, token, "url");
    return job->request.url != NULL;
}

static bool read_header(struct kb_job *job, const struct kb_json *doc, int name_token, kb_http_header *header)
{
    header->name = kb_job_text(job, doc, name_token, "a header's name");
    if (header->name != NULL)
        header->value = kb_job_text(job, doc, kb_json_value(doc, name_token), "a header's value");
    return header->name != NULL && header->value != NULL;
}

/* Leaves room for the one header read_body may add. */
static bool read_headers(struct kb_job *job, const struct kb_json *doc)
{
    int object = kb_json_member(doc, 0, "headers");
    unsigned count = kb_json_size(doc, object);
    if (object >= 0 && kb_json_type(doc, object) != KB_JSON_OBJECT)
        return kb_job_refuse(job, "headers is no object");
    if (count > KB_JOB_HEADERS_MAX)
        return kb_job_refuse(job, "more than %d headers", KB_JOB_HEADERS_MAX);
    job->headers = calloc((size_t)count + 1, sizeof(*job->headers));
    if (job->headers == NULL)
        return kb_job_refuse(job, "memory is short");
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
    job->headers[job->request.header_count++] = (kb_http_header){"Content-Type", "application/json"};
}

static bool read_body(struct kb_job *job, const struct kb_json *doc)
{
    int json = kb_json_member(doc, 0, "json");
    int body = kb_json_member(doc, 0, "body");
    if (json >= 0 && body >= 0)
        return kb_job_refuse(job, "both json and body");
    if (json >= 0)
        take_json_body(job, doc, json);
    if (body >= 0) {
        job->request.body = kb_job_decode(job, doc, body, &job->request.body_len);
        if (job->request.body == NULL)
            return kb_job_refuse(job, "body is no string");
    }
    return true;
}

/* A text that may be missing. */
static bool read_text(struct kb_job *job, const struct kb_json *doc, const char *name, const char **out)
{
    int token = kb_json_member(doc, 0, name);
    if (token >= 0)
        *out = kb_job_text(job, doc, token, name);
    return token < 0 || *out != NULL;
}

bool kb_job_read_request(struct kb_job *job, const struct kb_json *doc)
{
    return check_members(job, doc) && read_url(job, doc) && read_headers(job, doc) && read_body(job, doc) &&
           read_text(job, doc, "method", &job->request.method) && read_text(job, doc, "out", &job->request.out);
}
