#include "http/redact.h"

#include <stdlib.h>
#include <string.h>

static const char mark[] = "[redacted]";
#define MARK_LEN (sizeof(mark) - 1)

/* The value of `digits` hex digits, -1 if there are other characters among them. */
static int hex(const char *text, size_t len, size_t digits)
{
    int value = 0;
    if (len < digits)
        return -1;
    for (size_t i = 0; i < digits; i++) {
        const char c = text[i], lower = (char)(c | 0x20);
        if (c >= '0' && c <= '9')
            value = value * 16 + (c - '0');
        else if (lower >= 'a' && lower <= 'f')
            value = value * 16 + (lower - 'a' + 10);
        else
            return -1;
    }
    return value;
}

/* How many bytes of text spell this character, 0 if text does not begin with it. */
static size_t match_one(const char *text, size_t len, char wanted)
{
    const int code = (unsigned char)wanted;
    if (len == 0)
        return 0;
    if (*text == wanted)
        return 1;
    if (*text == '\\' && len > 1 && text[1] == wanted)
        return 2;
    if (*text == '\\' && len > 1 && (text[1] | 0x20) == 'u' && hex(text + 2, len - 2, 4) == code)
        return 6;
    if (*text == '%' && hex(text + 1, len - 1, 2) == code)
        return 3;
    return *text == '+' && wanted == ' ' ? 1 : 0;
}

/* How many bytes of text spell the secret, 0 if text does not begin with it. */
static size_t match(const char *text, size_t len, const char *secret, size_t secret_len)
{
    size_t at = 0;
    for (size_t i = 0; i < secret_len; i++) {
        const size_t one = match_one(text + at, len - at, secret[i]);
        if (one == 0)
            return 0;
        at += one;
    }
    return at;
}

/* Whether characters of text may stand for others. */
static bool is_coded(const char *text, size_t len)
{
    return memchr(text, '\\', len) != NULL || memchr(text, '%', len) != NULL || memchr(text, '+', len) != NULL;
}

/* Where the next occurrence begins, `len` if there is none; *found is its length. */
static size_t find(const char *text, size_t len, const char *secret, size_t secret_len, size_t *found)
{
    *found = 0;
    for (size_t at = 0; at < len; at++) {
        const char c = text[at];
        if (c != secret[0] && c != '\\' && c != '%' && c != '+')
            continue;
        *found = match(text + at, len - at, secret, secret_len);
        if (*found > 0)
            return at;
    }
    return len;
}

/* Copies text to out without the secret; out NULL only counts. Returns the length of the copy. */
static size_t copy(const char *text, size_t len, const char *secret, size_t secret_len, char *out)
{
    size_t written = 0;
    for (size_t at = 0; at < len;) {
        size_t found;
        const size_t plain = find(text + at, len - at, secret, secret_len, &found);
        if (out != NULL) {
            memcpy(out + written, text + at, plain);
            memcpy(out + written + plain, mark, found > 0 ? MARK_LEN : 0);
        }
        written += plain + (found > 0 ? MARK_LEN : 0);
        at += plain + found;
    }
    return written;
}

bool kb_redact_needed(const char *text, size_t len, const char *secret, size_t secret_len)
{
    size_t found;
    if (text == NULL || len == 0 || secret_len == 0)
        return false;
    if (!is_coded(text, len))
        return memmem(text, len, secret, secret_len) != NULL;
    return find(text, len, secret, secret_len, &found) < len;
}

bool kb_redact(char **text, size_t *len, const char *secret, size_t secret_len)
{
    if (!kb_redact_needed(*text, *len, secret, secret_len))
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
