#include "keyctl/access.h"
#include "keyctl/command.h"
#include "keyctl/keyref.h"
#include "keyctl/print.h"
#include "segment/guard.h"
#include "segment/identity.h"
#include "segment/slot.h"

#include <stdio.h>

/* Everything that is out of rotation by itself comes back; what an operator disabled stays. */
static uint64_t reset_word(uint64_t word)
{
    const unsigned state = kb_word_state(word);
    const bool stays = state == KB_EMPTY || state == KB_AVAILABLE || state == KB_DISABLED;
    return stays ? word : kb_word_fresh(word, KB_AVAILABLE);
}

static unsigned reset_pool(struct kb_state *state, unsigned pool)
{
    const unsigned span = kb_slot_span(state, pool);
    unsigned count = 0;
    for (unsigned index = 0; index < span; index++) {
        struct kb_keyref key;
        uint64_t word;
        count += kb_keyref_read(state, pool, index, &key, &word) &&
                 kb_keyref_change(state, pool, &key, reset_word) == KB_KEY_CHANGED;
    }
    return count;
}

static void tell(const struct kb_ctl_options *told, unsigned count)
{
    if (told->json) {
        printf("{\"name\":");
        kb_ctl_json(told->name);
        printf(",\"reset\":%u}\n", count);
    } else {
        printf("%u key%s reset\n", count, count == 1 ? "" : "s");
    }
}

/* Under the guard: a reset of several keys and a reload do not mix. */
static int reset(const struct kb_ctl_options *told, struct kb_state *state)
{
    struct kb_ctl_pools pools;
    struct kb_keyref key;
    unsigned count = 0;
    int code = kb_ctl_pools_select(state, told->words[0], &pools);
    if (code == 0 && told->words[1])
        code = kb_keyref_choose(state, &pools.at[0], told->words[1], &key);
    if (code)
        return code;
    if (told->words[1])
        count = kb_keyref_change(state, pools.at[0].number, &key, reset_word) == KB_KEY_CHANGED;
    for (unsigned i = 0; !told->words[1] && i < pools.count; i++)
        count += reset_pool(state, pools.at[i].number);
    tell(told, count);
    return KB_EXIT_DONE;
}

static int run(const struct kb_ctl_options *told)
{
    struct kb_segment *segment;
    int code = kb_ctl_open(told, &segment);
    if (code)
        return code;
    struct kb_header *header = &segment->state->header;
    if (kb_guard_enter(header, KB_GUARD_LIMIT_MS) == 0) {
        code = reset(told, segment->state);
        kb_guard_leave(header);
    } else {
        code = kb_ctl_fail(KB_EXIT_FAILED, "broker \"%s\" is busy: process %d holds the guard and does not move",
                           told->name, kb_identity_pid(kb_guard_owner(header)));
    }
    kb_segment_close(segment);
    return code;
}

const struct kb_command kb_command_reset = {
    .name = "reset",
    .synopsis = "[POOL [KEY]]",
    .summary = "makes failed keys available again at once",
    .help = "Makes every failed, cooling or probation key available at once and forgets its strikes: KEY, all\n"
            "keys of POOL, or of every pool. Disabled keys stay disabled, and counters are kept. Says how\n"
            "many keys were reset. Works without a living broker.\n"
            "\n"
            "KEY is an index or the beginning of a fingerprint.\n"
            "\n"
            "Exit codes: 0 done, 1 failed, 2 usage, 3 no broker, 4 no such pool or key.\n",
    .most_words = 2,
    .takes = KB_TAKES_NAME | KB_TAKES_JSON,
    .run = run,
};
