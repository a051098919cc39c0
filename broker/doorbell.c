#include "doorbell.h"

#include "segment/os.h"
#include "segment/worker.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { LOOK_MS = 60 * 1000 }; /* no ring is lost, so this only bounds the wait */

static void *listen_to(void *arg)
{
    struct kb_doorbell *doorbell = arg;
    _Atomic uint32_t *bell = &doorbell->state->header.doorbell;
    uint32_t heard = doorbell->heard;
    while (!atomic_load(&doorbell->stop)) {
        const uint64_t one = 1;
        kb_os_wait(bell, heard, LOOK_MS);
        const uint32_t now = atomic_load(bell);
        if (now == heard)
            continue;
        heard = now;
        while (write(doorbell->fd, &one, sizeof one) < 0 && errno == EINTR)
            continue; /* EAGAIN: it is readable already */
    }
    return NULL;
}

bool kb_doorbell_start(struct kb_doorbell *doorbell, struct kb_state *state)
{
    *doorbell = (struct kb_doorbell){
        .state = state,
        .heard = atomic_load(&state->header.doorbell),
        .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
    };
    if (doorbell->fd < 0)
        return false;
    if (pthread_create(&doorbell->thread, NULL, listen_to, doorbell) != 0) {
        close(doorbell->fd);
        return false;
    }
    return true;
}

void kb_doorbell_answer(struct kb_doorbell *doorbell)
{
    uint64_t rings;
    while (read(doorbell->fd, &rings, sizeof rings) < 0 && errno == EINTR)
        continue;
}

void kb_doorbell_stop(struct kb_doorbell *doorbell)
{
    atomic_store(&doorbell->stop, true);
    kb_doorbell_ring(doorbell->state);
    pthread_join(doorbell->thread, NULL);
    close(doorbell->fd);
}
