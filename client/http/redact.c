#include "redact.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char mark[] = "[redacted]";
#define MARK_LEN (sizeof(mark) - 1)

/* How many bytes of text spell the secret, 0 if text does not begin with it. */
static size_t match(const char *text, size_t len, const char *secret, size_t secret_len)
{
    size_t at = 0;
    for (size_t i = 0; i < secret_len; i++) {
        if (at + 1 < len && text[at] == '\\' && text[at] != secret[i])
            at++;
        if (at >= len || text[at] != secret[i])
            return 0;
        at++;
    }
    return at;
}

/* Copies text to out without the secret; out NULL only counts. Returns the length of the copy. */
static size_t copy(const char *text, size_t len, const char *secret, size_t secret_len, char *out)
{
    size_t written = 0;
    for (size_t at = 0; at < len;) {
        const char *begin = memchr(text + at, secret[0], len - at);
        size_t plain = begin != NULL ? (size_t)(begin - text) - at : len - at;
        size_t found = begin != NULL ? match(begin, len - at - plain, secret, secret_len) : 0;
        if (begin != NULL && found == 0)
            plain++;
        if (out != NULL)
            memcpy(out + written, text + at, plain);
        written += plain;
        at += plain + found;
        if (found == 0)
            continue;
        if (out != NULL)
            memcpy(out + written, mark, MARK_LEN);
        written += MARK_LEN;
    }
    return written;
}

static bool occurs(const char *text, size_t len, const char *secret, size_t secret_len)
{
    const char *end = text + len;
    for (const char *at = text; (at = memchr(at, secret[0], (size_t)(end - at))) != NULL; at++)
        if (match(at, (size_t)(end - at), secret, secret_len) > 0)
            return true;
    return false;
}

bool kb_redact(char **text, size_t *len, const char *secret, size_t secret_len)
{
    if (*text == NULL || secret_len == 0 || !occurs(*text, *len, secret, secret_len))
        return true;
    size_t new_len = copy(*text, *len, secret, secret_len, NULL);
    char *redacted = malloc(new_len + 1);
    if (redacted != NULL) {
        copy(*text, *len, secret, secret_len, redacted);
        redacted[new_len] = '\0';
    }
    explicit_bzero(*text, *len);
    free(*text);
    *text = redacted;
    *len = redacted != NULL ? new_len : 0;
    return redacted != NULL;
}
