/*
 * config.h: a configuration built by hand: any pools, any keys. One at a time; nothing to free.
 */
#ifndef KB_TESTS_CONFIG_H
#define KB_TESTS_CONFIG_H

#include "kit.h"

enum { KIT_CONFIG_KEYS = 3 * KB_KEYS, KIT_END = -1 };

/* Forgets what was built. */
void kit_config_begin(void);

/* A further pool; keys are added to the latest one only. */
void kit_config_pool(const char *name, const char *service);

/* The kit secret of this number; and any other, which is not copied. */
void kit_config_add(unsigned number);
void kit_config_add_secret(const char *secret, size_t length);

/* Brings it in as the broker does. KB_E code. */
int kit_config_apply(struct kit *kit, struct kb_keys_change *change);

/* All of the above: one pool "pool" of the kit secrets with these numbers, in this order, up to KIT_END. */
int kit_config_keys(struct kit *kit, struct kb_keys_change *change, int first, ...);

#endif
