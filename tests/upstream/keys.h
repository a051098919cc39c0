/*
 * keys.h: the keys this upstream knows, what state each is in, and what it has seen of them.
 *
 * A key is added before the server runs and never removed; states and figures change under one
 * mutex, so every function below that takes a `struct kb_upstream_keys` may be called from any
 * thread, but for add, load and free. Secrets stay in here: a request is told a key's name.
 */
#ifndef KB_UPSTREAM_KEYS_H
#define KB_UPSTREAM_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KB_UPSTREAM_KEYS_MAX   256
#define KB_UPSTREAM_NAME_MAX   32
#define KB_UPSTREAM_SECRET_MAX 8192 /* longer than a broker holds, so that its limit can be tested */

enum kb_upstream_state {
    KB_UPSTREAM_GOOD,
    KB_UPSTREAM_REVOKED,
    KB_UPSTREAM_FORBIDDEN,
    KB_UPSTREAM_RATE,
    KB_UPSTREAM_CREDITS,
    KB_UPSTREAM_SUNO_CREDITS,
    KB_UPSTREAM_ERROR,
    KB_UPSTREAM_SLOW,
    KB_UPSTREAM_DROP,
    KB_UPSTREAM_ECHO,
    KB_UPSTREAM_REDIRECT,
    KB_UPSTREAM_STATES /* how many there are */
};

struct kb_upstream_keys;

/* Returns NULL when memory is short. Free wipes the secrets. */
struct kb_upstream_keys *kb_upstream_keys_new(void);
void kb_upstream_keys_free(struct kb_upstream_keys *keys);

/* Adds NAME=SECRET:STATE (len bytes). Returns NULL, or what is wrong with it: constant text that
 * holds nothing of the secret. */
const char *kb_upstream_keys_add(struct kb_upstream_keys *keys, const char *spec, size_t len);

/* Adds each line of a file; empty lines and lines that begin with # are skipped. Returns NULL, or
 * what is wrong, with *line the line it is in, 0 for the file as a whole. */
const char *kb_upstream_keys_load(struct kb_upstream_keys *keys, const char *path, unsigned *line);

/* The state's word, as in NAME=SECRET:STATE, and back: false if there is no such word. */
const char *kb_upstream_state_name(enum kb_upstream_state state);
bool kb_upstream_state_parse(const char *word, enum kb_upstream_state *out);

/* Counts a request that has arrived with this secret (NULL: with none). Returns the key's number and
 * sets *state to its state at this moment; -1 if no key has this secret. */
int kb_upstream_keys_arrive(struct kb_upstream_keys *keys, const char *secret, enum kb_upstream_state *state);

/* Counts the answer to an arrived request; key is what arrive returned. */
void kb_upstream_keys_answered(struct kb_upstream_keys *keys, int key, bool ok);

/* Counts a connection on which a first request came. */
void kb_upstream_keys_connected(struct kb_upstream_keys *keys);

/* The key's name; key is what arrive returned and not -1. */
const char *kb_upstream_keys_name(const struct kb_upstream_keys *keys, int key);

/* Changes the state of the key of this name, from the next request on. False: no such key. */
bool kb_upstream_keys_set(struct kb_upstream_keys *keys, const char *name, enum kb_upstream_state state);

/*
 * The figures as JSON, one key a line; the caller frees the text. NULL when memory is short.
 * {"connections":N,"unknown":N,"keys":{
 * "NAME":{"state":WORD,"seen":N,"ok":N,"refused":N,"first_ms":T,"last_ms":T},…
 * }}
 * seen counts requests at arrival, ok and refused their answers (refused: everything but a full 200
 * of good standing); unknown the requests without a known key. A scripted answer is ok if its status is 2xx and it is
 * not cut. Times are CLOCK_MONOTONIC milliseconds at arrival, the same for all processes of the host; 0 when nothing
 * was seen.
 */
char *kb_upstream_keys_stats(struct kb_upstream_keys *keys);

#endif
