/*
 * A handle opened before fork works in the parent and in every child, each under a slot of its own.
 */
#include "segment/identity.h"
#include "segment/word.h"
#include "segment/worker.h"
#include "tests/kit/child.h"
#include "tests/kit/kit.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <unistd.h>

enum { KEYS = 5, CHILDREN = 4, CLAIMS = 20000 };

static struct kit kit;
static kb_client *client;

/* Shared with the children. */
static struct scene {
    pthread_barrier_t together;
    _Atomic uint64_t claims[KEYS];
    _Atomic int grandchild; /* its slot + 1 */
} * scene;

static void start(void)
{
    kit_start(&kit, KEYS);
    cr_assert_eq(kb_open(kit.name, &client), 0);
    scene = kit_shared(sizeof *scene);
}

static void stop(void)
{
    kb_close(client);
    kit_stop(&kit);
}

/* The one slot of a process: -1 for none, -2 for more than one. */
static int slot_of(pid_t pid)
{
    int found = -1;
    for (int slot = 0; slot < KB_WORKERS; slot++)
        if (kb_identity_pid(atomic_load(&kit.state->workers[slot].identity)) == pid)
            found = found == -1 ? slot : -2;
    return found;
}

static unsigned slots_taken(void)
{
    unsigned taken = 0;
    for (unsigned slot = 0; slot < KB_WORKERS; slot++)
        taken += atomic_load(&kit.state->workers[slot].identity) != 0;
    return taken;
}

/* What the broker does when a worker dies. */
static void reap(void)
{
    for (unsigned slot = 0; slot < KB_WORKERS; slot++) {
        const uint64_t identity = atomic_load(&kit.state->workers[slot].identity);
        if (kb_identity_dead(identity))
            cr_assert(kb_worker_reap(kit.state, slot, identity));
    }
}

static bool work(unsigned claims)
{
    for (unsigned i = 0; i < claims; i++) {
        kb_key key;
        if (kb_claim(client, "pool", 0, &key) != 0 || kit_secret_number(key.secret, key.secret_len) != (int)key.index ||
            kb_report(client, &key, KB_OUTCOME_OK, -1, 200) != 0)
            return false;
        atomic_fetch_add(&scene->claims[key.index], 1);
    }
    return true;
}

/* All attach, then all work at once, then all stand while the parent counts slots. */
static int child(void *arg)
{
    (void)arg;
    if (!work(1))
        return 1;
    pthread_barrier_wait(&scene->together);
    const bool good = work(CLAIMS);
    pthread_barrier_wait(&scene->together);
    pthread_barrier_wait(&scene->together);
    return good ? 0 : 2;
}

static uint64_t spread(void)
{
    uint64_t most = 0, fewest = UINT64_MAX;
    for (unsigned key = 0; key < KEYS; key++) {
        const uint64_t claims = atomic_load(&scene->claims[key]);
        most = claims > most ? claims : most;
        fewest = claims < fewest ? claims : fewest;
    }
    return most - fewest;
}

Test(fork, a_handle_serves_parent_and_four_children_at_once, .init = start, .fini = stop, .timeout = 90)
{
    pthread_barrierattr_t shared;
    pid_t pid[CHILDREN];
    cr_assert(work(1));
    const int own = slot_of(getpid());
    cr_assert_geq(own, 0);
    pthread_barrierattr_init(&shared);
    pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&scene->together, &shared, CHILDREN + 1);
    for (int i = 0; i < CHILDREN; i++)
        pid[i] = kit_fork(child, NULL);
    pthread_barrier_wait(&scene->together);
    cr_expect(work(CLAIMS));
    pthread_barrier_wait(&scene->together);
    for (int i = 0; i < CHILDREN; i++)
        cr_expect_geq(slot_of(pid[i]), 0, "child %d has not one slot of its own", i);
    cr_expect_eq(slots_taken(), CHILDREN + 1);
    pthread_barrier_wait(&scene->together);
    for (int i = 0; i < CHILDREN; i++)
        cr_expect_eq(kit_wait(pid[i]), 0);
    cr_expect_leq(spread(), 1);
    reap();
    cr_expect_eq(slots_taken(), 1, "the children's slots come back");
    cr_expect_eq(slot_of(getpid()), own, "the parent keeps its own");
    for (unsigned lane = 1; lane < KB_OWNED_LANES; lane++)
        cr_expect_eq(atomic_load(&kit.state->header.lane_owner[lane]), 0, "lane %u comes back", lane);
    cr_expect(work(10));
    cr_expect_null(kit_check(kit.state));
}

