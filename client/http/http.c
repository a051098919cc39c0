#include "keybroker/http.h"

#include "http/answer.h"
#include "http/memory.h"
#include "http/published.h"
#include "http/transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct kb_http {
    kb_client *client;
    struct kb_published published;
    struct kb_channels channels;
};

/* A request in the hands of kb_execute_with, which calls it once for each key. */
struct performance {
    kb_http *http;
    const kb_http_request *request;
    kb_http_answer *answer;
    int64_t deadline; /* milliseconds of the monotonic clock; INT64_MAX: none */
    struct kb_order order;
    struct kb_form form;
    struct kb_outfile file;
    struct kb_transfers transfers;
};

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Milliseconds to the deadline, INT_MAX at most; the clock is read only where there is one. */
static int time_left(const struct performance *performance)
{
    const int64_t left = performance->deadline != INT64_MAX ? performance->deadline - now_ms() : INT64_MAX;
    return left < 0 ? 0 : left < INT32_MAX ? (int)left : INT32_MAX;
}

int kb_http_open(kb_client *client, kb_http **out)
{
    if (out == NULL)
        return KB_EINVAL;
    *out = NULL;
    if (client == NULL)
        return KB_EINVAL;
    if (!kb_memory_init())
        return KB_ESYSTEM;
    kb_http *http = calloc(1, sizeof(*http));
    if (http == NULL)
        return KB_ENOMEM;
    http->client = client;
    http->published.client = client;
    *out = http;
    return 0;
}

void kb_http_close(kb_http *http)
{
    if (http == NULL)
        return;
    kb_channels_close(&http->channels);
    kb_published_close(&http->published);
    free(http);
}

void kb_http_on_note(kb_http *http, kb_http_note *note, void *arg)
{
    http->published.note = note;
    http->published.note_arg = arg;
}

static void tell_clamped(const struct performance *performance, const kb_http_verdict *verdict)
{
    const struct kb_published *published = &performance->http->published;
    char text[KB_NAME_MAX + 200];
    if (published->note == NULL)
        return;
    snprintf(text, sizeof(text), "%s: upstream asked for an absurd wait, taken as %d s (key %s, %.*s)",
             performance->request->pool, verdict->wait_ms / 1000, performance->answer->fingerprint,
             (int)sizeof(verdict->rule), verdict->rule);
    published->note(published->note_arg, text);
}

/* Sends the request with this key, and forgets the answer to the one before. */
static kb_outcome attempt(const kb_key *key, void *arg, int *retry_after_ms, int *status)
{
    struct performance *performance = arg;
    kb_http_answer *answer = performance->answer;
    const unsigned attempts = answer->attempts + 1;
    int timeout_ms = performance->request->timeout_ms > 0 ? performance->request->timeout_ms : KB_HTTP_TIMEOUT_MS;
    const int left = time_left(performance);
    kb_http_verdict verdict;
    timeout_ms = left < timeout_ms ? left : timeout_ms;
    kb_http_answer_clear(answer);
    kb_transfer_run(&performance->transfers, key, timeout_ms > 0 ? timeout_ms : 1, answer, &verdict);
    answer->attempts = attempts;
    memcpy(answer->fingerprint, key->fingerprint, sizeof(answer->fingerprint));
    if (verdict.clamped)
        tell_clamped(performance, &verdict);
    *retry_after_ms = answer->retry_after_ms;
    *status = answer->status;
    return answer->outcome;
}

/* The request with the one key it names. */
static int execute_pinned(struct performance *performance)
{
    const kb_http_request *request = performance->request;
    kb_key key;
    int code = kb_claim_key(performance->http->client, request->pool, request->fingerprint, &key);
    if (code != 0)
        return code;
    int retry_after_ms = -1, status = 0;
    const kb_outcome outcome = attempt(&key, performance, &retry_after_ms, &status);
    code = kb_report(performance->http->client, &key, outcome, retry_after_ms, status);
    kb_key_clear(&key);
    if (code < 0)
        return code;
    return (KB_FALLBACK(outcome) & KB_FALLBACK_ALL) != 0 ? KB_EEXHAUSTED : 0;
}

