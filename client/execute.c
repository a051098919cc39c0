#include "client.h"
#include "segment/os.h"

#include <string.h>

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

static int keys_in(kb_client *client, const char *pool, unsigned *total)
{
    kb_pool_status status;
    const int code = kb_status(client, pool, &status);
    *total = status.total;
    return code;
}

/* Claims a key that was not tried yet. A tried one that comes up again (reset meanwhile, or offered
 * because all have failed) keeps its turn and is given back; after one such turn for each key there is
 * nothing new. */
static int claim_untried(kb_client *client, const char *pool, int timeout_ms, struct tried *tried, kb_key *key)
{
    const uint64_t start = kb_os_now();
    unsigned total = 1;
    if (tried->count > 0) {
        const int code = keys_in(client, pool, &total);
        if (code)
            return code;
    }
    for (unsigned turns = 0; tried->count < total && turns < total; turns++) {
        const int code = kb_claim(client, pool, time_left(timeout_ms, kb_os_now() - start), key);
        if (code || try_once(tried, key->index))
            return code;
        kb_release(client, key);
        kb_key_clear(key);
    }
    return KB_EEXHAUSTED;
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
