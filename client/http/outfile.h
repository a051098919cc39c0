/*
 * outfile.h: a file that has its final name only when it is whole. It is written as
 * PATH.part-PID-N beside it; a process killed in between leaves that file behind.
 */
#ifndef KB_HTTP_OUTFILE_H
#define KB_HTTP_OUTFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct kb_outfile {
    int fd;           /* -1: not open */
    const char *path; /* the final name; borrowed */
    char *part;       /* the name until then; owned */
    bool begun;       /* something was written */
};

#define KB_OUTFILE_CLOSED                                                                                              \
    {                                                                                                                  \
        .fd = -1                                                                                                       \
    }

/* Creates the part. Returns 0 or an errno; after an error the file is closed. PATH must outlive it. */
int kb_outfile_open(struct kb_outfile *file, const char *path);
/* Appends to an open file. Returns 0 or an errno. */
int kb_outfile_write(struct kb_outfile *file, const char *bytes, size_t len);
/* Makes the file empty again; nothing on a closed file. Returns 0 or an errno. */
int kb_outfile_restart(struct kb_outfile *file);
/* Syncs the part and renames it over the final name. Closes in any case; returns 0 or an errno. */
int kb_outfile_commit(struct kb_outfile *file);
/* Closes the file and removes the part; nothing on a closed file. */
void kb_outfile_abandon(struct kb_outfile *file);

/* Removes the parts of PATH that a process left behind which was killed, and is reaped. */
void kb_outfile_sweep(const char *path, pid_t pid);

#endif
