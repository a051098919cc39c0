#include "environment.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The value in "NAME=value" if that is its name, else NULL. */
static char *value_of(char *variable, const char *name)
{
    size_t len = strlen(name);
    return strncmp(variable, name, len) == 0 && variable[len] == '=' ? variable + len + 1 : NULL;
}

int kb_environment_take(struct kb_environment *out)
{
    size_t n = 0;
    *out = (struct kb_environment){0};
    while (environ != NULL && environ[n] != NULL)
        n++;
    out->variables = kb_arena_alloc(&out->arena, (n + 1) * sizeof *out->variables);
    for (size_t i = 0; out->variables != NULL && i < n; i++) {
        size_t size = strlen(environ[i]) + 1;
        out->variables[i] = kb_arena_alloc(&out->arena, size);
        if (out->variables[i] == NULL)
            out->variables = NULL;
        else
            memcpy(out->variables[i], environ[i], size);
    }
    if (out->variables != NULL)
        return 0;
    kb_environment_free(out);
    return -1;
}

const char *kb_environment_get(const struct kb_environment *environment, const char *name)
{
    for (char **variable = environment->variables; *variable != NULL; variable++) {
        const char *value = value_of(*variable, name);
        if (value != NULL)
            return value;
    }
    return NULL;
}

void kb_environment_drop(const char *name)
{
    for (char **variable = environ; variable != NULL && *variable != NULL; variable++) {
        char *value = value_of(*variable, name);
        if (value != NULL)
            explicit_bzero(value, strlen(value));
    }
    (void)unsetenv(name);
}

void kb_environment_free(struct kb_environment *environment)
{
    kb_arena_free(&environment->arena);
    *environment = (struct kb_environment){0};
}
