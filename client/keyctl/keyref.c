#include "keyctl/keyref.h"

#include "keyctl/access.h"
#include "keyctl/command.h"
#include "segment/slot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 1000 };

static bool looks_like_fingerprint(const char *text)
{
    return *text == 'k' && strspn(text + 1, "0123456789abcdef") == KB_FINGERPRINT_LEN - 1;
}

/* The fingerprint is read after the word: a CAS of this word then changes this key or none. */
bool kb_keyref_read(const struct kb_state *state, unsigned pool, unsigned index, struct kb_keyref *out, uint64_t *word)
{
    const struct kb_slot *slot = &state->slots[pool][index];
    *word = atomic_load_explicit(&slot->word, memory_order_acquire);
    if (kb_word_state(*word) == KB_EMPTY)
        return false;
    out->index = index;
    kb_slot_fingerprint(slot, out->fingerprint);
    if (!looks_like_fingerprint(out->fingerprint))
        strcpy(out->fingerprint, "?");
    return true;
}

static unsigned find_index(struct kb_state *state, unsigned pool, const char *digits, struct kb_keyref *out)
{
    uint64_t word;
    errno = 0;
    const unsigned long index = strtoul(digits, NULL, 10);
    return errno == 0 && index < kb_slot_span(state, pool) && kb_keyref_read(state, pool, (unsigned)index, out, &word);
}

unsigned kb_keyref_find(struct kb_state *state, unsigned pool, const char *text, struct kb_keyref *out)
{
    const size_t length = strlen(text);
    if (length == 0)
        return 0;
    if (strspn(text, "0123456789") == length)
        return find_index(state, pool, text, out);
    const unsigned span = kb_slot_span(state, pool);
    unsigned matches = 0;
    for (unsigned index = 0; index < span; index++) {
        struct kb_keyref key;
        uint64_t word;
        if (kb_keyref_read(state, pool, index, &key, &word) && strncmp(key.fingerprint, text, length) == 0) {
            *out = key;
            matches++;
        }
    }
    return matches;
}

int kb_keyref_choose(struct kb_state *state, const struct kb_ctl_pool *pool, const char *text, struct kb_keyref *out)
{
    const unsigned matches = kb_keyref_find(state, pool->number, text, out);
    if (matches > 1)
        return kb_ctl_fail(KB_EXIT_UNKNOWN, "%u keys of pool %s begin like this: give more of the fingerprint", matches,
                           pool->name);
    if (matches == 0)
        return kb_ctl_fail(KB_EXIT_UNKNOWN,
                           "no such key in pool %s: KEY is an index or the beginning of a fingerprint, as "
                           "keyctl status shows them",
                           pool->name);
    return 0;
}

enum kb_key_change kb_keyref_change(struct kb_state *state, unsigned pool, const struct kb_keyref *key,
                                    uint64_t (*next)(uint64_t word))
{
    for (int tries = 0; tries < TRIES; tries++) {
        struct kb_keyref now;
        uint64_t word;
        if (!kb_keyref_read(state, pool, key->index, &now, &word) || strcmp(now.fingerprint, key->fingerprint) != 0)
            return KB_KEY_GONE;
        const uint64_t to = next(word);
        if (to == word)
            return KB_KEY_LEFT;
        if (kb_slot_change(state, pool, key->index, word, to))
            return KB_KEY_CHANGED;
    }
    return KB_KEY_RESTLESS;
}
