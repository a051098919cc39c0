/*
 * slot.h: changing a key, so that its bit follows its word.
 */
#ifndef KB_SEGMENT_SLOT_H
#define KB_SEGMENT_SLOT_H

#include "segment/layout.h"
#include "segment/word.h"

/* Sets the key's bit to match its word. Anybody, any time; the last look decides. */
void kb_slot_agree(struct kb_state *state, unsigned pool, unsigned key);

/* CAS of the key's word from `from` to `to`, then its bit. False: the word was no longer `from`, and
 * nothing was changed. A death between word and bit leaves a bit that disagrees: a claim that lands on
 * it, or a sweep, mends it. */
bool kb_slot_change(struct kb_state *state, unsigned pool, unsigned key, uint64_t from, uint64_t to);

/* Takes the key out of its slot: no claim that has not ended yet succeeds. Its secret may then be wiped. */
void kb_slot_empty(struct kb_state *state, unsigned pool, unsigned key);

/* Positions that may be in use, checked: at most KB_KEYS. */
unsigned kb_slot_span(struct kb_state *state, unsigned pool);

/* The key's fingerprint as text. Read it after the word it belongs to. */
void kb_slot_fingerprint(const struct kb_slot *slot, char out[KB_FINGERPRINT_LEN + 1]);

/* The key of this fingerprint, -1 for none. */
int kb_slot_find(struct kb_state *state, unsigned pool, const char *fingerprint);

#endif
