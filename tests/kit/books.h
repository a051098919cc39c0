/*
 * books.h: whose turn it was, written down by one who looks at the cursor whenever another process may
 * have moved it, and whether every turn and claim is accounted for.
 *
 * One key of the pool is the target: it comes and goes. The others stay claimable throughout, so that
 * no turn may ever pass one of them over.
 */
#ifndef KB_TESTS_BOOKS_H
#define KB_TESTS_BOOKS_H

#include "tests/kit/kit.h"

#include <stdbool.h>

struct books {
    struct kit *kit;
    unsigned keys, target;
    uint64_t cursor;      /* as last seen */
    unsigned long turns;  /* of the others */
    unsigned long claims; /* of the others, handed out; for those who claim to count */
    unsigned long lost;   /* turns without a claim, at the last balance */
    unsigned long kills;  /* since then: each may have lost one more */
    char wrong[240];      /* what was found first; empty: nothing */
};

void books_open(struct books *books, struct kit *kit, unsigned keys, unsigned target);

/* Writes down what was found, unless something was already. */
void books_wrong(struct books *books, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Enters the turns taken since the last look; wrong if one of the others was passed over. */
void books_look(struct books *books);

/* Between operations: wrong if more of the others' claims were lost since the last time than there were
 * kills, or the lanes' counts do not lie between claims and turns. */
void books_balance(struct books *books);

/* Whether anything but counts has changed in shared memory since the last call. */
bool books_changed(const struct books *books);

/* Wrong if a bit disagrees with its key's word. */
void books_bits(struct books *books);

#endif
