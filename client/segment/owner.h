/*
 * owner.h: making, adopting and ending a broker's segments. For the broker, and for keyctl purge.
 *
 * Two kernel locks (flock) keep brokers apart, whatever the shared memory says:
 *     on /NAME.state    exclusive, for the moments of starting and ending
 *     on /NAME.secrets  shared, for a broker's life: if an exclusive one can be had, no broker lives
 * `broker` in the secrets' header says which of the living ones is in charge: after --replace the old
 * one finds that it is no longer named there and goes away without touching anything.
 *
 * Objects are only ever made new (O_EXCL), filled, and published by their magic. One that was left
 * half-made or damaged is unlinked, never shortened under those who map it.
 */
#ifndef KB_SEGMENT_OWNER_H
#define KB_SEGMENT_OWNER_H

#include "segment/mapping.h"

#include <sys/types.h>

#define KB_OWNER_LIMIT_MS 5000 /* the longest wait for another one that is starting or ending */

struct kb_owner {
    char name[KB_NAME_MAX + 1];
    struct kb_segment segment; /* secrets mapped read-write */
    int state_fd, secrets_fd;
    uint64_t self;         /* identity */
    bool adopted;          /* the segment was there before */
    uint64_t before;       /* identity of the broker that was in charge before; 0: none */
    bool before_lives;     /* it was taken over from alive (--replace) */
    const char *set_aside; /* why a segment that was there was not adopted; NULL: there was none */
};

struct kb_owner_error {
    char text[200];
};

/* Makes the segments of NAME, or adopts what is there, and is then in charge. GROUP -1: the process's
 * own. Fails with KB_EBUSY if a living broker has them and `replace` is not set, KB_EPERM if they are
 * somebody else's, KB_EVERSION if a living broker has another layout, KB_ENOMEM if /dev/shm is full,
 * KB_ESYSTEM; *error says it in words. */
int kb_owner_start(const char *name, gid_t group, bool replace, struct kb_owner *out, struct kb_owner_error *error);

/* Lets go; a living predecessor is in charge again. For a --replace that cannot be carried out. */
void kb_owner_hand_back(struct kb_owner *owner);

/* The guard, for an owner that is still in charge: 0, KB_EBUSY, or KB_EPERM when it has been replaced. */
int kb_owner_enter(struct kb_owner *owner);
void kb_owner_leave(struct kb_owner *owner);
bool kb_owner_in_charge(struct kb_owner *owner);

/* Allocates what the first `keys` keys of a pool need, but long secrets. 0 or an errno. */
int kb_owner_allocate(struct kb_owner *owner, unsigned pool, unsigned keys);
int kb_owner_allocate_long(struct kb_owner *owner, unsigned pool, unsigned key);
/* Allocates the pool's service text. 0 or an errno. */
int kb_owner_allocate_service(struct kb_owner *owner, unsigned pool);

/* Ends the segments: marked ended, keys gone, secrets wiped, names unlinked. Does nothing but let go if
 * the owner is no longer in charge. */
void kb_owner_end(struct kb_owner *owner);

/* Unmaps and closes, and ends nothing: what a death would leave. */
void kb_owner_abandon(struct kb_owner *owner);

/* Steps of the above, for starting (owner.c) and ending (ending.c) alike. */
enum { KB_NO_FD = -1 };
enum kb_finding { KB_USABLE, KB_LEFT_HALF_MADE, KB_ENDED, KB_OTHER_LAYOUT, KB_DAMAGED };
/* What the opened objects are; copies the header if there is one. */
enum kb_finding kb_owner_look(struct kb_owner *owner, struct kb_header *header);
/* Maps for writing what is open and of this layout's size, the secrets kept out of core dumps. True: both. */
bool kb_owner_map(struct kb_owner *owner);
/* Marks mapped segments ended, empties every key and wipes the secrets that are mapped. */
void kb_owner_empty(struct kb_segment *segment);
/* The same for opened objects that are of no more use, as far as they can be understood. */
void kb_owner_discard(struct kb_owner *owner);
/* Fills *error; returns `code`. */
int kb_owner_refuse(struct kb_owner_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Removes what a dead broker left. 0, KB_ENOBROKER, KB_EBUSY if one lives, KB_EPERM. */
int kb_owner_purge(const char *name, struct kb_owner_error *error);

#endif
