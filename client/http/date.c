#include "http/date.h"

#include <ctype.h>
#include <curl/curl.h>
#include <string.h>
#include <time.h>

enum { DATE_MAX = 64 };

static bool read_as(const char *text, const char *format, struct tm *tm, const char **rest)
{
    memset(tm, 0, sizeof *tm);
    *rest = strptime(text, format, tm);
    return *rest != NULL;
}

/* "Z", "+02:00" or "-0530" behind an RFC 3339 time, and a fraction of the second before it. */
static bool read_offset(const char *text, int *seconds)
{
    *seconds = 0;
    if (*text == '.')
        text += 1 + strspn(text + 1, "0123456789");
    if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
        return true;
    int digits[4], n = 0;
    if (*text != '+' && *text != '-')
        return false;
    for (const char *at = text + 1; *at != '\0'; at++) {
        if (*at == ':' && n == 2)
            continue;
        if (*at < '0' || *at > '9' || n == 4)
            return false;
        digits[n++] = *at - '0';
    }
    if (n != 4)
        return false;
    *seconds = ((digits[0] * 10 + digits[1]) * 60 + digits[2] * 10 + digits[3]) * (*text == '-' ? -60 : 60);
    return true;
}

/* An RFC 3339 time; a blank may stand for the T. */
static bool read_timestamp(const char *text, int64_t *out)
{
    struct tm tm;
    const char *rest;
    int offset;
    if (!read_as(text, "%Y-%m-%dT%H:%M:%S", &tm, &rest) && !read_as(text, "%Y-%m-%d %H:%M:%S", &tm, &rest))
        return false;
    if (!read_offset(rest, &offset))
        return false;
    *out = (int64_t)timegm(&tm) - offset;
    return true;
}

bool kb_date_parse(const char *text, size_t len, int64_t *out)
{
    char copy[DATE_MAX];
    if (len == 0 || len >= sizeof copy)
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (read_timestamp(copy, out))
        return true;
    /* All forms of an HTTP-date begin with a day's name; curl_getdate alone would also take bare numbers. */
    const time_t date = isalpha((unsigned char)copy[0]) ? curl_getdate(copy, NULL) : -1;
    *out = (int64_t)date;
    return date != -1;
}
