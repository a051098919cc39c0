#include "client.h"
#include "segment/os.h"

#include <string.h>

enum { POLL_MS = 20 }; /* between rounds in which nothing new came up */

/* Which keys this request has tried, by index: a removed key's place taken by a new one counts as
 * tried, which costs at most an attempt. */
struct tried {
    uint64_t bits[KB_KEYS / 64];
    unsigned count;
};

static bool try_once(struct tried *tried, unsigned index)
{
    uint64_t *word = &tried->bits[index / 64 % (KB_KEYS / 64)];
    const uint64_t bit = UINT64_C(1) << (index % 64);
    if (*word & bit)
        return false;
    *word |= bit;
    tried->count++;
    return true;
}

static int time_left(int timeout_ms, uint64_t waited)
{
    if (timeout_ms < 0)
        return -1;
    return waited < (uint64_t)timeout_ms ? timeout_ms - (int)waited : 0;
}

/* The keys a request may still get: `total` of them all, `enabled` of those not disabled. */
static int keys_in(kb_client *client, const char *pool, unsigned *total, unsigned *enabled)
{
    kb_pool_status status = {.total = 0};
    const int code = kb_status(client, pool, &status);
    *total = status.total;
    *enabled = status.total - status.disabled;
    return code;
}

/* One turn for each of the pool's keys. 0: one that was not tried yet is claimed; KB_EEXHAUSTED: all that
 * came up were tried before. Those keep their turn and are given back: reset meanwhile, or offered
 * because all have failed. */
static int claim_in_round(kb_client *client, const char *pool, int timeout_ms, unsigned total, struct tried *tried,
                          kb_key *key)
{
    for (unsigned turns = 0; turns < total; turns++) {
        const int code = kb_claim(client, pool, turns == 0 ? timeout_ms : 0, key);
        if (code || try_once(tried, key->index))
            return code;
        kb_release(client, key);
        kb_key_clear(key);
    }
    return KB_EEXHAUSTED;
}

/* Claims a key that was not tried yet, as long as there are such keys and time. */
static int claim_untried(kb_client *client, const char *pool, int timeout_ms, struct tried *tried, kb_key *key)
{
    const uint64_t start = kb_os_now();
    for (;;) {
        unsigned total = 1, enabled = 1;
        int code = tried->count ? keys_in(client, pool, &total, &enabled) : 0;
        if (code == 0)
            code = tried->count < enabled
                       ? claim_in_round(client, pool, time_left(timeout_ms, kb_os_now() - start), total, tried, key)
                       : KB_EEXHAUSTED;
        const int left = time_left(timeout_ms, kb_os_now() - start);
        if (code != KB_EEXHAUSTED || tried->count >= enabled || left == 0)
            return code;
        kb_os_sleep(left > 0 && left < POLL_MS ? (uint64_t)left : POLL_MS);
    }
}

int kb_execute(kb_client *client, const char *pool, int timeout_ms, kb_call *fn, void *arg, kb_outcome *last)
{
    struct tried tried = {.count = 0};
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
        if (outcome != KB_OUTCOME_AUTH && outcome != KB_OUTCOME_QUOTA && outcome != KB_OUTCOME_RATE)
            return 0;
    }
}
