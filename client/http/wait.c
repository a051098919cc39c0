#include "http/wait.h"

#include "http/date.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NUMBER_MAX = 24 };

#define SMALLEST_EPOCH 1e9 /* seconds: 2001; a limit that resets in thirty years is none */
#define DAY_S          86400.0
#define EPOCH_IN_MS    1e11 /* larger ones are milliseconds */

/* A decimal number without sign and exponent; *used characters, 0 if there is none. Digits beyond the first NUMBER_MAX
 * change nothing: it is absurd by then. */
static double number(const char *text, size_t len, size_t *used)
{
    char copy[NUMBER_MAX];
    size_t n = 0, copied = 0;
    bool point = false;
    for (; n < len && (isdigit((unsigned char)text[n]) || (text[n] == '.' && !point && n > 0)); n++) {
        point = point || text[n] == '.';
        if (copied + 1 < sizeof copy)
            copy[copied++] = text[n];
    }
    if (n > 0 && text[n - 1] == '.')
        n--;
    copy[copied] = '\0';
    *used = n;
    return n > 0 ? strtod(copy, NULL) : -1;
}

/* Milliseconds of the unit that stands here; *used characters. 0 for none. */
static double unit(const char *text, size_t len, size_t *used)
{
    static const struct {
        const char *name;
        double ms;
    } units[] = {{"milliseconds", 1}, {"ms", 1},    {"seconds", 1e3}, {"second", 1e3}, {"secs", 1e3},
                 {"sec", 1e3},        {"s", 1e3},   {"minutes", 6e4}, {"minute", 6e4}, {"mins", 6e4},
                 {"min", 6e4},        {"m", 6e4},   {"hours", 3.6e6}, {"hour", 3.6e6}, {"hrs", 3.6e6},
                 {"hr", 3.6e6},       {"h", 3.6e6}, {"days", 8.64e7}, {"day", 8.64e7}, {"d", 8.64e7}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        const size_t n = strlen(units[i].name);
        if (n <= len && strncasecmp(text, units[i].name, n) == 0 && (n == len || !isalpha((unsigned char)text[n]))) {
            *used = n;
            return units[i].ms;
        }
    }
    return 0;
}

static size_t blanks(const char *text, size_t len)
{
    size_t n = 0;
    while (n < len && (text[n] == ' ' || text[n] == '\t'))
        n++;
    return n;
}

/* "and", a comma or nothing between the parts of a duration. */
static size_t joint(const char *text, size_t len)
{
    size_t n = blanks(text, len);
    if (n < len && text[n] == ',')
        n++;
    n += blanks(text + n, len - n);
    if (len - n >= 4 && strncasecmp(text + n, "and ", 4) == 0)
        n += 4;
    return n;
}

/* A duration with units at the beginning of the text; -1 for none. */
static double duration(const char *text, size_t len, size_t *used)
{
    double total = -1;
    size_t at = 0;
    *used = 0;
    while (at < len) {
        size_t n = 0, u = 0;
        const double value = number(text + at, len - at, &n);
        if (n == 0)
            break;
        n += blanks(text + at + n, len - at - n);
        const double ms = unit(text + at + n, len - at - n, &u);
        if (u == 0)
            break;
        total = (total < 0 ? 0 : total) + value * ms;
        at += n + u;
        *used = at;
        at += joint(text + at, len - at);
    }
    return total;
}

/* hh:mm:ss */
static double clock_time(const char *text, size_t len, size_t *used)
{
    double seconds = 0;
    size_t at = 0;
    for (int part = 0; part < 3; part++) {
        size_t n;
        const double value = number(text + at, len - at, &n);
        if (n == 0 || n > 4 || (part > 0 && n != 2))
            return -1;
        seconds = seconds * 60 + value;
        at += n;
        if (part < 2 && (at == len || text[at++] != ':'))
            return -1;
    }
    *used = at;
    return seconds * 1000;
}

double kb_wait_parse(const char *text, size_t len, int64_t now, bool epoch)
{
    size_t used;
    size_t skip = blanks(text, len);
    text += skip;
    len -= skip;
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        len--;
    const double value = number(text, len, &used);
    if (used == len && len > 0) {
        if (!epoch || value < SMALLEST_EPOCH)
            return value * 1000;
        const double left = (value >= EPOCH_IN_MS ? value / 1000 : value) - (double)now;
        return left > 0 ? left * 1000 : 0;
    }
    const double time = clock_time(text, len, &used);
    if (time >= 0 && used == len)
        return time;
    const double span = duration(text, len, &used);
    if (span >= 0 && used == len)
        return span;
    int64_t date;
    if (!kb_date_parse(text, len, &date))
        return -1;
    return date > now ? (double)(date - now) * 1000 : 0;
}

static double parse_text(const char *text, int64_t now, bool epoch)
{
    return kb_wait_parse(text, strlen(text), now, epoch);
}

/* Seconds or a date. Some send a point in time as a number; one that is no near time is an absurd number of seconds. */
static double retry_after(const char *text, int64_t now)
{
    const double wait = parse_text(text, now, false);
    const double point = wait / 1000 - (double)now;
    return point > -DAY_S && point < 366 * DAY_S ? (point > 0 ? point * 1000 : 0) : wait;
}

