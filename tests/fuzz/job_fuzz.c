/* Any line: parsed as keypool's job, whose texts are whole and whose id may be echoed. */
#include "keypool/job.h"
#include "keypool/result.h"
#include "text/json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Every byte of it is there to be read. */
static void read_text(const char *text)
{
    assert(text != NULL && strlen(text) <= KB_JOB_LINE_MAX);
}

static void check_request(const kb_http_request *request)
{
    read_text(request->url);
    for (size_t i = 0; i < request->header_count; i++) {
        read_text(request->headers[i].name);
        read_text(request->headers[i].value);
    }
    if (request->method != NULL)
        read_text(request->method);
}

static void check_call(const struct kb_job *job)
{
    read_text(job->call);
    assert(job->request.url == NULL);
    for (size_t i = 0; i < job->arg_count; i++) {
        read_text(job->args[i].name);
        read_text(job->args[i].text);
    }
}

/* The result it is answered with is one line of JSON, its own body sent back included. */
static void answer(const struct kb_job *job)
{
    struct kb_result result = {.id = job->id,
                               .line = 1,
                               .outcome = "client",
                               .error = job->error,
                               .body = job->request.body,
                               .body_len = job->request.body_len};
    struct kb_json_error error;
    size_t len = 0;
    char *text = kb_result_text(&result, &len);
    assert(text != NULL && memchr(text, '\n', len) == text + len - 1);
    struct kb_json *doc = kb_json_parse(text, len, &error);
    assert(doc != NULL);
    kb_json_free(doc);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kb_job job;
    const bool good = kb_job_parse(&job, (const char *)data, size, 1);
    const bool maybe_call = kb_job_maybe_call((const char *)data, size);
    assert(good == (*job.error == '\0'));
    assert(job.call == NULL || maybe_call);
    if (good && job.call != NULL)
        check_call(&job);
    else if (good)
        check_request(&job.request);
    if (good && kb_job_out(&job) != NULL)
        read_text(kb_job_out(&job));
    answer(&job);
    kb_job_clear(&job);
    kb_job_clear(&job);
    return 0;
}
