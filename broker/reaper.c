#include "reaper.h"

#include "log.h"
#include "segment/identity.h"
#include "segment/os.h"
#include "segment/worker.h"

#include <unistd.h>

void kb_reaper_init(struct kb_reaper *reaper, struct kb_state *state)
{
    reaper->state = state;
    reaper->self = kb_identity_self();
    for (unsigned slot = 0; slot < KB_WORKERS; slot++) {
        reaper->known[slot] = 0;
        reaper->pidfd[slot] = -1;
    }
}

static void forget(struct kb_reaper *reaper, unsigned slot)
{
    if (reaper->pidfd[slot] >= 0)
        close(reaper->pidfd[slot]);
    reaper->pidfd[slot] = -1;
    reaper->known[slot] = 0;
}

static void reap(struct kb_reaper *reaper, unsigned slot)
{
    const uint64_t identity = reaper->known[slot];
    if (kb_worker_reap(reaper->state, slot, identity))
        kb_log(KB_LOG_INFO, "worker_gone", "pid", kb_log_number(kb_identity_pid(identity)), "slot",
               kb_log_number(slot));
    forget(reaper, slot);
}

/* The pidfd is opened by number: only if the process is still the one of the slot does it count. */
static void watch(struct kb_reaper *reaper, unsigned slot)
{
    const uint64_t identity = reaper->known[slot];
    const int pid = kb_identity_pid(identity);
    if (!kb_identity_near(identity, reaper->self))
        return;
    reaper->pidfd[slot] = kb_os_pidfd(pid);
    if (reaper->pidfd[slot] >= 0 && kb_identity_of(pid) != identity) {
        close(reaper->pidfd[slot]);
        reaper->pidfd[slot] = -1;
    }
}

void kb_reaper_scan(struct kb_reaper *reaper)
{
    for (unsigned slot = 0; slot < KB_WORKERS; slot++) {
        const uint64_t identity = atomic_load(&reaper->state->workers[slot].identity);
        if (identity != reaper->known[slot]) {
            forget(reaper, slot);
            reaper->known[slot] = identity;
            if (identity)
                watch(reaper, slot);
        }
        if (identity && reaper->pidfd[slot] < 0 && kb_identity_dead(identity))
            reap(reaper, slot);
    }
}

unsigned kb_reaper_poll_set(const struct kb_reaper *reaper, struct pollfd *set)
{
    unsigned count = 0;
    for (unsigned slot = 0; slot < KB_WORKERS; slot++)
        if (reaper->pidfd[slot] >= 0)
            set[count++] = (struct pollfd){.fd = reaper->pidfd[slot], .events = POLLIN};
    return count;
}

void kb_reaper_answer(struct kb_reaper *reaper, const struct pollfd *set, unsigned count)
{
    unsigned entry = 0;
    for (unsigned slot = 0; slot < KB_WORKERS && entry < count; slot++)
        if (reaper->pidfd[slot] == set[entry].fd && set[entry++].revents)
            reap(reaper, slot);
}

void kb_reaper_close(struct kb_reaper *reaper)
{
    for (unsigned slot = 0; slot < KB_WORKERS; slot++)
        forget(reaper, slot);
}
