#include "client.h"
#include "segment/os.h"
#include "segment/service_text.h"

enum {
    TRIES = 20, /* 1 ms apart: the broker writes a text in microseconds, if nothing holds it up */
};

static int read_now(const struct kb_segment *segment, unsigned pool, char *out, size_t size, uint64_t *stamp)
{
    *stamp = kb_service_text_stamp(segment->secrets, pool);
    const size_t length = kb_service_text_length(*stamp);
    if (*stamp == 0)
        return KB_EBUSY;
    if (!out)
        return (int)length;
    if (size <= length)
        return KB_EINVAL;
    return kb_service_text_copy(segment->secrets, pool, *stamp, out) ? (int)length : KB_EBUSY;
}

/* Length or KB_E code. Waits only for who wants the text. */
static int read_patiently(const struct kb_segment *segment, unsigned pool, char *out, size_t size, uint64_t *stamp)
{
    int code = read_now(segment, pool, out, size, stamp);
    for (int tries = 1; code == KB_EBUSY && out && tries < TRIES; tries++) {
        kb_os_sleep(1);
        code = read_now(segment, pool, out, size, stamp);
    }
    return code;
}

int kb_pool_service(kb_client *client, const char *pool, char *out, size_t size, uint64_t *stamp)
{
    struct kb_segment *segment, *now;
    if (!client || !pool || (out && size == 0))
        return KB_EINVAL;
    int code = kb_client_segment(client, &segment);
    for (int moves = 0; code == 0 && moves < KB_MOVES; moves++) {
        uint64_t word = 0;
        int answer = kb_client_pool(client, segment, pool);
        if (answer >= 0)
            answer = read_patiently(segment, (unsigned)answer, out, size, &word);
        /* An answer counts only if its segment has not ended meanwhile. */
        code = kb_client_segment(client, &now);
        if (code == 0 && now == segment) {
            if (answer < 0 && out)
                out[0] = 0;
            if (answer >= 0 && stamp)
                *stamp = word ^ segment->instance; /* serials begin anew in every segment */
            return answer;
        }
        segment = now;
    }
    if (out)
        out[0] = 0;
    return code ? code : KB_ENOBROKER;
}
