#include "keypool/result.h"

#include "keypool/utf8.h"
#include "text/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_text(FILE *out, const char *text)
{
    kb_json_write_string(out, text, strlen(text));
}

static void write_base64(FILE *out, const char *bytes, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = (const unsigned char *)bytes;
    for (size_t at = 0; at < len; at += 3) {
        size_t left = len - at;
        uint32_t group = (uint32_t)in[at] << 16;
        group |= left > 1 ? (uint32_t)in[at + 1] << 8 : 0;
        group |= left > 2 ? in[at + 2] : 0;
        char text[] = {digits[group >> 18], digits[group >> 12 & 63], '=', '='};
        if (left > 1)
            text[2] = digits[group >> 6 & 63];
        if (left > 2)
            text[3] = digits[group & 63];
        fwrite(text, 1, sizeof(text), out);
    }
}

static void write_bytes(FILE *out, const char *bytes, size_t len)
{
    fputs(",\"body_base64\":\"", out);
    write_base64(out, bytes, len);
    fputc('"', out);
}

static void write_body(FILE *out, const struct kb_result *result)
{
    if (result->findings != NULL) {
        fprintf(out, ",\"findings\":%s", result->findings);
        if (result->data != NULL)
            write_bytes(out, (const char *)result->data, result->data_len);
    } else if (result->out != NULL) {
        fputs(",\"out\":", out);
        write_text(out, result->out);
    } else if (result->body != NULL && kb_utf8_valid(result->body, result->body_len)) {
        fputs(",\"body\":", out);
        kb_json_write_string(out, result->body, result->body_len);
    } else if (result->body != NULL) {
        write_bytes(out, result->body, result->body_len);
    }
}

static void write_result(FILE *out, const struct kb_result *result)
{
    fprintf(out,
            "{\"id\":%s,\"line\":%" PRIu64 ",\"status\":%d,\"fingerprint\":", result->id != NULL ? result->id : "null",
            result->line, result->status);
    if (result->fingerprint != NULL)
        write_text(out, result->fingerprint);
    else
        fputs("null", out);
    if (result->lost)
        fputs(",\"attempts\":null", out);
    else
        fprintf(out, ",\"attempts\":%u", result->attempts);
    fprintf(out, ",\"outcome\":\"%s\",\"ms\":%" PRId64, result->outcome, result->ms);
    if (result->ambiguous)
        fputs(",\"ambiguous\":true", out);
    if (result->rule != NULL) {
        fputs(",\"rule\":", out);
        write_text(out, result->rule);
    }
    if (result->error != NULL) {
        fputs(",\"error\":", out);
        write_text(out, result->error);
    }
    write_body(out, result);
    fputs("}\n", out);
}

char *kb_result_text(const struct kb_result *result, size_t *len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, len);
    if (out == NULL)
        return NULL;
    write_result(out, result);
    bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}
