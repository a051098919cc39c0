#include "keypool/job.h"

#include "keypool/job_part.h"
#include "keypool/utf8.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

bool kb_job_refuse(struct kb_job *job, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(job->error, sizeof(job->error), format, args);
    va_end(args);
    return false;
}

const char *kb_job_decode(struct kb_job *job, const struct kb_json *doc, int token, size_t *len)
{
    char *text = job->strings + job->strings_used;
    ptrdiff_t n = kb_json_string(doc, token, text, job->strings_size - job->strings_used);
    if (n < 0)
        return NULL;
    job->strings_used += (size_t)n + 1;
    *len = (size_t)n;
    return text;
}

const char *kb_job_text(struct kb_job *job, const struct kb_json *doc, int token, const char *what)
{
    size_t len = 0;
    const char *text = kb_job_decode(job, doc, token, &len);
    if (text == NULL)
        kb_job_refuse(job, "%s is no string", what);
    else if (strlen(text) != len) {
        kb_job_refuse(job, "%s holds a NUL character", what);
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
        return kb_job_refuse(job, "id is neither a string nor a number");
    if (written < 0) {
        job->id = NULL;
        return kb_job_refuse(job, "memory is short");
    }
    return true;
}

bool kb_job_parse(struct kb_job *job, const char *line, size_t len, uint64_t number)
{
    *job = (struct kb_job){.strings_size = len};
    if (len > KB_JOB_LINE_MAX)
        return kb_job_refuse(job, "the line is longer than %zu bytes", KB_JOB_LINE_MAX);
    if (!kb_utf8_valid(line, len))
        return kb_job_refuse(job, "the line is no UTF-8");
    struct kb_json_error error;
    struct kb_json *doc = kb_json_parse(line, len, &error);
    if (doc == NULL)
        return kb_job_refuse(job, "the line is no JSON: %s", error.what);
    job->strings = malloc(len + 1);
    bool good = job->strings != NULL ? true : kb_job_refuse(job, "memory is short");
    if (good && kb_json_type(doc, 0) != KB_JSON_OBJECT)
        good = kb_job_refuse(job, "the line is no JSON object");
    good = good && read_id(job, doc, number);
    if (good)
        good = kb_job_is_call(doc) ? kb_job_read_call(job, doc) : kb_job_read_request(job, doc);
    kb_json_free(doc);
    return good;
}

void kb_job_clear(struct kb_job *job)
{
    free(job->id);
    free(job->headers);
    free(job->args);
    free(job->strings);
    job->id = NULL;
    job->headers = NULL;
    job->call = NULL;
    job->args = NULL;
    job->arg_count = 0;
    job->strings = NULL;
    job->request = (kb_http_request){0};
}

const char *kb_job_out(const struct kb_job *job)
{
    for (size_t i = 0; i < job->arg_count; i++)
        if (strcmp(job->args[i].name, "out") == 0)
            return job->args[i].text;
    return job->request.out;
}
