/*
 * object.h: the shared-memory objects /NAME.state and /NAME.secrets by name, and the kernel's locks on
 * them. Which is "state" or "secrets".
 */
#ifndef KB_SEGMENT_OBJECT_H
#define KB_SEGMENT_OBJECT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Descriptors, close-on-exec; -1 and errno. A new one belongs to GROUP (-1: the process's). */
int kb_object_open(const char *name, const char *which);
int kb_object_create(const char *name, const char *which, mode_t mode, gid_t group);
int kb_object_mode(int fd, mode_t mode, gid_t group);
int kb_object_unlink(const char *name, const char *which);

/* Whether this descriptor is what the name stands for now. */
bool kb_object_is(int fd, const char *name, const char *which);

/* Exclusive lock, waited for at most limit_ms. Gone with the last descriptor, so with the process. */
bool kb_object_lock(int fd, uint64_t limit_ms);
void kb_object_unlock(int fd);
/* The lock of the living: shared for a life; alone only if nobody lives. */
void kb_object_share(int fd);
bool kb_object_lock_alone(int fd);

#endif
