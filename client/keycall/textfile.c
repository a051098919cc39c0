#include "keycall/textfile.h"

#include "keycall/options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MAX = 1 << 20 };

/* Reads to the end, or until text is full. Returns the length, or -1 with errno. */
static ssize_t read_all(int fd, char *text, size_t size)
{
    size_t len = 0;
    while (len < size) {
        const ssize_t n = read(fd, text + len, size - len);
        if (n == 0)
            break;
        if (n < 0 && errno != EINTR)
            return -1;
        len += n > 0 ? (size_t)n : 0;
    }
    return (ssize_t)len;
}

static const char *trouble_of(ssize_t len, const char *text)
{
    if (len < 0)
        return strerror(errno);
    if (len > TEXT_MAX)
        return "it is longer than 1 MiB";
    return memchr(text, '\0', (size_t)len) != NULL ? "it has a NUL byte" : NULL;
}

char *kb_call_textfile(const char *argument, const char *path)
{
    const bool is_stdin = strcmp(path, "-") == 0;
    const int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    char *text = malloc(TEXT_MAX + 2);
    if (text == NULL)
        errno = ENOMEM;
    ssize_t len = fd >= 0 && text != NULL ? read_all(fd, text, TEXT_MAX + 1) : -1;
    const char *trouble = trouble_of(len, text);
    if (trouble != NULL) {
        kb_call_refuse(0, "--%s: cannot take its file: %s", argument, trouble);
        free(text);
        text = NULL;
    }
    if (fd >= 0 && !is_stdin)
        close(fd);
    while (text != NULL && len > 0 && text[len - 1] == '\n')
        len--;
    if (text != NULL)
        text[len] = '\0';
    return text;
}
