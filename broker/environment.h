/*
 * environment.h: the environment the broker was started with, kept where secrets may be.
 *
 * /proc/PID/environ shows the start's environment as long as the process lives. So everything is
 * copied when the broker starts, and what turns out to hold keys is then wiped where it stood. Which
 * variables do may change with every reload, which is why all of them are kept.
 */
#ifndef KB_BROKER_ENVIRONMENT_H
#define KB_BROKER_ENVIRONMENT_H

#include "arena.h"

struct kb_environment {
    struct kb_arena arena;
    char **variables; /* "NAME=value", NULL behind the last; in the arena */
};

/* Copies the environment; it stays as it is. Returns 0, or -1 when memory is short. */
int kb_environment_take(struct kb_environment *out);

/* The value the variable had, owned by the environment, or NULL. */
const char *kb_environment_get(const struct kb_environment *environment, const char *name);

/* Overwrites the variable's value in the process's environment with zeros and removes it from there.
 * The copy stays. No other thread may use the environment meanwhile. */
void kb_environment_drop(const char *name);

void kb_environment_free(struct kb_environment *environment);

#endif
