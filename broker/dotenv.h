/*
 * dotenv.h: the assignments of an env file.
 *
 * A file is lines of
 *     [export] NAME = value            the value ends at the line's end or at white space and '#'
 *     [export] NAME = "value"          \n \t \" \\ \$ are escapes, other backslashes stand for themselves
 *     [export] NAME = 'value'          every character stands for itself
 * where white space is optional but behind export, and of blank lines and # comments, which may also
 * follow a quoted value. A quoted value may go on over lines. Lines end with LF or CRLF. NAME is
 * [A-Za-z_][A-Za-z0-9_.-]*. Nothing is expanded. Any other line is skipped with a warning.
 */
#ifndef KB_BROKER_DOTENV_H
#define KB_BROKER_DOTENV_H

#include <stddef.h>

struct kb_dotenv_entry {
    const char *name; /* points into the text, as value does; neither ends with a NUL */
    size_t name_len;
    const char *value; /* any bytes, NUL too */
    size_t value_len;
    unsigned line; /* counted from 1, of the name */
};

struct kb_dotenv_reader {
    void (*assign)(void *arg, const struct kb_dotenv_entry *entry); /* in the file's order */
    void (*warn)(void *arg, unsigned line, const char *message);    /* constant text */
    void *arg;
};

/* Reads the text, any bytes, in linear time. Values are decoded in place, so the text is changed; the
 * entries stay valid as long as it does. */
void kb_dotenv_parse(char *text, size_t len, const struct kb_dotenv_reader *reader);

#endif
