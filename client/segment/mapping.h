/*
 * mapping.h: finding a broker's segments by name and mapping them.
 */
#ifndef KB_SEGMENT_MAPPING_H
#define KB_SEGMENT_MAPPING_H

#include "segment/layout.h"

#include <stdbool.h>

/* A pair of mapped segments, in one process. */
struct kb_segment {
    struct kb_state *state;
    struct kb_secrets *secrets; /* read-only but for the broker; NULL if not asked for */
    uint64_t instance;
    struct kb_share *share;  /* this process's part in it (worker.h); NULL if not asked for */
    bool fork_wipes;         /* the kernel empties the share in a forked child; if not, `pid` tells */
    int pid;                 /* whose share it is, where the kernel does not */
    struct kb_segment *next; /* retired ones, a client's */
};

enum kb_segment_use {
    KB_USE_STATE,  /* state only: look and reset. Any owner is accepted from root */
    KB_USE_WORKER, /* and secrets to read, and a share */
};

/* Characters and length of a broker's or pool's name. */
bool kb_name_valid(const char *name);

/* NAME, or for NULL what the environment says. NULL if that is no name. */
const char *kb_name_default(const char *name);

/* "/NAME.state" or "/NAME.secrets". */
#define KB_OBJECT_NAME_MAX (KB_NAME_MAX + 16)
void kb_object_name(char out[KB_OBJECT_NAME_MAX], const char *name, const char *which);

/* Maps the segments of a valid NAME. 0 or KB_ENOBROKER, KB_EPERM, KB_EVERSION, KB_ECORRUPT, KB_ENOMEM,
 * KB_ESYSTEM. */
int kb_segment_open(const char *name, enum kb_segment_use use, struct kb_segment **out);
void kb_segment_close(struct kb_segment *segment);

/* Gives back the memory of a segment that has ended, but not its addresses: a thread that is still
 * inside finds zeros, which are no keys, and writes go nowhere. */
void kb_segment_retire(struct kb_segment *segment);

#endif
