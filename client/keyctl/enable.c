#include "keyctl/access.h"
#include "keyctl/command.h"
#include "keyctl/keyref.h"
#include "keyctl/print.h"
#include "segment/word.h"

#include <stdio.h>

static uint64_t enabled_word(uint64_t word)
{
    return kb_word_state(word) == KB_DISABLED ? kb_word_fresh(word, KB_AVAILABLE) : word;
}

static uint64_t disabled_word(uint64_t word)
{
    return kb_word_state(word) == KB_DISABLED ? word : kb_word_pack(kb_word_enter(kb_word_unpack(word), KB_DISABLED));
}

static void tell(const struct kb_ctl_options *told, const struct kb_ctl_pool *pool, const struct kb_keyref *key,
                 bool enabled, bool changed)
{
    if (!told->json) {
        printf("key %u (%s) of pool %s is %s%s\n", key->index, key->fingerprint, pool->name,
               enabled ? "enabled" : "disabled", changed ? "" : " already");
        return;
    }
    printf("{\"name\":");
    kb_ctl_json(told->name);
    printf(",\"pool\":");
    kb_ctl_json(pool->name);
    printf(",\"index\":%u,\"fingerprint\":\"%s\",\"enabled\":%s,\"changed\":%s}\n", key->index, key->fingerprint,
           enabled ? "true" : "false", changed ? "true" : "false");
}

/* One CAS of one word: no guard. */
static int change(const struct kb_ctl_options *told, struct kb_state *state, bool enabled)
{
    struct kb_ctl_pools pools;
    struct kb_keyref key;
    int code = kb_ctl_pools_select(state, told->words[0], &pools);
    if (code == 0)
        code = kb_keyref_choose(state, &pools.at[0], told->words[1], &key);
    if (code)
        return code;
    const enum kb_key_change result =
        kb_keyref_change(state, pools.at[0].number, &key, enabled ? enabled_word : disabled_word);
    if (result == KB_KEY_GONE)
        return kb_ctl_fail(KB_EXIT_UNKNOWN, "the key was removed meanwhile");
    if (result == KB_KEY_RESTLESS)
        return kb_ctl_fail(KB_EXIT_FAILED, "the key changes too fast");
    tell(told, &pools.at[0], &key, enabled, result == KB_KEY_CHANGED);
    return KB_EXIT_DONE;
}

static int run(const struct kb_ctl_options *told, bool enabled)
{
    struct kb_segment *segment;
    int code = kb_ctl_open(told, &segment);
    if (code)
        return code;
    code = change(told, segment->state, enabled);
    kb_segment_close(segment);
    return code;
}

static int enable(const struct kb_ctl_options *told)
{
    return run(told, true);
}

static int disable(const struct kb_ctl_options *told)
{
    return run(told, false);
}

#define KEY_AND_EXIT_CODES                                                                                             \
    "\n"                                                                                                               \
    "KEY is an index or the beginning of a fingerprint.\n"                                                             \
    "\n"                                                                                                               \
    "Exit codes: 0 done, or so already; 1 failed, 2 usage, 3 no broker, 4 no such pool or key.\n"

const struct kb_command kb_command_enable = {
    .name = "enable",
    .synopsis = "POOL KEY",
    .summary = "takes a disabled key back into the rotation",
    .help = "Makes a disabled key available; any other stays as it is (reset is for failed ones). Works\n"
            "without a living broker.\n" KEY_AND_EXIT_CODES,
    .least_words = 2,
    .most_words = 2,
    .takes = KB_TAKES_NAME | KB_TAKES_JSON,
    .run = enable,
};

const struct kb_command kb_command_disable = {
    .name = "disable",
    .synopsis = "POOL KEY",
    .summary = "takes a key out until it is enabled",
    .help = "Takes a key out of the rotation, for every process from the very next claim, until it is enabled\n"
            "again. Calls that are under way with it go on. Works without a living broker.\n" KEY_AND_EXIT_CODES,
    .least_words = 2,
    .most_words = 2,
    .takes = KB_TAKES_NAME | KB_TAKES_JSON,
    .run = disable,
};
