#include "keypool/frame.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LARGE ((size_t)3 << 20) /* more than a socket holds */

static void open_ends(int ends[2])
{
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
}

static void close_ends(int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

static void passes_whole(size_t size)
{
    int ends[2];
    char *payload = malloc(size + 1);
    cr_assert_not_null(payload);
    for (size_t i = 0; i < size; i++)
        payload[i] = (char)(i * 31 >> 3);
    struct kb_frame out = {.payload = NULL}, in = {.payload = NULL};
    open_ends(ends);
    cr_assert(kb_frame_fill(&out, KB_FRAME_OK, UINT64_MAX, payload, size));
    enum kb_frame_progress sent = KB_FRAME_PART, received = KB_FRAME_PART;
    while (received == KB_FRAME_PART) {
        sent = kb_frame_send(&out, ends[0]);
        received = kb_frame_receive(&in, ends[1]);
    }
    cr_assert_eq(sent, KB_FRAME_WHOLE);
    cr_assert_eq(received, KB_FRAME_WHOLE);
    cr_assert(in.head.size == size && in.head.kind == KB_FRAME_OK && in.head.line == UINT64_MAX);
    cr_assert_eq(memcmp(in.payload, payload, size), 0);
    kb_frame_clear(&out);
    kb_frame_clear(&in);
    free(payload);
    close_ends(ends);
}

Test(frame, passes_whole_whatever_its_size)
{
    passes_whole(0);
    passes_whole(1);
    passes_whole(LARGE);
}

Test(frame, a_socket_that_is_full_takes_a_part)
{
    int ends[2];
    char *payload = calloc(1, LARGE);
    struct kb_frame out = {.payload = NULL};
    open_ends(ends);
    cr_assert(kb_frame_fill(&out, KB_FRAME_JOB, 1, payload, LARGE));
    cr_assert_eq(kb_frame_send(&out, ends[0]), KB_FRAME_PART);
    cr_assert(out.done > 0 && out.done < LARGE);
    kb_frame_clear(&out);
    free(payload);
    close_ends(ends);
}

Test(frame, an_end_in_the_middle_is_broken)
{
    int ends[2];
    struct kb_frame out = {.payload = NULL}, in = {.payload = NULL};
    open_ends(ends);
    cr_assert(kb_frame_fill(&out, KB_FRAME_JOB, 1, "payload", 7));
    cr_assert_eq(send(ends[0], &out.head, sizeof(out.head), 0), (ssize_t)sizeof(out.head));
    cr_assert_eq(kb_frame_receive(&in, ends[1]), KB_FRAME_PART);
    close(ends[0]);
    cr_assert_eq(kb_frame_receive(&in, ends[1]), KB_FRAME_BROKEN);
    cr_assert_eq(kb_frame_send(&out, ends[1]), KB_FRAME_BROKEN);
    kb_frame_clear(&out);
    kb_frame_clear(&in);
    close(ends[1]);
}

Test(frame, a_size_beyond_the_limit_is_broken)
{
    int ends[2];
    struct kb_frame in = {.payload = NULL};
    struct kb_frame_head head = {.size = (uint32_t)KB_FRAME_MAX + 1};
    open_ends(ends);
    cr_assert_eq(send(ends[0], &head, sizeof(head), 0), (ssize_t)sizeof(head));
    cr_assert_eq(kb_frame_receive(&in, ends[1]), KB_FRAME_BROKEN);
    cr_assert_null(in.payload);
    close_ends(ends);
}
