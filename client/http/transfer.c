#include "http/transfer.h"

#include "http/answer.h"
#include "http/judge.h"
#include "http/placement.h"

#include <errno.h>
#include <string.h>

enum {
    HEADERS_MAX = 256 << 10, /* bytes of an answer's headers: libcurl keeps them all */
    BEGINNING_MAX = 64 << 10 /* of a body that goes to a file, for the judge */
};

/* An attempt on its way. */
struct attempt {
    const struct kb_transfers *transfers;
    kb_http_answer *answer;
    struct kb_buffer headers, body;
    unsigned header_count;
    size_t header_bytes;
    uint64_t received; /* bytes of the body */
    bool begun;        /* sending has begun */
    bool broken;       /* the connection broke after it, and libcurl would have sent again */
    bool over_limit;
    int write_errno; /* of the file, or ENOMEM; 0: none */
};

static int status_of(const struct attempt *attempt)
{
    long status = 0;
    curl_easy_getinfo(attempt->transfers->channel->easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

static bool goes_to_file(const struct attempt *attempt, int status)
{
    return attempt->transfers->file->fd >= 0 && status >= 200 && status < 300;
}

/*
 * Called before each sending. libcurl sends a request again by itself when a kept connection breaks
 * before the answer; upstream may have carried out the first one, so a second is refused.
 */
static int begin_sending(void *arg, char *peer, char *local, int peer_port, int local_port)
{
    (void)peer, (void)local, (void)peer_port, (void)local_port;
    struct attempt *attempt = arg;
    attempt->broken = attempt->begun;
    attempt->begun = true;
    return attempt->broken ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* libcurl's header function: the last of several answers (100, 103, 200) counts. */
static size_t take_header(char *line, size_t size, size_t count, void *arg)
{
    struct attempt *attempt = arg;
    const size_t len = size * count;
    attempt->header_bytes += len;
    if (attempt->header_bytes > HEADERS_MAX) {
        attempt->over_limit = true;
        return 0;
    }
    if (len > 5 && memcmp(line, "HTTP/", 5) == 0) {
        kb_buffer_clear(&attempt->headers);
        attempt->header_count = 0;
    } else if (!kb_answer_collect(&attempt->headers, &attempt->header_count, line, len)) {
        attempt->write_errno = ENOMEM;
        return 0;
    }
    return len;
}

static int keep(struct attempt *attempt, const char *bytes, size_t len)
{
    return kb_buffer_append(&attempt->body, bytes, len) ? 0 : ENOMEM;
}

/* The beginning of what goes to a file is kept too: it may turn out to be an error's envelope. */
static int write_to_file(struct attempt *attempt, const char *bytes, size_t len)
{
    const size_t room = BEGINNING_MAX - attempt->body.len;
    const int error = keep(attempt, bytes, len < room ? len : room);
    return error != 0 ? error : kb_outfile_write(attempt->transfers->file, bytes, len);
}

/* libcurl's write function: anything but len ends the transfer. */
static size_t take_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct attempt *attempt = arg;
    const kb_http_request *request = attempt->transfers->order->request;
    const size_t len = size * count;
    const bool to_file = goes_to_file(attempt, status_of(attempt));
    const uint64_t body_max = request->body_max > 0 ? request->body_max : KB_HTTP_BODY_MAX;
    const uint64_t file_max = request->file_max > 0 ? request->file_max : KB_HTTP_FILE_MAX;
    if (len > (to_file ? file_max : body_max) - attempt->received) {
        attempt->over_limit = true;
        return CURL_WRITEFUNC_ERROR;
    }
    attempt->received += len;
    attempt->write_errno = to_file ? write_to_file(attempt, bytes, len) : keep(attempt, bytes, len);
    return attempt->write_errno == 0 ? len : CURL_WRITEFUNC_ERROR;
}

static void set_method(CURL *easy, const struct kb_order *order, const struct kb_form *form)
{
    const kb_http_request *request = order->request;
    const bool is_head = order->method != NULL && strcmp(order->method, "HEAD") == 0;
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L); /* forgets what an earlier request was */
    if (is_head) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (form->mime != NULL) {
        curl_easy_setopt(easy, CURLOPT_MIMEPOST, form->mime);
    } else if (request->body != NULL || (order->method != NULL && order->method[0] == 'P')) {
        /* Methods that usually carry a body say so when it is empty. */
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body != NULL ? request->body : "");
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, is_head ? NULL : order->method);
}

void kb_transfer_begin(const struct kb_transfers *transfers)
{
    CURL *easy = transfers->channel->easy;
    set_method(easy, transfers->order, transfers->form);
    curl_easy_setopt(easy, CURLOPT_URL, transfers->order->url);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, begin_sending);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
}

void kb_transfer_end(const struct kb_transfers *transfers)
{
    CURL *easy = transfers->channel->easy;
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(easy, CURLOPT_MIMEPOST, NULL);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
    if (transfers->order->service->key_query != NULL)
        curl_easy_setopt(easy, CURLOPT_URL, NULL);
}

/* Sends the request with the key; no copy of ours is left. */
static CURLcode send_with(struct attempt *attempt, const struct kb_placement *placement, long timeout_ms)
{
    CURL *easy = attempt->transfers->channel->easy;
    struct curl_slist *headers = attempt->transfers->order->headers;
    struct curl_slist first = {.data = placement->header, .next = headers};
    attempt->transfers->channel->message[0] = '\0';
    if (placement->url != NULL)
        curl_easy_setopt(easy, CURLOPT_URL, placement->url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, placement->header != NULL ? &first : headers);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, attempt);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, attempt);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, attempt);
    return curl_easy_perform(easy);
}

