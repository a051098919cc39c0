/*
 * utf8.h: what JSON text must be encoded in.
 */
#ifndef KB_KEYPOOL_UTF8_H
#define KB_KEYPOOL_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Whether text is UTF-8 throughout: no overlong form, no surrogate, nothing above U+10FFFF. */
bool kb_utf8_valid(const char *text, size_t len);

#endif
