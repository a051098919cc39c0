#include "http/answer.h"

#include "http/redact.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void kb_answer_begin(kb_http_answer *answer)
{
    *answer = (kb_http_answer){.outcome = KB_OUTCOME_TRANSIENT, .retry_after_ms = -1};
}

void kb_answer_fail(kb_http_answer *answer, kb_outcome outcome, const char *what, const char *detail)
{
    free(answer->error);
    answer->outcome = outcome;
    if (asprintf(&answer->error, "%s: %s", what, detail) < 0)
        answer->error = NULL;
    snprintf(answer->rule, sizeof(answer->rule), "%s", what);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool kb_answer_collect(struct kb_buffer *collected, unsigned *count, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len), *end = line + len;
    if (colon == NULL || colon == line || is_blank(*line) || memchr(line, '\0', len) != NULL)
        return true;
    const char *value = colon + 1;
    while (value < end && is_blank(*value))
        value++;
    while (end > value && is_blank(end[-1]))
        end--;
    const size_t name_len = (size_t)(colon - line), value_len = (size_t)(end - value);
    if (*count >= KB_ANSWER_HEADERS || collected->len + name_len + value_len + 2 > KB_ANSWER_HEADER_BYTES)
        return true;
    char *at = kb_buffer_extend(collected, name_len + value_len + 2);
    if (at == NULL)
        return false;
    memcpy(at, line, name_len);
    at[name_len] = '\0';
    memcpy(at + name_len + 1, value, value_len);
    at[name_len + 1 + value_len] = '\0';
    ++*count;
    return true;
}

static void point_at(kb_http_header *headers, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        headers[i].name = text;
        headers[i].value = text + strlen(text) + 1;
        text = headers[i].value + strlen(headers[i].value) + 1;
    }
}

bool kb_answer_take_headers(kb_http_answer *answer, struct kb_buffer *collected, unsigned count)
{
    if (count == 0)
        return true;
    answer->headers = malloc(count * sizeof(*answer->headers));
    if (answer->headers == NULL)
        return false;
    answer->header_count = count;
    point_at(answer->headers, count, collected->bytes);
    *collected = (struct kb_buffer){.bytes = NULL};
    return true;
}

/* All names and values stand one behind the other: the first name is where their memory begins. */
static char *header_text(const kb_http_answer *answer, size_t *len)
{
    const kb_http_header *last = answer->headers + answer->header_count - 1;
    char *text = (char *)answer->headers[0].name;
    *len = (size_t)(last->value + strlen(last->value) + 1 - text);
    return text;
}

static void redact_headers(kb_http_answer *answer, const char *secret, size_t secret_len)
{
    size_t len;
    if (answer->header_count == 0)
        return;
    char *text = header_text(answer, &len);
    if (kb_redact(&text, &len, secret, secret_len)) {
        point_at(answer->headers, answer->header_count, text);
        return;
    }
    free(answer->headers);
    answer->headers = NULL;
    answer->header_count = 0;
}

void kb_answer_redact(kb_http_answer *answer, const char *secret, size_t secret_len)
{
    size_t error_len = answer->error != NULL ? strlen(answer->error) : 0;
    (void)kb_redact(&answer->error, &error_len, secret, secret_len);
    redact_headers(answer, secret, secret_len);
    if (kb_redact_needed(answer->rule, strlen(answer->rule), secret, secret_len))
        snprintf(answer->rule, sizeof(answer->rule), "[redacted]");
    if (!kb_redact(&answer->body, &answer->body_len, secret, secret_len))
        kb_answer_fail(answer, KB_OUTCOME_CLIENT, "the answer is not kept", "memory is short");
}

void kb_http_answer_clear(kb_http_answer *answer)
{
    if (answer == NULL)
        return;
    if (answer->body != NULL)
        explicit_bzero(answer->body, answer->body_len);
    free(answer->body);
    if (answer->header_count > 0) {
        size_t len;
        char *text = header_text(answer, &len);
        explicit_bzero(text, len);
        free(text);
    }
    free(answer->headers);
    free(answer->error);
    kb_answer_begin(answer);
}

const char *kb_http_answer_header(const kb_http_answer *answer, const char *name)
{
    for (size_t i = 0; answer != NULL && name != NULL && i < answer->header_count; i++)
        if (strcasecmp(answer->headers[i].name, name) == 0)
            return answer->headers[i].value;
    return NULL;
}
