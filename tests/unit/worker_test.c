#include "segment/worker.h"

#include "client.h"
#include "segment/identity.h"
#include "segment/os.h"
#include "segment/slot.h"
#include "tests/kit/ambush.h"
#include "tests/kit/child.h"
#include "tests/kit/kit.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <unistd.h>

enum { SLOT = 5 };

static struct kit kit;
static kb_client *client;
static uint64_t self;

static void set_up(void)
{
    kit_start(&kit, 4);
    self = kb_identity_self();
    cr_assert_eq(kb_open(kit.name, &client), 0);
}

static void tear_down(void)
{
    kb_close(client);
    kit_stop(&kit);
}

TestSuite(worker, .init = set_up, .fini = tear_down, .timeout = 60);

static uint64_t place_of(kb_client *c)
{
    return atomic_load(&atomic_load(&c->segment)->share->place);
}

static uint64_t slot_identity(unsigned slot)
{
    return atomic_load(&kit.state->workers[slot].identity);
}

static unsigned slots_of(uint64_t identity)
{
    unsigned count = 0;
    for (unsigned slot = 0; slot < KB_WORKERS; slot++)
        count += slot_identity(slot) == identity;
    return count;
}

static unsigned lanes_taken(void)
{
    unsigned count = 0;
    for (unsigned lane = 0; lane < KB_OWNED_LANES; lane++)
        count += atomic_load(&kit.state->header.lane_owner[lane]) != 0;
    return count;
}

static void fill_slots(uint64_t identity)
{
    for (unsigned slot = 0; slot < KB_WORKERS; slot++) {
        uint64_t nobody = 0;
        atomic_compare_exchange_strong(&kit.state->workers[slot].identity, &nobody, identity);
    }
}

static uint64_t dead_identity(void)
{
    _Atomic int *ready = kit_shared(sizeof *ready);
    const pid_t child = kit_fork(kit_stand_by, (void *)ready);
    const uint64_t identity = kb_identity_of(child);
    kit_kill(child, true);
    return identity;
}

static void put_on_trial(unsigned key, unsigned slot)
{
    const struct kb_word w = {.state = KB_PROBATION, .until = kb_word_trial(slot, kb_os_now()), .epoch = 9};
    kb_slot_change(kit.state, 0, key, kit_word(&kit, key), kb_word_pack(w));
}

Test(worker, takes_a_slot_and_a_lane_and_gives_them_back)
{
    cr_assert_eq(slots_of(self), 1);
    cr_assert_eq(slot_identity(kb_place_slot(place_of(client))), self);
    cr_assert_geq(kb_place_owned_lane(place_of(client)), 0);
    cr_assert_eq(lanes_taken(), 1);
    kb_close(client);
    client = NULL;
    cr_assert_eq(slots_of(self), 0);
    cr_assert_eq(lanes_taken(), 0);
}

Test(worker, each_handle_of_a_process_has_a_slot_of_its_own)
{
    kb_client *second;
    cr_assert_eq(kb_open(kit.name, &second), 0);
    cr_assert_eq(slots_of(self), 2);
    cr_assert_neq(kb_place_slot(place_of(client)), kb_place_slot(place_of(second)));
    cr_assert_neq(kb_place_owned_lane(place_of(client)), kb_place_owned_lane(place_of(second)));
    kb_close(second);
    cr_assert_eq(slots_of(self), 1);
    cr_assert_eq(slot_identity(kb_place_slot(place_of(client))), self);
}

Test(worker, beyond_the_owned_lanes_counts_in_the_shared_ones)
{
    kb_client *more[20];
    kb_key key;
    for (int i = 0; i < 20; i++)
        cr_assert_eq(kb_open(kit.name, &more[i]), 0);
    cr_assert_eq(lanes_taken(), KB_OWNED_LANES);
    cr_assert_eq(kb_place_owned_lane(place_of(more[19])), -1);
    const unsigned lane = kb_place_shared_lane(place_of(more[19]));
    cr_assert(lane >= KB_OWNED_LANES && lane < KB_LANES);
    cr_assert_eq(kb_claim(more[19], "pool", 0, &key), 0);
    cr_assert_eq(atomic_load(&kit.state->lanes[lane][0][key.index].claims), 1);
    for (int i = 0; i < 20; i++)
        kb_close(more[i]);
    cr_assert_eq(lanes_taken(), 1);
}

Test(worker, that_leaves_offers_its_trials)
{
    put_on_trial(2, kb_place_slot(place_of(client)));
    put_on_trial(3, kb_place_slot(place_of(client)) + 1);
    kb_close(client);
    client = NULL;
    cr_assert(kb_word_claimable(kit_word(&kit, 2)));
    cr_assert_not(kb_word_claimable(kit_word(&kit, 3)), "another's trial");
}

