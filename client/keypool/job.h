/*
 * job.h: one line of keypool's input: a request, or a call of a service.
 *
 *     {"id":ID,"method":"POST","url":"https://…","headers":{"Name":"value"},"json":VALUE,"out":"FILE"}
 *     {"id":ID,"call":"stability.text_to_image","prompt":"…","seed":7,"out":"FILE"}
 *
 * Of a request only url is needed. "body" (a string) may stand in place of "json" (any value, sent as it is
 * written). Of a call all members but id and call are its arguments: strings, numbers and booleans; the
 * member "call" is written without escapes. A line is hostile until it has been parsed; whether what it asks for is a
 * proper request or call is kb_http_perform's and kb_call_run's to say.
 */
#ifndef KB_KEYPOOL_JOB_H
#define KB_KEYPOOL_JOB_H

#include "keybroker/call.h"

#include <stdbool.h>
#include <stdint.h>

#define KB_JOB_LINE_MAX      ((size_t)16 << 20) /* bytes of a line without its newline */
#define KB_JOB_HEADERS_MAX   100
#define KB_JOB_ARGUMENTS_MAX 100

struct kb_job {
    char *id;                /* JSON text to be echoed; NULL: there is none that can be read */
    kb_http_request request; /* points into the members below and into the line; pool and times are not set */
    kb_http_header *headers;
    const char *call; /* of which service, by name; NULL: the request is the job */
    kb_call_arg *args;
    size_t arg_count;
    char *strings; /* the decoded texts */
    size_t strings_used, strings_size;
    char error[160]; /* what is wrong with the line, in UTF-8 */
};

/*
 * Reads the line with this 1-based number, which is the job's id if it names none. Returns false for
 * a line that is no job, with error filled and the id kept where it could be read. The line must
 * outlive the job; call kb_job_clear in either case.
 */
bool kb_job_parse(struct kb_job *job, const char *line, size_t len, uint64_t number);
void kb_job_clear(struct kb_job *job);

/* The file the job writes, or NULL. */
const char *kb_job_out(const struct kb_job *job);

/* Whether the line may hold a call, for those who need not read it: false is certain. */
bool kb_job_maybe_call(const char *line, size_t len);

#endif
