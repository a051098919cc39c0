/*
 * result.h: one line of keypool's output, as JSON.
 *
 *     {"id":ID,"line":N,"status":200,"fingerprint":"k…","attempts":1,"outcome":"ok","ms":12,"body":"…"}
 *     {"id":ID,"line":N,"status":200,"fingerprint":"k…","attempts":1,"outcome":"ok","ms":12,"findings":{…}}
 *
 * "attempts" is null when the worker died with the job: nobody knows how many were made.
 * "fingerprint" is null when no key was tried or that is not known, "status" 0 when no answer came. "body" holds the
 * answer; a body that is no UTF-8 stands as "body_base64", one that went to a file as "out" with
 * the file's name, and there is none of them when no whole answer came. "ambiguous":true says that
 * the request may have been carried out though no answer tells; "rule" says what decided an outcome that is not ok,
 * "error" what went wrong on this side of upstream. Of a call "findings" stand in place of a body, with an image that
 * has no file of its own as "body_base64"; a call that found nothing has its answer's body.
 */
#ifndef KB_KEYPOOL_RESULT_H
#define KB_KEYPOOL_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KB_RESULT_NOT_STARTED "not_started"

/* Everything is borrowed. */
struct kb_result {
    const char *id; /* JSON text; NULL: null */
    uint64_t line;
    int status;
    const char *fingerprint; /* NULL: null */
    unsigned attempts;
    bool lost;           /* attempts are not known: null */
    const char *outcome; /* kb_outcome_name's words, or KB_RESULT_NOT_STARTED */
    int64_t ms;          /* from the start of the job to its end, waits for keys included */
    const char *body;    /* NULL: none */
    size_t body_len;
    const char *out;           /* NULL: the body is in no file */
    const char *findings;      /* of a call, JSON text, in place of body and out; NULL: none */
    const unsigned char *data; /* beside findings; NULL: none */
    size_t data_len;
    bool ambiguous;
    const char *rule;  /* what decided the outcome; NULL: not told */
    const char *error; /* NULL: none */
};

/* The line with its newline and a final NUL, for the caller to free; NULL if memory is short. */
char *kb_result_text(const struct kb_result *result, size_t *len);

#endif