static void judge(const struct attempt *attempt, kb_http_verdict *verdict)
{
    const kb_http_answer *answer = attempt->answer;
    const kb_http_evidence evidence = {.status = answer->status,
                                       .headers = answer->headers,
                                       .header_count = answer->header_count,
                                       .body = attempt->body.bytes,
                                       .body_len = attempt->body.len};
    kb_judge(attempt->transfers->order->service, &evidence, verdict);
}

static void obey(kb_http_answer *answer, const kb_http_verdict *verdict)
{
    answer->outcome = verdict->outcome;
    answer->retry_after_ms = verdict->wait_ms;
    memcpy(answer->rule, verdict->rule, sizeof(answer->rule));
}

static bool refuses_key(kb_outcome outcome)
{
    return (KB_FALLBACK(outcome) & KB_FALLBACK_ALL) != 0;
}

static void tell_failure(const struct attempt *attempt, CURLcode code)
{
    kb_http_answer *answer = attempt->answer;
    const char *message = attempt->transfers->channel->message;
    const char *reason = message[0] != '\0' ? message : curl_easy_strerror(code);
    if (attempt->over_limit) {
        kb_answer_fail(answer, KB_OUTCOME_CLIENT, "the answer is not kept", "it is longer than the limit");
    } else if (attempt->write_errno != 0) {
        kb_answer_fail(answer, KB_OUTCOME_CLIENT, "the answer is not kept", strerror(attempt->write_errno));
    } else if (attempt->broken) {
        kb_answer_fail(answer, KB_OUTCOME_TRANSIENT, "no answer", "the connection was lost after the request was sent");
        answer->ambiguous = 1;
    } else if (code == CURLE_ABORTED_BY_CALLBACK || code == CURLE_READ_ERROR) {
        kb_answer_fail(answer, KB_OUTCOME_CLIENT, "the request was not sent whole", "a part's file cannot be read");
    } else if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_LOGIN_DENIED) {
        kb_answer_fail(answer, KB_OUTCOME_CLIENT, "the request was not sent", curl_easy_strerror(code));
    } else {
        kb_answer_fail(answer, KB_OUTCOME_TRANSIENT, answer->status != 0 ? "no whole answer" : "no answer", reason);
        answer->ambiguous = attempt->begun;
    }
}

/* Whatever became of its body: a refusal of the key says that nothing was carried out. */
static void fail_attempt(struct attempt *attempt, CURLcode code, kb_http_verdict *verdict)
{
    kb_http_answer *answer = attempt->answer;
    tell_failure(attempt, code);
    if (answer->status != 0)
        judge(attempt, verdict);
    if (answer->status != 0 && refuses_key(verdict->outcome)) {
        obey(answer, verdict);
        answer->ambiguous = 0;
    }
}

/* A whole answer has come: judge it, and give a file its name. */
static void finish_attempt(struct attempt *attempt, kb_http_verdict *verdict)
{
    kb_http_answer *answer = attempt->answer;
    judge(attempt, verdict);
    obey(answer, verdict);
    const bool to_file = goes_to_file(attempt, answer->status);
    if (to_file && answer->outcome == KB_OUTCOME_OK) {
        const int error = kb_outfile_commit(attempt->transfers->file);
        if (error != 0)
            kb_answer_fail(answer, KB_OUTCOME_CLIENT, "the answer is not kept", strerror(error));
        answer->in_file = error == 0;
        return;
    }
    if (keep(attempt, NULL, 0) != 0) {
        kb_answer_fail(answer, KB_OUTCOME_CLIENT, "the answer is not kept", strerror(ENOMEM));
        return;
    }
    answer->body = attempt->body.bytes;
    answer->body_len = attempt->body.len;
    attempt->body = (struct kb_buffer){.bytes = NULL};
    if (to_file && attempt->received > answer->body_len)
        kb_answer_fail(answer, answer->outcome, "the answer is not kept whole", "it is an error, and a long one");
}

static void perform(struct attempt *attempt, const struct kb_placement *placement, long timeout_ms,
                    kb_http_verdict *verdict)
{
    const CURLcode code = send_with(attempt, placement, timeout_ms);
    attempt->answer->status = status_of(attempt);
    if (!kb_answer_take_headers(attempt->answer, &attempt->headers, attempt->header_count))
        attempt->write_errno = ENOMEM;
    if (code == CURLE_OK && attempt->write_errno == 0)
        finish_attempt(attempt, verdict);
    else
        fail_attempt(attempt, code, verdict);
}

void kb_transfer_run(const struct kb_transfers *transfers, const kb_key *key, long timeout_ms, kb_http_answer *answer,
                     kb_http_verdict *verdict)
{
    struct attempt attempt = {.transfers = transfers, .answer = answer};
    struct kb_placement placement = {0};
    kb_answer_begin(answer);
    *verdict = (kb_http_verdict){.wait_ms = -1};
    if (!kb_placement_fits(transfers->order->service, key)) {
        kb_answer_fail(answer, KB_OUTCOME_AUTH, "the request was not sent", "the key cannot stand in a header");
        return;
    }
    /* Another key's answer may have gone to the file before it turned out to be an error. */
    const int error = kb_outfile_restart(transfers->file);
    if (error != 0)
        kb_answer_fail(answer, KB_OUTCOME_CLIENT, "the request was not sent", strerror(error));
    else if (kb_placement_fill(&placement, transfers->order->service, transfers->order->url, key))
        perform(&attempt, &placement, timeout_ms, verdict);
    else
        kb_answer_fail(answer, KB_OUTCOME_CLIENT, "the request was not sent", strerror(ENOMEM));
    kb_placement_clear(&placement);
    kb_buffer_clear(&attempt.headers);
    kb_buffer_clear(&attempt.body);
    kb_answer_redact(answer, key->secret, key->secret_len);
}
