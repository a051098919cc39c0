/*
 * job.h: one line of keypool's input.
 *
 *     {"id":ID,"method":"POST","url":"https://…","headers":{"Name":"value"},"json":VALUE,"out":"FILE"}
 *
 * Only url is needed. "body" (a string) may stand in place of "json" (any value, sent as it is
 * written). A line is hostile until it has been parsed.
 */
#ifndef KB_KEYPOOL_JOB_H
#define KB_KEYPOOL_JOB_H

#include "http/request.h"

#include <stdint.h>

#define KB_JOB_LINE_MAX    ((size_t)16 << 20) /* bytes of a line without its newline */
#define KB_JOB_HEADERS_MAX 100

struct kb_job {
    char *id;                  /* JSON text to be echoed; NULL: there is none that can be read */
    struct kb_request request; /* points into the members below and into the line; its timeout is not set */
    struct kb_header *headers;
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

#endif
