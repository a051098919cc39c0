/*
 * rows.h: a table of answers, each given once by upstream and judged end to end.
 */
#ifndef KB_UPSTREAM_ROWS_H
#define KB_UPSTREAM_ROWS_H

#include "fixture.h"

struct row {
    const char *what;
    unsigned status;
    const char *arguments; /* of the scripted answer, each with & in front; NULL: none */
    const char *body;
    kb_outcome outcome;
    long retry_ms; /* how long the key is out; 0: the policy's first time for that outcome */
};

/* The state, reason and time of a key after its first failure (design: 60 s, 5 min, 10 s; Stability 60 s). */
struct standing {
    const char *state, *reason;
    long retry_ms;
};

static inline struct standing standing_after(kb_outcome outcome, long rate_ms)
{
    switch (outcome) {
    case KB_OUTCOME_AUTH:
        return (struct standing){"failed", "auth", 60000};
    case KB_OUTCOME_QUOTA:
        return (struct standing){"failed", "quota", 300000};
    case KB_OUTCOME_RATE:
        return (struct standing){"cooling", "rate", rate_ms};
    default:
        return (struct standing){"available", "none", 0};
    }
}

/* Asks once for the row with one key and checks the verdict and what became of the key. */
static inline void check_row(const struct row *row, long rate_ms)
{
    const bool failed = KB_FALLBACK(row->outcome) & KB_FALLBACK_ALL;
    const struct standing want = standing_after(row->outcome, rate_ms);
    const long retry_ms = row->retry_ms ? row->retry_ms : want.retry_ms;
    server_script(&server, text("status=%u%s", row->status, row->arguments ? row->arguments : ""), row->body);
    const int code =
        ask((kb_http_request){.url = "/v1/thing", .method = "POST", .no_fallback = 1, .timeout_ms = 20000});
    const struct broker_key key = last_key();
    cr_expect_eq(code, failed ? KB_EEXHAUSTED : 0, "%s: %s", row->what, kb_strerror(code));
    cr_expect_str_eq(kb_outcome_name(answer.outcome), kb_outcome_name(row->outcome), "%s: %s, by \"%s\"", row->what,
                     kb_outcome_name(answer.outcome), answer.rule);
    cr_expect_eq(answer.status, (int)row->status, "%s: status %d", row->what, answer.status);
    cr_expect_eq(answer.attempts, 1, "%s: %u attempts", row->what, answer.attempts);
    cr_expect_not(answer.ambiguous, "%s", row->what);
    cr_expect_null(answer.error, "%s: %s", row->what, answer.error);
    cr_expect(*row->body == '\0' || answer.body_len > 0, "%s: the body is told", row->what);
    cr_expect_not(leaked(), "%s: the key is told", row->what);
    cr_expect_str_eq(key.state, want.state, "%s: the key is %s", row->what, key.state);
    cr_expect_str_eq(key.reason, want.reason, "%s: for %s", row->what, key.reason);
    cr_expect(key.retry_ms <= retry_ms * 13 / 10 && key.retry_ms >= retry_ms * 7 / 10, "%s: retried in %ld ms",
              row->what, key.retry_ms);
    cr_expect_eq(available(), failed ? KEYS - 1 : KEYS, "%s", row->what);
    broker_reset(&broker, POOL);
}

#endif
