/*
 * kit.h: a broker's segment inside a test, made by the broker's own code, without the program.
 */
#ifndef KB_TESTS_KIT_H
#define KB_TESTS_KIT_H

#include "broker/keys.h"
#include "keybroker.h"
#include "segment/owner.h"

struct kit {
    char name[KB_NAME_MAX + 1]; /* carries the pid and a number: tests run side by side */
    struct kb_owner owner;
    struct kb_state *state; /* owner.segment.state */
};

/* A segment with one pool "pool" of `keys` keys whose secrets are kit_secret(i). Aborts on failure. */
void kit_start(struct kit *kit, unsigned keys);

/* Replaces the pool's keys by those with the numbers first .. first + keys - 1. KB_E code. */
int kit_reload(struct kit *kit, unsigned first, unsigned keys);
/* The same for several pools named "pool", "pool1", … with `keys` keys each, starting at 1000 * pool. */
int kit_reload_pools(struct kit *kit, unsigned pools, unsigned keys);

/* Any configuration: brought in as the broker does, `change` as kb_keys_apply fills it. KB_E code. */
int kit_apply(struct kit *kit, const struct kb_config *config, struct kb_keys_change *change);
/* A key as the configuration has it. The secret is not copied. */
struct kb_config_key kit_config_key(const char *secret, size_t length);

/* Ends the segment as a broker does and removes what else there may be of its name. Harmless on a kit
 * that never started or has stopped. */
void kit_stop(struct kit *kit);
/* Lets go of the segment as a killed broker does; and takes it over again as the next one does. */
void kit_abandon(struct kit *kit);
void kit_adopt(struct kit *kit);

/* The secret of key number i: "kit-secret-00000i-…", 64 bytes. The thread's own, good until its 8th next call. */
const char *kit_secret(unsigned i);
/* Its number, or -1 if this is no kit secret whole. */
int kit_secret_number(const char *secret, size_t length);

/* A series of numbers that look random and are the same in every run; *seed is where it stands. */
uint64_t kit_random(uint64_t *seed);

/* The word of a key of the first pool. */
uint64_t kit_word(struct kit *kit, unsigned key);
unsigned kit_state(struct kit *kit, unsigned key);
/* Puts the key into a state, an epoch on: FAILED, COOLING for another hour, PROBATION without a trial. */
void kit_put(struct kit *kit, unsigned key, unsigned state);
/* Makes a cooldown or trial of the key end now, by rewriting its word's time. */
void kit_age(struct kit *kit, unsigned key);

/* The whole segment checked after one sweep: words valid, bits agree with words, no trial of a dead or
 * missing owner, the guard free or a living process's. Returns NULL, or what is wrong. */
const char *kit_check(struct kb_state *state);

#endif