static double header_wait(const kb_http_evidence *evidence, int64_t now)
{
    const char *text = kb_rule_header(evidence, "retry-after-ms");
    double wait = text != NULL ? parse_text(text, now, false) : -1;
    if (wait >= 0)
        return wait / 1000;
    text = kb_rule_header(evidence, "Retry-After");
    if (text != NULL && (wait = retry_after(text, now)) >= 0)
        return wait;
    text = kb_rule_header(evidence, "x-ratelimit-reset-after");
    return text != NULL ? parse_text(text, now, false) : -1;
}

/* What is left of the limit whose reset stands in the header `reset`: the header of the same name but "remaining" in
 * place of "reset" (x-ratelimit-reset-tokens, anthropic-ratelimit-tokens-reset). NULL: nothing is said. */
static const char *remaining_of(const kb_http_evidence *evidence, const char *reset, const char *at)
{
    const size_t before = (size_t)(at - reset);
    const char *after = at + strlen("reset");
    for (size_t i = 0; i < evidence->header_count; i++) {
        const char *name = evidence->headers[i].name;
        if (strncasecmp(name, reset, before) == 0 && strncasecmp(name + before, "remaining", 9) == 0 &&
            strcasecmp(name + before + 9, after) == 0)
            return evidence->headers[i].value;
    }
    return NULL;
}

/* One entry of RateLimit: "default";r=0;t=30, or the older limit=10, remaining=0, reset=30. */
static double structured_wait(const char *text, int64_t now)
{
    const char *left = strcasestr(text, "remaining="), *reset = strcasestr(text, "reset=");
    left = left != NULL ? left + 10 : strcasestr(text, ";r=");
    reset = reset != NULL ? reset + 6 : strcasestr(text, ";t=");
    if (left == NULL || reset == NULL)
        return -1;
    left += *left == ';' ? 3 : 0;
    reset += *reset == ';' ? 3 : 0;
    if (left[0] != '0' || isdigit((unsigned char)left[1]))
        return -1;
    return kb_wait_parse(reset, strspn(reset, "0123456789."), now, true);
}

struct resets {
    double spent; /* the longest of limits with nothing left, -1: none */
    double only;  /* of the only limit that says nothing of what is left, -1: none or several */
    int silent;   /* how many such */
};

static void take_reset(struct resets *resets, const kb_http_evidence *evidence, const kb_http_header *header,
                       int64_t now)
{
    const char *at = strcasestr(header->name, "reset");
    double wait;
    if (strcasecmp(header->name, "RateLimit") == 0) {
        wait = structured_wait(header->value, now);
        resets->spent = wait > resets->spent ? wait : resets->spent;
        return;
    }
    if (at == NULL || (strcasestr(header->name, "ratelimit") == NULL && strcasestr(header->name, "rate-limit") == NULL))
        return;
    if ((wait = parse_text(header->value, now, true)) < 0)
        return;
    const char *left = remaining_of(evidence, header->name, at);
    if (left == NULL) {
        resets->only = resets->silent++ == 0 ? wait : -1;
    } else if (left[strspn(left, "0. ")] == '\0' && *left != '\0' && wait > resets->spent) {
        resets->spent = wait;
    }
}

static double field_wait(const struct kb_rule_subject *subject, int64_t now)
{
    size_t len;
    const char *raw = kb_json_raw(subject->doc, subject->envelope->wait, &len);
    const double wait = subject->envelope->wait >= 0 ? kb_wait_parse(raw, len, now, true) : -1;
    return wait >= 0 && subject->envelope->wait_in_ms ? wait / 1000 : wait;
}

/* "try again in 7m12s", "retry after 6 seconds", "replenished in 12:34:56". */
static double message_wait(const struct kb_envelope *envelope)
{
    static const char *const leads[] = {
        "again in ", "retry in ",     "retry after ", "retry after: ",   "retry after: ", "again after ", "resets in ",
        "reset in ", "available in ", "reset after ", "replenished in ", "wait ",         "after "};
    for (size_t i = 0; i < sizeof leads / sizeof *leads; i++) {
        const char *at = strcasestr(envelope->hint, leads[i]);
        if (at == NULL)
            continue;
        at += strlen(leads[i]);
        at += strcspn(at, "0123456789.") < 12 ? strcspn(at, "0123456789.") : 0; /* "~", "about", "at least" */
        size_t used;
        double wait = clock_time(at, strlen(at), &used);
        if (wait < 0)
            wait = duration(at, strlen(at), &used);
        if (wait < 0 && (wait = number(at, strlen(at), &used)) >= 0)
            wait = strchr(" .,\n", at[used]) != NULL && !isalpha((unsigned char)at[used + (at[used] == ' ')])
                       ? wait * 1000
                       : -1;
        if (wait >= 0)
            return wait;
    }
    return -1;
}

double kb_wait_named(const struct kb_rule_subject *subject, kb_outcome outcome, int64_t now)
{
    const kb_http_evidence *evidence = subject->evidence;
    struct resets resets = {.spent = -1, .only = -1};
    double wait;
    if (outcome == KB_OUTCOME_OK || outcome == KB_OUTCOME_CLIENT)
        return -1;
    if ((wait = header_wait(evidence, now)) >= 0 || outcome == KB_OUTCOME_AUTH)
        return wait;
    for (size_t i = 0; i < evidence->header_count; i++)
        take_reset(&resets, evidence, &evidence->headers[i], now);
    if (resets.spent >= 0)
        return resets.spent;
    if ((wait = field_wait(subject, now)) >= 0 || (wait = message_wait(subject->envelope)) >= 0)
        return wait;
    return resets.only;
}
