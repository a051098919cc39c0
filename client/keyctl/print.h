/*
 * print.h: how keyctl writes times, JSON and text it does not trust.
 */
#ifndef KB_KEYCTL_PRINT_H
#define KB_KEYCTL_PRINT_H

#include <stddef.h>
#include <stdint.h>

#define KB_DURATION_MAX 24

/* "58s", "4m 58s", "3h 5m", "12d 3h". */
void kb_ctl_duration(char out[KB_DURATION_MAX], uint64_t ms);

/* Copies at most size - 1 characters up to a NUL, with ? for whatever is not printable ASCII. */
void kb_ctl_plain(char *out, const char *text, size_t size);

/* Text as a JSON string on stdout. */
void kb_ctl_json(const char *text);

#endif
