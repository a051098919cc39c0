#include "keypool/worker.h"

#include "http/request.h"
#include "keypool/clock.h"
#include "keypool/frame.h"
#include "keypool/job.h"
#include "keypool/result.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* A job in the hands of kb_execute, which calls it once for each key. */
struct attempts {
    CURL *easy;
    const struct kb_request *request;
    unsigned count;
    char fingerprint[KB_FINGERPRINT_LEN + 1]; /* of the last key tried */
    struct kb_answer answer;                  /* of the last attempt */
};

static kb_outcome attempt(const kb_key *key, void *arg, int *retry_after_ms, int *status)
{
    struct attempts *attempts = arg;
    attempts->count++;
    memcpy(attempts->fingerprint, key->fingerprint, sizeof(attempts->fingerprint));
    kb_answer_clear(&attempts->answer);
    kb_request_perform(attempts->easy, attempts->request, key->secret, key->secret_len, &attempts->answer);
    *retry_after_ms = attempts->answer.retry_after_ms;
    *status = attempts->answer.status;
    return attempts->answer.outcome;
}

/* Tries keys until one did not fail, and tells how that went. */
static void execute(const struct kb_settings *settings, struct attempts *attempts, struct kb_result *result)
{
    kb_outcome last = KB_OUTCOME_TRANSIENT;
    int code = kb_execute(settings->client, settings->pool, settings->wait_ms, attempt, attempts, &last);
    const struct kb_answer *answer = &attempts->answer;
    result->attempts = attempts->count;
    if (attempts->count == 0) {
        result->outcome = KB_RESULT_NOT_STARTED;
        result->error = kb_strerror(code);
        return;
    }
    result->outcome = kb_outcome_name(last);
    result->fingerprint = attempts->fingerprint;
    result->status = answer->status;
    result->ambiguous = answer->ambiguous;
    result->error = answer->error;
    result->body = answer->body;
    result->body_len = answer->body_len;
    result->out = answer->in_file ? attempts->request->out : NULL;
}

static enum kb_frame_kind kind_of(const struct kb_result *result)
{
    if (strcmp(result->outcome, KB_RESULT_NOT_STARTED) == 0)
        return KB_FRAME_NOT_STARTED;
    return strcmp(result->outcome, kb_outcome_name(KB_OUTCOME_OK)) == 0 ? KB_FRAME_OK : KB_FRAME_FAILED;
}

/* Answers a job. False: the master is gone, or memory is so short that only a new worker helps. */
static bool serve(int fd, const struct kb_settings *settings, CURL *easy, const struct kb_frame *frame)
{
    struct kb_job job;
    struct attempts attempts = {.easy = easy, .request = &job.request};
    struct kb_result result = {.line = frame->head.line};
    int64_t begun_ms = kb_clock_ms();
    if (kb_job_parse(&job, frame->payload, frame->head.size, frame->head.line)) {
        job.request.timeout_ms = settings->timeout_ms;
        execute(settings, &attempts, &result);
    } else {
        result.outcome = kb_outcome_name(KB_OUTCOME_CLIENT);
        result.error = job.error;
    }
    result.id = job.id;
    result.ms = kb_clock_ms() - begun_ms;
    size_t len = 0;
    char *text = kb_result_text(&result, &len);
    struct kb_frame reply = {.payload = NULL};
    bool sent = text != NULL && kb_frame_fill(&reply, kind_of(&result), frame->head.line, text, len) &&
                kb_frame_send(&reply, fd) == KB_FRAME_WHOLE;
    kb_frame_clear(&reply);
    free(text);
    kb_answer_clear(&attempts.answer);
    kb_job_clear(&job);
    return sent;
}

static void become_worker(pid_t master)
{
    /* libcurl keeps parts of its requests in memory it frees unwiped: no core dump, no debugger. */
    (void)prctl(PR_SET_DUMPABLE, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != master)
        _exit(1);
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
        (void)signal(ignored[i], SIG_IGN);
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

_Noreturn void kb_worker_run(int fd, pid_t master, const struct kb_settings *settings)
{
    become_worker(master);
    CURL *easy = curl_easy_init();
    bool going = easy != NULL;
    while (going) {
        struct kb_frame frame = {.payload = NULL};
        going = kb_frame_receive(&frame, fd) == KB_FRAME_WHOLE && serve(fd, settings, easy, &frame);
        kb_frame_clear(&frame);
    }
    curl_easy_cleanup(easy);
    kb_close(settings->client);
    _exit(0);
}
