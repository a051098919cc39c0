/*
 * base64.h: reading base64 (RFC 4648, the standard alphabet), as images come in JSON.
 */
#ifndef KB_HTTP_BASE64_H
#define KB_HTTP_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes that out needs at most for len characters. */
#define KB_BASE64_SIZE(len) ((len) / 4 * 3 + 3)

/* Decodes all of the text; the padding may be left out. False for anything else than base64. out may be text. */
bool kb_base64_decode(const char *text, size_t len, unsigned char *out, size_t *out_len);

#endif
