#include "broker.h"

#include "log.h"
#include "segment/os.h"
#include "segment/sweep.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { FULL_SWEEP_MS = 10 * 1000, SIGNALS = 0, DOORBELL = 1, WORKERS = 2 };

static bool is_live(struct kb_state *state, unsigned pool)
{
    return atomic_load(&state->pools[pool].live) != 0;
}

/* Sweeps what is due, and every pool and worker every 10 s; returns how long nothing will be. */
static int sweep_due(struct kb_broker *broker)
{
    struct kb_state *state = broker->owner.segment.state;
    const uint64_t now = kb_os_now();
    const bool full = now >= broker->full_sweep;
    if (full) {
        broker->full_sweep = now + FULL_SWEEP_MS;
        kb_reaper_scan(&broker->reaper);
    }
    uint64_t next = broker->full_sweep;
    for (unsigned pool = 0; pool < KB_POOLS; pool++) {
        if (!is_live(state, pool))
            continue;
        uint64_t due = kb_due_time(atomic_load(&state->pools[pool].rotation.next_due));
        if (full || due <= now)
            due = kb_sweep(state, pool, now);
        next = due < next ? due : next;
    }
    return next > now ? (int)(next - now) : 1;
}

/* False: it is time to end. */
static bool answer_signals(struct kb_broker *broker)
{
    struct signalfd_siginfo signal;
    for (;;) {
        const ssize_t n = read(broker->signals, &signal, sizeof signal);
        if (n < 0 && errno == EINTR)
            continue;
        if (n != (ssize_t)sizeof signal)
            return true;
        if (signal.ssi_signo != SIGHUP) {
            kb_log(KB_LOG_INFO, "ending", "signal", signal.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM");
            return false;
        }
        kb_broker_reload(broker);
    }
}

static void answer_doorbell(struct kb_broker *broker)
{
    struct kb_header *header = &broker->owner.segment.state->header;
    kb_doorbell_answer(&broker->doorbell);
    kb_reaper_scan(&broker->reaper);
    if (atomic_load(&header->reload_asked) != atomic_load(&header->reload_done))
        kb_broker_reload(broker);
}

void kb_broker_run(struct kb_broker *broker)
{
    static struct pollfd set[WORKERS + KB_WORKERS];
    kb_reaper_scan(&broker->reaper);
    while (kb_owner_in_charge(&broker->owner)) {
        const int timeout = sweep_due(broker);
        set[SIGNALS] = (struct pollfd){.fd = broker->signals, .events = POLLIN};
        set[DOORBELL] = (struct pollfd){.fd = broker->doorbell.fd, .events = POLLIN};
        const unsigned workers = kb_reaper_poll_set(&broker->reaper, set + WORKERS);
        if (poll(set, WORKERS + workers, timeout) <= 0)
            continue; /* time is up, or a signal that is none of ours */
        if (!kb_owner_in_charge(&broker->owner))
            break;
        kb_reaper_answer(&broker->reaper, set + WORKERS, workers);
        if (set[DOORBELL].revents)
            answer_doorbell(broker);
        if (set[SIGNALS].revents && !answer_signals(broker))
            return;
    }
    kb_log(KB_LOG_INFO, "replaced", "msg", "another broker is in charge");
}
