/*
 * json.h: reading JSON with bounds, and writing it.
 *
 * Reading is jsmn's tokens plus what it leaves out: a limit on depth and size, a check that the
 * grammar was kept (jsmn takes some broken text), and decoded strings. Every text is hostile: no
 * function here reads outside [text, text + len). The encoding is taken as it comes: what is no UTF-8
 * inside a string becomes U+FFFD where the string is decoded.
 */
#ifndef KB_TEXT_JSON_H
#define KB_TEXT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define KB_JSON_DEPTH_MAX  64
#define KB_JSON_SIZE_MAX   (64u << 20) /* bytes of text */
#define KB_JSON_TOKENS_MAX (4u << 20)  /* values and member names; each costs 24 bytes of memory */

enum kb_json_type { KB_JSON_NULL, KB_JSON_BOOL, KB_JSON_NUMBER, KB_JSON_STRING, KB_JSON_ARRAY, KB_JSON_OBJECT };

struct kb_json; /* a parsed text; it borrows the text, which must outlive it */

struct kb_json_error {
    unsigned line;    /* counted from 1; where reading stopped */
    const char *what; /* constant text */
};

/* Parses one JSON value and nothing behind it but white space. Returns NULL and fills *error if the
 * text is no JSON, too deep, too large, or memory is short. Takes time linear in len. Tokens are integers
 * from 0, the root; every function takes -1 too, for a null that stands nowhere and holds nothing. */
struct kb_json *kb_json_parse(const char *text, size_t len, struct kb_json_error *error);
void kb_json_free(struct kb_json *doc);

enum kb_json_type kb_json_type(const struct kb_json *doc, int token);
/* Counted from 1, 0 for token -1. Counts the lines from the start of the text: for messages, not for loops. */
unsigned kb_json_line(const struct kb_json *doc, int token);
/* Elements of an array, members of an object, 0 for anything else. */
unsigned kb_json_size(const struct kb_json *doc, int token);

/* Walking. -1 when there is none. An object's children are its member names; kb_json_value gives the
 * value of the member with this name token. Duplicate names: kb_json_member finds the last. */
int kb_json_first(const struct kb_json *doc, int token);
int kb_json_next(const struct kb_json *doc, int token);
int kb_json_value(const struct kb_json *doc, int name_token);
int kb_json_member(const struct kb_json *doc, int object, const char *name);

/* Raw text of a token, without a string's quotes and with its escapes. */
const char *kb_json_raw(const struct kb_json *doc, int token, size_t *len);
/* A string's characters, decoded to UTF-8 with a final NUL (a lone surrogate becomes U+FFFD). Returns
 * their number, or -1 if the token is no string or they (with the NUL) do not fit. They may hold \u0000. */
ptrdiff_t kb_json_string(const struct kb_json *doc, int token, char *out, size_t out_size);
bool kb_json_equals(const struct kb_json *doc, int token, const char *text);
/* False if the token is no integer in range written in digits alone (1.0 and 1e3 are none), or no boolean. */
bool kb_json_integer(const struct kb_json *doc, int token, int64_t *out);
bool kb_json_bool(const struct kb_json *doc, int token, bool *out);

/* Writing: text as a JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD; control
 * characters are escaped. Errors stay in the stream for ferror. */
void kb_json_write_string(FILE *out, const char *text, size_t len);

#endif
