#include "segment/os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint64_t read_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t kb_os_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t kb_os_now_coarse(void)
{
    return read_clock(CLOCK_MONOTONIC_COARSE);
}

int64_t kb_os_unix_ms(void)
{
    return (int64_t)read_clock(CLOCK_REALTIME);
}

static struct timespec timespec_of(uint64_t ms)
{
    return (struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
}

void kb_os_sleep(uint64_t ms)
{
    const struct timespec until = timespec_of(kb_os_now() + ms);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        continue;
}

void kb_os_wait(_Atomic uint32_t *word, uint32_t seen, uint64_t limit_ms)
{
    const struct timespec limit = timespec_of(limit_ms);
    syscall(SYS_futex, word, FUTEX_WAIT, seen, &limit, NULL, 0);
}

void kb_os_wake(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

void *kb_os_fork_page(bool *wiped)
{
    void *page = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return NULL;
    *wiped = madvise(page, page_size(), MADV_WIPEONFORK) == 0;
    return page;
}

void kb_os_fork_page_free(void *page)
{
    if (page)
        munmap(page, page_size());
}

bool kb_os_no_dump(void *start, size_t size)
{
    return madvise(start, size, MADV_DONTDUMP) == 0;
}

int kb_os_allocate(int fd, uint64_t offset, uint64_t size)
{
    /* The bound is for a file system that answers EINTR for ever; a shared-memory object does not. */
    for (int tries = 0; tries < 100; tries++)
        if (fallocate(fd, 0, (off_t)offset, (off_t)size) == 0)
            return 0;
        else if (errno != EINTR)
            break;
    return errno;
}

/* Reads a whole small file of /proc; -1 or its length. */
static ssize_t read_small(const char *path, char *out, size_t size)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n;
    do
        n = read(fd, out, size - 1);
    while (n < 0 && errno == EINTR);
    close(fd);
    if (n >= 0)
        out[n] = 0;
    return n;
}

/* Field NUMBER (counted from 1) of a stat line, from behind the command name, which is in brackets and
 * may hold anything; NULL if the line is too short. */
static const char *stat_field(const char *line, int number)
{
    const char *at = strrchr(line, ')');
    for (int field = 2; at && field < number; field++) {
        at = strchr(at, ' ');
        at = at ? at + 1 : NULL;
    }
    return at;
}

bool kb_os_process(int pid, struct kb_os_process *out)
{
    char path[32], line[1024];
    /* A /proc of another pid namespace would tell of other processes under the same numbers. */
    if (read_small("/proc/self/stat", line, sizeof line) <= 0 || strtol(line, NULL, 10) != (long)getpid())
        return false;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    if (read_small(path, line, sizeof line) <= 0)
        return false;
    const char *state = stat_field(line, 3), *threads = stat_field(line, 20), *start = stat_field(line, 22);
    if (!state || !threads || !start)
        return false;
    out->start = strtoull(start, NULL, 10);
    /* A leader that has called pthread_exit is a zombie too while its other threads live on. */
    out->dead = *state == 'X' || *state == 'x' || (*state == 'Z' && strtol(threads, NULL, 10) <= 1);
    return true;
}

uint64_t kb_os_pid_namespace(void)
{
    struct stat st;
    return stat("/proc/self/ns/pid", &st) == 0 ? (uint64_t)st.st_ino : 0;
}

int kb_os_pidfd(int pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

uint64_t kb_os_random(void)
{
    uint64_t bits = 0;
    /* Before the kernel's pool is ready, a number that differs is all that is needed. */
    if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) != (ssize_t)sizeof bits)
        bits = kb_os_now() * UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)getpid();
    return bits;
}
