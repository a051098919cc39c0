#include "http/form.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where a part's bytes come from. */
struct kb_form_source {
    const char *data; /* NULL: the file */
    int fd;           /* -1: none */
    uint64_t size, at;
};

/* libcurl's read function. */
static size_t read_source(char *buffer, size_t size, size_t count, void *arg)
{
    struct kb_form_source *source = arg;
    const uint64_t left = source->size - source->at;
    size_t len = size * count;
    len = left < len ? (size_t)left : len;
    if (source->data != NULL) {
        memcpy(buffer, source->data + source->at, len);
    } else if (len > 0) {
        ssize_t n;
        while ((n = pread(source->fd, buffer, len, (off_t)source->at)) < 0 && errno == EINTR)
            ;
        if (n <= 0) /* a file that has become shorter: what was announced cannot be sent */
            return CURL_READFUNC_ABORT;
        len = (size_t)n;
    }
    source->at += len;
    return len;
}

/* libcurl's seek function: a further key's request begins anew. */
static int seek_source(void *arg, curl_off_t offset, int origin)
{
    struct kb_form_source *source = arg;
    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > source->size)
        return CURL_SEEKFUNC_FAIL;
    source->at = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

/* O_NONBLOCK: a FIFO must not hold the request up before it is found to be none of our files. */
static int open_source(struct kb_form_source *source, const char *path)
{
    struct stat stat;
    source->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (source->fd < 0 || fstat(source->fd, &stat) != 0)
        return errno;
    if (S_ISDIR(stat.st_mode))
        return EISDIR;
    if (!S_ISREG(stat.st_mode))
        return ESPIPE;
    source->size = (uint64_t)stat.st_size;
    return 0;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static int add(struct kb_form *form, const kb_http_part *part, struct kb_form_source *source)
{
    *source = (struct kb_form_source){.data = part->data, .fd = -1, .size = part->len};
    const int error = part->data == NULL ? open_source(source, part->file) : 0;
    if (error != 0)
        return error;
    curl_mimepart *mimepart = curl_mime_addpart(form->mime);
    const char *filename = part->filename;
    if (filename == NULL && part->file != NULL)
        filename = last_part(part->file);
    const bool good =
        mimepart != NULL && curl_mime_name(mimepart, part->name) == CURLE_OK &&
        curl_mime_filename(mimepart, filename) == CURLE_OK &&
        curl_mime_type(mimepart, part->content_type) == CURLE_OK &&
        curl_mime_data_cb(mimepart, (curl_off_t)source->size, read_source, seek_source, NULL, source) == CURLE_OK;
    return good ? 0 : ENOMEM;
}

int kb_form_fill(struct kb_form *form, CURL *easy, const kb_http_part *parts, size_t count,
                 const kb_http_part **culprit)
{
    *form = (struct kb_form){.mime = NULL};
    *culprit = parts;
    if (count == 0)
        return 0;
    form->sources = calloc(count, sizeof(*form->sources));
    form->mime = curl_mime_init(easy);
    if (form->sources == NULL || form->mime == NULL)
        return ENOMEM;
    for (size_t i = 0; i < count; i++) {
        *culprit = &parts[i];
        form->count = i + 1;
        const int error = add(form, &parts[i], &form->sources[i]);
        if (error != 0)
            return error;
    }
    return 0;
}

void kb_form_clear(struct kb_form *form)
{
    curl_mime_free(form->mime);
    for (size_t i = 0; i < form->count; i++)
        if (form->sources[i].fd >= 0)
            close(form->sources[i].fd);
    free(form->sources);
    *form = (struct kb_form){.mime = NULL};
}
