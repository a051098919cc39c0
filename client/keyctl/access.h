/*
 * access.h: getting at a broker's state, and saying why not.
 */
#ifndef KB_KEYCTL_ACCESS_H
#define KB_KEYCTL_ACCESS_H

#include "keyctl/options.h"
#include "segment/mapping.h"

/* Maps the state segment of the broker that was named, and no secrets. 0, or an exit code with the
 * reason told. The caller closes it. */
int kb_ctl_open(const struct kb_ctl_options *told, struct kb_segment **out);

/* Whether the broker in charge lives; one that cannot be judged counts as alive. *pid: its process, 0: none. */
bool kb_ctl_broker_lives(const struct kb_header *header, int *pid);

/* Tells "keyctl: …" on stderr; returns exit_code. */
int kb_ctl_fail(int exit_code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Tells what a KB_E code means for broker NAME; returns the exit code that stands for it. */
int kb_ctl_fail_code(const char *name, int code);

#endif
