#include "textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_file(const char *path)
{
    int fd;
    do {
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* a fifo is not waited for */
    } while (fd < 0 && errno == EINTR);
    return fd;
}

/* Reads until the end or until `size` bytes are there. Returns their number, -1 with errno. */
static ssize_t read_up_to(int fd, char *out, size_t size)
{
    size_t used = 0;
    while (used < size) {
        ssize_t n = read(fd, out + used, size - used);
        if (n == 0)
            break;
        if (n > 0)
            used += (size_t)n;
        else if (errno != EINTR)
            return -1;
    }
    return (ssize_t)used;
}

static int read_open(struct kb_textfile *out, int fd, const char *path, struct kb_arena *arena,
                     struct kb_config_error *error)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return kb_config_error_set(error, path, 0, "cannot be read: %s", strerror(errno));
    if (S_ISDIR(st.st_mode))
        return kb_config_error_set(error, path, 0, "is a directory");
    if (!S_ISREG(st.st_mode))
        return kb_config_error_set(error, path, 0, "is no regular file");
    if (st.st_size > KB_TEXTFILE_MAX)
        return kb_config_error_set(error, path, 0, "is larger than %u bytes", KB_TEXTFILE_MAX);
    size_t size = (size_t)st.st_size + 1;
    out->text = kb_arena_alloc(arena, size);
    if (out->text == NULL)
        return kb_config_error_set(error, path, 0, "out of memory");
    ssize_t n = read_up_to(fd, out->text, size);
    if (n < 0)
        return kb_config_error_set(error, path, 0, "cannot be read: %s", strerror(errno));
    if ((size_t)n == size)
        return kb_config_error_set(error, path, 0, "grew while it was read");
    out->len = (size_t)n;
    return 0;
}

int kb_textfile_read(struct kb_textfile *out, const char *path, struct kb_arena *arena, struct kb_config_error *error)
{
    int fd = open_file(path);
    if (fd < 0)
        return kb_config_error_set(error, path, 0, "cannot be opened: %s", strerror(errno));
    int rc = read_open(out, fd, path, arena, error);
    (void)close(fd);
    if (rc == 0 && out->len >= 3 && memcmp(out->text, "\xEF\xBB\xBF", 3) == 0) {
        out->text += 3;
        out->len -= 3;
    }
    return rc;
}