Test(worker, that_attaches_rings_the_doorbell)
{
    const uint32_t before = atomic_load(&kit.state->header.doorbell);
    kb_client *second;
    cr_assert_eq(kb_open(kit.name, &second), 0);
    cr_assert_neq(atomic_load(&kit.state->header.doorbell), before);
    kb_close(second);
}

static struct shared {
    uint64_t place;
    uint64_t identity;
    int code;
    _Atomic int ready;
} * shared;

static int claim_in_child(void *arg)
{
    kb_key key;
    shared->code = kb_claim(client, "pool", 0, &key);
    shared->place = place_of(client);
    shared->identity = kb_identity_self();
    atomic_store(&shared->ready, 1);
    if (arg)
        return kit_stand_by(arg);
    kb_close(client);
    return 0;
}

static void fork_takes_a_slot(void)
{
    shared = kit_shared(sizeof *shared);
    const uint64_t mine = place_of(client);
    const pid_t child = kit_fork(claim_in_child, (void *)&shared->ready);
    cr_assert(kit_await(&shared->ready, 1));
    cr_assert_eq(shared->code, 0);
    cr_assert_neq(kb_place_slot(shared->place), kb_place_slot(mine));
    cr_assert_neq(kb_place_owned_lane(shared->place), kb_place_owned_lane(mine));
    cr_assert_eq(slot_identity(kb_place_slot(shared->place)), shared->identity);
    cr_assert_eq(kb_identity_pid(shared->identity), (int)child);
    cr_assert_eq(place_of(client), mine, "the parent keeps its own");
    cr_assert_eq(slot_identity(kb_place_slot(mine)), self);
    kit_kill(child, true);
}

Test(worker, forked_takes_a_slot_of_its_own_with_its_first_claim)
{
    fork_takes_a_slot();
}

Test(worker, forked_takes_its_own_slot_where_the_kernel_empties_no_page)
{
    struct kb_segment *segment = atomic_load(&client->segment);
    struct kb_share *kept = segment->share;
    segment->fork_wipes = false;
    segment->share = kit_shared(sizeof *segment->share); /* the child sees what the parent had */
    atomic_store(&segment->share->place, atomic_load(&kept->place));
    shared = kit_shared(sizeof *shared);
    const pid_t child = kit_fork(claim_in_child, (void *)&shared->ready);
    cr_assert(kit_await(&shared->ready, 1));
    cr_assert_eq(shared->code, 0);
    cr_assert_neq(kb_place_slot(shared->place), kb_place_slot(atomic_load(&kept->place)));
    cr_assert_eq(slot_identity(kb_place_slot(shared->place)), shared->identity);
    kit_kill(child, true);
    segment->share = kept;
}

static int close_unused(void *arg)
{
    kb_close(arg);
    return 0;
}

Test(worker, forked_that_never_claimed_takes_nothing_with_it)
{
    put_on_trial(2, kb_place_slot(place_of(client)));
    const uint64_t word = kit_word(&kit, 2);
    cr_assert_eq(kit_wait(kit_fork(close_unused, client)), 0);
    cr_assert_eq(slots_of(self), 1);
    cr_assert_eq(lanes_taken(), 1);
    cr_assert_eq(kit_word(&kit, 2), word);
}

Test(worker, forked_that_closes_frees_its_own_slot_only)
{
    shared = kit_shared(sizeof *shared);
    cr_assert_eq(kit_wait(kit_fork(claim_in_child, NULL)), 0);
    cr_assert_eq(shared->code, 0);
    cr_assert_eq(slots_of(shared->identity), 0);
    cr_assert_eq(slots_of(self), 1);
    cr_assert_eq(lanes_taken(), 1);
}

static void *claim_in_thread(void *arg)
{
    kb_key key;
    (void)arg;
    if (kb_claim(client, "pool", 0, &key) != 0)
        atomic_store(&shared->ready, -1);
    return NULL;
}

static int claim_in_threads(void *arg)
{
    pthread_t threads[8];
    (void)arg;
    for (int i = 0; i < 8; i++)
        if (pthread_create(&threads[i], NULL, claim_in_thread, NULL) != 0)
            return 1;
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    return atomic_load(&shared->ready) == 0 && slots_of(kb_identity_self()) == 1 && lanes_taken() == 2 ? 0 : 2;
}

