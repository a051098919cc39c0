/*
 * keys.h: bringing the configured keys into the segment, in place.
 *
 * State follows the fingerprint: a key that stays keeps its slot, word and counts; a removed one goes
 * to EMPTY with a new epoch, then its secret is wiped; a new one is written into an EMPTY slot, its
 * word last, and where there is room before the old ones go. What is published of the pool's service comes before its
 * new keys. A death in between leaves keys that are whole or EMPTY;
 * the next broker does the rest.
 */
#ifndef KB_BROKER_KEYS_H
#define KB_BROKER_KEYS_H

#include "config.h"
#include "segment/owner.h"

#include <stdbool.h>

struct kb_keys_change {
    unsigned added, removed, kept, rewritten; /* rewritten: kept its name, but its secret was damaged */
    bool locked;                              /* every secret is locked in memory */
};

/* Makes the segment hold exactly these pools and keys and publish their services, and raises the generation. All memory
 * is allocated first: on an error (KB_ENOMEM: /dev/shm is full; KB_EFULL: too many pool names since the segment was
 * made; KB_EBUSY; KB_EPERM: replaced) nothing has changed. */
int kb_keys_apply(struct kb_owner *owner, const struct kb_config *config, struct kb_keys_change *change,
                  struct kb_owner_error *error);

#endif
