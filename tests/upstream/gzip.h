/*
 * gzip.h: bytes in gzip's format (RFC 1952), stored without compression.
 */
#ifndef KB_UPSTREAM_GZIP_H
#define KB_UPSTREAM_GZIP_H

#include <stddef.h>

/* The caller frees the result; NULL when memory is short. */
char *kb_upstream_gzip(const char *bytes, size_t len, size_t *out_len);

#endif
