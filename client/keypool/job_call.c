/*
 * job_call.c: jobs that name a call and its arguments.
 */
#include "keypool/job_part.h"

#include <stdlib.h>
#include <string.h>

static const char call_member[] = "call";

/* The name as it is written. */
static bool is_call_member(const struct kb_json *doc, int name)
{
    size_t len = 0;
    const char *raw = kb_json_raw(doc, name, &len);
    return len == sizeof(call_member) - 1 && memcmp(raw, call_member, len) == 0;
}

bool kb_job_is_call(const struct kb_json *doc)
{
    for (int name = kb_json_first(doc, 0); name >= 0; name = kb_json_next(doc, name))
        if (is_call_member(doc, name))
            return true;
    return false;
}

bool kb_job_maybe_call(const char *line, size_t len)
{
    return memmem(line, len, "\"call\"", sizeof("\"call\"") - 1) != NULL;
}

/* A number or boolean as it is written. Its NUL has room in place of the colon before it. */
static const char *copy_raw(struct kb_job *job, const struct kb_json *doc, int token)
{
    size_t len = 0;
    const char *raw = kb_json_raw(doc, token, &len);
    char *text = job->strings + job->strings_used;
    if (len >= job->strings_size - job->strings_used)
        return NULL;
    memcpy(text, raw, len);
    text[len] = '\0';
    job->strings_used += len + 1;
    return text;
}

static bool read_argument(struct kb_job *job, const struct kb_json *doc, int name)
{
    kb_call_arg *arg = &job->args[job->arg_count];
    const int value = kb_json_value(doc, name);
    const enum kb_json_type type = kb_json_type(doc, value);
    arg->name = kb_job_text(job, doc, name, "an argument's name");
    if (arg->name == NULL)
        return false;
    if (type == KB_JSON_STRING)
        arg->text = kb_job_text(job, doc, value, arg->name);
    else if (type == KB_JSON_NUMBER || type == KB_JSON_BOOL)
        arg->text = copy_raw(job, doc, value);
    else
        return kb_job_refuse(job, "%.60s is neither a text nor a number nor true or false", arg->name);
    if (arg->text == NULL)
        return *job->error != '\0' ? false : kb_job_refuse(job, "%.60s is too long", arg->name);
    job->arg_count++;
    return true;
}

bool kb_job_read_call(struct kb_job *job, const struct kb_json *doc)
{
    const unsigned members = kb_json_size(doc, 0);
    if (members > KB_JOB_ARGUMENTS_MAX + 2)
        return kb_job_refuse(job, "more than %d arguments", KB_JOB_ARGUMENTS_MAX);
    job->args = calloc(members, sizeof(*job->args));
    if (job->args == NULL)
        return kb_job_refuse(job, "memory is short");
    for (int name = kb_json_first(doc, 0); name >= 0; name = kb_json_next(doc, name)) {
        if (is_call_member(doc, name)) {
            if (job->call != NULL)
                return kb_job_refuse(job, "call is given twice");
            job->call = kb_job_text(job, doc, kb_json_value(doc, name), call_member);
            if (job->call == NULL)
                return false;
        } else if (!kb_json_equals(doc, name, "id") && !read_argument(job, doc, name)) {
            return false;
        }
    }
    return true;
}
