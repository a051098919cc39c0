#include "client.h"
#include "segment/os.h"

#include <limits.h>
#include <string.h>

/* Which keys this request has tried, by index: a removed key's place taken by a new one counts as
 * tried, which costs at most an attempt. */
struct tried {
    uint64_t bits[KB_KEYS / 64];
    bool any;
};

static void note(struct tried *tried, unsigned index)
{
    tried->bits[index / 64 % (KB_KEYS / 64)] |= UINT64_C(1) << (index % 64);
    tried->any = true;
}

static int time_left(int timeout_ms, uint64_t waited)
{
    if (timeout_ms < 0)
        return -1;
    return waited < (uint64_t)timeout_ms ? timeout_ms - (int)waited : 0;
}

/* Claims a key that was not tried yet, as long as there are such keys and time. */
static int claim_untried(kb_client *client, const char *pool, int timeout_ms, const struct tried *tried, kb_key *key)
{
    const uint64_t start = kb_os_now();
    if (!tried->any)
        return kb_claim(client, pool, timeout_ms, key);
    for (;;) {
        const int code = kb_claim_untried(client, pool, tried->bits, key);
        const int left = time_left(timeout_ms, kb_os_now() - start);
        if (code == KB_EKEY)
            return KB_EEXHAUSTED;
        /* The broker may be about to come back: see kb_claim. */
        if ((code != KB_EEXHAUSTED && code != KB_ENOBROKER && code != KB_EPERM) || left == 0)
            return code;
        kb_os_sleep(left > 0 && left < KB_POLL_MS ? (uint64_t)left : KB_POLL_MS);
    }
}

/* When no key may be claimed any more; UINT64_MAX: at no time. */
static uint64_t deadline_of(const kb_execute_options *options)
{
    return options->deadline_ms > 0 ? kb_os_now() + (uint64_t)options->deadline_ms : UINT64_MAX;
}

/* What a claim may wait: what is left of the waiting, and no longer than to the deadline. */
static int wait_left(int timeout_ms, uint64_t waited, uint64_t deadline, uint64_t now)
{
    const int left = time_left(timeout_ms, waited);
    const uint64_t most = deadline - now;
    return most <= INT_MAX && (left < 0 || (uint64_t)left > most) ? (int)most : left;
}

/* One call with a claimed key, reported. 0, or why it could not be. */
static int call(kb_client *client, const kb_key *key, kb_call *fn, void *arg, kb_outcome *outcome)
{
    int retry_after_ms = -1, status = 0;
    *outcome = fn(key, arg, &retry_after_ms, &status);
    const int reported = kb_report(client, key, *outcome, retry_after_ms < -1 ? -1 : retry_after_ms, status);
    if (reported < 0)
        kb_release(client, key); /* an outcome that is none: the claim ends all the same */
    return reported < 0 ? reported : 0;
}

static bool is_valid(const kb_execute_options *options)
{
    return options->timeout_ms >= -1 && options->deadline_ms >= 0 && (options->fallback & ~KB_FALLBACK_ALL) == 0 &&
           options->reserved == 0;
}

int kb_execute_with(kb_client *client, const char *pool, const kb_execute_options *options, kb_call *fn, void *arg,
                    kb_outcome *last)
{
    struct tried tried = {.any = false};
    uint64_t waited = 0;
    kb_key key;
    if (!client || !pool || !options || !fn || !is_valid(options))
        return KB_EINVAL;
    const uint64_t deadline = deadline_of(options);
    for (;;) {
        const uint64_t start = kb_os_now();
        if (start >= deadline)
            return KB_EEXHAUSTED;
        int code = claim_untried(client, pool, wait_left(options->timeout_ms, waited, deadline, start), &tried, &key);
        waited += kb_os_now() - start;
        if (code)
            return code;
        note(&tried, key.index);
        kb_outcome outcome;
        code = call(client, &key, fn, arg, &outcome);
        kb_key_clear(&key);
        if (last)
            *last = outcome;
        if (code)
            return code;
        if (!kb_is_key_failure(outcome))
            return 0;
        if ((options->fallback & KB_FALLBACK(outcome)) == 0)
            return KB_EEXHAUSTED;
    }
}

int kb_execute(kb_client *client, const char *pool, int timeout_ms, kb_call *fn, void *arg, kb_outcome *last)
{
    const kb_execute_options options = {.timeout_ms = timeout_ms, .fallback = KB_FALLBACK_ALL};
    return kb_execute_with(client, pool, &options, fn, arg, last);
}
