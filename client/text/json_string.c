/*
 * json_string.c: the characters of JSON strings, read and written.
 *
 * A string's raw text has passed the grammar check: every escape is whole.
 */
#include "text/json.h"

#include <string.h>

enum { REPLACEMENT = 0xFFFD };

static bool is_surrogate(uint32_t c)
{
    return c >= 0xD800 && c <= 0xDFFF;
}

/* Reads the character at `at` < end; what is no UTF-8 counts as one byte of U+FFFD. Returns the bytes read. */
static size_t utf8_read(const char *at, const char *end, uint32_t *out)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = (unsigned char)*at;
    size_t n = lead < 0x80 ? 1 : lead < 0xC0 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF8 ? 4 : 0;
    *out = REPLACEMENT;
    if (n == 0 || n > (size_t)(end - at))
        return 1;
    uint32_t c = n == 1 ? lead : lead & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 1;
        c = c << 6 | (at[i] & 0x3F);
    }
    if (c < least[n] || c > 0x10FFFF || is_surrogate(c))
        return 1;
    *out = c;
    return n;
}

static size_t utf8_write(uint32_t c, char out[4])
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)(n == 1 ? c : (0xF00u >> n & 0xF0u) | c);
    return n;
}

static uint32_t read_hex4(const char *at)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        bool letter = at[i] > '9';
        value = value << 4 | (uint32_t)((at[i] & 0xF) + (letter ? 9 : 0));
    }
    return value;
}

/* Reads the escape whose backslash is at `at`. Returns the bytes read: two escapes are one character
 * if they are a surrogate pair. */
static size_t escape_read(const char *at, const char *end, uint32_t *out)
{
    static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    const char *letter = strchr(letters, at[1]);
    if (at[1] != 'u') {
        *out = (unsigned char)(letter != NULL ? meanings[letter - letters] : at[1]);
        return 2;
    }
    uint32_t high = read_hex4(at + 2);
    *out = is_surrogate(high) ? REPLACEMENT : high;
    if (high < 0xD800 || high > 0xDBFF || end - at < 12 || at[6] != '\\' || at[7] != 'u')
        return 6;
    uint32_t low = read_hex4(at + 8);
    if (low < 0xDC00 || low > 0xDFFF)
        return 6;
    *out = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    return 12;
}

/* Reads the character at *at, moves *at behind it, and gives its UTF-8 and its length. */
static size_t next_char(const char **at, const char *end, char utf8[4])
{
    uint32_t c;
    *at += **at == '\\' ? escape_read(*at, end, &c) : utf8_read(*at, end, &c);
    return utf8_write(c, utf8);
}

ptrdiff_t kb_json_string(const struct kb_json *doc, int token, char *out, size_t out_size)
{
    size_t len, used = 0;
    const char *at = kb_json_raw(doc, token, &len);
    const char *end = at + len;
    if (kb_json_type(doc, token) != KB_JSON_STRING)
        return -1;
    while (at < end) {
        char utf8[4];
        size_t n = next_char(&at, end, utf8);
        if (n > out_size - used)
            return -1;
        memcpy(out + used, utf8, n);
        used += n;
    }
    if (used == out_size)
        return -1;
    out[used] = '\0';
    return (ptrdiff_t)used;
}

bool kb_json_equals(const struct kb_json *doc, int token, const char *text)
{
    size_t len;
    const char *at = kb_json_raw(doc, token, &len);
    const char *end = at + len;
    if (kb_json_type(doc, token) != KB_JSON_STRING)
        return false;
    while (at < end) {
        char utf8[4];
        size_t n = next_char(&at, end, utf8);
        for (size_t i = 0; i < n; i++, text++)
            if (*text == '\0' || *text != utf8[i])
                return false;
    }
    return *text == '\0';
}

/* Control characters are escaped whether JSON asks for it or not: the text may end on a terminal. */
static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

static bool is_plain(char c)
{
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

static void write_char(FILE *out, uint32_t c)
{
    if (c == '"' || c == '\\') {
        fprintf(out, "\\%c", (int)c);
    } else if (c == '\n') {
        fputs("\\n", out);
    } else if (is_control(c)) {
        fprintf(out, "\\u%04x", (unsigned)c);
    } else {
        char utf8[4];
        size_t n = utf8_write(c, utf8);
        fwrite(utf8, 1, n, out);
    }
}

void kb_json_write_string(FILE *out, const char *text, size_t len)
{
    const char *end = text + len;
    fputc('"', out);
    while (text < end) {
        const char *run = text;
        while (text < end && is_plain(*text))
            text++;
        fwrite(run, 1, (size_t)(text - run), out);
        if (text < end) {
            uint32_t c;
            text += utf8_read(text, end, &c);
            write_char(out, c);
        }
    }
    fputc('"', out);
}
