#include "http/number.h"

#include <float.h>
#include <stdio.h>
#include <string.h>

enum { EXPONENT_MAX = 400 };

static bool digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

/* Reads digits into *value, one power of ten down for each if fraction. NULL: there are none. */
static const char *digits(const char *at, const char *end, double *value, int *exponent)
{
    if (!digit(at, end))
        return NULL;
    for (; digit(at, end); at++) {
        *value = *value * 10 + (*at - '0');
        if (exponent != NULL)
            --*exponent;
    }
    return at;
}

static const char *power(const char *at, const char *end, int *exponent)
{
    bool negative = at < end && *at == '-';
    double value = 0;
    at += at < end && (*at == '-' || *at == '+');
    at = digits(at, end, &value, NULL);
    int named = value > EXPONENT_MAX ? EXPONENT_MAX : (int)value;
    *exponent += negative ? -named : named;
    return at;
}

static double scaled(double value, int exponent)
{
    for (; exponent > 0 && value <= DBL_MAX && value > 0; exponent--)
        value *= 10;
    double divisor = 1;
    for (; exponent < 0 && divisor < 1e300; exponent++)
        divisor *= 10;
    for (; exponent < 0 && value > 0; exponent++)
        value /= 10;
    return value / divisor;
}

bool kb_number_read(const char *text, size_t len, double *out)
{
    const char *at = text, *end = text + len;
    bool negative = at < end && *at == '-';
    double value = 0;
    int exponent = 0;
    at += negative;
    if (at + 1 < end && *at == '0' && digit(at + 1, end))
        return false;
    at = digits(at, end, &value, NULL);
    if (at != NULL && at < end && *at == '.')
        at = digits(at + 1, end, &value, &exponent);
    if (at != NULL && at < end && (*at == 'e' || *at == 'E'))
        at = power(at + 1, end, &exponent);
    if (at != end)
        return false;
    value = scaled(value, exponent);
    *out = negative ? -value : value;
    return value <= DBL_MAX;
}

void kb_number_write(char out[KB_NUMBER_SIZE], double value)
{
    bool negative = value < 0;
    double size = negative ? -value : value;
    if (!(size < 1e15)) {
        snprintf(out, KB_NUMBER_SIZE, "nan");
        return;
    }
    unsigned long long whole = (unsigned long long)size;
    unsigned long long millionths = (unsigned long long)((size - (double)whole) * 1e6 + 0.5);
    whole += millionths / 1000000;
    millionths %= 1000000;
    int len = snprintf(out, KB_NUMBER_SIZE, "%s%llu.%06llu", negative ? "-" : "", whole, millionths);
    while (out[len - 1] == '0')
        out[--len] = '\0';
    if (out[len - 1] == '.')
        out[len - 1] = '\0';
}
