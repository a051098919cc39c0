#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PART_NAMES 100 /* tried before giving up: others' parts, or those of killed processes of this pid */

int kb_outfile_open(struct kb_outfile *file, const char *path)
{
    *file = (struct kb_outfile)KB_OUTFILE_CLOSED;
    for (int i = 0; i < PART_NAMES; i++) {
        char *part = NULL;
        if (asprintf(&part, "%s.part-%d-%d", path, (int)getpid(), i) < 0)
            return ENOMEM;
        int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0) {
            *file = (struct kb_outfile){.fd = fd, .path = path, .part = part};
            return 0;
        }
        int error = errno;
        free(part);
        if (error != EEXIST && error != EINTR)
            return error;
    }
    return EEXIST;
}

int kb_outfile_write(struct kb_outfile *file, const char *bytes, size_t len)
{
    file->begun = true;
    while (len > 0) {
        ssize_t n = write(file->fd, bytes, len);
        if (n < 0 && errno != EINTR)
            return errno;
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

int kb_outfile_restart(struct kb_outfile *file)
{
    if (!file->begun)
        return 0;
    if (lseek(file->fd, 0, SEEK_SET) != 0 || ftruncate(file->fd, 0) != 0)
        return errno;
    file->begun = false;
    return 0;
}

static void forget(struct kb_outfile *file)
{
    free(file->part);
    *file = (struct kb_outfile)KB_OUTFILE_CLOSED;
}

int kb_outfile_commit(struct kb_outfile *file)
{
    int error = fsync(file->fd) != 0 ? errno : 0;
    if (close(file->fd) != 0 && error == 0 && errno != EINTR)
        error = errno;
    if (error == 0 && rename(file->part, file->path) != 0)
        error = errno;
    if (error != 0)
        (void)unlink(file->part);
    forget(file);
    return error;
}

void kb_outfile_abandon(struct kb_outfile *file)
{
    if (file->fd < 0)
        return;
    (void)close(file->fd);
    (void)unlink(file->part);
    forget(file);
}

void kb_outfile_sweep(const char *path, pid_t pid)
{
    for (int i = 0; i < PART_NAMES; i++) {
        char *part = NULL;
        if (asprintf(&part, "%s.part-%d-%d", path, (int)pid, i) < 0)
            return;
        (void)unlink(part);
        free(part);
    }
}
