#include "client.h"
#include "segment/os.h"

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

int kb_execute(kb_client *client, const char *pool, int timeout_ms, kb_call *fn, void *arg, kb_outcome *last)
{
    struct tried tried = {.any = false};
    uint64_t waited = 0;
    kb_key key;
    if (!client || !pool || !fn || timeout_ms < -1)
        return KB_EINVAL;
    for (;;) {
        const uint64_t start = kb_os_now();
        const int code = claim_untried(client, pool, time_left(timeout_ms, waited), &tried, &key);
        waited += kb_os_now() - start;
        if (code)
            return code;
        note(&tried, key.index);
        int retry_after_ms = -1, status = 0;
        const kb_outcome outcome = fn(&key, arg, &retry_after_ms, &status);
        if (last)
            *last = outcome;
        const int reported = kb_report(client, &key, outcome, retry_after_ms < -1 ? -1 : retry_after_ms, status);
        if (reported < 0)
            kb_release(client, &key); /* an outcome that is none: the claim ends all the same */
        kb_key_clear(&key);
        if (reported < 0)
            return reported;
        if (!kb_is_key_failure(outcome))
            return 0;
    }
}
