#include "segment/mapping.h"

#include "segment/os.h"
#include "segment/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

bool kb_name_valid(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const size_t length = strnlen(name, KB_NAME_MAX + 1);
    return length > 0 && length <= KB_NAME_MAX && strspn(name, allowed) == length;
}

const char *kb_name_default(const char *name)
{
    if (!name) {
        name = getenv("KEYBROKER_NAME");
        if (!name || !*name)
            name = "keybroker";
    }
    return kb_name_valid(name) ? name : NULL;
}

void kb_object_name(char out[KB_OBJECT_NAME_MAX], const char *name, const char *which)
{
    snprintf(out, KB_OBJECT_NAME_MAX, "/%s.%s", name, which);
}

static bool in_group(gid_t group)
{
    if (group == getegid())
        return true;
    gid_t *groups = NULL;
    int count = getgroups(0, NULL);
    bool found = false;
    if (count > 0 && (groups = malloc((size_t)count * sizeof *groups)))
        count = getgroups(count, groups);
    for (int i = 0; groups && i < count && !found; i++)
        found = groups[i] == group;
    free(groups);
    return found;
}

/* Anybody can make an object of that name first. Ours is one of root's, our own, or one that somebody
 * in a group of ours gave to that group; and the world has no part in it. */
static bool trusted(const struct stat *st, enum kb_segment_use use)
{
    if (st->st_mode & S_IRWXO)
        return false;
    if (use == KB_USE_STATE && geteuid() == 0)
        return true;
    return st->st_uid == 0 || st->st_uid == geteuid() || (in_group(st->st_gid) && (st->st_mode & S_IRWXG));
}

static int code_of(int error)
{
    switch (error) {
    case ENOENT:
        return KB_ENOBROKER;
    case EACCES:
    case EPERM:
    case ELOOP:
        return KB_EPERM;
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case EAGAIN:
        return KB_ENOMEM;
    default:
        return KB_ESYSTEM;
    }
}

/* Maps SIZE bytes of an object. A shorter object would be a SIGBUS later. */
static int map_object(const char *name, const char *which, size_t size, bool writable, enum kb_segment_use use,
                      void **out)
{
    char object[KB_OBJECT_NAME_MAX];
    kb_object_name(object, name, which);
    const int fd = shm_open(object, writable ? O_RDWR : O_RDONLY, 0);
    if (fd < 0)
        return code_of(errno);
    struct stat st;
    int code = 0;
    *out = MAP_FAILED;
    if (fstat(fd, &st) != 0)
        code = KB_ESYSTEM;
    else if (!trusted(&st, use))
        code = KB_EPERM;
    else if (st.st_size < (off_t)sizeof(struct kb_header))
        code = st.st_size == 0 ? KB_ENOBROKER : KB_ECORRUPT; /* 0: being made */
    else if (st.st_size >= (off_t)size)
        *out = mmap(NULL, size, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
    else /* too short for this layout: another one's, or cut off; the header tells */
        *out = mmap(NULL, sizeof(struct kb_header), PROT_READ, MAP_SHARED, fd, 0);
    if (code == 0 && *out == MAP_FAILED)
        code = code_of(errno);
    if (code == 0 && st.st_size < (off_t)size) {
        const struct kb_header *header = *out;
        code = header->magic == KB_MAGIC && header->layout != KB_LAYOUT ? KB_EVERSION : KB_ECORRUPT;
        munmap(*out, sizeof *header);
    }
    close(fd);
    return code;
}

static int check_header(const struct kb_header *header)
{
    const uint64_t magic = atomic_load_explicit(&header->magic, memory_order_acquire);
    if (magic == 0)
        return KB_ENOBROKER; /* being made, or left half-made by a death */
    if (magic != KB_MAGIC)
        return KB_ECORRUPT;
    if (header->layout != KB_LAYOUT)
        return KB_EVERSION;
    return atomic_load(&header->ended) ? KB_ENOBROKER : 0;
}

static int open_secrets(const char *name, struct kb_segment *segment)
{
    void *memory;
    const int code = map_object(name, "secrets", sizeof *segment->secrets, false, KB_USE_WORKER, &memory);
    if (code)
        return code;
    segment->secrets = memory;
    kb_os_no_dump(memory, sizeof *segment->secrets);
    const struct kb_secrets_header *header = memory;
    if (atomic_load_explicit(&header->magic, memory_order_acquire) != KB_MAGIC ||
        header->instance != segment->instance) /* one of the two is a newer broker's: try again */
        return KB_ENOBROKER;
    return header->layout == KB_LAYOUT ? 0 : KB_EVERSION;
}

int kb_segment_open(const char *name, enum kb_segment_use use, struct kb_segment **out)
{
    struct kb_segment *segment = calloc(1, sizeof *segment);
    void *memory;
    if (!segment)
        return KB_ENOMEM;
    int code = map_object(name, "state", sizeof *segment->state, true, use, &memory);
    if (code == 0) {
        segment->state = memory;
        segment->pid = (int)getpid();
        code = check_header(&segment->state->header);
    }
    if (code == 0) {
        segment->instance = segment->state->header.instance;
        if (use == KB_USE_WORKER && atomic_load(&segment->state->header.generation) == 0)
            code = KB_ENOBROKER; /* its first keys are on their way: a worker waits for them as for the broker */
        else if (use == KB_USE_WORKER)
            code = open_secrets(name, segment);
    }
    if (code == 0 && use == KB_USE_WORKER && !(segment->share = kb_os_fork_page(&segment->fork_wipes)))
        code = KB_ENOMEM;
    if (code) {
        kb_segment_close(segment);
        return code;
    }
    *out = segment;
    return 0;
}

void kb_segment_close(struct kb_segment *segment)
{
    if (segment->state)
        munmap(segment->state, sizeof *segment->state);
    if (segment->secrets)
        munmap(segment->secrets, sizeof *segment->secrets);
    kb_os_fork_page_free(segment->share);
    free(segment);
}

static void replace_by_zeros(void *start, size_t size, int protection)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
    /* If it cannot be done the old memory stays until the handle is closed. */
    const void *zeros = mmap(start, size, protection, flags, -1, 0);
    (void)zeros;
}

void kb_segment_retire(struct kb_segment *segment)
{
    replace_by_zeros(segment->state, sizeof *segment->state, PROT_READ | PROT_WRITE);
    replace_by_zeros(segment->secrets, sizeof *segment->secrets, PROT_READ);
}
