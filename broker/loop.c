#include "broker.h"

#include "log.h"
#include "segment/os.h"
#include "segment/secret.h"
#include "segment/sweep.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* A broker that is not in charge waits this long: whoever took over may give back, within its own limits. */
enum { FULL_SWEEP_MS = 10 * 1000, REPLACED_MS = 15 * 1000, REPLACED_POLL_MS = 500 };
enum { SIGNALS = 0, DOORBELL = 1, WORKERS = 2 };

static bool is_live(struct kb_state *state, unsigned pool)
{
    return atomic_load(&state->pools[pool].live) != 0;
}

/* A worker that wrote the span could keep all sweeps from keys, or send them where there is no memory. */
static void mend_spans(struct kb_segment *segment)
{
    for (unsigned pool = 0; pool < KB_POOLS; pool++)
        atomic_store(&segment->state->pools[pool].rotation.span, kb_secret_span(segment->secrets, pool));
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
        mend_spans(&broker->owner.segment);
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

static void reload_if_asked(struct kb_broker *broker)
{
    struct kb_header *header = &broker->owner.segment.state->header;
    if (atomic_load(&header->reload_asked) != atomic_load(&header->reload_done))
        kb_broker_reload(broker);
}

/* Waits for what there is to do, at most timeout ms, and does it. False: it is time to end. */
static bool serve(struct kb_broker *broker, int timeout, bool in_charge)
{
    static struct pollfd set[WORKERS + KB_WORKERS];
    set[SIGNALS] = (struct pollfd){.fd = broker->signals, .events = POLLIN};
    set[DOORBELL] = (struct pollfd){.fd = broker->doorbell.fd, .events = in_charge ? POLLIN : 0};
    const unsigned workers = in_charge ? kb_reaper_poll_set(&broker->reaper, set + WORKERS) : 0;
    if (poll(set, WORKERS + workers, timeout) <= 0)
        return true; /* time is up, or a signal that is none of ours */
    if (in_charge && kb_owner_in_charge(&broker->owner)) {
        kb_reaper_answer(&broker->reaper, set + WORKERS, workers);
        if (set[DOORBELL].revents) {
            kb_doorbell_answer(&broker->doorbell);
            kb_reaper_scan(&broker->reaper);
            reload_if_asked(broker);
        }
    }
    return !set[SIGNALS].revents || answer_signals(broker);
}

void kb_broker_run(struct kb_broker *broker)
{
    uint64_t replaced = 0; /* since when */
    reload_if_asked(broker);
    for (;;) {
        const bool in_charge = kb_owner_in_charge(&broker->owner);
        if (in_charge)
            replaced = 0;
        else if (replaced == 0)
            replaced = kb_os_now();
        else if (kb_os_now() - replaced > REPLACED_MS)
            break;
        if (!serve(broker, in_charge ? sweep_due(broker) : REPLACED_POLL_MS, in_charge))
            break;
    }
    if (!kb_owner_in_charge(&broker->owner))
        kb_log(KB_LOG_INFO, "replaced", "msg", "another broker is in charge");
}
