#include "text/json_grammar.h"

#include <string.h>

enum { END = -1 };

struct scan {
    const char *at;
    const char *end;
    unsigned depth;
    unsigned tokens;
    const char *what; /* the first error */
};

static bool scan_value(struct scan *s);

static int peek(const struct scan *s)
{
    return s->at < s->end ? (unsigned char)*s->at : END;
}

static bool accept(struct scan *s, char wanted)
{
    if (s->at == s->end || *s->at != wanted)
        return false;
    s->at++;
    return true;
}

static bool fail(struct scan *s, const char *what)
{
    s->what = s->at < s->end ? what : "the text ends too early";
    return false;
}

static void skip_space(struct scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
        s->at++;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(int c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool scan_word(struct scan *s, const char *word)
{
    for (; *word != '\0'; word++)
        if (!accept(s, *word))
            return fail(s, "no JSON value");
    return true;
}

static bool scan_digits(struct scan *s)
{
    if (!is_digit(peek(s)))
        return fail(s, "a digit is missing");
    while (is_digit(peek(s)))
        s->at++;
    return true;
}

static bool scan_number(struct scan *s)
{
    (void)accept(s, '-');
    if (!accept(s, '0') && !scan_digits(s))
        return false;
    if (accept(s, '.') && !scan_digits(s))
        return false;
    if (!accept(s, 'e') && !accept(s, 'E'))
        return true;
    if (!accept(s, '+'))
        (void)accept(s, '-');
    return scan_digits(s);
}

static bool scan_escape(struct scan *s)
{
    int c = peek(s);
    if (c == END || c == '\0' || strchr("\"\\/bfnrtu", c) == NULL)
        return fail(s, "unknown escape in a string");
    s->at++;
    for (int i = 0; c == 'u' && i < 4; i++) {
        if (!is_hex(peek(s)))
            return fail(s, "\\u needs four hex digits");
        s->at++;
    }
    return true;
}

/* The opening quote has been read. */
static bool scan_string(struct scan *s)
{
    while (!accept(s, '"')) {
        if (peek(s) < 0x20)
            return fail(s, "control character in a string");
        if (accept(s, '\\')) {
            if (!scan_escape(s))
                return false;
        } else {
            s->at++;
        }
    }
    return true;
}

static bool count_token(struct scan *s)
{
    return ++s->tokens <= KB_JSON_TOKENS_MAX || fail(s, "too many values");
}

static bool scan_member(struct scan *s)
{
    skip_space(s);
    if (!accept(s, '"'))
        return fail(s, "a member's name is missing");
    if (!count_token(s) || !scan_string(s))
        return false;
    skip_space(s);
    if (!accept(s, ':'))
        return fail(s, "':' is missing");
    return scan_value(s);
}

/* The opening bracket has been read; every element, or member, is scanned by `element`. */
static bool scan_container(struct scan *s, char close, bool (*element)(struct scan *))
{
    if (++s->depth > KB_JSON_DEPTH_MAX)
        return fail(s, "nested too deep");
    skip_space(s);
    if (!accept(s, close)) {
        do {
            if (!element(s))
                return false;
        } while (accept(s, ','));
        if (!accept(s, close))
            return fail(s, close == '}' ? "',' or '}' is missing" : "',' or ']' is missing");
    }
    s->depth--;
    return true;
}

static bool scan_bare_value(struct scan *s)
{
    if (accept(s, '{'))
        return scan_container(s, '}', scan_member);
    if (accept(s, '['))
        return scan_container(s, ']', scan_value);
    if (accept(s, '"'))
        return scan_string(s);
    switch (peek(s)) {
    case 't':
        return scan_word(s, "true");
    case 'f':
        return scan_word(s, "false");
    case 'n':
        return scan_word(s, "null");
    default:
        return peek(s) == '-' || is_digit(peek(s)) ? scan_number(s) : fail(s, "no JSON value");
    }
}

static bool scan_value(struct scan *s)
{
    skip_space(s);
    if (!count_token(s) || !scan_bare_value(s))
        return false;
    skip_space(s);
    return true;
}

unsigned kb_json_line_at(const char *text, size_t offset)
{
    unsigned line = 1;
    const char *end = text + offset;
    for (const char *at = text; (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++)
        line++;
    return line;
}

bool kb_json_check(const char *text, size_t len, unsigned *tokens, struct kb_json_error *error)
{
    *error = (struct kb_json_error){.line = 1};
    if (len == 0 || len > KB_JSON_SIZE_MAX) {
        error->what = len == 0 ? "the text is empty" : "the text is too large";
        return false;
    }
    struct scan s = {.at = text, .end = text + len};
    if (scan_value(&s) && s.at < s.end)
        (void)fail(&s, "more text behind the value");
    if (s.what != NULL) {
        error->line = kb_json_line_at(text, (size_t)(s.at - text));
        error->what = s.what;
        return false;
    }
    *tokens = s.tokens;
    return true;
}
