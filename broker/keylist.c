#include "keylist.h"

#include "fingerprint.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { BUCKETS = 4 * KB_KEYS }; /* a power of two, and never full */

struct reader {
    struct kb_config_pool *pool;
    const struct kb_value *value;
    struct kb_arena *arena;
    struct kb_config_warnings *warnings;
    struct kb_config_error *error;
    unsigned item;             /* the current one, counted from 1 */
    uint16_t buckets[BUCKETS]; /* 1 + the index of a key whose fingerprint hashes to here or before; 0: none */
};

_Static_assert(KB_KEYS < UINT16_MAX, "a bucket holds any index");

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void warn(const struct reader *r, const char *what)
{
    kb_config_warnings_add(r->warnings, r->value->file, r->value->line, "pool %s: item %u %s: dropped", r->pool->name,
                           r->item, what);
}

static int fail(const struct reader *r, const char *what)
{
    return kb_config_error_set(r->error, r->value->file, r->value->line, "pool %s: item %u %s", r->pool->name, r->item,
                               what);
}

static int check_key(const struct reader *r, const char *key, size_t len)
{
    if (len > KB_SECRET_MAX)
        return fail(r, "is longer than 4096 bytes");
    for (size_t i = 0; i < len; i++) {
        if (key[i] == '\0')
            return fail(r, "holds a NUL byte");
        if ((unsigned char)key[i] < 0x21 || key[i] == 0x7F)
            return fail(r, "holds white space or a control character");
    }
    return 0;
}

/* The bucket of the key with this fingerprint, or the empty one where it belongs. */
static uint16_t *find_bucket(struct reader *r, const char *fingerprint)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (const char *c = fingerprint; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619u;
    for (;; hash++) {
        uint16_t *bucket = &r->buckets[hash % BUCKETS];
        if (*bucket == 0 || strcmp(r->pool->keys[*bucket - 1].fingerprint, fingerprint) == 0)
            return bucket;
    }
}

static int add_key(struct reader *r, const char *text, size_t len)
{
    struct kb_config_pool *pool = r->pool;
    struct kb_config_key key = {.len = len, .file = r->value->file, .line = r->value->line};
    if (check_key(r, text, len) != 0)
        return -1;
    kb_fingerprint_make(text, len, key.fingerprint);
    uint16_t *bucket = find_bucket(r, key.fingerprint);
    if (*bucket != 0) {
        warn(r, "repeats a key");
        return 0;
    }
    if (pool->n_keys == KB_KEYS)
        return fail(r, "is one key more than the 4096 a pool may have");
    char *secret = kb_arena_alloc(r->arena, len + 1);
    if (secret == NULL)
        return fail(r, "cannot be held: out of memory");
    memcpy(secret, text, len);
    key.secret = secret;
    pool->keys[pool->n_keys++] = key;
    *bucket = (uint16_t)pool->n_keys;
    return 0;
}

static int read_item(struct reader *r, const char *at, const char *end)
{
    while (at < end && is_space(*at))
        at++;
    while (end > at && is_space(end[-1]))
        end--;
    if (at < end)
        return add_key(r, at, (size_t)(end - at));
    warn(r, "is empty");
    return 0;
}

/* The number of items, 0 if all of them are empty. */
static size_t count_items(const struct kb_value *value)
{
    size_t commas = 0, blanks = 0;
    for (size_t i = 0; i < value->len; i++) {
        commas += value->text[i] == ',';
        blanks += is_space(value->text[i]);
    }
    return commas + blanks < value->len ? commas + 1 : 0;
}

static int read_items(struct reader *r)
{
    const char *at = r->value->text, *end = at + r->value->len;
    for (;; at++) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        r->item++;
        if (read_item(r, at, comma != NULL ? comma : end) != 0)
            return -1;
        if (comma == NULL)
            return 0;
        at = comma;
    }
}

int kb_keylist_read(struct kb_config_pool *pool, const struct kb_value *value, struct kb_arena *arena,
                    struct kb_config_warnings *warnings, struct kb_config_error *error)
{
    struct reader r = {.pool = pool, .value = value, .arena = arena, .warnings = warnings, .error = error};
    size_t items = count_items(value);
    if (items == 0) {
        kb_config_warnings_add(warnings, value->file, value->line, "pool %s: its variable holds no key", pool->name);
        return 0;
    }
    pool->keys = kb_arena_alloc(arena, (items < KB_KEYS ? items : KB_KEYS) * sizeof *pool->keys);
    if (pool->keys == NULL)
        return kb_config_error_set(error, value->file, value->line, "pool %s: out of memory", pool->name);
    return read_items(&r);
}
