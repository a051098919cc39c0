#include "segment/slot.h"

#include "segment/rotation.h"

#include <string.h>

void kb_slot_agree(struct kb_state *state, unsigned pool, unsigned key)
{
    struct kb_rotation *rotation = &state->pools[pool].rotation;
    _Atomic uint64_t *word = &state->slots[pool][key].word;
    bool claimable = kb_word_claimable(atomic_load(word));
    /* The second look is what makes this right: without it, a writer that read the word before a
     * change and wrote the bit after it would leave a key out for good. Another round means that the
     * word changed meanwhile. */
    for (;;) {
        kb_rotation_mark(rotation, key, claimable);
        const bool now = kb_word_claimable(atomic_load(word));
        if (now == claimable)
            return;
        claimable = now;
    }
}

bool kb_slot_change(struct kb_state *state, unsigned pool, unsigned key, uint64_t from, uint64_t to)
{
    if (!atomic_compare_exchange_strong(&state->slots[pool][key].word, &from, to))
        return false;
    kb_slot_agree(state, pool, key);
    return true;
}

void kb_slot_empty(struct kb_state *state, unsigned pool, unsigned key)
{
    _Atomic uint64_t *slot_word = &state->slots[pool][key].word;
    uint64_t word = atomic_load(slot_word);
    while (kb_word_state(word) != KB_EMPTY && !kb_slot_change(state, pool, key, word, kb_word_fresh(word, KB_EMPTY)))
        word = atomic_load(slot_word);
}

unsigned kb_slot_span(struct kb_state *state, unsigned pool)
{
    const uint32_t span = atomic_load_explicit(&state->pools[pool].rotation.span, memory_order_acquire);
    return span < KB_KEYS ? span : KB_KEYS;
}

void kb_slot_fingerprint(const struct kb_slot *slot, char out[KB_FINGERPRINT_LEN + 1])
{
    uint64_t text[2];
    for (int i = 0; i < 2; i++)
        text[i] = atomic_load_explicit(&slot->fingerprint[i], memory_order_relaxed);
    memcpy(out, text, KB_FINGERPRINT_LEN);
    out[KB_FINGERPRINT_LEN] = 0;
}

int kb_slot_find(struct kb_state *state, unsigned pool, const char *fingerprint)
{
    const unsigned span = kb_slot_span(state, pool);
    for (unsigned key = 0; key < span; key++) {
        char text[KB_FINGERPRINT_LEN + 1];
        const struct kb_slot *slot = &state->slots[pool][key];
        if (kb_word_state(atomic_load_explicit(&slot->word, memory_order_acquire)) == KB_EMPTY)
            continue;
        kb_slot_fingerprint(slot, text);
        if (strcmp(text, fingerprint) == 0)
            return (int)key;
    }
    return -1;
}
