#include "segment/sweep.h"

#include "segment/identity.h"
#include "segment/os.h"
#include "segment/policy.h"
#include "segment/slot.h"
#include "tests/kit/ambush.h"
#include "tests/kit/child.h"
#include "tests/kit/kit.h"

#include <criterion/criterion.h>
#include <string.h>

enum { KEYS = 70, SLOT = 7, LEASE_MS = 100, TRIAL_MS = 120 * 1000 };

static struct kit kit;
static struct kb_pool *pool;
static uint64_t now;

static void set_up(void)
{
    kit_start(&kit, KEYS);
    pool = &kit.state->pools[0];
    now = kb_os_now();
}

static void tear_down(void)
{
    kit_stop(&kit);
}

TestSuite(sweep, .init = set_up, .fini = tear_down, .timeout = 60);

static void set_word(unsigned key, struct kb_word w)
{
    atomic_store(&kit.state->slots[0][key].word, kb_word_pack(w));
    kb_slot_agree(kit.state, 0, key);
}

static void cool(unsigned key, unsigned state, uint64_t until_ms)
{
    set_word(key, (struct kb_word){.state = state,
                                   .reason = KB_REASON_RATE,
                                   .strikes = 3,
                                   .named = 1,
                                   .until = kb_word_until(until_ms),
                                   .epoch = 5});
}

static void put_on_trial(unsigned key, unsigned owner, uint64_t taken_ms)
{
    set_word(key, (struct kb_word){.state = KB_PROBATION,
                                   .reason = KB_REASON_AUTH,
                                   .strikes = 2,
                                   .until = kb_word_trial(owner, taken_ms),
                                   .epoch = 5});
}

static void set_owner(unsigned slot, uint64_t identity)
{
    atomic_store(&kit.state->workers[slot].identity, identity);
}

static bool offered(unsigned key)
{
    const struct kb_word w = kb_word_unpack(kit_word(&kit, key));
    return w.state == KB_PROBATION && w.until == 0 && w.epoch == 6;
}

Test(sweep, with_nothing_to_do_nothing_is_due)
{
    cr_assert_eq(kb_sweep(kit.state, 0, now), KB_NEVER);
    cr_assert_eq(kb_due_time(atomic_load(&pool->rotation.next_due)), KB_NEVER);
    cr_assert_eq(kb_sweep(kit.state, 9, now), KB_NEVER, "a pool that is not there");
}

Test(sweep, a_cooldown_that_is_over_becomes_a_probation_with_its_strikes)
{
    cool(3, KB_FAILED, now - 100);
    cool(66, KB_COOLING, now - 100);
    cr_assert_eq(kb_sweep(kit.state, 0, now), KB_NEVER);
    cr_assert(offered(3) && offered(66));
    cr_assert_eq(kb_word_unpack(kit_word(&kit, 3)).strikes, 3);
    cr_assert_eq(kb_word_unpack(kit_word(&kit, 3)).reason, KB_REASON_RATE);
    cr_assert_null(kit_check(kit.state));
}

Test(sweep, a_cooldown_ends_at_its_time_and_not_before)
{
    const uint64_t until = (now / KB_TICK_MS + 1000) * KB_TICK_MS;
    cool(3, KB_FAILED, until);
    const uint64_t word = kit_word(&kit, 3);
    cr_assert_eq(kb_sweep(kit.state, 0, until - 1), until, "the sweep says when the next one is due");
    cr_assert_eq(kb_due_time(atomic_load(&pool->rotation.next_due)), until);
    cr_assert_eq(kit_word(&kit, 3), word);
    kb_sweep(kit.state, 0, until);
    cr_assert(offered(3));
}

Test(sweep, the_earliest_of_all_times_is_what_is_due)
{
    const uint64_t tick = now / KB_TICK_MS * KB_TICK_MS;
    cool(1, KB_FAILED, tick + 9600);
    cool(2, KB_COOLING, tick + 4800);
    cool(69, KB_FAILED, tick + 6400);
    cr_assert_eq(kb_sweep(kit.state, 0, now), tick + 4800);
}

