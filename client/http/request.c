#include "request.h"

#include "outcome.h"
#include "outfile.h"
#include "redact.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BEARER "Authorization: Bearer "

/* A request on its way. */
struct transfer {
    CURL *easy;
    const struct kb_request *request;
    struct kb_answer *answer;
    struct kb_outfile file;
    size_t received;
    size_t body_size; /* allocated for answer->body */
    bool begun;       /* sending has begun */
    bool over_limit;
    int write_errno; /* of the file, or ENOMEM; 0: none */
    char message[CURL_ERROR_SIZE];
};

static int status_of(CURL *easy)
{
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

static bool is_success(int status)
{
    return status >= 200 && status < 300;
}

/*
 * Called before each sending. libcurl sends a request again by itself when a kept connection breaks
 * before the answer; upstream may have carried out the first one, so a second is refused.
 */
static int begin_sending(void *arg, char *peer, char *local, int peer_port, int local_port)
{
    (void)peer, (void)local, (void)peer_port, (void)local_port;
    struct transfer *transfer = arg;
    if (transfer->begun)
        return CURL_PREREQFUNC_ABORT;
    transfer->begun = true;
    return CURL_PREREQFUNC_OK;
}

/* An answer may echo the secret, so outgrown memory is wiped, which realloc would not do. */
static bool grow_body(struct transfer *transfer, size_t needed)
{
    struct kb_answer *answer = transfer->answer;
    size_t size = transfer->body_size > 0 ? transfer->body_size : 4096;
    while (size < needed)
        size *= 2;
    char *grown = malloc(size);
    if (grown == NULL)
        return false;
    if (answer->body != NULL) {
        memcpy(grown, answer->body, answer->body_len);
        explicit_bzero(answer->body, answer->body_len);
        free(answer->body);
    }
    answer->body = grown;
    transfer->body_size = size;
    return true;
}

static int keep_in_memory(struct transfer *transfer, const char *bytes, size_t len)
{
    struct kb_answer *answer = transfer->answer;
    size_t needed = answer->body_len + len;
    if (needed > transfer->body_size && !grow_body(transfer, needed))
        return ENOMEM;
    memcpy(answer->body + answer->body_len, bytes, len);
    answer->body_len = needed;
    return 0;
}

/* libcurl's write function: anything but len ends the transfer. */
static size_t take_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct transfer *transfer = arg;
    size_t len = size * count;
    bool to_file = transfer->file.fd >= 0 && is_success(status_of(transfer->easy));
    size_t memory_max = transfer->request->answer_max > 0 ? transfer->request->answer_max : KB_REQUEST_BODY_MAX;
    if (len > (to_file ? KB_REQUEST_FILE_MAX : memory_max) - transfer->received) {
        transfer->over_limit = true;
        return CURL_WRITEFUNC_ERROR;
    }
    transfer->received += len;
    transfer->write_errno =
        to_file ? kb_outfile_write(&transfer->file, bytes, len) : keep_in_memory(transfer, bytes, len);
    return transfer->write_errno == 0 ? len : CURL_WRITEFUNC_ERROR;
}

static bool append_header(struct curl_slist **list, const char *name, const char *value)
{
    char *line = NULL;
    /* libcurl takes "name:" as the wish to leave a header out, "name;" as an empty one. */
    int len = *value != '\0' ? asprintf(&line, "%s: %s", name, value) : asprintf(&line, "%s;", name);
    struct curl_slist *longer = len >= 0 ? curl_slist_append(*list, line) : NULL;
    free(line);
    if (longer != NULL)
        *list = longer;
    return longer != NULL;
}

