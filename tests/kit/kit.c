#include "kit.h"

#include "broker/fingerprint.h"
#include "segment/guard.h"
#include "segment/identity.h"
#include "segment/object.h"
#include "segment/os.h"
#include "segment/slot.h"
#include "segment/sweep.h"
#include "segment/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SECRET_LENGTH = 64 };

const char *kit_secret(unsigned i)
{
    static _Thread_local char texts[8][SECRET_LENGTH + 1];
    static _Thread_local unsigned next;
    char *text = texts[next++ % 8];
    const int n = snprintf(text, SECRET_LENGTH + 1, "kit-secret-%06u-", i);
    memset(text + n, 'a' + (int)(i % 26), (size_t)(SECRET_LENGTH - n));
    text[SECRET_LENGTH] = 0;
    return text;
}

int kit_secret_number(const char *secret, size_t length)
{
    unsigned i;
    if (length != SECRET_LENGTH || sscanf(secret, "kit-secret-%6u-", &i) != 1)
        return -1;
    return memcmp(kit_secret(i), secret, SECRET_LENGTH) == 0 ? (int)i : -1;
}

uint64_t kit_random(uint64_t *seed)
{
    uint64_t x = *seed += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static void die(const char *what, const char *why)
{
    fprintf(stderr, "kit: %s: %s\n", what, why);
    abort();
}

struct kb_config_key kit_config_key(const char *secret, size_t length)
{
    struct kb_config_key key = {.secret = secret, .len = length, .file = "kit"};
    kb_fingerprint_make(secret, length, key.fingerprint);
    return key;
}

/* A configuration as the broker would have read it, on the heap: kit secrets are no secrets. */
static void configure(struct kb_config *config, unsigned pools, unsigned first, unsigned step, unsigned keys)
{
    *config = (struct kb_config){.n_pools = pools, .pools = calloc(pools, sizeof *config->pools)};
    for (unsigned p = 0; p < pools; p++) {
        struct kb_config_pool *pool = &config->pools[p];
        snprintf(pool->name, sizeof pool->name, p ? "pool%u" : "pool", p);
        snprintf(pool->service, sizeof pool->service, "generic");
        snprintf(pool->env, sizeof pool->env, "KIT_KEYS");
        pool->n_keys = keys;
        pool->keys = calloc(keys + 1, sizeof *pool->keys);
        for (unsigned i = 0; i < keys; i++)
            pool->keys[i] = kit_config_key(strdup(kit_secret(first + p * step + i)), SECRET_LENGTH);
    }
}

int kit_apply(struct kit *kit, const struct kb_config *config, struct kb_keys_change *change)
{
    struct kb_owner_error error;
    return kb_keys_apply(&kit->owner, config, change, &error);
}

static int apply(struct kit *kit, unsigned pools, unsigned first, unsigned step, unsigned keys)
{
    struct kb_config config;
    struct kb_keys_change change;
    configure(&config, pools, first, step, keys);
    const int code = kit_apply(kit, &config, &change);
    for (unsigned p = 0; p < pools; p++) {
        for (unsigned i = 0; i < keys; i++)
            free((void *)(uintptr_t)config.pools[p].keys[i].secret);
        free(config.pools[p].keys);
    }
    free(config.pools);
    return code;
}

int kit_reload(struct kit *kit, unsigned first, unsigned keys)
{
    return apply(kit, 1, first, 0, keys);
}

int kit_reload_pools(struct kit *kit, unsigned pools, unsigned keys)
{
    return apply(kit, pools, 0, 1000, keys);
}

void kit_start(struct kit *kit, unsigned keys)
{
    static unsigned number;
    struct kb_owner_error error;
    memset(kit, 0, sizeof *kit);
    snprintf(kit->name, sizeof kit->name, "kbtest-%d-%u", (int)getpid(), number++);
    if (kb_owner_start(kit->name, (gid_t)-1, false, &kit->owner, &error) != 0)
        die("start", error.text);
    kit->state = kit->owner.segment.state;
    const int code = kit_reload(kit, 0, keys);
    if (code)
        die("keys", kb_strerror(code));
}

void kit_stop(struct kit *kit)
{
    if (kit->state)
        kb_owner_end(&kit->owner);
    kit->state = NULL;
    if (*kit->name) {
        kb_object_unlink(kit->name, "state");
        kb_object_unlink(kit->name, "secrets");
    }
}

void kit_abandon(struct kit *kit)
{
    kb_owner_abandon(&kit->owner);
    kit->state = NULL;
}

void kit_adopt(struct kit *kit)
{
    struct kb_owner_error error;
    if (kb_owner_start(kit->name, (gid_t)-1, false, &kit->owner, &error) != 0)
        die("adopt", error.text);
    kit->state = kit->owner.segment.state;
}

uint64_t kit_word(struct kit *kit, unsigned key)
{
    return atomic_load(&kit->state->slots[0][key].word);
}

unsigned kit_state(struct kit *kit, unsigned key)
{
    return kb_word_state(kit_word(kit, key));
}

void kit_put(struct kit *kit, unsigned key, unsigned state)
{
    const uint64_t word = kit_word(kit, key);
    struct kb_word w = kb_word_enter(kb_word_unpack(word), state);
    if (state == KB_FAILED || state == KB_COOLING) {
        w.reason = state == KB_FAILED ? KB_REASON_AUTH : KB_REASON_RATE;
        w.strikes = 1;
        w.until = kb_word_until(kb_os_now() + 3600 * 1000);
    }
    kb_slot_change(kit->state, 0, key, word, kb_word_pack(w));
}

void kit_age(struct kit *kit, unsigned key)
{
    const uint64_t word = kit_word(kit, key);
    struct kb_word w = kb_word_unpack(word);
    if (w.state == KB_PROBATION)
        w.until = kb_word_trial((unsigned)kb_word_trial_owner(word), kb_os_now() - 3600 * 1000);
    else
        w.until = 1;
    kb_slot_change(kit->state, 0, key, word, kb_word_pack(w));
    kb_due_announce(&kit->state->pools[0], 1);
}

static const char *check_key(struct kb_state *state, unsigned pool, unsigned key)
{
    const uint64_t word = atomic_load(&state->slots[pool][key].word);
    const uint64_t bits = atomic_load(&state->pools[pool].rotation.bits[key / 64]);
    const bool bit = bits >> (key % 64) & 1;
    if (kb_word_state(word) >= KB_STATES)
        return "a word is in no state";
    if (bit != kb_word_claimable(word))
        return bit ? "a bit is set for a key that cannot be claimed" : "a bit is missing";
    if (bit && !(atomic_load(&state->pools[pool].rotation.summary) >> (key / 64) & 1))
        return "a summary bit is missing";
    if (kb_word_state(word) == KB_PROBATION && !kb_word_claimable(word) &&
        (kb_word_trial_owner(word) < 0 || kb_worker_gone(state, (unsigned)kb_word_trial_owner(word))))
        return "a trial has no living owner";
    return NULL;
}

const char *kit_check(struct kb_state *state)
{
    const uint64_t owner = kb_guard_owner(&state->header);
    if (owner != 0 && kb_identity_dead(owner)) {
        if (kb_guard_enter(&state->header, KB_GUARD_LIMIT_MS) != 0)
            return "the guard cannot be had from a dead owner";
        kb_guard_leave(&state->header);
    }
    for (unsigned pool = 0; pool < KB_POOLS; pool++) {
        const unsigned span = kb_slot_span(state, pool);
        kb_sweep(state, pool, kb_os_now());
        for (unsigned key = 0; key < span; key++) {
            const char *wrong = check_key(state, pool, key);
            if (wrong)
                return wrong;
        }
    }
    return NULL;
}
