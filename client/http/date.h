/*
 * date.h: points in time as HTTP and JSON write them.
 */
#ifndef KB_HTTP_DATE_H
#define KB_HTTP_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads an HTTP-date (RFC 9110, 5.6.7: all three forms) or an RFC 3339 time with its offset; *out in unix seconds. */
bool kb_date_parse(const char *text, size_t len, int64_t *out);

#endif
