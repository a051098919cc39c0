#include "definition.h"

#include "definition_service.h"
#include "members.h"
#include "segment/mapping.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* For a field of KB_NAME_MAX + 1 characters. */
static int read_name(struct kb_reader *r, int token, char *field)
{
    return kb_reader_name(r, token, field, KB_NAME_MAX + 1, kb_name_valid,
                          "a name must stand here: 1 to 64 characters out of A-Z a-z 0-9 _ -");
}

/* The name of an environment variable, for a field of KB_ENV_MAX + 1 characters. */
static int read_env(struct kb_reader *r, int token, void *field)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    char name[KB_ENV_MAX + 1];
    ptrdiff_t len = kb_json_string(r->json, token, name, sizeof name);
    if (len <= 0 || strspn(name, letters) != (size_t)len || (name[0] >= '0' && name[0] <= '9'))
        return kb_reader_fail(r, token,
                              "the name of a variable must stand here: 1 to 127 characters out of A-Z a-z 0-9 _, "
                              "the first no digit");
    memcpy(field, name, sizeof name);
    return 0;
}

static const struct kb_member pool_members[] = {
    {"env", read_env, offsetof(struct kb_definition, env)},
    {"service", kb_definition_read_service_name, offsetof(struct kb_definition, service)},
    {"fallback", kb_definition_read_fallback, offsetof(struct kb_definition, fallback)},
};

static struct kb_definition *add(struct kb_definitions *definitions, const char *name)
{
    struct kb_definition *definition = &definitions->list[definitions->n++];
    *definition = (struct kb_definition){0};
    (void)snprintf(definition->name, sizeof definition->name, "%s", name);
    (void)snprintf(definition->service, sizeof definition->service, "%s", name);
    return definition;
}

static struct kb_definition *find(struct kb_definitions *definitions, const char *name)
{
    for (unsigned i = 0; i < definitions->n; i++)
        if (strcmp(definitions->list[i].name, name) == 0)
            return &definitions->list[i];
    return NULL;
}

static int read_pool(struct kb_reader *r, int name_token)
{
    char name[KB_NAME_MAX + 1];
    if (read_name(r, name_token, name) != 0)
        return -1;
    struct kb_definition *pool = find(r->definitions, name);
    if (pool == NULL)
        pool = add(r->definitions, name);
    else if (pool->declared)
        return kb_reader_fail(r, name_token, "a pool of this name stands above already");
    pool->declared = true;
    pool->line = kb_json_line(r->json, name_token);
    int object = kb_json_value(r->json, name_token);
    if (kb_reader_members(r, object, pool_members, sizeof pool_members / sizeof *pool_members, pool) != 0)
        return -1;
    return pool->env[0] != '\0' ? 0 : kb_reader_fail(r, name_token, "this pool needs the member \"env\"");
}

static int read_pools(struct kb_reader *r, int token, void *unused)
{
    unsigned declared = 0;
    (void)unused;
    if (kb_json_type(r->json, token) != KB_JSON_OBJECT)
        return kb_reader_fail(r, token, "an object must stand here");
    for (int at = kb_json_first(r->json, token); at >= 0; at = kb_json_next(r->json, at)) {
        if (++declared > KB_POOLS)
            return kb_reader_fail(r, at, "more than 64 pools");
        if (read_pool(r, at) != 0)
            return -1;
    }
    return 0;
}

static const struct kb_member top_members[] = {{"pools", read_pools, 0}, {"services", kb_definition_read_services, 0}};

void kb_definitions_init(struct kb_definitions *out)
{
    static const struct {
        const char *name, *env;
    } builtin[KB_DEFINITIONS_BUILTIN] = {{"suno", "SUNO_API_KEY"}, {"stability", "STABILITY_KEY"}};
    out->n = out->n_services = 0;
    for (size_t i = 0; i < KB_DEFINITIONS_BUILTIN; i++) {
        struct kb_definition *definition = add(out, builtin[i].name);
        (void)snprintf(definition->env, sizeof definition->env, "%s", builtin[i].env);
    }
}

int kb_definitions_read(struct kb_definitions *definitions, const char *path, const struct kb_textfile *text,
                        struct kb_config_error *error)
{
    struct kb_json_error syntax;
    struct kb_json *json = kb_json_parse(text->text, text->len, &syntax);
    if (json == NULL)
        return kb_config_error_set(error, path, syntax.line, "cannot be read as JSON: %s", syntax.what);
    struct kb_reader r = {.json = json, .path = path, .definitions = definitions, .error = error};
    int rc = kb_reader_members(&r, 0, top_members, sizeof top_members / sizeof *top_members, definitions);
    kb_json_free(json);
    return rc;
}
