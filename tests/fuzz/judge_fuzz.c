/* Any answer, judged as each service's: the first bytes choose the service, the status and how many lines are headers.
 */
#include "http/judge.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { HEADERS_MAX = 4 };

static const char *const services[] = {NULL,      "suno",     "stability", "google-maps", "alphavantage", "etherscan",
                                       "minimax", "facebook", "slack",     "kie",         "volcengine",   "unknown"};
enum { SERVICES = sizeof services / sizeof *services };

/* Takes a line "name:value" off the text, as strings of their own. */
static void take_header(kb_http_header *header, const char **text, size_t *len)
{
    const char *end = memchr(*text, '\n', *len);
    const size_t line = end != NULL ? (size_t)(end - *text) : *len;
    char *copy = malloc(line + 2);
    assert(copy != NULL);
    memcpy(copy, *text, line);
    copy[line] = copy[line + 1] = '\0';
    char *value = memchr(copy, ':', line);
    if (value != NULL)
        *value++ = '\0';
    *header = (kb_http_header){.name = copy, .value = value != NULL ? value : copy + line};
    *text += line + (end != NULL);
    *len -= line + (end != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    kb_http_header headers[HEADERS_MAX];
    kb_http_verdict verdict, again;
    if (size < 4)
        return 0;
    const size_t count = data[3] % (HEADERS_MAX + 1);
    const char *text = (const char *)data + 4;
    size_t len = size - 4;
    for (size_t i = 0; i < count; i++)
        take_header(&headers[i], &text, &len);
    char *body = malloc(len + 1); /* ends where the text ends, so that a read behind it is seen */
    assert(body != NULL);
    memcpy(body, text, len);
    const kb_http_evidence evidence = {.status = data[1] * 256 + data[2],
                                       .headers = headers,
                                       .header_count = count,
                                       .body = body,
                                       .body_len = len,
                                       .now = 1700000000};
    kb_http_judge(services[data[0] % SERVICES], &evidence, &verdict);
    assert(verdict.outcome <= KB_OUTCOME_CLIENT);
    assert(verdict.wait_ms >= -1 && verdict.wait_ms <= KB_HTTP_WAIT_MAX_MS);
    assert(memchr(verdict.rule, '\0', sizeof verdict.rule) != NULL && verdict.rule[0] != '\0');
    assert((verdict.outcome != KB_OUTCOME_OK && verdict.outcome != KB_OUTCOME_CLIENT) || verdict.wait_ms == -1);
    kb_http_judge(services[data[0] % SERVICES], &evidence, &again);
    assert(again.outcome == verdict.outcome && again.wait_ms == verdict.wait_ms);
    for (size_t i = 0; i < count; i++)
        free((void *)(uintptr_t)headers[i].name);
    free(body);
    return 0;
}
