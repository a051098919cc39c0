/*
 * task.h: handles of jobs that go on upstream, FINGERPRINT:ID. Only the key that started a job may ask for it.
 */
#ifndef KB_HTTP_TASK_H
#define KB_HTTP_TASK_H

#include "keybroker/call.h"

#include <stdbool.h>

enum { KB_TASK_ID_MAX = KB_TASK_SIZE - KB_FINGERPRINT_LEN - 2 };

struct kb_task {
    char fingerprint[KB_FINGERPRINT_LEN + 1];
    char id[KB_TASK_ID_MAX + 1]; /* printable ASCII without spaces, quotes and backslash */
};

/* True if text is a fingerprint: k and 12 hex digits in lower case. */
bool kb_task_fingerprint(const char *text);
/* False if the text is no handle. */
bool kb_task_parse(const char *text, struct kb_task *task);
/* False if the two make no handle. */
bool kb_task_make(const char *fingerprint, const char *id, struct kb_task *task);
void kb_task_write(const struct kb_task *task, char out[KB_TASK_SIZE]);

/* text with everything percent-encoded but RFC 3986's unreserved characters, cut off at size. */
void kb_task_escape(const char *text, char *out, size_t size);

#endif
