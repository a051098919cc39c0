/*
 * keyref.h: KEY as people name it, an index or the beginning of a fingerprint, and changing that key.
 */
#ifndef KB_KEYCTL_KEYREF_H
#define KB_KEYCTL_KEYREF_H

#include "keyctl/pools.h"

struct kb_keyref {
    unsigned index;
    char fingerprint[KB_FINGERPRINT_LEN + 1]; /* "?" where the segment holds none that looks like one */
};

/* The key of a slot, and its word. False: the slot is empty. */
bool kb_keyref_read(const struct kb_state *state, unsigned pool, unsigned index, struct kb_keyref *out, uint64_t *word);

/* How many keys of the pool TEXT names. Digits alone are an index, anything else the beginning of a
 * fingerprint, with its k. One: *out is it. */
unsigned kb_keyref_find(struct kb_state *state, unsigned pool, const char *text, struct kb_keyref *out);

/* The one key that TEXT names: 0, or KB_EXIT_UNKNOWN with the reason told. */
int kb_keyref_choose(struct kb_state *state, const struct kb_ctl_pool *pool, const char *text, struct kb_keyref *out);

enum kb_key_change {
    KB_KEY_CHANGED,
    KB_KEY_LEFT,    /* there was nothing to change */
    KB_KEY_GONE,    /* removed, or another key in its place */
    KB_KEY_RESTLESS /* others changed it each time; never seen, but a loop has an end */
};

/* Brings the key to the word `next` makes of its word; the same word means that nothing is to change. */
enum kb_key_change kb_keyref_change(struct kb_state *state, unsigned pool, const struct kb_keyref *key,
                                    uint64_t (*next)(uint64_t word));

#endif