Test(worker, forked_takes_one_slot_though_many_threads_claim_first)
{
    shared = kit_shared(sizeof *shared);
    for (int i = 0; i < 20; i++) {
        const pid_t child = kit_fork(claim_in_threads, NULL);
        const uint64_t identity = kb_identity_of(child);
        cr_assert_eq(kit_wait(child), 0);
        for (unsigned slot = 0; slot < KB_WORKERS; slot++)
            if (slot_identity(slot) == identity)
                cr_assert(kb_worker_reap(kit.state, slot, identity));
    }
}

Test(worker, finds_no_slot_where_all_are_held_by_the_living)
{
    kb_client *second = client;
    fill_slots(self);
    cr_assert_eq(kb_open(kit.name, &second), KB_EFULL);
    cr_assert_null(second);
    atomic_store(&kit.state->workers[KB_WORKERS - 1].identity, 0);
    cr_assert_eq(kb_open(kit.name, &second), 0);
    cr_assert_eq(kb_place_slot(place_of(second)), KB_WORKERS - 1);
    kb_close(second);
    atomic_store(&kit.state->workers[KB_WORKERS - 1].identity, self ^ UINT64_C(2) << 48);
    cr_assert_eq(kb_open(kit.name, &second), KB_EFULL, "another pid namespace counts as alive");
}

Test(worker, forked_that_finds_no_slot_is_told_and_gets_no_secret)
{
    shared = kit_shared(sizeof *shared);
    fill_slots(self);
    cr_assert_eq(kit_wait(kit_fork(claim_in_child, NULL)), 0);
    cr_assert_eq(shared->code, KB_EFULL);
}

Test(worker, takes_over_a_slot_of_the_dead_once_what_names_it_is_free)
{
    const uint64_t dead = dead_identity();
    kb_client *second;
    kb_key key;
    fill_slots(dead);
    for (unsigned lane = 1; lane < KB_OWNED_LANES; lane++)
        atomic_store(&kit.state->header.lane_owner[lane], dead << 16 | (lane + 1));
    put_on_trial(2, SLOT);
    cr_assert_eq(kb_open(kit.name, &second), 0);
    cr_assert_eq(slots_of(dead), 0);
    cr_assert_eq(slots_of(self), 2);
    cr_assert_eq(lanes_taken(), 2);
    cr_assert(kb_word_claimable(kit_word(&kit, 2)));
    cr_assert_eq(kb_claim(second, "pool", 0, &key), 0);
    kb_close(second);
}

Test(worker, that_is_gone_is_a_free_slot_a_dead_process_or_no_slot)
{
    cr_assert_not(kb_worker_gone(kit.state, kb_place_slot(place_of(client))));
    cr_assert(kb_worker_gone(kit.state, SLOT));
    cr_assert(kb_worker_gone(kit.state, KB_WORKERS));
    cr_assert(kb_worker_gone(kit.state, UINT32_MAX));
    atomic_store(&kit.state->workers[SLOT].identity, dead_identity());
    cr_assert(kb_worker_gone(kit.state, SLOT));
    atomic_store(&kit.state->workers[SLOT].identity, self);
    cr_assert_not(kb_worker_gone(kit.state, SLOT));
}

/* The slot goes from a dead process to us, with a lane and a trial. */
static void take_the_slot(void *arg)
{
    (void)arg;
    atomic_store(&kit.state->workers[SLOT].identity, self);
    atomic_store(&kit.state->header.lane_owner[3], self << 16 | (SLOT + 1));
    put_on_trial(1, SLOT);
    put_on_trial(2, SLOT);
}

static void expect_untouched(void)
{
    cr_assert_eq(slot_identity(SLOT), self);
    cr_assert_eq(atomic_load(&kit.state->header.lane_owner[3]), self << 16 | (SLOT + 1));
    for (unsigned key = 1; key <= 2; key++)
        cr_assert_eq(kb_word_trial_owner(kit_word(&kit, key)), SLOT);
}

Test(worker, is_left_alone_by_one_who_reaps_its_predecessor_too_late)
{
    const uint64_t dead = dead_identity();
    take_the_slot(NULL);
    cr_assert_not(kb_worker_reap(kit.state, SLOT, dead));
    expect_untouched();
}

Test(worker, is_left_alone_by_one_who_is_reaping_its_predecessor_just_then)
{
    const uint64_t dead = dead_identity();
    atomic_store(&kit.state->workers[SLOT].identity, dead);
    kit_ambush(kit.state->slots[0], sizeof kit.state->slots[0], true, take_the_slot, NULL);
    const bool reaped = kb_worker_reap(kit.state, SLOT, dead);
    cr_assert(kit_ambush_end());
    cr_assert_not(reaped);
    expect_untouched();
}
