#include "dotenv.h"

#include <stdbool.h>
#include <string.h>

struct parser {
    char *at; /* where the current line begins */
    char *end;
    unsigned line;
    const struct kb_dotenv_reader *reader;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static bool is_name_start(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_name(char c)
{
    return is_name_start(c) || (c >= '0' && c <= '9') || c == '.' || c == '-';
}

static char *skip_blanks(char *at, const char *end)
{
    while (at < end && is_blank(*at))
        at++;
    return at;
}

static char *line_end(char *at, char *end)
{
    char *newline = memchr(at, '\n', (size_t)(end - at));
    return newline != NULL ? newline : end;
}

static void warn(const struct parser *p, const char *message)
{
    p->reader->warn(p->reader->arg, p->line, message);
}

static void warn_of_nul(const struct parser *p, const char *from, const char *to)
{
    while (from < to && *from != '\0')
        from++;
    if (from < to)
        warn(p, "a NUL byte in a comment");
}

/* Moves to the line behind the one that ends at `end_of_line`. */
static void next_line(struct parser *p, char *end_of_line)
{
    for (char *at = p->at; (at = memchr(at, '\n', (size_t)(end_of_line - at))) != NULL; at++)
        p->line++;
    p->line++;
    p->at = end_of_line < p->end ? end_of_line + 1 : p->end;
}

/* Reads "NAME =", with or without export before it. Returns what follows the '=', NULL if it is not there. */
static char *read_name(char *at, const char *eol, struct kb_dotenv_entry *entry)
{
    if (eol - at > 6 && memcmp(at, "export", 6) == 0 && is_blank(at[6])) {
        char *behind = skip_blanks(at + 6, eol);
        if (behind < eol && *behind != '=')
            at = behind;
    }
    if (at == eol || !is_name_start(*at))
        return NULL;
    entry->name = at;
    while (at < eol && is_name(*at))
        at++;
    entry->name_len = (size_t)(at - entry->name);
    at = skip_blanks(at, eol);
    return at < eol && *at == '=' ? at + 1 : NULL;
}

/* A '#' is a comment only behind white space, so `at` is just behind the '='. */
static void read_bare(const struct parser *p, char *at, const char *eol, struct kb_dotenv_entry *entry)
{
    const char *stop = at;
    while (stop < eol && !(*stop == '#' && is_blank(stop[-1])))
        stop++;
    warn_of_nul(p, stop, eol);
    at = skip_blanks(at, stop);
    while (stop > at && is_blank(stop[-1]))
        stop--;
    entry->value = at;
    entry->value_len = (size_t)(stop - at);
}

/* The quote that ends the value whose first quote is at `open`, NULL if there is none. */
static char *find_close(char *open, char *end)
{
    if (*open == '\'')
        return memchr(open + 1, '\'', (size_t)(end - open - 1));
    for (char *at = open + 1; at < end; at++) {
        if (*at == '"')
            return at;
        if (*at == '\\')
            at++;
    }
    return NULL;
}

/* Finds the value between quotes, the first of them at `open`. Returns the end of its last line, NULL
 * if the closing quote is missing or followed by more than a comment. */
static char *read_quoted(const struct parser *p, char *open, struct kb_dotenv_entry *entry)
{
    char *close = find_close(open, p->end);
    if (close == NULL)
        return NULL;
    char *eol = line_end(close, p->end);
    const char *rest = skip_blanks(close + 1, eol);
    if (rest < eol && *rest != '#')
        return NULL;
    warn_of_nul(p, rest, eol);
    entry->value = open + 1;
    entry->value_len = (size_t)(close - open - 1);
    return eol;
}

/* Decodes the escapes of double quotes, in place. Returns the new length. */
static size_t decode(char *text, size_t len)
{
    static const char letters[] = "nt\"\\$", meanings[] = "\n\t\"\\$";
    char *out = text;
    for (const char *at = text, *end = text + len; at < end; at++) {
        const char *letter = NULL;
        if (*at == '\\' && at + 1 < end)
            letter = memchr(letters, at[1], sizeof letters - 1);
        if (letter != NULL) {
            *out++ = meanings[letter - letters];
            at++;
        } else {
            *out++ = *at;
        }
    }
    return (size_t)(out - text);
}

/* Reads the assignment that begins at `at` and moves behind it; false, and nothing changed, if it is none. */
static bool read_assignment(struct parser *p, char *at, char *eol)
{
    struct kb_dotenv_entry entry = {.line = p->line};
    char *value = read_name(at, eol, &entry);
    if (value == NULL)
        return false;
    char *open = skip_blanks(value, eol);
    bool quoted = open < eol && (*open == '"' || *open == '\'');
    if (quoted)
        eol = read_quoted(p, open, &entry);
    else
        read_bare(p, value, eol, &entry);
    if (eol == NULL)
        return false;
    next_line(p, eol); /* counts line ends: before decoding makes some */
    if (quoted && *open == '"')
        entry.value_len = decode(open + 1, entry.value_len);
    p->reader->assign(p->reader->arg, &entry);
    return true;
}

void kb_dotenv_parse(char *text, size_t len, const struct kb_dotenv_reader *reader)
{
    struct parser p = {.at = text, .end = text + len, .line = 1, .reader = reader};
    while (p.at < p.end) {
        char *eol = line_end(p.at, p.end);
        char *at = skip_blanks(p.at, eol);
        bool idle = at == eol || *at == '#';
        if (!idle && read_assignment(&p, at, eol))
            continue;
        if (idle)
            warn_of_nul(&p, at, eol);
        else
            warn(&p, "no assignment, comment or blank line: skipped");
        next_line(&p, eol);
    }
}
