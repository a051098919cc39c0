#include "segment/rotation.h"

#include "tests/kit/kit.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

static struct kb_rotation rotation;

/* What a rotation is, with nothing clever about it. */
static struct {
    bool set[KB_KEYS];
    unsigned last;
} model;

static void set_up(void)
{
    memset(&rotation, 0, sizeof rotation);
    memset(&model, 0, sizeof model);
    model.last = KB_KEYS - 1;
    atomic_store(&rotation.cursor, KB_KEYS - 1);
}

TestSuite(rotation, .init = set_up, .timeout = 60);

static void mark(unsigned position, bool claimable)
{
    model.set[position] = claimable;
    kb_rotation_mark(&rotation, position, claimable);
}

static int model_turn(void)
{
    for (unsigned step = 1; step <= KB_KEYS; step++) {
        const unsigned position = (model.last + step) % KB_KEYS;
        if (model.set[position]) {
            model.last = position;
            return (int)position;
        }
    }
    return KB_NO_POSITION;
}

static int turn(void)
{
    uint64_t sequence;
    return kb_rotation_turn(&rotation, &sequence);
}

static const unsigned sizes[] = {1, 2, 63, 64, 65, 130, 4096};

Test(rotation, begins_with_position_0_and_goes_on_in_order)
{
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        set_up();
        for (unsigned i = 0; i < sizes[s]; i++)
            mark(i, true);
        for (unsigned i = 0; i < 2 * sizes[s] + 1; i++)
            cr_assert_eq(turn(), (int)(i % sizes[s]), "turn %u of %u keys", i, sizes[s]);
    }
}

Test(rotation, a_segment_fresh_from_the_broker_begins_with_key_0)
{
    static struct kit kit;
    kit_start(&kit, 3);
    const int first = kb_rotation_next(&kit.state->pools[0].rotation,
                                       (unsigned)atomic_load(&kit.state->pools[0].rotation.cursor) & 0xffff);
    kit_stop(&kit);
    cr_assert_eq(first, 0);
}

Test(rotation, goes_as_the_plain_model_goes_whatever_is_missing)
{
    uint64_t seed = 7;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (unsigned density = 0; density <= 8; density++) {
            set_up();
            for (unsigned i = 0; i < sizes[s]; i++)
                mark(i, kit_random(&seed) % 8 < density);
            for (unsigned i = 0; i < 1000; i++) {
                if (i % 5 == 0)
                    mark((unsigned)(kit_random(&seed) % sizes[s]), kit_random(&seed) % 8 < density);
                const int expected = model_turn();
                cr_assert_eq(turn(), expected, "turn %u of %u positions, density %u/8", i, sizes[s], density);
            }
        }
}

Test(rotation, every_position_has_one_turn_a_round)
{
    uint64_t seed = 11;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        static unsigned turns[KB_KEYS];
        unsigned set = 0;
        set_up();
        memset(turns, 0, sizeof turns);
        for (unsigned i = 0; i < sizes[s]; i++) {
            const bool in = i == 0 || kit_random(&seed) % 3 != 0;
            set += in;
            mark(i, in);
        }
        for (unsigned i = 0; i < 3 * set; i++)
            turns[turn()]++;
        for (unsigned i = 0; i < KB_KEYS; i++)
            cr_assert_eq(turns[i], model.set[i] ? 3 : 0, "position %u of %u", i, sizes[s]);
    }
}

Test(rotation, without_a_bit_there_is_no_turn_and_the_cursor_stays)
{
    uint64_t sequence = 42;
    mark(5, true);
    cr_assert_eq(turn(), 5);
    mark(5, false);
    const uint64_t cursor = atomic_load(&rotation.cursor);
    cr_assert_eq(kb_rotation_turn(&rotation, &sequence), KB_NO_POSITION);
    cr_assert_eq(atomic_load(&rotation.cursor), cursor);
    cr_assert_eq(sequence, 42);
}

Test(rotation, the_sequence_counts_turns)
{
    mark(0, true);
    mark(4095, true);
    for (uint64_t i = 0; i < 10; i++) {
        uint64_t sequence = 0;
        kb_rotation_turn(&rotation, &sequence);
        cr_assert_eq(sequence, i);
    }
}

Test(rotation, a_cursor_that_was_scribbled_on_still_leads_to_set_bits)
{
    const uint64_t hostile[] = {~UINT64_C(0), 0xffff, 4096, 4097, 0x8000, ~UINT64_C(0) << 16, UINT64_C(1) << 63};
    mark(3, true);
    mark(64, true);
    mark(4000, true);
    for (size_t h = 0; h < sizeof hostile / sizeof *hostile; h++) {
        unsigned turns[3] = {0, 0, 0};
        atomic_store(&rotation.cursor, hostile[h]);
        for (int i = 0; i < 6; i++) {
            const int position = turn();
            cr_assert(position == 3 || position == 64 || position == 4000, "position %d", position);
            turns[position == 3 ? 0 : position == 64 ? 1 : 2]++;
        }
        cr_assert(turns[0] == 2 && turns[1] == 2 && turns[2] == 2, "cursor %llx", (unsigned long long)hostile[h]);
    }
}

