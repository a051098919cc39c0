/*
 * keybroker/http.h: HTTP requests with a pool's keys: libkeybroker-http, on libkeybroker and libcurl.
 *
 * A request is performed with the next key of a pool. The answer is judged; if it failed the key (refused, out of
 * credits, too many requests), that is reported and the next key is tried, each key at most once. Anything else ends
 * the request: a fault of the caller or of upstream never costs a second key.
 *
 *     kb_http *http;
 *     kb_http_answer answer;
 *     kb_http_request request = {.pool = "suno", .url = "/api/v1/generate/credit", .wait_ms = 5000};
 *     if (kb_http_open(client, &http) == 0) {
 *         int code = kb_http_perform(http, &request, &answer);
 *         if (code == 0 && answer.outcome == KB_OUTCOME_OK)
 *             use(answer.body, answer.body_len);
 *         kb_http_answer_clear(&answer);
 *         kb_http_close(http);
 *     }
 *
 * Never sent twice: a request is sent at most once with each key, and not again once it may have been carried out.
 * If the answer was lost after sending had begun, the outcome is KB_OUTCOME_TRANSIENT and `ambiguous` is set:
 * upstream may have done the work, and billed it.
 *
 * Secrets: the key is sent to the URL's host only, as the pool's service wants it; redirects are not followed.
 * Certificates are verified. What is returned (body, headers, error) never holds the key, even if upstream echoed it.
 * A file holds what upstream sent. libcurl keeps copies of the request headers: they are wiped when they are freed
 * if kb_http_open is the first to initialise libcurl in the process; a program that initialises it before ought to
 * make itself undumpable (prctl PR_SET_DUMPABLE).
 *
 * Threads: a handle may be used by any number of threads; each request in flight has a libcurl handle of its own,
 * and those that are idle keep their connections for the next request, whichever key it goes by.
 *
 * Fork: a handle opened before fork() works after it in parent and children; a child opens connections of its own, and
 * leaves its parent's alone. kb_http_open must not run in one thread while another forks.
 *
 * Proxies are libcurl's: http_proxy, https_proxy, no_proxy in the environment. HTTP/2 is used where libcurl and
 * upstream both can. Signals are left alone.
 */
#ifndef KEYBROKER_HTTP_H
#define KEYBROKER_HTTP_H

#include <keybroker.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kb_http kb_http; /* opaque; one per process is enough */

/* A header of a request or an answer. */
typedef struct {
    const char *name;  /* a token of RFC 9110, in any case */
    const char *value; /* no control characters but tab; may be empty */
} kb_http_header;

/* A part of a multipart/form-data body. */
typedef struct {
    const char *name; /* of the form's field */
    const char *data; /* its value, `len` bytes; NULL: it is `file`'s content */
    size_t len;
    const char *file;         /* path of a regular file, read while it is sent */
    const char *filename;     /* told to upstream; NULL: none for data, the last part of the path for a file */
    const char *content_type; /* NULL: libcurl's guess by the file's name, none for data */
} kb_http_part;

#define KB_HTTP_BODY_MAX   ((uint64_t)64 << 20) /* bytes of an answer in memory, where a request says 0 */
#define KB_HTTP_FILE_MAX   ((uint64_t)4 << 30)  /* bytes of an answer in a file, where a request says 0 */
#define KB_HTTP_TIMEOUT_MS 60000                /* of one attempt, where a request says 0 */

/*
 * A request. All zero but pool and url is a GET with the service's settings. Everything is borrowed for the time
 * of the call. Members are added at the end only.
 */
typedef struct {
    const char *pool;
    const char *url; /* http(s)://HOST[:PORT][/PATH][?QUERY], or a path (beginning with /) below the service's base URL;
                        printable ASCII, all else percent-encoded; no user name, no fragment */
    const char *method; /* GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS; NULL: POST with a body or parts, else GET */
    const kb_http_header *headers; /* not the key's, Content-Length or Transfer-Encoding; multipart: no Content-Type */
    size_t header_count;
    const char *body; /* body_len bytes; NULL: none. No body and parts at once */
    size_t body_len;
    const kb_http_part *parts;
    size_t part_count;
    const char *out;         /* file for the body of a 2xx answer whose outcome is ok: has that name only when it is
                                whole, until then PATH.part-PID-N; all other bodies go to memory. NULL: memory */
    uint64_t body_max;       /* bytes of an answer in memory, decoded; 0: KB_HTTP_BODY_MAX */
    uint64_t file_max;       /* bytes of an answer in the file; 0: KB_HTTP_FILE_MAX */
    int timeout_ms;          /* of one attempt; 0: KB_HTTP_TIMEOUT_MS */
    int wait_ms;             /* for keys in all; 0: none, -1: no limit */
    int deadline_ms;         /* of everything, attempts and waits; 0: none */
    unsigned fallback;       /* KB_FALLBACK bits: after which outcomes the next key is tried; 0: as the pool says */
    int no_fallback;         /* not 0: one key only, whatever the pool says */
    const char *fingerprint; /* this key, outside the rotation (kb_claim_key); NULL: the next one */
} kb_http_request;

