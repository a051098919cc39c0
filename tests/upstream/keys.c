#include "keys.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINE_MAX_BYTES (KB_UPSTREAM_NAME_MAX + KB_UPSTREAM_SECRET_MAX + 64)

struct key {
    char name[KB_UPSTREAM_NAME_MAX + 1];
    char *secret;
    enum kb_upstream_state state;
    uint64_t seen, ok, refused;
    uint64_t first_ms, last_ms;
};

struct kb_upstream_keys {
    pthread_mutex_t mutex; /* states and figures; the rest stands still once the server runs */
    struct key key[KB_UPSTREAM_KEYS_MAX];
    int count;
    uint64_t connections, unknown;
};

static const char *const STATE_NAMES[KB_UPSTREAM_STATES] = {
    [KB_UPSTREAM_GOOD] = "good",   [KB_UPSTREAM_REVOKED] = "revoked",   [KB_UPSTREAM_FORBIDDEN] = "forbidden",
    [KB_UPSTREAM_RATE] = "rate",   [KB_UPSTREAM_CREDITS] = "credits",   [KB_UPSTREAM_SUNO_CREDITS] = "suno-credits",
    [KB_UPSTREAM_ERROR] = "error", [KB_UPSTREAM_SLOW] = "slow",         [KB_UPSTREAM_DROP] = "drop",
    [KB_UPSTREAM_ECHO] = "echo",   [KB_UPSTREAM_REDIRECT] = "redirect",
};

static void lock(struct kb_upstream_keys *keys)
{
    int failed = pthread_mutex_lock(&keys->mutex);
    assert(!failed);
    (void)failed;
}

static void unlock(struct kb_upstream_keys *keys)
{
    int failed = pthread_mutex_unlock(&keys->mutex);
    assert(!failed);
    (void)failed;
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct kb_upstream_keys *kb_upstream_keys_new(void)
{
    struct kb_upstream_keys *keys = calloc(1, sizeof *keys);
    if (keys && pthread_mutex_init(&keys->mutex, NULL)) {
        free(keys);
        return NULL;
    }
    return keys;
}

static void drop_secret(char *secret)
{
    explicit_bzero(secret, strlen(secret));
    free(secret);
}

void kb_upstream_keys_free(struct kb_upstream_keys *keys)
{
    for (int i = 0; i < keys->count; i++)
        drop_secret(keys->key[i].secret);
    pthread_mutex_destroy(&keys->mutex);
    free(keys);
}

const char *kb_upstream_state_name(enum kb_upstream_state state)
{
    assert(state < KB_UPSTREAM_STATES);
    return STATE_NAMES[state];
}

bool kb_upstream_state_parse(const char *word, enum kb_upstream_state *out)
{
    for (int i = 0; i < KB_UPSTREAM_STATES; i++) {
        if (strcmp(word, STATE_NAMES[i]) == 0) {
            *out = (enum kb_upstream_state)i;
            return true;
        }
    }
    return false;
}

static int find_name(const struct kb_upstream_keys *keys, const char *name)
{
    for (int i = 0; i < keys->count; i++)
        if (strcmp(keys->key[i].name, name) == 0)
            return i;
    return -1;
}

static int find_secret(const struct kb_upstream_keys *keys, const char *secret)
{
    for (int i = 0; i < keys->count; i++)
        if (strcmp(keys->key[i].secret, secret) == 0)
            return i;
    return -1;
}

static bool name_is_plain(const char *name, size_t len)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    if (len == 0 || len > KB_UPSTREAM_NAME_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!name[i] || !strchr(plain, name[i]))
            return false;
    return true;
}

