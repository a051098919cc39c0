/*
 * keystate.h: a key's word as people read it.
 */
#ifndef KB_KEYCTL_KEYSTATE_H
#define KB_KEYCTL_KEYSTATE_H

#include "keyctl/print.h"

#include <stdbool.h>

/* "available", "failed", "cooling", "probation", "disabled". */
const char *kb_ctl_state_name(uint64_t word);

/* Why it is in that state: "none", "auth", "quota", "rate", "operator". */
const char *kb_ctl_reason_name(uint64_t word);

/* Milliseconds until the key is retried: 0 for one that can be claimed; false where there is no time to
 * name, because an operator must act or a trial is out. */
bool kb_ctl_retry_of(uint64_t word, uint64_t *ms);

/* The same as text: "-", "now", "on trial", a duration. */
void kb_ctl_retry_text(uint64_t word, char out[KB_DURATION_MAX]);

#endif
