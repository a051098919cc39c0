/*
 * keybroker/call.h: calls of a service by name, with arguments as text: what suno.h and stability.h do for C, for
 * programs, other languages and lists of jobs.
 *
 *     kb_call_arg args[] = {{"title", "Rain"}, {"description", "a slow song about rain"}};
 *     kb_call_settings settings = {.wait_ms = 5000};
 *     kb_call_result result;
 *     if (kb_call_run(http, "suno.generate_music", args, 2, &settings, &result) == 0 && result.findings != NULL)
 *         puts(result.findings);                            {"task":"k0123456789ab:5c79be8e"}
 *     else
 *         fputs(result.answer.error != NULL ? result.answer.error : "refused", stderr);
 *     kb_call_result_clear(&result);
 *
 * Arguments are checked before a key is claimed. `keycall --help` lists the calls and their arguments.
 *
 * Threads and fork: as for the kb_http handle.
 */
#ifndef KEYBROKER_CALL_H
#define KEYBROKER_CALL_H

#include <keybroker/http.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An argument. Text is UTF-8; a number is written as in JSON, a boolean true or false, a file by its path. */
typedef struct {
    const char *name; /* "_" and "-" are the same */
    const char *text;
} kb_call_arg;

/*
 * Called after each answered poll of a call that waits, with its findings so far (JSON text). Not 0: the call stops
 * waiting.
 */
typedef int kb_call_progress(void *arg, const char *findings);

/* How a call is made. All zero, and a NULL pointer too, is what each member says. Members are added at the end only. */
typedef struct {
    const char *pool;              /* NULL: the one named as the service */
    int wait_ms;                   /* for keys in all; 0: none, -1: no limit */
    int timeout_ms;                /* of one attempt; 0: the call's own: 60 s, for images 180 s */
    int deadline_ms;               /* of everything; 0: none, of a call that waits: its own */
    unsigned fallback;             /* as in kb_http_request */
    int no_fallback;               /* as in kb_http_request */
    const kb_http_header *headers; /* sent besides the call's own */
    size_t header_count;
    kb_call_progress *progress;
    void *progress_arg;
} kb_call_settings;

/*
 * What came of a call.
 *
 * answer is that of the last request. Its outcome may be worse than the one reported for the key: an answer of
 * status 200 that lacks what was asked for is KB_OUTCOME_TRANSIENT with an error, and ambiguous if it may have been
 * billed; a file that cannot be written is KB_OUTCOME_CLIENT; a job that was asked for and has failed is one of both.
 */
typedef struct {
    kb_http_answer answer;
    char *findings;      /* what was found, a JSON object; NULL: nothing */
    unsigned char *data; /* an image that was asked for without a file to hold it; NULL: none */
    size_t data_len;
} kb_call_result;

/*
 * Makes the call, and fills *result in any case: free it with kb_call_result_clear. Returns as kb_http_perform does;
 * KB_EINVAL, with a text in result->answer.error that names the argument, also for a call that does not exist and
 * arguments that break its rules: nothing was claimed then.
 */
KB_API int kb_call_run(kb_http *http, const char *name, const kb_call_arg *args, size_t arg_count,
                       const kb_call_settings *settings, kb_call_result *result);
KB_API void kb_call_result_clear(kb_call_result *result);

#define KB_TASK_SIZE 256 /* bytes of a task handle with its final NUL */

#ifdef __cplusplus
}
#endif

#endif