/* The request's headers, and those that keep libcurl from adding its own. False: memory is short. */
static bool build_headers(const struct kb_request *request, struct curl_slist **list)
{
    static const char *const unwanted[] = {"Content-Type:", "Expect:"};
    for (size_t i = 0; i < sizeof(unwanted) / sizeof(*unwanted); i++) {
        size_t name_len = strlen(unwanted[i]) - 1;
        bool given = false;
        for (size_t h = 0; h < request->header_count; h++)
            given = given || (strlen(request->headers[h].name) == name_len &&
                              strncasecmp(request->headers[h].name, unwanted[i], name_len) == 0);
        struct curl_slist *longer = given ? *list : curl_slist_append(*list, unwanted[i]);
        if (!given && longer == NULL)
            return false;
        *list = longer;
    }
    for (size_t h = 0; h < request->header_count; h++)
        if (!append_header(list, request->headers[h].name, request->headers[h].value))
            return false;
    return true;
}

static void set_method(CURL *easy, const struct kb_request *request)
{
    bool has_body = request->body != NULL;
    if (strcmp(request->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    /* Methods that usually carry a body say so when it is empty. */
    if (has_body || request->method[0] == 'P') {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, has_body ? request->body : "");
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(has_body ? request->body_len : 0));
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_options(struct transfer *transfer, struct curl_slist *headers)
{
    CURL *easy = transfer->easy;
    set_method(easy, transfer->request);
    curl_easy_setopt(easy, CURLOPT_URL, transfer->request->url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "keybroker/" KB_VERSION);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, transfer->request->timeout_ms);
    /* Every coding libcurl knows is decoded, so that a secret echoed in a coded answer is found. */
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, begin_sending);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->message);
}

static bool fits_header(const char *secret, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)secret[i] < ' ' || secret[i] == 0x7f)
            return false;
    return len > 0 && len <= KB_SECRET_MAX;
}

/* Sends the request with the secret at the head of the list; no copy of ours is left. */
static CURLcode send_with_secret(struct transfer *transfer, struct curl_slist *headers, const char *secret, size_t len)
{
    char line[sizeof(BEARER) + KB_SECRET_MAX] = BEARER;
    memcpy(line + sizeof(BEARER) - 1, secret, len);
    struct curl_slist first = {.data = line, .next = headers};
    set_options(transfer, &first);
    CURLcode code = curl_easy_perform(transfer->easy);
    explicit_bzero(line, sizeof(line));
    return code;
}

static void fail(struct kb_answer *answer, kb_outcome outcome, const char *what, const char *detail)
{
    answer->outcome = outcome;
    if (asprintf(&answer->error, "%s: %s", what, detail) < 0)
        answer->error = NULL;
}

static void drop_body(struct kb_answer *answer)
{
    if (answer->body != NULL)
        explicit_bzero(answer->body, answer->body_len);
    free(answer->body);
    answer->body = NULL;
    answer->body_len = 0;
}

static void judge(struct transfer *transfer)
{
    struct kb_answer *answer = transfer->answer;
    struct curl_header *header;
    answer->outcome = kb_outcome_judge(answer->status);
    if (answer->outcome != KB_OUTCOME_OK && answer->outcome != KB_OUTCOME_CLIENT &&
        curl_easy_header(transfer->easy, "Retry-After", 0, CURLH_HEADER, -1, &header) == CURLHE_OK)
        answer->retry_after_ms = kb_outcome_wait(header->value, time(NULL));
}

static bool refuses_key(int status)
{
    kb_outcome outcome = kb_outcome_judge(status);
    return outcome == KB_OUTCOME_AUTH || outcome == KB_OUTCOME_QUOTA || outcome == KB_OUTCOME_RATE;
}

