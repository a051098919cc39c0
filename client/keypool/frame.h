/*
 * frame.h: one message on a stream socket between master and worker, sent or received in as many
 * pieces as the socket takes or gives. Both ends are the same program: the layout is the struct's.
 */
#ifndef KB_KEYPOOL_FRAME_H
#define KB_KEYPOOL_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a payload: a result's body may grow six times by JSON's escapes, and holds a job's id. */
#define KB_FRAME_MAX ((size_t)512 << 20)

enum kb_frame_kind { KB_FRAME_JOB, KB_FRAME_OK, KB_FRAME_FAILED, KB_FRAME_NOT_STARTED };

struct kb_frame_head {
    uint32_t size; /* of the payload */
    uint32_t kind; /* kb_frame_kind: a job, or how the job of a result went */
    uint64_t line; /* the job's number */
};

struct kb_frame {
    struct kb_frame_head head;
    char *payload; /* owned */
    size_t done;   /* bytes sent or received, head included */
};

enum kb_frame_progress { KB_FRAME_BROKEN = -1, KB_FRAME_PART = 0, KB_FRAME_WHOLE = 1 };

/* Readies an empty frame for sending, with a copy of the payload. False if memory is short or the
 * payload over KB_FRAME_MAX. */
bool kb_frame_fill(struct kb_frame *frame, enum kb_frame_kind kind, uint64_t line, const char *payload, size_t size);

/* Goes on sending, or receiving into a frame that began empty. PART: a non-blocking socket has no
 * more room, or no more bytes. BROKEN: the other end is gone, or memory is short. */
enum kb_frame_progress kb_frame_send(struct kb_frame *frame, int fd);
enum kb_frame_progress kb_frame_receive(struct kb_frame *frame, int fd);

/* Frees the payload; the frame is empty. */
void kb_frame_clear(struct kb_frame *frame);

#endif
