/*
 * request.h: one HTTP or HTTPS request, sent once, with a key as bearer token.
 */
#ifndef KB_HTTP_REQUEST_H
#define KB_HTTP_REQUEST_H

#include "keybroker.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#define KB_REQUEST_BODY_MAX ((size_t)64 << 20) /* bytes of an answer in memory, if its request names no limit */
#define KB_REQUEST_FILE_MAX ((size_t)4 << 30)  /* bytes of an answer in a file */

struct kb_header {
    const char *name;  /* a token of RFC 9110 */
    const char *value; /* no control characters but tab; may be empty */
};

/* A request as the caller checked it. Everything is borrowed for the time of the call. */
struct kb_request {
    const char *method; /* GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS */
    const char *url;    /* http or https, without user name or password */
    const struct kb_header *headers;
    size_t header_count;
    const char *body; /* NULL: none */
    size_t body_len;
    const char *out;   /* file for the body of a 2xx answer, or NULL: all bodies go to memory */
    size_t answer_max; /* bytes of an answer in memory; 0: KB_REQUEST_BODY_MAX */
    long timeout_ms;   /* for the whole request, above 0 */
};

struct kb_answer {
    kb_outcome outcome;
    int status;         /* HTTP status, 0: none came */
    int retry_after_ms; /* -1: none named, or the outcome is no failure of key or upstream */
    bool ambiguous;     /* the request may have been carried out, and no whole answer came */
    bool in_file;       /* the body is in the request's file */
    char *body;         /* owned, no final NUL; NULL: no body in memory */
    size_t body_len;
    char *error; /* owned; why there is no answer, or no whole one; NULL: there is */
};

/*
 * Performs the request on a handle that is used for nothing else and keeps its connections. Fills
 * *answer, which kb_answer_clear frees; nothing of an earlier answer is freed. The request is never sent
 * twice, whatever became of the first sending; redirects are not followed, so the secret goes to the URL's host
 * only; certificates are verified. The body in memory and the error never hold the secret; a file
 * holds what upstream sent.
 *
 * An answer that refuses the key (auth, quota, rate) is that and not ambiguous, even if its body
 * breaks off or is over the limit. Otherwise a transport failure is transient, and ambiguous if
 * sending had begun; an answer over its limit, a file that cannot be written and memory that is
 * short are outcome client: they say nothing about the key. A secret no header can carry is outcome auth, so that the
 * next key is tried.
 *
 * libcurl frees its copy of the header unwiped: a process that calls this ought not to be dumpable.
 */
void kb_request_perform(CURL *easy, const struct kb_request *request, const char *secret, size_t secret_len,
                        struct kb_answer *answer);
void kb_answer_clear(struct kb_answer *answer);

#endif
