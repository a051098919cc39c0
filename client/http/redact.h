/*
 * redact.h: takes a secret out of text that upstream sent. Some services echo the whole key in the
 * message that refuses it.
 */
#ifndef KB_HTTP_REDACT_H
#define KB_HTTP_REDACT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Replaces every occurrence of the secret in (*text)[0..*len) by "[redacted]". An occurrence may spell any of its
 * characters as JSON escapes them (a backslash before the character, \u002f) or URLs do (%2F, + for a space). *text is
 * allocated with malloc and need not end in NUL. When something is replaced the old text is wiped and freed, and *text
 * is new, with a final NUL that *len does not count. Returns false if memory is short: then *text is NULL, *len 0.
 */
bool kb_redact(char **text, size_t *len, const char *secret, size_t secret_len);

/* Whether there is something to replace. */
bool kb_redact_needed(const char *text, size_t len, const char *secret, size_t secret_len);

#endif
