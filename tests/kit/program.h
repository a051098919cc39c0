/*
 * program.h: the real keybrokerd, with an env file of kit secrets as pool "suno".
 *
 * It is looked for in $KB_BUILD, else $BUILD, else build/.
 */
#ifndef KB_TESTS_PROGRAM_H
#define KB_TESTS_PROGRAM_H

#include "segment/mapping.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct program {
    char name[KB_NAME_MAX + 1]; /* of its own, with the pid */
    char folder[64];            /* of its own: the env file and the brokers' log */
    pid_t pid;                  /* of the broker started last; 0: none */
};

bool program_there(void);

/* A name and a folder; the keys are those whose bits are set. Aborts where a file cannot be written. */
void program_make(struct program *program, uint32_t keys);
/* Rewrites the env file, at once for whoever reads it. The order of the keys changes with `turn`. */
void program_keys(const struct program *program, uint32_t keys, unsigned turn);

/* Starts a broker without waiting for it. */
void program_launch(struct program *program, bool replace);
/* Starts one and waits until workers can claim; false if that does not come. */
bool program_start(struct program *program, bool replace);

/* The shared state of the broker; program_unmap gives it back. NULL: there is none. */
struct kb_segment *program_map(const struct program *program);
void program_unmap(struct kb_segment *segment);

/* Kills the broker and removes everything, in shared memory too. Harmless if there is nothing. */
void program_clean(struct program *program);

#endif