Test(rotation, a_summary_bit_too_many_costs_nothing)
{
    mark(70, true);
    atomic_store(&rotation.summary, ~UINT64_C(0));
    cr_assert_eq(turn(), 70);
    cr_assert_eq(turn(), 70);
    atomic_store(&rotation.bits[1], 0);
    cr_assert_eq(turn(), KB_NO_POSITION);
}

Test(rotation, a_summary_bit_that_is_missing_hides_its_own_word_only_and_marking_brings_it_back)
{
    mark(1, true);
    mark(200, true);
    mark(300, true);
    atomic_store(&rotation.summary, atomic_load(&rotation.summary) & ~(UINT64_C(1) << (200 / 64)));
    cr_assert_eq(turn(), 1);
    cr_assert_eq(turn(), 300);
    kb_rotation_mark(&rotation, 200, true);
    cr_assert_eq(turn(), 1);
    cr_assert_eq(turn(), 200);
    cr_assert_eq(turn(), 300);
}

Test(rotation, marking_touches_one_bit_and_the_summary_follows)
{
    for (unsigned position = 0; position < KB_KEYS; position += 61) {
        const unsigned word = position / 64, neighbour = word * 64 + (position + 1) % 64;
        set_up();
        kb_rotation_mark(&rotation, position, true);
        kb_rotation_mark(&rotation, position, true);
        cr_assert_eq(atomic_load(&rotation.bits[word]), UINT64_C(1) << (position % 64));
        cr_assert_eq(atomic_load(&rotation.summary), UINT64_C(1) << word);
        kb_rotation_mark(&rotation, neighbour, true);
        kb_rotation_mark(&rotation, position, false);
        cr_assert_eq(atomic_load(&rotation.bits[word]), UINT64_C(1) << (neighbour % 64));
        cr_assert_eq(atomic_load(&rotation.summary), UINT64_C(1) << word, "a word that is not empty is listed");
        kb_rotation_mark(&rotation, neighbour, false);
        kb_rotation_mark(&rotation, neighbour, false);
        cr_assert_eq(atomic_load(&rotation.bits[word]), 0);
        cr_assert_eq(atomic_load(&rotation.summary), 0);
    }
}

enum { MEETINGS = 30000 };
static _Atomic unsigned arrived;

/* Both go on at the same moment, as near as can be. */
static void meet(unsigned meeting)
{
    atomic_fetch_add(&arrived, 1);
    while (atomic_load(&arrived) < 2 * meeting)
        sched_yield();
}

static void *set_and_clear(void *arg)
{
    const unsigned me = *(const unsigned *)arg;
    uintptr_t wrong = 0;
    for (unsigned i = 0; i < MEETINGS; i++) {
        meet(2 * i + 1);
        kb_rotation_mark(&rotation, 64 + 63 * me, i % 2 == me);
        meet(2 * i + 2);
        wrong += me == 0 && atomic_load(&rotation.summary) != 2;
    }
    return (void *)wrong;
}

/* One clears the last bit of a word and takes the summary down while the other sets the next one. */
Test(rotation, two_that_mark_in_one_word_leave_it_listed)
{
    static unsigned numbers[2] = {0, 1};
    pthread_t threads[2];
    uintptr_t wrong = 0;
    mark(127, true);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, set_and_clear, &numbers[i]), 0);
    for (int i = 0; i < 2; i++) {
        void *result;
        pthread_join(threads[i], &result);
        wrong += (uintptr_t)result;
    }
    cr_assert_eq(wrong, 0, "%lu times a word with a bit was not in the summary", (unsigned long)wrong);
}

enum { TAKERS = 4, TURNS = 20000 };
static _Atomic unsigned taken[KB_KEYS];

static void *take_turns(void *arg)
{
    (void)arg;
    for (int i = 0; i < TURNS; i++)
        atomic_fetch_add(&taken[turn()], 1);
    return NULL;
}

Test(rotation, turns_taken_by_many_at_once_are_spread_to_within_one)
{
    pthread_t threads[TAKERS];
    const unsigned keys = 130, least = TAKERS * TURNS / keys;
    for (unsigned i = 0; i < keys; i++)
        mark(i, true);
    for (int i = 0; i < TAKERS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, take_turns, NULL), 0);
    for (int i = 0; i < TAKERS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < keys; i++)
        cr_assert(taken[i] == least || taken[i] == least + 1, "key %u had %u turns", i, taken[i]);
}
