/*
 * fingerprint.h: the public name of a key.
 */
#ifndef KB_BROKER_FINGERPRINT_H
#define KB_BROKER_FINGERPRINT_H

#include "keybroker.h"

/* 'k', the first 12 hex digits of the secret's SHA-256, NUL. Leaves no copy of the secret behind. */
void kb_fingerprint_make(const char *secret, size_t len, char out[KB_FINGERPRINT_LEN + 1]);

#endif