static int execute(struct performance *performance, int wait_ms)
{
    kb_execute_options options = {.timeout_ms = wait_ms, .fallback = performance->order.fallback};
    if (performance->deadline != INT64_MAX)
        options.deadline_ms = time_left(performance);
    if (performance->deadline != INT64_MAX && options.deadline_ms == 0)
        return KB_EEXHAUSTED;
    if (performance->request->fingerprint != NULL)
        return execute_pinned(performance);
    return kb_execute_with(performance->http->client, performance->request->pool, &options, attempt, performance, NULL);
}

static int refuse(struct performance *performance, const char *what, const char *detail, int error)
{
    char text[512];
    snprintf(text, sizeof(text), "%s %.256s", what, detail);
    kb_answer_fail(performance->answer, KB_OUTCOME_CLIENT, text, strerror(error));
    return KB_EINVAL;
}

/* Opens what is read and written: where that cannot be, no call is spent. */
static int open_files(struct performance *performance)
{
    const kb_http_request *request = performance->request;
    const kb_http_part *part;
    int error = kb_form_fill(&performance->form, performance->transfers.channel->easy, request->parts,
                             request->part_count, &part);
    if (error != 0)
        return refuse(performance, "cannot send part", part->name, error);
    error = request->out != NULL ? kb_outfile_open(&performance->file, request->out) : 0;
    return error != 0 ? refuse(performance, "cannot make", request->out, error) : 0;
}

static int execute_on_channel(struct performance *performance, int wait_ms)
{
    struct kb_transfers *transfers = &performance->transfers;
    transfers->channel = kb_channel_take(&performance->http->channels);
    if (transfers->channel == NULL)
        return KB_ENOMEM;
    transfers->order = &performance->order;
    transfers->form = &performance->form;
    transfers->file = &performance->file;
    int code = open_files(performance);
    if (code == 0) {
        kb_transfer_begin(transfers);
        code = execute(performance, wait_ms);
        kb_transfer_end(transfers);
    }
    kb_outfile_abandon(&performance->file);
    kb_form_clear(&performance->form);
    kb_channel_put(&performance->http->channels, transfers->channel);
    return code;
}

static int perform(struct performance *performance)
{
    const kb_http_request *request = performance->request;
    const struct kb_service *service;
    const int left = time_left(performance);
    int wait_ms = request->wait_ms < 0 ? -1 : request->wait_ms;
    if (performance->deadline != INT64_MAX && (wait_ms < 0 || wait_ms > left))
        wait_ms = left;
    int code = kb_published_service(&performance->http->published, request->pool, &wait_ms, &service);
    if (code != 0)
        return code;
    if (kb_order_fill(&performance->order, request, service, &performance->answer->error))
        code = execute_on_channel(performance, wait_ms);
    else
        code = performance->answer->error != NULL ? KB_EINVAL : KB_ENOMEM;
    kb_order_clear(&performance->order);
    return code;
}

int kb_http_perform(kb_http *http, const kb_http_request *request, kb_http_answer *answer)
{
    if (answer == NULL)
        return KB_EINVAL;
    kb_answer_begin(answer);
    if (http == NULL || request == NULL || request->pool == NULL)
        return KB_EINVAL;
    struct performance performance = {.http = http,
                                      .request = request,
                                      .answer = answer,
                                      .deadline =
                                          request->deadline_ms > 0 ? now_ms() + request->deadline_ms : INT64_MAX,
                                      .file = KB_OUTFILE_CLOSED};
    const int code = perform(&performance);
    if (code < 0 && answer->error == NULL && answer->attempts == 0)
        answer->error = strdup(kb_strerror(code));
    return code;
}
