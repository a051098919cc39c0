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

enum kb_log_level { KB_LOG_INFO, KB_LOG_WARN, KB_LOG_ERROR };

/* Pairs of name and value (const char *), then NULL. A line is written whole or not at all. */
void kb_log(enum kb_log_level level, const char *event, ...) __attribute__((sentinel));

/* A number as a value; good until the 8th next call. Not thread-safe, like all of the broker's main. */
const char *kb_log_number(long long number);

#endif
