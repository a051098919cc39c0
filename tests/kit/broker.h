/*
 * broker.h: the real keybrokerd with any env file and any configuration.
 */
#ifndef KB_TESTS_BROKER_H
#define KB_TESTS_BROKER_H

#include "keybroker.h"

#include <stdbool.h>
#include <sys/types.h>

struct broker {
    char name[KB_NAME_MAX + 1]; /* of its own, with the pid */
    char folder[64];            /* of its own: env file, configuration, log; tests may leave files in it */
    pid_t pid;
};

bool broker_there(void);

/* Starts one with the text of its env file and of its JSON configuration (NULL: none), and waits until workers can
 * claim; false, with its log told, if that does not come. */
bool broker_start(struct broker *broker, const char *env, const char *config);
/* Another configuration: returns true once it is in force, false if that does not come. */
bool broker_reload(const struct broker *broker, const char *config);
/* Kills it and removes everything, in shared memory too. Harmless if there is nothing. */
void broker_clean(struct broker *broker);

/* How a key stands, as keyctl says it. */
struct broker_key {
    const char *state;  /* "available", "failed", "cooling", "probation", "disabled" */
    const char *reason; /* "none", "auth", "quota", "rate" */
    long retry_ms;      /* until it is retried, 0: now or no time */
};
struct broker_key broker_key(const struct broker *broker, unsigned pool, const char *fingerprint);
/* Makes every key of the pool available. */
void broker_reset(const struct broker *broker, unsigned pool);

#endif