const char *kb_upstream_keys_add(struct kb_upstream_keys *keys, const char *spec, size_t len)
{
    const char *end = spec + len;
    const char *equals = memchr(spec, '=', len);
    const char *colon = memrchr(spec, ':', len); /* a secret may hold colons, a state does not */
    if (!equals || !colon || colon < equals + 2)
        return "want NAME=SECRET:STATE";
    if (!name_is_plain(spec, (size_t)(equals - spec)))
        return "want a name of at most 32 letters, digits, _ and -";
    size_t secret_len = (size_t)(colon - equals - 1);
    if (secret_len > KB_UPSTREAM_SECRET_MAX || memchr(equals + 1, '\0', secret_len))
        return "the secret is too long or holds a NUL byte";
    char word[16] = "";
    enum kb_upstream_state state;
    if ((size_t)(end - colon - 1) < sizeof word)
        memcpy(word, colon + 1, (size_t)(end - colon - 1));
    if (!kb_upstream_state_parse(word, &state))
        return "no such state";
    if (keys->count == KB_UPSTREAM_KEYS_MAX)
        return "too many keys";

    struct key *key = &keys->key[keys->count];
    memset(key, 0, sizeof *key);
    memcpy(key->name, spec, (size_t)(equals - spec));
    key->state = state;
    key->secret = strndup(equals + 1, secret_len);
    if (!key->secret)
        return "out of memory";
    if (find_name(keys, key->name) >= 0 || find_secret(keys, key->secret) >= 0) {
        drop_secret(key->secret);
        return "a key of this name or secret was given before";
    }
    keys->count++;
    return NULL;
}

const char *kb_upstream_keys_load(struct kb_upstream_keys *keys, const char *path, unsigned *line)
{
    static char text[LINE_MAX_BYTES];
    const char *wrong = NULL;
    FILE *file = fopen(path, "re");
    *line = 0;
    if (!file)
        return "cannot be read";
    setvbuf(file, NULL, _IONBF, 0); /* no copy of the secrets in stdio's buffer */
    while (!wrong && fgets(text, sizeof text, file)) {
        ++*line;
        size_t len = strcspn(text, "\r\n");
        if (len + 1 == sizeof text)
            wrong = "the line is too long";
        else if (len > 0 && text[0] != '#')
            wrong = kb_upstream_keys_add(keys, text, len);
    }
    if (!wrong && ferror(file)) {
        *line = 0;
        wrong = "cannot be read";
    }
    explicit_bzero(text, sizeof text);
    fclose(file);
    return wrong;
}

int kb_upstream_keys_arrive(struct kb_upstream_keys *keys, const char *secret, enum kb_upstream_state *state)
{
    int found = secret ? find_secret(keys, secret) : -1;
    uint64_t now = now_ms();
    lock(keys);
    if (found < 0) {
        keys->unknown++;
    } else {
        struct key *key = &keys->key[found];
        if (key->seen++ == 0)
            key->first_ms = now;
        key->last_ms = now;
        *state = key->state;
    }
    unlock(keys);
    return found;
}

void kb_upstream_keys_answered(struct kb_upstream_keys *keys, int key, bool ok)
{
    if (key < 0)
        return;
    assert(key < keys->count);
    lock(keys);
    if (ok)
        keys->key[key].ok++;
    else
        keys->key[key].refused++;
    unlock(keys);
}

void kb_upstream_keys_connected(struct kb_upstream_keys *keys)
{
    lock(keys);
    keys->connections++;
    unlock(keys);
}

const char *kb_upstream_keys_name(const struct kb_upstream_keys *keys, int key)
{
    assert(key >= 0 && key < keys->count);
    return keys->key[key].name;
}

bool kb_upstream_keys_set(struct kb_upstream_keys *keys, const char *name, enum kb_upstream_state state)
{
    int found = find_name(keys, name);
    if (found < 0)
        return false;
    lock(keys);
    keys->key[found].state = state;
    unlock(keys);
    return true;
}

char *kb_upstream_keys_stats(struct kb_upstream_keys *keys)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return NULL;
    lock(keys);
    fprintf(out, "{\"connections\":%ju,\"unknown\":%ju,\"keys\":{", (uintmax_t)keys->connections,
            (uintmax_t)keys->unknown);
    for (int i = 0; i < keys->count; i++) {
        const struct key *key = &keys->key[i];
        fprintf(out,
                "%s\n\"%s\":{\"state\":\"%s\",\"seen\":%ju,\"ok\":%ju,\"refused\":%ju,"
                "\"first_ms\":%ju,\"last_ms\":%ju}",
                i ? "," : "", key->name, STATE_NAMES[key->state], (uintmax_t)key->seen, (uintmax_t)key->ok,
                (uintmax_t)key->refused, (uintmax_t)key->first_ms, (uintmax_t)key->last_ms);
    }
    unlock(keys);
    fputs("\n}}\n", out);
    if (fclose(out)) {
        free(text);
        return NULL;
    }
    return text;
}
