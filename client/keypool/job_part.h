/*
 * job_part.h: what the readers of a job's line share (job.c), and those readers.
 */
#ifndef KB_KEYPOOL_JOB_PART_H
#define KB_KEYPOOL_JOB_PART_H

#include "keypool/job.h"
#include "text/json.h"

/* Fills the job's error; returns false. */
bool kb_job_refuse(struct kb_job *job, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Decodes a string behind those decoded so far; NULL if it is none. The line is valid UTF-8, so no text grows by
 * decoding and each has room for its NUL in place of its quotes: the line's length is enough for all.
 */
const char *kb_job_decode(struct kb_job *job, const struct kb_json *doc, int token, size_t *len);

/* A string without a NUL inside. NULL, and an error that calls it `what`, if it is none. */
const char *kb_job_text(struct kb_job *job, const struct kb_json *doc, int token, const char *what);

/* Whether the line names a call: its member "call" is written without escapes, so that the bytes tell. */
bool kb_job_is_call(const struct kb_json *doc);

/* job_request.c, job_call.c */
bool kb_job_read_request(struct kb_job *job, const struct kb_json *doc);
bool kb_job_read_call(struct kb_job *job, const struct kb_json *doc);

#endif
