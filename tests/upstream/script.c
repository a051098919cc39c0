#include "script.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct kb_upstream_scripts {
    pthread_mutex_t mutex; /* the list and every `times`; the rest of a script stands still */
    struct kb_upstream_script *list[KB_UPSTREAM_SCRIPTS_MAX];
    unsigned count;
};

struct kb_upstream_scripts *kb_upstream_scripts_new(void)
{
    struct kb_upstream_scripts *scripts = calloc(1, sizeof *scripts);
    if (scripts && pthread_mutex_init(&scripts->mutex, NULL)) {
        free(scripts);
        return NULL;
    }
    return scripts;
}

void kb_upstream_script_clear(struct kb_upstream_script *script)
{
    for (unsigned i = 0; i < script->header_count; i++) {
        free(script->headers[i].name);
        free(script->headers[i].value);
    }
    free(script->key);
    free(script->path);
    free(script->type);
    free(script->body);
}

void kb_upstream_scripts_free(struct kb_upstream_scripts *scripts)
{
    if (!scripts)
        return;
    for (unsigned i = 0; i < scripts->count; i++) {
        kb_upstream_script_clear(scripts->list[i]);
        free(scripts->list[i]);
    }
    pthread_mutex_destroy(&scripts->mutex);
    free(scripts);
}

bool kb_upstream_scripts_add(struct kb_upstream_scripts *scripts, const struct kb_upstream_script *script)
{
    struct kb_upstream_script *held = malloc(sizeof *held);
    if (held)
        *held = *script;
    pthread_mutex_lock(&scripts->mutex);
    const bool fits = held && scripts->count < KB_UPSTREAM_SCRIPTS_MAX;
    if (fits)
        scripts->list[scripts->count++] = held;
    pthread_mutex_unlock(&scripts->mutex);
    if (fits)
        return true;
    struct kb_upstream_script given = *script;
    kb_upstream_script_clear(&given);
    free(held);
    return false;
}

void kb_upstream_scripts_clear(struct kb_upstream_scripts *scripts)
{
    pthread_mutex_lock(&scripts->mutex);
    for (unsigned i = 0; i < scripts->count; i++)
        scripts->list[i]->times = 0;
    pthread_mutex_unlock(&scripts->mutex);
}

static bool matches(const struct kb_upstream_script *script, const char *key, const char *path)
{
    return script->times > 0 && (!script->key || strcmp(script->key, key) == 0) &&
           (!script->path || strcmp(script->path, path) == 0);
}

const struct kb_upstream_script *kb_upstream_scripts_take(struct kb_upstream_scripts *scripts, const char *key,
                                                          const char *path)
{
    struct kb_upstream_script *found = NULL;
    pthread_mutex_lock(&scripts->mutex);
    for (unsigned i = 0; i < scripts->count && !found; i++)
        if (matches(scripts->list[i], key, path))
            found = scripts->list[i];
    if (found && found->times != UINT64_MAX)
        found->times--;
    pthread_mutex_unlock(&scripts->mutex);
    return found;
}
