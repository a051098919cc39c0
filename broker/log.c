#include "log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1024, NUMBERS = 8 };

struct line {
    char text[LINE_MAX_BYTES];
    size_t length;
};

static void put(struct line *line, char c)
{
    if (line->length < sizeof line->text - 1) /* the last place is the newline's */
        line->text[line->length++] = c;
}

static void put_text(struct line *line, const char *text)
{
    while (*text)
        put(line, *text++);
}

static bool needs_quotes(const char *value)
{
    if (!*value)
        return true;
    for (; *value; value++)
        if ((unsigned char)*value <= ' ' || *value == '=' || *value == '"' || *value == '\\' || *value == 0x7f)
            return true;
    return false;
}

static void put_value(struct line *line, const char *value)
{
    if (!needs_quotes(value)) {
        put_text(line, value);
        return;
    }
    put(line, '"');
    for (; *value; value++) {
        const bool printable = (unsigned char)*value >= ' ' && *value != 0x7f;
        if (*value == '"' || *value == '\\')
            put(line, '\\');
        if (printable)
            put(line, *value);
        else
            put(line, ' ');
    }
    put(line, '"');
}

static void put_time(struct line *line)
{
    struct timespec now;
    struct tm utc;
    char text[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    put_text(line, text);
    snprintf(text, sizeof text, ".%03ldZ", now.tv_nsec / 1000000);
    put_text(line, text);
}

void kb_log_line(enum kb_log_level level, const char *const *words)
{
    static const char *const levels[] = {"info", "warn", "error"};
    struct line line = {.length = 0};
    put_text(&line, "ts=");
    put_time(&line);
    put_text(&line, " level=");
    put_text(&line, levels[level]);
    put_text(&line, " event=");
    put_value(&line, words[0]);
    for (const char *const *pair = words + 1; pair[0] && pair[1]; pair += 2) {
        put(&line, ' ');
        put_text(&line, pair[0]);
        put(&line, '=');
        put_value(&line, pair[1]);
    }
    line.text[line.length++] = '\n';
    /* One write, so that lines of several processes do not mix. A log nobody takes is no reason to stop. */
    while (write(STDERR_FILENO, line.text, line.length) < 0 && errno == EINTR)
        continue;
}

const char *kb_log_number(long long number)
{
    static char texts[NUMBERS][24];
    static unsigned next;
    char *text = texts[next++ % NUMBERS];
    snprintf(text, sizeof texts[0], "%lld", number);
    return text;
}