static void fail_transfer(struct transfer *transfer, CURLcode code)
{
    struct kb_answer *answer = transfer->answer;
    if (transfer->over_limit) {
        fail(answer, KB_OUTCOME_CLIENT, "the answer is not kept", "it is longer than the limit");
    } else if (transfer->write_errno != 0) {
        fail(answer, KB_OUTCOME_CLIENT, "the answer is not kept", strerror(transfer->write_errno));
    } else if (code == CURLE_ABORTED_BY_CALLBACK) {
        fail(answer, KB_OUTCOME_TRANSIENT, "no answer", "the connection was lost after the request was sent");
        answer->ambiguous = true;
    } else if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_LOGIN_DENIED) {
        fail(answer, KB_OUTCOME_CLIENT, "the request was not sent", curl_easy_strerror(code));
    } else {
        const char *reason = transfer->message[0] != '\0' ? transfer->message : curl_easy_strerror(code);
        fail(answer, KB_OUTCOME_TRANSIENT, answer->status != 0 ? "no whole answer" : "no answer", reason);
        answer->ambiguous = transfer->begun;
    }
    /* Whatever became of its body: a refusal of the key says that nothing was carried out. */
    if (refuses_key(answer->status)) {
        judge(transfer);
        answer->ambiguous = false;
    }
    drop_body(answer);
}

/* A whole answer has come: judge it, and give a file its name. */
static void finish_transfer(struct transfer *transfer)
{
    struct kb_answer *answer = transfer->answer;
    judge(transfer);
    if (transfer->file.fd >= 0 && is_success(answer->status)) {
        int error = kb_outfile_commit(&transfer->file);
        if (error != 0)
            fail(answer, KB_OUTCOME_CLIENT, "the answer is not kept", strerror(error));
        else
            answer->in_file = true;
    } else if (answer->body == NULL && !grow_body(transfer, 1)) {
        fail(answer, KB_OUTCOME_CLIENT, "the answer is not kept", strerror(ENOMEM));
    }
}

static void redact_answer(struct kb_answer *answer, const char *secret, size_t secret_len)
{
    size_t error_len = answer->error != NULL ? strlen(answer->error) : 0;
    (void)kb_redact(&answer->error, &error_len, secret, secret_len);
    if (!kb_redact(&answer->body, &answer->body_len, secret, secret_len))
        fail(answer, KB_OUTCOME_CLIENT, "the answer is not kept", strerror(ENOMEM));
}

static void run_transfer(struct transfer *transfer, const char *secret, size_t secret_len)
{
    struct curl_slist *headers = NULL;
    if (build_headers(transfer->request, &headers)) {
        CURLcode code = send_with_secret(transfer, headers, secret, secret_len);
        transfer->answer->status = status_of(transfer->easy);
        if (code == CURLE_OK)
            finish_transfer(transfer);
        else
            fail_transfer(transfer, code);
    } else {
        fail(transfer->answer, KB_OUTCOME_CLIENT, "the request was not sent", strerror(ENOMEM));
    }
    curl_slist_free_all(headers);
    /* Forgets every pointer into this call, and keeps the connections. */
    curl_easy_reset(transfer->easy);
}

void kb_request_perform(CURL *easy, const struct kb_request *request, const char *secret, size_t secret_len,
                        struct kb_answer *answer)
{
    assert(request->timeout_ms > 0);
    *answer = (struct kb_answer){.retry_after_ms = -1};
    struct transfer transfer = {.easy = easy, .request = request, .answer = answer, .file = KB_OUTFILE_CLOSED};
    if (!fits_header(secret, secret_len)) {
        fail(answer, KB_OUTCOME_AUTH, "the request was not sent", "the key cannot stand in a header");
        return;
    }
    /* The file comes first: where it cannot be made, no call is spent. */
    int error = request->out != NULL ? kb_outfile_open(&transfer.file, request->out) : 0;
    if (error != 0) {
        fail(answer, KB_OUTCOME_CLIENT, "cannot make the output file", strerror(error));
        return;
    }
    run_transfer(&transfer, secret, secret_len);
    kb_outfile_abandon(&transfer.file);
    redact_answer(answer, secret, secret_len);
}

void kb_answer_clear(struct kb_answer *answer)
{
    drop_body(answer);
    free(answer->error);
    *answer = (struct kb_answer){.retry_after_ms = -1};
}