static int grandchild(void *arg)
{
    (void)arg;
    if (!work(10))
        return 1;
    atomic_store(&scene->grandchild, slot_of(getpid()) + 1);
    return 0;
}

static int child_with_child(void *arg)
{
    if (!work(10))
        return 1;
    const int own = slot_of(getpid());
    const int status = kit_wait(kit_fork(grandchild, arg));
    return status == 0 && own >= 0 && slot_of(getpid()) == own && work(10) ? 0 : 2;
}

Test(fork, a_grandchild_has_a_slot_of_its_own, .init = start, .fini = stop, .timeout = 90)
{
    cr_assert(work(10));
    cr_assert_eq(kit_wait(kit_fork(child_with_child, NULL)), 0);
    const int slot = atomic_load(&scene->grandchild) - 1;
    cr_expect_geq(slot, 0);
    cr_expect_neq(slot, slot_of(getpid()));
    cr_expect_eq(slots_taken(), 3);
    cr_expect_leq(spread(), 1);
    reap();
    cr_expect_eq(slots_taken(), 1);
    cr_expect_null(kit_check(kit.state));
}

/* The child of a child that never used the handle. */
static int idle_child_with_child(void *arg)
{
    return kit_wait(kit_fork(grandchild, arg)) == 0 && slot_of(getpid()) == -1 ? 0 : 1;
}

Test(fork, a_process_takes_a_slot_with_its_first_claim_only, .init = start, .fini = stop, .timeout = 90)
{
    cr_assert_eq(kit_wait(kit_fork(idle_child_with_child, NULL)), 0);
    cr_expect_eq(slots_taken(), 2, "the parent's and the grandchild's");
}

static int close_in_child(void *arg)
{
    const bool use = *(const bool *)arg;
    if (use && !work(1))
        return 1;
    kb_close(client);
    return slot_of(getpid()) == -1 ? 0 : 2;
}

static void put_on_trial(unsigned key)
{
    kit_put(&kit, key, KB_FAILED);
    kit_age(&kit, key);
}

Test(fork, a_child_gives_up_its_own_share_only, .init = start, .fini = stop, .timeout = 90)
{
    kb_key key;
    bool use = false;
    put_on_trial(0);
    cr_assert_eq(kb_claim(client, "pool", 0, &key), 0);
    cr_assert_eq(key.index, 0);
    const uint64_t trial = kit_word(&kit, 0);
    const int own = slot_of(getpid());
    cr_expect_eq(kit_wait(kit_fork(close_in_child, &use)), 0);
    use = true;
    cr_expect_eq(kit_wait(kit_fork(close_in_child, &use)), 0);
    cr_expect_eq(slot_of(getpid()), own);
    cr_expect_eq(slots_taken(), 1);
    cr_expect_eq(kit_word(&kit, 0), trial, "the parent's trial is still its own");
    cr_expect_eq(kb_report(client, &key, KB_OUTCOME_OK, -1, 200), 0);
    cr_expect_eq(kit_state(&kit, 0), KB_AVAILABLE);
}

static int claim_and_die(void *arg)
{
    (void)arg;
    return work(1) ? 0 : 1;
}

/* With no broker to reap them the dead keep their slots until there is none left; then they are freed. */
Test(fork, more_children_than_slots_come_and_die_without_a_broker, .init = start, .fini = stop, .timeout = 90)
{
    for (int i = 0; i < KB_WORKERS + 10; i++)
        cr_assert_eq(kit_wait(kit_fork(claim_and_die, NULL)), 0, "child %d", i);
    cr_expect_lt(slots_taken(), 20);
    cr_expect_leq(spread(), 1);
    cr_expect_null(kit_check(kit.state));
}
