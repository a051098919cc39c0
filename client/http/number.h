/*
 * number.h: numbers as text, written and read alike in every locale.
 */
#ifndef KB_HTTP_NUMBER_H
#define KB_HTTP_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

enum { KB_NUMBER_SIZE = 32 };

/* Reads a number of JSON's grammar that is all of the text. False if it is none, or beyond a double's range. */
bool kb_number_read(const char *text, size_t len, double *out);

/* Writes the number with up to 6 decimals and no exponent; "nan" if it is none or 1e15 or more. */
void kb_number_write(char out[KB_NUMBER_SIZE], double value);

#endif
