#include "keypool/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

bool kb_frame_fill(struct kb_frame *frame, enum kb_frame_kind kind, uint64_t line, const char *payload, size_t size)
{
    if (size > KB_FRAME_MAX)
        return false;
    frame->payload = malloc(size + 1);
    if (frame->payload == NULL)
        return false;
    memcpy(frame->payload, payload, size);
    frame->head = (struct kb_frame_head){.size = (uint32_t)size, .kind = kind, .line = line};
    frame->done = 0;
    return true;
}

/* The piece of the frame that comes next: the rest of the head, then the rest of the payload. */
static char *next_piece(struct kb_frame *frame, size_t *size)
{
    if (frame->done < sizeof(frame->head)) {
        *size = sizeof(frame->head) - frame->done;
        return (char *)&frame->head + frame->done;
    }
    size_t at = frame->done - sizeof(frame->head);
    *size = frame->head.size - at;
    return frame->payload + at;
}

static bool is_whole(const struct kb_frame *frame)
{
    return frame->done >= sizeof(frame->head) && frame->done == sizeof(frame->head) + frame->head.size;
}

static enum kb_frame_progress stopped(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK ? KB_FRAME_PART : KB_FRAME_BROKEN;
}

enum kb_frame_progress kb_frame_send(struct kb_frame *frame, int fd)
{
    while (!is_whole(frame)) {
        size_t size;
        const char *piece = next_piece(frame, &size);
        ssize_t n = send(fd, piece, size, MSG_NOSIGNAL);
        if (n >= 0)
            frame->done += (size_t)n;
        else if (errno != EINTR)
            return stopped();
    }
    return KB_FRAME_WHOLE;
}

static bool make_room(struct kb_frame *frame)
{
    if (frame->payload != NULL)
        return true;
    if (frame->head.size <= KB_FRAME_MAX)
        frame->payload = malloc((size_t)frame->head.size + 1);
    return frame->payload != NULL;
}

enum kb_frame_progress kb_frame_receive(struct kb_frame *frame, int fd)
{
    while (!is_whole(frame)) {
        if (frame->done >= sizeof(frame->head) && !make_room(frame))
            return KB_FRAME_BROKEN;
        size_t size;
        char *piece = next_piece(frame, &size);
        ssize_t n = recv(fd, piece, size, 0);
        if (n == 0)
            return KB_FRAME_BROKEN;
        if (n > 0)
            frame->done += (size_t)n;
        else if (errno != EINTR)
            return stopped();
    }
    return make_room(frame) ? KB_FRAME_WHOLE : KB_FRAME_BROKEN;
}

void kb_frame_clear(struct kb_frame *frame)
{
    free(frame->payload);
    *frame = (struct kb_frame){.payload = NULL};
}
