#include "segment/guard.h"

#include "segment/identity.h"
#include "segment/os.h"

#include <time.h>

enum { SLICE_MS = 50 };

bool kb_guard_init(struct kb_header *header)
{
    atomic_init(&header->guard_owner, 0);
    return sem_init(&header->guard_gate, 1, 1) == 0;
}

static bool try_owner(struct kb_header *header, uint64_t self)
{
    uint64_t owner = 0;
    if (atomic_compare_exchange_strong(&header->guard_owner, &owner, self))
        return true;
    return kb_identity_dead(owner) && atomic_compare_exchange_strong(&header->guard_owner, &owner, self);
}

/* Waits for a token until `until`, or a slice. The result does not matter, the CAS that follows does:
 * an interrupted wait, a token and a slice gone by all mean "try again". */
static void wait_at_gate(struct kb_header *header, uint64_t until)
{
    const uint64_t slice = kb_os_now() + SLICE_MS, end = slice < until ? slice : until;
    const struct timespec limit = {.tv_sec = (time_t)(end / 1000), .tv_nsec = (long)(end % 1000) * 1000000};
    if (sem_clockwait(&header->guard_gate, CLOCK_MONOTONIC, &limit) == 0)
        return;
    int tokens = 0;
    const uint64_t owner = atomic_load(&header->guard_owner);
    if (sem_getvalue(&header->guard_gate, &tokens) == 0 && tokens == 0 && (owner == 0 || kb_identity_dead(owner)))
        sem_post(&header->guard_gate);
}

int kb_guard_enter(struct kb_header *header, uint64_t limit_ms)
{
    const uint64_t self = kb_identity_self(), until = kb_os_now() + limit_ms;
    while (!try_owner(header, self)) {
        if (kb_os_now() >= until)
            return KB_EBUSY;
        wait_at_gate(header, until);
    }
    return 0;
}

void kb_guard_leave(struct kb_header *header)
{
    int tokens = 0;
    atomic_store(&header->guard_owner, 0);
    /* The store above and the look below are both sequentially consistent: a waiter that saw the owner
     * still set will find the token, or its slice runs out. */
    atomic_thread_fence(memory_order_seq_cst);
    if (sem_getvalue(&header->guard_gate, &tokens) == 0 && tokens == 0)
        sem_post(&header->guard_gate);
}

uint64_t kb_guard_owner(struct kb_header *header)
{
    return atomic_load(&header->guard_owner);
}
