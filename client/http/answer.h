/*
 * answer.h: how a kb_http_answer is put together.
 */
#ifndef KB_HTTP_ANSWER_H
#define KB_HTTP_ANSWER_H

#include "http/buffer.h"
#include "keybroker/http.h"

enum { KB_ANSWER_HEADERS = 200, KB_ANSWER_HEADER_BYTES = 64 << 10 }; /* kept; more are dropped */

/* Without anything: what a request begins with. */
void kb_answer_begin(kb_http_answer *answer);

/* Sets the outcome, and the error to "what: detail". */
void kb_answer_fail(kb_http_answer *answer, kb_outcome outcome, const char *what, const char *detail);

/* Adds the header in this line, as it came, to those collected: "name NUL value NUL" each. A line that is none is left
 * out. False if memory is short. */
bool kb_answer_collect(struct kb_buffer *collected, unsigned *count, const char *line, size_t len);
/* Hands the collected headers over to the answer. False if memory is short. */
bool kb_answer_take_headers(kb_http_answer *answer, struct kb_buffer *collected, unsigned count);

/* Takes the secret out of body, headers, rule and error. What memory is too short for is left out. */
void kb_answer_redact(kb_http_answer *answer, const char *secret, size_t secret_len);

#endif