Test(sweep, available_disabled_and_empty_keys_stay_as_they_are)
{
    kit_put(&kit, 1, KB_DISABLED);
    kit_put(&kit, 2, KB_EMPTY);
    const uint64_t words[] = {kit_word(&kit, 0), kit_word(&kit, 1), kit_word(&kit, 2)};
    kb_sweep(kit.state, 0, now + 1000000);
    for (unsigned key = 0; key < 3; key++)
        cr_assert_eq(kit_word(&kit, key), words[key]);
}

Test(sweep, a_trial_of_a_living_worker_stays_until_its_time_is_up)
{
    set_owner(SLOT, kb_identity_self());
    put_on_trial(3, SLOT, now);
    const uint64_t word = kit_word(&kit, 3), due = kb_sweep(kit.state, 0, now + TRIAL_MS - 1000);
    cr_assert_eq(kit_word(&kit, 3), word);
    cr_assert(due > now + TRIAL_MS - 1000 && due <= now + TRIAL_MS + 2 * KB_TRIAL_TICK_MS);
    kb_sweep(kit.state, 0, now + TRIAL_MS + 2 * KB_TRIAL_TICK_MS);
    cr_assert(offered(3));
    cr_assert_eq(kb_word_unpack(kit_word(&kit, 3)).strikes, 2);
}

Test(sweep, a_trial_of_a_free_slot_is_offered_again)
{
    put_on_trial(3, SLOT, now);
    kb_sweep(kit.state, 0, now);
    cr_assert(offered(3));
    cr_assert_null(kit_check(kit.state));
}

Test(sweep, a_trial_of_an_owner_that_cannot_be_is_offered_again)
{
    static const unsigned owners[] = {KB_WORKERS, 2046};
    for (unsigned i = 0; i < 2; i++)
        put_on_trial(i, owners[i], now);
    set_word(2, (struct kb_word){.state = KB_PROBATION, .until = 1, .epoch = 5}); /* taken, by nobody */
    kb_sweep(kit.state, 0, now);
    cr_assert(offered(0) && offered(1) && offered(2));
}

Test(sweep, a_worker_of_another_pid_namespace_counts_as_alive_until_its_time_is_up)
{
    const uint64_t foreign = kb_identity_self() ^ UINT64_C(2) << 48;
    set_owner(SLOT, foreign);
    put_on_trial(3, SLOT, now);
    kb_sweep(kit.state, 0, now);
    cr_assert_not(offered(3));
    kb_sweep(kit.state, 0, now + TRIAL_MS + 2 * KB_TRIAL_TICK_MS);
    cr_assert(offered(3));
}

static int take_the_trial(void *arg)
{
    kb_client *client;
    kb_key key;
    if (kb_open(kit.name, &client) != 0)
        return 1;
    do
        if (kb_claim(client, "pool", 0, &key) != 0)
            return 2;
    while (key.index != 3);
    atomic_store((_Atomic int *)arg, 1);
    kb_os_sleep(KIT_LIMIT_MS);
    return 3;
}

static void die_with_the_trial(bool reap)
{
    _Atomic int *has_trial = kit_shared(sizeof *has_trial);
    set_word(3, (struct kb_word){.state = KB_PROBATION, .strikes = 1, .epoch = 5});
    const pid_t child = kit_fork(take_the_trial, has_trial);
    cr_assert(kit_await(has_trial, 1));
    kb_sweep(kit.state, 0, kb_os_now());
    cr_assert_not(offered(3), "its owner lives");
    kit_kill(child, reap);
    kb_sweep(kit.state, 0, kb_os_now());
    cr_assert(offered(3));
    cr_assert_null(kit_check(kit.state));
    if (!reap)
        kit_wait(child);
}

Test(sweep, a_trial_whose_owner_was_killed_is_offered_again)
{
    die_with_the_trial(true);
}

Test(sweep, a_trial_whose_owner_is_a_zombie_is_offered_again)
{
    die_with_the_trial(false);
}

Test(sweep, bits_and_summary_are_made_to_agree_with_the_words)
{
    struct kb_rotation *r = &pool->rotation;
    kit_put(&kit, 5, KB_FAILED);
    atomic_store(&r->bits[0], UINT64_C(1) << 5 | 1);
    atomic_store(&r->bits[1], 0);
    atomic_store(&r->summary, 0);
    kb_sweep(kit.state, 0, now);
    cr_assert_eq(atomic_load(&r->bits[0]), ~(UINT64_C(1) << 5));
    cr_assert_eq(atomic_load(&r->bits[1]), 63);
    cr_assert_eq(atomic_load(&r->summary), 3);
}

