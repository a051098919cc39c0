#include "log.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "request.h"

static const char MASK[] = "***";

struct kb_upstream_log {
    pthread_mutex_t mutex;
    char *entry[KB_UPSTREAM_LOG_MAX]; /* a ring: number n is at n % MAX */
    uint64_t count;
};

/* An object of names and values while it is written. */
struct writing {
    FILE *out;
    const char *secret;      /* NULL: none came */
    const char *masked_name; /* its value is a secret whatever it is; NULL: none */
    bool fold;               /* names in lower case */
    unsigned count;
};

struct kb_upstream_log *kb_upstream_log_new(void)
{
    struct kb_upstream_log *log = calloc(1, sizeof *log);
    if (log && pthread_mutex_init(&log->mutex, NULL)) {
        free(log);
        return NULL;
    }
    return log;
}

void kb_upstream_log_free(struct kb_upstream_log *log)
{
    if (!log)
        return;
    for (int i = 0; i < KB_UPSTREAM_LOG_MAX; i++)
        free(log->entry[i]);
    pthread_mutex_destroy(&log->mutex);
    free(log);
}

static void write_char(FILE *out, unsigned char c)
{
    if (c == '"' || c == '\\')
        fprintf(out, "\\%c", c);
    else if (c < 0x20 || c >= 0x7f)
        fprintf(out, "\\u%04x", c); /* as Latin-1 */
    else
        fputc(c, out);
}

static void write_text(FILE *out, const char *text, bool fold)
{
    fputc('"', out);
    for (; *text; text++)
        write_char(out, (unsigned char)(fold ? tolower((unsigned char)*text) : *text));
    fputc('"', out);
}

static void write_masked(FILE *out, const char *text, const char *secret)
{
    const size_t secret_len = secret ? strlen(secret) : 0;
    fputc('"', out);
    while (*text) {
        if (secret_len > 0 && strncmp(text, secret, secret_len) == 0) {
            fputs(MASK, out);
            text += secret_len;
        } else {
            write_char(out, (unsigned char)*text++);
        }
    }
    fputc('"', out);
}

static enum MHD_Result write_member(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct writing *writing = cls;
    const bool masked = (writing->masked_name && strcasecmp(name, writing->masked_name) == 0) ||
                        (kind == MHD_HEADER_KIND && strcasecmp(name, MHD_HTTP_HEADER_AUTHORIZATION) == 0);
    (void)kind;
    if (writing->count++ > 0)
        fputc(',', writing->out);
    write_text(writing->out, name, writing->fold);
    fputc(':', writing->out);
    if (masked && (!writing->secret || !value || !strstr(value, writing->secret)))
        write_text(writing->out, MASK, false);
    else
        write_masked(writing->out, value ? value : "", writing->secret);
    return MHD_YES;
}

static void write_values(FILE *out, struct MHD_Connection *connection, enum MHD_ValueKind kind, const char *secret,
                         const char *masked_name)
{
    struct writing writing = {
        .out = out, .secret = secret, .masked_name = masked_name, .fold = kind == MHD_HEADER_KIND};
    fputc('{', out);
    MHD_get_connection_values(connection, kind, write_member, &writing);
    fputc('}', out);
}

static void write_entry(FILE *out, const struct kb_upstream *upstream, struct MHD_Connection *connection,
                        const char *method, const char *url, const struct kb_upstream_request *request)
{
    const char *secret = kb_upstream_secret(upstream, connection);
    fputs("{\"method\":", out);
    write_text(out, method, false);
    fputs(",\"path\":", out);
    write_masked(out, url, secret);
    fputs(",\"query\":", out);
    write_values(out, connection, MHD_GET_ARGUMENT_KIND, secret, upstream->key_query);
    fputs(",\"key\":", out);
    if (request->key >= 0)
        write_text(out, kb_upstream_keys_name(upstream->keys, request->key), false);
    else
        fputs("null", out);
    fputs(",\"headers\":", out);
    write_values(out, connection, MHD_HEADER_KIND, secret, upstream->key_header);
    fprintf(out, ",\"body_bytes\":%ju,\"parts\":[", (uintmax_t)request->body_bytes);
    for (unsigned i = 0; i < request->part_count; i++) {
        fputs(i ? "," : "", out);
        write_masked(out, request->parts[i], secret);
    }
    fputs("]}", out);
}

void kb_upstream_log_add(const struct kb_upstream *upstream, struct MHD_Connection *connection, const char *method,
                         const char *url, const struct kb_upstream_request *request)
{
    struct kb_upstream_log *log = upstream->log;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return;
    write_entry(out, upstream, connection, method, url, request);
    if (fclose(out)) {
        free(text);
        return;
    }
    pthread_mutex_lock(&log->mutex);
    char **entry = &log->entry[log->count++ % KB_UPSTREAM_LOG_MAX];
    free(*entry);
    *entry = text;
    pthread_mutex_unlock(&log->mutex);
}

char *kb_upstream_log_text(struct kb_upstream_log *log)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return NULL;
    fputs("{\"requests\":[", out);
    pthread_mutex_lock(&log->mutex);
    const uint64_t first = log->count > KB_UPSTREAM_LOG_MAX ? log->count - KB_UPSTREAM_LOG_MAX : 0;
    for (uint64_t n = first; n < log->count; n++)
        fprintf(out, "%s\n%s", n > first ? "," : "", log->entry[n % KB_UPSTREAM_LOG_MAX]);
    pthread_mutex_unlock(&log->mutex);
    fputs("\n]}\n", out);
    if (fclose(out)) {
        free(text);
        return NULL;
    }
    return text;
}
