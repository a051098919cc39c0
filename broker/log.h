/*
 * log.h: the broker's log: one logfmt line per event, to stderr.
 *
 *     ts=2026-11-23T10:00:00.123Z level=info event=ready name=keybroker pools=2
 *
 * Values are quoted where they need it. Nothing that is logged may hold a secret: callers log
 * fingerprints, counts, file:line.
 */
#ifndef KB_BROKER_LOG_H
#define KB_BROKER_LOG_H

#include <stddef.h>

enum kb_log_level { KB_LOG_INFO, KB_LOG_WARN, KB_LOG_ERROR };

/* kb_log(level, event, name, value, name, value...): all but the level are const char *. A line is
 * written whole or not at all. */
#define kb_log(level, ...) kb_log_line(level, (const char *const[]){__VA_ARGS__, NULL})
void kb_log_line(enum kb_log_level level, const char *const *words);

/* A number as a value; good until the 8th next call. Not thread-safe, like all of the broker's main. */
const char *kb_log_number(long long number);

#endif