Test(sweep, a_second_sweep_at_the_same_time_changes_nothing)
{
    uint64_t words[KEYS];
    cool(1, KB_FAILED, now - 1);
    cool(2, KB_COOLING, now + 5000);
    put_on_trial(3, SLOT, now);
    const uint64_t due = kb_sweep(kit.state, 0, now);
    for (unsigned key = 0; key < KEYS; key++)
        words[key] = kit_word(&kit, key);
    cr_assert_eq(kb_sweep(kit.state, 0, now), due);
    for (unsigned key = 0; key < KEYS; key++)
        cr_assert_eq(kit_word(&kit, key), words[key]);
    cr_assert_null(kit_check(kit.state));
}

Test(sweep, an_announcement_brings_the_time_forward_and_never_back)
{
    kb_due_announce(pool, 5000);
    cr_assert_eq(kb_due_time(atomic_load(&pool->rotation.next_due)), 5000);
    kb_due_announce(pool, 9000);
    cr_assert_eq(kb_due_time(atomic_load(&pool->rotation.next_due)), 5000);
    kb_due_announce(pool, UINT64_MAX);
    kb_due_announce(pool, 100);
    cr_assert_eq(kb_due_time(atomic_load(&pool->rotation.next_due)), 100);
}

Test(sweep, every_announcement_is_seen_even_one_of_the_same_time)
{
    atomic_store(&pool->rotation.next_due, UINT64_C(5000) << 16 | 0xffff);
    for (int i = 0; i < 3; i++) {
        const uint64_t before = atomic_load(&pool->rotation.next_due);
        kb_due_announce(pool, 7000);
        cr_assert_neq(atomic_load(&pool->rotation.next_due), before);
        cr_assert_eq(kb_due_time(atomic_load(&pool->rotation.next_due)), 5000);
    }
}

static void announce_5000(void *arg)
{
    kb_due_announce(arg, 5000);
}

static void announce_in_a_minute(void *arg)
{
    kb_due_announce(arg, now + 60000);
}

Test(sweep, what_is_announced_during_a_sweep_is_not_lost)
{
    kit_ambush(kit.state->slots[0], sizeof kit.state->slots[0], true, announce_5000, pool);
    const uint64_t due = kb_sweep(kit.state, 0, now);
    cr_assert(kit_ambush_end());
    cr_assert_eq(due, now + LEASE_MS, "another sweep follows soon");
    cr_assert_eq(kb_due_time(atomic_load(&pool->rotation.next_due)), 5000);
}

Test(sweep, a_later_time_announced_during_a_sweep_keeps_the_lease)
{
    kit_ambush(kit.state->slots[0], sizeof kit.state->slots[0], true, announce_in_a_minute, pool);
    const uint64_t due = kb_sweep(kit.state, 0, now);
    cr_assert(kit_ambush_end());
    cr_assert_eq(due, now + LEASE_MS);
    cr_assert_eq(kb_due_time(atomic_load(&pool->rotation.next_due)), now + LEASE_MS);
}

Test(sweep, an_owners_trials_are_offered_in_all_pools_and_nobody_elses)
{
    cr_assert_eq(kit_reload_pools(&kit, 3, 3), 0);
    const uint64_t self = kb_identity_self();
    set_owner(SLOT, self);
    put_on_trial(0, SLOT, now);
    put_on_trial(1, SLOT + 1, now);
    const uint64_t other = kit_word(&kit, 1);
    atomic_store(&kit.state->slots[2][2].word, kit_word(&kit, 0));
    kb_sweep_owner(kit.state, SLOT, self + 1);
    cr_assert_not(offered(0), "the slot is another one's");
    kb_sweep_owner(kit.state, SLOT, self);
    cr_assert(offered(0));
    cr_assert(kb_word_claimable(atomic_load(&kit.state->slots[2][2].word)));
    cr_assert_eq(kit_word(&kit, 1), other);
}
