#include "keypool/worker.h"

#include "keypool/clock.h"
#include "keypool/frame.h"
#include "keypool/job.h"
#include "keypool/result.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Tells how a job went that was performed. */
static void tell(int code, const struct kb_job *job, const kb_http_answer *answer, struct kb_result *result)
{
    const bool refused = answer->attempts == 0 && code == KB_EINVAL;
    result->outcome = refused ? kb_outcome_name(KB_OUTCOME_CLIENT) : KB_RESULT_NOT_STARTED;
    result->attempts = answer->attempts;
    result->error = answer->error;
    if (answer->attempts == 0)
        return;
    result->outcome = kb_outcome_name(answer->outcome);
    result->fingerprint = answer->fingerprint;
    result->status = answer->status;
    result->ambiguous = answer->ambiguous;
    result->rule = answer->outcome != KB_OUTCOME_OK && answer->error == NULL ? answer->rule : NULL;
    result->body = answer->body;
    result->body_len = answer->body_len;
    result->out = answer->in_file ? kb_job_out(job) : NULL;
}

/* done is filled; of a request only its answer is. */
static void execute(const struct kb_settings *settings, struct kb_job *job, kb_call_result *done,
                    struct kb_result *result)
{
    const kb_call_settings call = {
        .pool = settings->pool, .wait_ms = settings->wait_ms, .timeout_ms = settings->call_timeout_ms};
    int code;
    if (job->call != NULL) {
        code = kb_call_run(settings->http, job->call, job->args, job->arg_count, &call, done);
    } else {
        job->request.pool = settings->pool;
        job->request.wait_ms = settings->wait_ms;
        job->request.timeout_ms = settings->timeout_ms;
        code = kb_http_perform(settings->http, &job->request, &done->answer);
    }
    tell(code, job, &done->answer, result);
    result->findings = done->findings;
    result->data = done->data;
    result->data_len = done->data_len;
}

static enum kb_frame_kind kind_of(const struct kb_result *result)
{
    if (strcmp(result->outcome, KB_RESULT_NOT_STARTED) == 0)
        return KB_FRAME_NOT_STARTED;
    return strcmp(result->outcome, kb_outcome_name(KB_OUTCOME_OK)) == 0 ? KB_FRAME_OK : KB_FRAME_FAILED;
}

/* Answers a job. False: the master is gone, or memory is so short that only a new worker helps. */
static bool serve(int fd, const struct kb_settings *settings, const struct kb_frame *frame)
{
    struct kb_job job;
    kb_call_result done = {.findings = NULL};
    struct kb_result result = {.line = frame->head.line};
    int64_t begun_ms = kb_clock_ms();
    if (kb_job_parse(&job, frame->payload, frame->head.size, frame->head.line)) {
        execute(settings, &job, &done, &result);
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
    kb_call_result_clear(&done);
    kb_job_clear(&job);
    return sent;
}

static void become_worker(pid_t master)
{
    /* libcurl keeps copies of keys while it works: no core dump, no debugger. */
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

static void say(void *arg, const char *text)
{
    (void)arg;
    fprintf(stderr, "keypool: %s\n", text);
}

_Noreturn void kb_worker_run(int fd, pid_t master, const struct kb_settings *settings)
{
    become_worker(master);
    kb_http_on_note(settings->http, say, NULL);
    bool going = true;
    while (going) {
        struct kb_frame frame = {.payload = NULL};
        going = kb_frame_receive(&frame, fd) == KB_FRAME_WHOLE && serve(fd, settings, &frame);
        kb_frame_clear(&frame);
    }
    kb_http_close(settings->http);
    kb_close(settings->client);
    _exit(0);
}
