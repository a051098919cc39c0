#include "segment/object.h"

#include "segment/mapping.h"
#include "segment/os.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_POLL_MS = 5 };

static int open_object(const char *name, const char *which, int flags)
{
    char object[KB_OBJECT_NAME_MAX];
    kb_object_name(object, name, which);
    return shm_open(object, O_RDWR | flags, 0600); /* sets FD_CLOEXEC */
}

int kb_object_open(const char *name, const char *which)
{
    return open_object(name, which, 0);
}

int kb_object_mode(int fd, mode_t mode, gid_t group)
{
    if (group != (gid_t)-1 && fchown(fd, (uid_t)-1, group) != 0)
        return -1;
    return fchmod(fd, mode);
}

int kb_object_create(const char *name, const char *which, mode_t mode, gid_t group)
{
    const int fd = open_object(name, which, O_CREAT | O_EXCL);
    if (fd >= 0 && kb_object_mode(fd, mode, group) != 0) {
        const int error = errno;
        close(fd);
        kb_object_unlink(name, which);
        errno = error;
        return -1;
    }
    return fd;
}

int kb_object_unlink(const char *name, const char *which)
{
    char object[KB_OBJECT_NAME_MAX];
    kb_object_name(object, name, which);
    return shm_unlink(object);
}

bool kb_object_is(int fd, const char *name, const char *which)
{
    struct stat ours, named;
    const int other = kb_object_open(name, which);
    const bool same = other >= 0 && fstat(fd, &ours) == 0 && fstat(other, &named) == 0 && ours.st_dev == named.st_dev &&
                      ours.st_ino == named.st_ino;
    if (other >= 0)
        close(other);
    return same;
}

static bool try_lock(int fd, int how)
{
    while (flock(fd, how | LOCK_NB) != 0)
        if (errno != EINTR)
            return false;
    return true;
}

bool kb_object_lock(int fd, uint64_t limit_ms)
{
    const uint64_t until = kb_os_now() + limit_ms;
    while (!try_lock(fd, LOCK_EX)) {
        if (kb_os_now() >= until)
            return false;
        kb_os_sleep(LOCK_POLL_MS);
    }
    return true;
}

void kb_object_unlock(int fd)
{
    try_lock(fd, LOCK_UN);
}

void kb_object_share(int fd)
{
    try_lock(fd, LOCK_SH);
}

bool kb_object_lock_alone(int fd)
{
    return try_lock(fd, LOCK_EX);
}
