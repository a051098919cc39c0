#include "scripted.h"

#include <stdlib.h>
#include <string.h>

#include "gzip.h"
#include "response.h"

/* A body while it is sent. Its filling is made as it goes out, so that any size costs no memory. */
struct body {
    const struct kb_upstream *upstream;
    char *text; /* may hold a secret */
    uint64_t len, size, cut;
    int stall_ms;
};

/* text with {KEY} replaced by the secret; the caller frees it. NULL when memory is short. */
static char *fill_in(const char *text, size_t len, const char *secret, size_t *out_len)
{
    static const char mark[] = "{KEY}";
    const size_t mark_len = sizeof mark - 1, secret_len = strlen(secret);
    const char *end = text + len;
    size_t marks = 0;
    for (const char *at = text; at && (at = memmem(at, (size_t)(end - at), mark, mark_len)); at += mark_len)
        marks++;
    char *out = malloc(len + marks * secret_len + 1), *to = out;
    while (out && text < end) {
        const char *at = memmem(text, (size_t)(end - text), mark, mark_len);
        const size_t before = (size_t)((at ? at : end) - text);
        memcpy(to, text, before);
        to += before;
        if (at) {
            memcpy(to, secret, secret_len);
            to += secret_len;
        }
        text = at ? at + mark_len : end;
    }
    if (out) {
        *to = '\0';
        *out_len = (size_t)(to - out);
    }
    return out;
}

static ssize_t give(void *cls, uint64_t position, char *out, size_t room)
{
    struct body *body = cls;
    if (position >= body->cut) {
        kb_upstream_delay(body->upstream, body->stall_ms);
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    const uint64_t end = body->cut < body->size ? body->cut : body->size;
    const size_t n = room < end - position ? room : (size_t)(end - position);
    const uint64_t left = position < body->len ? body->len - position : 0;
    const size_t text = left < n ? (size_t)left : n;
    if (text > 0)
        memcpy(out, body->text + position, text);
    memset(out + text, 'x', n - text);
    return (ssize_t)n;
}

static void drop(void *cls)
{
    struct body *body = cls;
    if (body->text)
        explicit_bzero(body->text, body->len);
    free(body->text);
    free(body);
}

/* Fills the text in, and packs it if the script says so. */
static bool prepare(struct body *body, const struct kb_upstream_script *script, const char *secret)
{
    size_t len = 0, packed_len = 0;
    body->text = fill_in(script->body ? script->body : "", script->body_len, secret, &len);
    body->len = len;
    if (body->text && script->gzip) {
        char *packed = kb_upstream_gzip(body->text, len, &packed_len);
        explicit_bzero(body->text, len);
        free(body->text);
        body->text = packed;
        body->len = packed_len;
    }
    body->size = body->len < script->size ? script->size : body->len;
    body->cut = script->cut;
    body->stall_ms = script->stall_ms;
    return body->text != NULL;
}

static void say_headers(struct MHD_Response *response, const struct kb_upstream_script *script, const char *secret)
{
    if (*script->type)
        kb_upstream_say(response, MHD_HTTP_HEADER_CONTENT_TYPE, script->type);
    if (script->gzip)
        kb_upstream_say(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    for (unsigned i = 0; i < script->header_count; i++) {
        size_t len = 0;
        char *value = fill_in(script->headers[i].value, strlen(script->headers[i].value), secret, &len);
        if (value) {
            kb_upstream_say(response, script->headers[i].name, value);
            explicit_bzero(value, len);
        }
        free(value);
    }
}

enum MHD_Result kb_upstream_answer_script(const struct kb_upstream *upstream, struct MHD_Connection *connection,
                                          const struct kb_upstream_script *script, const char *secret)
{
    kb_upstream_delay(upstream, script->delay_ms);
    struct body *body = script->status ? calloc(1, sizeof *body) : NULL;
    if (!body)
        return MHD_NO;
    body->upstream = upstream;
    struct MHD_Response *response =
        prepare(body, script, secret) ? MHD_create_response_from_callback(body->size, 1 << 16, give, body, drop) : NULL;
    if (!response) {
        drop(body);
        return MHD_NO;
    }
    say_headers(response, script, secret);
    return kb_upstream_queue(connection, script->status, response);
}
