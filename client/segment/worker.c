#include "segment/worker.h"

#include "segment/identity.h"
#include "segment/os.h"
#include "segment/sweep.h"
#include "segment/thread.h"

#include <unistd.h>

static int take_slot(struct kb_state *state, uint64_t self)
{
    for (unsigned slot = 0; slot < KB_WORKERS; slot++) {
        uint64_t free = 0;
        if (atomic_load_explicit(&state->workers[slot].identity, memory_order_relaxed) == 0 &&
            atomic_compare_exchange_strong(&state->workers[slot].identity, &free, self))
            return (int)slot;
    }
    return -1;
}

static void reap_all(struct kb_state *state)
{
    for (unsigned slot = 0; slot < KB_WORKERS; slot++) {
        const uint64_t identity = atomic_load(&state->workers[slot].identity);
        if (identity && kb_identity_dead(identity))
            kb_worker_reap(state, slot, identity);
    }
}

/* Slot and process: a reaper that comes late must not free the lane of the slot's next owner. */
static uint64_t lane_tag(unsigned slot, uint64_t identity)
{
    return identity << 16 | (slot + 1);
}

static unsigned take_lane(struct kb_state *state, unsigned slot, uint64_t identity)
{
    for (unsigned lane = 0; lane < KB_OWNED_LANES; lane++) {
        uint64_t nobody = 0;
        if (atomic_compare_exchange_strong(&state->header.lane_owner[lane], &nobody, lane_tag(slot, identity)))
            return lane + 1;
    }
    return 0;
}

static void free_lanes(struct kb_state *state, unsigned slot, uint64_t identity)
{
    for (unsigned lane = 0; lane < KB_OWNED_LANES; lane++) {
        uint64_t owner = lane_tag(slot, identity);
        atomic_compare_exchange_strong(&state->header.lane_owner[lane], &owner, 0);
    }
}

/* Everything that names the slot, given back; the slot itself last. */
static bool free_slot(struct kb_state *state, unsigned slot, uint64_t identity)
{
    if (atomic_load(&state->workers[slot].identity) != identity)
        return false;
    kb_sweep_owner(state, slot, identity);
    free_lanes(state, slot, identity);
    return atomic_compare_exchange_strong(&state->workers[slot].identity, &identity, 0);
}

uint64_t kb_worker_attach(struct kb_segment *segment, int *code)
{
    struct kb_share *share = segment->share;
    struct kb_state *state = segment->state;
    /* A child whose share was not emptied. Where the kernel does that there is nothing to do here, and
     * a thread that came late would undo what another one has taken. */
    if (!segment->fork_wipes && segment->pid != (int)getpid()) {
        segment->pid = (int)getpid();
        atomic_store(&share->place, 0);
        atomic_store(&share->writer, 0);
    }
    uint64_t place = atomic_load(&share->place);
    *code = 0;
    if (place)
        return place;
    const uint64_t self = kb_identity_self();
    int slot = take_slot(state, self);
    if (slot < 0) {
        reap_all(state);
        slot = take_slot(state, self);
    }
    if (slot < 0) {
        *code = KB_EFULL;
        return 0;
    }
    atomic_store(&state->workers[slot].attached_unix, (uint64_t)(kb_os_unix_ms() / 1000));
    const unsigned shared = KB_OWNED_LANES + (unsigned)slot % (KB_LANES - KB_OWNED_LANES);
    const uint64_t mine =
        (uint64_t)(slot + 1) | (uint64_t)shared << 16 | (uint64_t)take_lane(state, (unsigned)slot, self) << 32;
    if (!atomic_compare_exchange_strong(&share->place, &place, mine)) {
        free_slot(state, (unsigned)slot, self); /* another thread was first */
        return place;
    }
    if (kb_place_owned_lane(mine) >= 0)
        atomic_store_explicit(&share->writer, kb_thread_mark(), memory_order_relaxed);
    kb_doorbell_ring(state);
    return mine;
}

void kb_worker_detach(struct kb_segment *segment)
{
    const uint64_t place = atomic_exchange(&segment->share->place, 0);
    if (place)
        free_slot(segment->state, kb_place_slot(place), kb_identity_self());
}

bool kb_worker_reap(struct kb_state *state, unsigned slot, uint64_t identity)
{
    return free_slot(state, slot, identity);
}

bool kb_worker_gone(struct kb_state *state, unsigned slot)
{
    if (slot >= KB_WORKERS)
        return true;
    const uint64_t identity = atomic_load(&state->workers[slot].identity);
    return identity == 0 || kb_identity_dead(identity);
}

void kb_doorbell_ring(struct kb_state *state)
{
    atomic_fetch_add(&state->header.doorbell, 1);
    kb_os_wake(&state->header.doorbell);
}
