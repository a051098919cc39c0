#include "http/param.h"

#include "http/number.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NUMBER_MAX = 32 }; /* characters of a number */

static bool refuse(char *error, const struct kb_param *param, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool refuse(char *error, const struct kb_param *param, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int len = snprintf(error, KB_PARAM_ERROR_SIZE, "%s: ", param->name);
    vsnprintf(error + len, KB_PARAM_ERROR_SIZE - (size_t)len, format, list);
    va_end(list);
    return false;
}

/* Bytes of the UTF-8 character at `at`, 0 if it is none (RFC 3629). */
static unsigned character(const unsigned char *at)
{
    unsigned len = at[0] < 0x80 ? 1 : at[0] >= 0xc2 && at[0] < 0xe0 ? 2 : at[0] >= 0xe0 && at[0] < 0xf0 ? 3 : 4;
    if (at[0] >= 0x80 && (at[0] < 0xc2 || at[0] > 0xf4))
        return 0;
    for (unsigned i = 1; i < len; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf0 && at[1] < 0x90) ||
        (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return len;
}

long kb_param_characters(const char *text)
{
    long count = 0;
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; count++) {
        unsigned len = character(at);
        if (len == 0)
            return -1;
        at += len;
    }
    return count;
}

int kb_param_choice(const char *choices, const char *text)
{
    size_t len = strlen(text);
    int place = 0;
    for (const char *at = choices;; place++) {
        size_t have = strcspn(at, "|");
        if (have == len && memcmp(at, text, len) == 0)
            return place;
        if (at[have] == '\0')
            return -1;
        at += have + 1;
    }
}

const char *kb_param_type_name(enum kb_param_type type)
{
    static const char *const names[] = {"text", "integer", "number", "true|false", "choice", "file", "file to write"};
    return names[type];
}

static bool check_text(const struct kb_param *param, const char *text, char *error)
{
    long count = kb_param_characters(text);
    if (count < 0)
        return refuse(error, param, "is no UTF-8");
    if (param->max > 0 && (double)count > param->max)
        return refuse(error, param, "has %ld characters, at most %.0f are allowed", count, param->max);
    if ((double)count < param->min)
        return refuse(error, param, "has %ld characters, at least %.0f are needed", count, param->min);
    return true;
}

static bool multiple(double value, double step)
{
    double times = value / step, off = times - (double)(long long)(times + (times < 0 ? -0.5 : 0.5));
    return off < 1e-9 && off > -1e-9;
}

static bool check_number(const struct kb_param *param, const char *text, char *error)
{
    double value;
    char least[KB_NUMBER_SIZE], most[KB_NUMBER_SIZE], step[KB_NUMBER_SIZE];
    bool whole = param->type == KB_PARAM_INTEGER;
    size_t len = strlen(text);
    if (len > NUMBER_MAX || !kb_number_read(text, len, &value) || value > 1e15 || value < -1e15)
        return refuse(error, param, "is no number");
    if (whole && strspn(text + (*text == '-'), "0123456789") != len - (*text == '-'))
        return refuse(error, param, "is no whole number in digits");
    kb_number_write(least, param->min);
    kb_number_write(most, param->max);
    kb_number_write(step, param->step);
    if ((param->min < param->max) && (value < param->min || value > param->max))
        return refuse(error, param, "is not from %s to %s", least, most);
    if (param->step > 0 && !multiple(value, param->step))
        return refuse(error, param, "is no multiple of %s", step);
    return true;
}

static bool check_file(const struct kb_param *param, const char *path, char *error)
{
    struct stat stat;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return refuse(error, param, "cannot be read: %s", strerrordesc_np(errno));
    bool regular = fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode);
    close(fd);
    if (!regular)
        return refuse(error, param, "is no regular file");
    if (stat.st_size == 0)
        return refuse(error, param, "is an empty file");
    return true;
}

/* Whether an image that has been paid for could be written there. */
static bool check_out(const struct kb_param *param, const char *path, char *error)
{
    char folder[4096];
    struct stat stat_of;
    const char *slash = strrchr(path, '/');
    size_t len = slash != NULL ? (size_t)(slash - path) + 1 : 2;
    if (len >= sizeof(folder) || strlen(path) >= sizeof(folder))
        return refuse(error, param, "is too long a path");
    memcpy(folder, slash != NULL ? path : "./", len);
    folder[len] = '\0';
    if (stat(path, &stat_of) == 0 && !S_ISREG(stat_of.st_mode))
        return refuse(error, param, "is no regular file");
    if (slash != NULL && slash[1] == '\0')
        return refuse(error, param, "is a folder");
    if (access(folder, W_OK | X_OK) != 0)
        return refuse(error, param, "its folder cannot be written: %s", strerrordesc_np(errno));
    return true;
}

bool kb_param_check(const struct kb_param *param, const char *text, char *error)
{
    if (*text == '\0')
        return refuse(error, param, "is empty");
    switch (param->type) {
    case KB_PARAM_TEXT:
        return check_text(param, text, error);
    case KB_PARAM_INTEGER:
    case KB_PARAM_NUMBER:
        return check_number(param, text, error);
    case KB_PARAM_BOOLEAN:
        return kb_param_choice("true|false", text) >= 0 || refuse(error, param, "is neither true nor false");
    case KB_PARAM_CHOICE:
        return kb_param_choice(param->choices, text) >= 0 || refuse(error, param, "is none of %s", param->choices);
    case KB_PARAM_FILE:
        return check_file(param, text, error);
    case KB_PARAM_OUT:
        return check_out(param, text, error);
    }
    return refuse(error, param, "is of no known type");
}
