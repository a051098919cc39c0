/*
 * json_grammar.h: the check that a text keeps JSON's grammar (RFC 8259), before jsmn reads it.
 */
#ifndef KB_TEXT_JSON_GRAMMAR_H
#define KB_TEXT_JSON_GRAMMAR_H

#include "text/json.h"

/* The line, counted from 1, of the character at text + offset. */
unsigned kb_json_line_at(const char *text, size_t offset);

/*
 * True if the text is one value with nothing but white space around it, at most KB_JSON_DEPTH_MAX
 * deep and of at most KB_JSON_TOKENS_MAX tokens; *tokens is then their number. False fills *error.
 * The encoding of strings is not judged. One pass; recursion is as deep as the text at most.
 */
bool kb_json_check(const char *text, size_t len, unsigned *tokens, struct kb_json_error *error);

#endif