/* An answer, or why there is none. Members are added at the end only. */
typedef struct {
    kb_outcome outcome;
    int status;                               /* HTTP status of the last attempt, 0: no answer came */
    int retry_after_ms;                       /* the time upstream named, -1: none */
    unsigned attempts;                        /* keys tried; 0: no key could be claimed, outcome means nothing */
    char fingerprint[KB_FINGERPRINT_LEN + 1]; /* of the last key tried */
    char rule[64];                            /* what decided the outcome, for people */
    int ambiguous;                            /* may have been carried out, and no whole answer came */
    int in_file;                              /* the body is in the request's file */
    char *body;                               /* with a final NUL that body_len does not count; NULL: none in memory */
    size_t body_len;
    char *error;             /* why there is no answer, or no whole one; NULL: there is */
    kb_http_header *headers; /* of the last answer: the first 200, in 64 KiB */
    size_t header_count;
} kb_http_answer;

/*
 * Opens a handle on client, which must outlive it. Errors: KB_EINVAL, KB_ENOMEM, KB_ESYSTEM (libcurl cannot be
 * initialised); *out is then NULL.
 */
KB_API int kb_http_open(kb_client *client, kb_http **out);

/* Closes the handle and its connections; NULL is ignored. No request may be under way. */
KB_API void kb_http_close(kb_http *http);

/* Called with a line of text, without newline and secrets, about something an operator may want to know: a wait
 * that was absurd and has been clamped, a definition of the pool's service that cannot be read. Called by the thread
 * that found it. NULL: nobody is told. Set it before the handle is used by several threads. */
typedef void kb_http_note(void *arg, const char *text);
KB_API void kb_http_on_note(kb_http *http, kb_http_note *note, void *arg);

/*
 * Performs the request, and fills *answer in any case: free it with kb_http_answer_clear. Returns 0 when the last
 * outcome was no failure of the key (look at answer->outcome), KB_EEXHAUSTED when every key that might be tried failed,
 * none could be claimed, or the deadline came, KB_EINVAL (with answer->error) for a request that breaks the rules
 * above, a part's file that cannot be read and an `out` that cannot be made: nothing was claimed then; else kb_claim's
 * errors, and KB_EKEY for an unknown fingerprint.
 *
 * The outcome is the judge's (kb_http_judge), and where no whole answer came: TRANSIENT, and ambiguous if sending had
 * begun; or CLIENT, if the answer was longer than the limit, or a file or memory failed: that says nothing of the key.
 * A refusal of the key is one even if its body breaks off or is over the limit. A 2xx answer for `out` that turns out
 * to be an error is in `body`, its first 64 KiB at most.
 */
KB_API int kb_http_perform(kb_http *http, const kb_http_request *request, kb_http_answer *answer);

/* Wipes and frees what the answer holds. */
KB_API void kb_http_answer_clear(kb_http_answer *answer);

/* The value of the last answer's header of this name (in any case), or NULL. */
KB_API const char *kb_http_answer_header(const kb_http_answer *answer, const char *name);

/* What is known of an answer, for the judge. Everything is borrowed. */
typedef struct {
    int status; /* HTTP status, 0: no answer came */
    const kb_http_header *headers;
    size_t header_count;
    const char *body; /* decoded, whole or its beginning; NULL: none */
    size_t body_len;
    int64_t now; /* unix seconds when it came, for times named as dates; 0: now */
} kb_http_evidence;

typedef struct {
    kb_outcome outcome;
    int wait_ms;   /* the time upstream named, -1: none; at most KB_HTTP_WAIT_MAX_MS */
    int clamped;   /* not 0: upstream named a longer one */
    char rule[64]; /* which rule decided, for people: "suno: code 429", "generic: status 401" */
} kb_http_verdict;

#define KB_HTTP_WAIT_MAX_MS (24 * 24 * 3600 * 1000) /* longer waits are taken for absurd and clamped */

/*
 * Judges an answer by the rules of SERVICE ("suno", "stability", "openai", …; unknown names and NULL: the generic
 * ones). Never fails and keeps nothing. kb_http_perform judges by these rules and those the configuration adds for the
 * pool's service, which come first.
 */
KB_API void kb_http_judge(const char *service, const kb_http_evidence *evidence, kb_http_verdict *verdict);

#ifdef __cplusplus
}
#endif

#endif
