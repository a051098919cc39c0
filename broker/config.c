#include "config.h"

#include "definition.h"
#include "dotenv.h"
#include "keylist.h"
#include "textfile.h"

#include <stdbool.h>
#include <string.h>

struct loader {
    const struct kb_config_sources *from;
    struct kb_arena scratch; /* the files' text: values point into it until the keys are copied */
    struct kb_definitions definitions;
    struct kb_value values[KB_POOLS + KB_DEFINITIONS_BUILTIN]; /* of each definition's variable */
    bool used[KB_POOLS];                                       /* by a pool: the service of this number */
    struct kb_config_warnings warnings;
    struct kb_config_error *error;
    const char *file; /* the env file being read */
};

static int read_definitions(struct loader *l)
{
    struct kb_textfile file;
    const char *path = l->from->json_file;
    kb_definitions_init(&l->definitions);
    if (path == NULL)
        return 0;
    if (kb_textfile_read(&file, path, &l->scratch, l->error) != 0)
        return -1;
    return kb_definitions_read(&l->definitions, path, &file, l->error);
}

static void read_environment(struct loader *l)
{
    for (unsigned i = 0; i < l->definitions.n; i++) {
        const char *name = l->definitions.list[i].env;
        const char *text = l->from->environment != NULL ? kb_environment_get(l->from->environment, name) : NULL;
        if (text != NULL)
            l->values[i] = (struct kb_value){.text = text, .len = strlen(text), .file = "environment"};
        kb_environment_drop(name);
    }
}

static void warn_of_nul(struct loader *l, const struct kb_value *value)
{
    if (value->len > 0 && memchr(value->text, '\0', value->len) != NULL)
        kb_config_warnings_add(&l->warnings, value->file, value->line, "a NUL byte in a value that is not used");
}

/* Several pools may share a variable. */
static void take_assignment(void *arg, const struct kb_dotenv_entry *entry)
{
    struct loader *l = arg;
    struct kb_value value = {.text = entry->value, .len = entry->value_len, .file = l->file, .line = entry->line};
    struct kb_value beaten = value;
    for (unsigned i = 0; i < l->definitions.n; i++) {
        const char *env = l->definitions.list[i].env;
        if (strncmp(env, entry->name, entry->name_len) == 0 && env[entry->name_len] == '\0') {
            beaten = l->values[i];
            l->values[i] = value;
        }
    }
    warn_of_nul(l, &beaten);
}

static void take_warning(void *arg, unsigned line, const char *message)
{
    struct loader *l = arg;
    kb_config_warnings_add(&l->warnings, l->file, line, "%s", message);
}

static int read_env_files(struct loader *l)
{
    const struct kb_dotenv_reader reader = {.assign = take_assignment, .warn = take_warning, .arg = l};
    for (unsigned i = 0; i < l->from->n_env_files; i++) {
        struct kb_textfile file;
        l->file = l->from->env_files[i];
        if (kb_textfile_read(&file, l->file, &l->scratch, l->error) != 0)
            return -1;
        kb_dotenv_parse(file.text, file.len, &reader);
    }
    return 0;
}

/* The service's definition outlives the file's text. False: no memory. */
static bool copy_service(struct loader *l, struct kb_arena *arena, struct kb_config_pool *pool)
{
    const struct kb_definition_service *service = kb_definitions_service(&l->definitions, pool->service);
    if (service == NULL)
        return true;
    l->used[service - l->definitions.services] = true;
    char *text = kb_arena_alloc(arena, service->len + 1);
    if (text != NULL)
        memcpy(text, service->text, service->len);
    pool->definition = text;
    return text != NULL;
}

static void fill_pool(struct kb_config_pool *pool, const struct loader *l, unsigned i)
{
    const struct kb_definition *definition = &l->definitions.list[i];
    memcpy(pool->name, definition->name, sizeof pool->name);
    memcpy(pool->service, definition->service, sizeof pool->service);
    memcpy(pool->env, definition->env, sizeof pool->env);
    pool->fallback_named = definition->fallback.named;
    pool->fallback = definition->fallback.bits;
    pool->file = definition->declared ? l->from->json_file : l->values[i].file;
    pool->line = definition->declared ? definition->line : l->values[i].line;
}

static int build_pools(struct loader *l, struct kb_config *out)
{
    out->pools = kb_arena_alloc(&out->arena, KB_POOLS * sizeof *out->pools);
    if (out->pools == NULL)
        return kb_config_error_set(l->error, NULL, 0, "out of memory");
    for (unsigned i = 0; i < l->definitions.n; i++) {
        const struct kb_value *value = &l->values[i];
        if (value->text == NULL && !l->definitions.list[i].declared)
            continue;
        if (out->n_pools == KB_POOLS)
            return kb_config_error_set(l->error, l->from->json_file, 0,
                                       "more than %d pools, built-in ones whose variable is set included", KB_POOLS);
        struct kb_config_pool *pool = &out->pools[out->n_pools++];
        fill_pool(pool, l, i);
        if (!copy_service(l, &out->arena, pool))
            return kb_config_error_set(l->error, NULL, 0, "out of memory");
        if (value->text == NULL)
            kb_config_warnings_add(&l->warnings, pool->file, pool->line, "pool %s: its variable is set nowhere",
                                   pool->name);
        else if (kb_keylist_read(pool, value, &out->arena, &l->warnings, l->error) != 0)
            return -1;
    }
    return 0;
}

static void warn_of_services(struct loader *l)
{
    for (unsigned i = 0; i < l->definitions.n_services; i++) {
        const struct kb_definition_service *service = &l->definitions.services[i];
        const char *file = l->from->json_file;
        if (!l->used[i])
            kb_config_warnings_add(&l->warnings, file, service->line, "no pool uses this service");
        else if (service->open_to_all)
            kb_config_warnings_add(&l->warnings, file, service->line,
                                   "keys of this service go to another host unencrypted: its URL is plain http");
    }
}

static int load(struct loader *l, struct kb_config *out)
{
    if (read_definitions(l) != 0)
        return -1;
    read_environment(l);
    if (read_env_files(l) != 0 || build_pools(l, out) != 0)
        return -1;
    warn_of_services(l);
    if (out->n_pools == 0)
        kb_config_warnings_add(&l->warnings, NULL, 0, "no pools: neither SUNO_API_KEY nor STABILITY_KEY is set");
    return 0;
}

static void warn_of_swap(struct loader *l, const struct kb_config *out)
{
    int why = out->arena.lock_errno != 0 ? out->arena.lock_errno : l->scratch.lock_errno;
    if (why == 0 && l->from->environment != NULL)
        why = l->from->environment->arena.lock_errno;
    if (why != 0)
        kb_config_warnings_add(&l->warnings, NULL, 0, "keys cannot be locked into memory and may be swapped out: %s",
                               strerror(why));
}

int kb_config_load(struct kb_config *out, const struct kb_config_sources *from, kb_config_warn *warn, void *arg,
                   struct kb_config_error *error)
{
    struct loader l = {.from = from, .warnings = {.warn = warn, .arg = arg}, .error = error};
    *out = (struct kb_config){0};
    *error = (struct kb_config_error){0};
    int rc = load(&l, out);
    warn_of_swap(&l, out);
    kb_arena_free(&l.scratch);
    if (rc != 0)
        kb_config_free(out);
    return rc;
}

void kb_config_free(struct kb_config *config)
{
    kb_arena_free(&config->arena);
    *config = (struct kb_config){0};
}
