#include "segment/slot.h"

#include "tests/kit/ambush.h"
#include "tests/kit/kit.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

static struct kit kit;

static void set_up(void)
{
    kit_start(&kit, 70);
}

static void tear_down(void)
{
    kit_stop(&kit);
}

TestSuite(slot, .init = set_up, .fini = tear_down, .timeout = 60);

static bool bit(unsigned key)
{
    return atomic_load(&kit.state->pools[0].rotation.bits[key / 64]) >> (key % 64) & 1;
}

static void flip_bit(unsigned key)
{
    atomic_fetch_xor(&kit.state->pools[0].rotation.bits[key / 64], UINT64_C(1) << (key % 64));
}

Test(slot, a_change_moves_the_word_and_its_bit)
{
    const uint64_t word = kit_word(&kit, 5), failed = kb_word_fresh(word, KB_FAILED);
    cr_assert(bit(5));
    cr_assert(kb_slot_change(kit.state, 0, 5, word, failed));
    cr_assert_eq(kit_word(&kit, 5), failed);
    cr_assert_not(bit(5));
    cr_assert(kb_slot_change(kit.state, 0, 5, failed, kb_word_fresh(failed, KB_PROBATION)));
    cr_assert(bit(5));
}

Test(slot, a_change_from_a_word_that_has_moved_changes_nothing)
{
    const uint64_t stale = kit_word(&kit, 5);
    kit_put(&kit, 5, KB_FAILED);
    const uint64_t word = kit_word(&kit, 5);
    cr_assert_not(kb_slot_change(kit.state, 0, 5, stale, kb_word_fresh(stale, KB_AVAILABLE)));
    cr_assert_eq(kit_word(&kit, 5), word);
    cr_assert_not(bit(5));
}

Test(slot, agreeing_sets_a_bit_that_is_missing_and_clears_one_too_many)
{
    flip_bit(66);
    cr_assert_not(bit(66));
    kb_slot_agree(kit.state, 0, 66);
    cr_assert(bit(66));
    kit_put(&kit, 66, KB_COOLING);
    flip_bit(66);
    cr_assert(bit(66));
    kb_slot_agree(kit.state, 0, 66);
    cr_assert_not(bit(66));
    cr_assert(bit(65) && bit(67), "its neighbours have nothing to do with it");
}

Test(slot, agreeing_changes_no_word)
{
    for (unsigned state = 0; state < 8; state++) {
        const uint64_t word = state | UINT64_C(12345) << KB_UNTIL_SHIFT;
        atomic_store(&kit.state->slots[0][1].word, word);
        kb_slot_agree(kit.state, 0, 1);
        cr_assert_eq(kit_word(&kit, 1), word);
        cr_assert_eq(bit(1), kb_word_claimable(word));
    }
}

Test(slot, a_span_larger_than_a_pool_is_a_whole_pool)
{
    const uint32_t hostile[] = {KB_KEYS + 1, UINT32_MAX, UINT32_C(1) << 31};
    cr_assert_eq(kb_slot_span(kit.state, 0), 70);
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        atomic_store(&kit.state->pools[0].rotation.span, hostile[i]);
        cr_assert_eq(kb_slot_span(kit.state, 0), KB_KEYS);
    }
    cr_assert_eq(kb_slot_span(kit.state, 1), 0);
}

static struct kb_config_key named(unsigned number)
{
    return kit_config_key(kit_secret(number), strlen(kit_secret(number)));
}

Test(slot, a_key_is_found_by_its_fingerprint)
{
    for (unsigned key = 0; key < 70; key++) {
        char text[KB_FINGERPRINT_LEN + 1];
        kb_slot_fingerprint(&kit.state->slots[0][key], text);
        cr_assert_str_eq(text, named(key).fingerprint);
        cr_assert_eq(kb_slot_find(kit.state, 0, text), (int)key);
    }
}

Test(slot, what_is_not_there_is_not_found)
{
    struct kb_config_key cut = named(3);
    cut.fingerprint[KB_FINGERPRINT_LEN - 1] = 0;
    cr_assert_eq(kb_slot_find(kit.state, 0, named(70).fingerprint), -1);
    cr_assert_eq(kb_slot_find(kit.state, 0, ""), -1);
    cr_assert_eq(kb_slot_find(kit.state, 0, cut.fingerprint), -1, "a part of a fingerprint names nobody here");
    cr_assert_eq(kb_slot_find(kit.state, 1, named(3).fingerprint), -1, "another pool");
    cr_assert_eq(kit_reload(&kit, 1, 69), 0);
    cr_assert_eq(kb_slot_find(kit.state, 0, named(0).fingerprint), -1, "removed");
}

Test(slot, a_fingerprint_that_was_scribbled_on_is_cut_at_its_length)
{
    char text[KB_FINGERPRINT_LEN + 2];
    memset(text, '#', sizeof text);
    atomic_store(&kit.state->slots[0][0].fingerprint[0], ~UINT64_C(0));
    atomic_store(&kit.state->slots[0][0].fingerprint[1], ~UINT64_C(0));
    kb_slot_fingerprint(&kit.state->slots[0][0], text);
    cr_assert_eq(strnlen(text, sizeof text), KB_FINGERPRINT_LEN);
    cr_assert_eq(text[KB_FINGERPRINT_LEN + 1], '#');
}

static void fail_key_5(void *arg)
{
    (void)arg;
    kb_slot_change(kit.state, 0, 5, kit_word(&kit, 5), kb_word_fresh(kit_word(&kit, 5), KB_FAILED));
}

static void restore_key_5(void *arg)
{
    (void)arg;
    kb_slot_change(kit.state, 0, 5, kit_word(&kit, 5), kb_word_fresh(kit_word(&kit, 5), KB_AVAILABLE));
}

/* Another writer changes the word and its bit just when this one is about to set the bit to what the
 * word was before. */
static void change_in_ambush(unsigned state, void (*strike)(void *))
{
    const uint64_t word = kit_word(&kit, 5);
    kit_ambush(&kit.state->pools[0], sizeof kit.state->pools[0], true, strike, NULL);
    const bool changed = kb_slot_change(kit.state, 0, 5, word, kb_word_fresh(word, state));
    cr_assert(kit_ambush_end());
    cr_assert(changed);
}

Test(slot, a_bit_follows_the_last_of_two_changes_whoever_comes_last_to_the_bit)
{
    kit_put(&kit, 5, KB_COOLING);
    change_in_ambush(KB_AVAILABLE, fail_key_5);
    cr_assert(kit_state(&kit, 5) == KB_FAILED && !bit(5));
    change_in_ambush(KB_PROBATION, fail_key_5);
    cr_assert(kit_state(&kit, 5) == KB_FAILED && !bit(5));
    restore_key_5(NULL);
    change_in_ambush(KB_FAILED, restore_key_5);
    cr_assert(kit_state(&kit, 5) == KB_AVAILABLE && bit(5));
}

enum { CHANGERS = 3, CHANGES = 30000 };

static void *change_often(void *arg)
{
    const unsigned offset = *(const unsigned *)arg;
    for (unsigned i = 0; i < CHANGES; i++) {
        const uint64_t word = kit_word(&kit, 69);
        kb_slot_change(kit.state, 0, 69, word, kb_word_fresh(word, (i + offset) % 2 ? KB_AVAILABLE : KB_FAILED));
    }
    return NULL;
}

/* Whoever changes last, the last look at the word decides the bit. */
Test(slot, a_bit_agrees_with_its_word_when_many_changed_it_at_once)
{
    unsigned offsets[CHANGERS] = {0, 1, 2};
    for (int round = 0; round < 5; round++) {
        pthread_t threads[CHANGERS];
        for (int i = 0; i < CHANGERS; i++)
            cr_assert_eq(pthread_create(&threads[i], NULL, change_often, &offsets[i]), 0);
        for (int i = 0; i < CHANGERS; i++)
            pthread_join(threads[i], NULL);
        cr_assert_eq(bit(69), kb_word_claimable(kit_word(&kit, 69)));
        for (unsigned key = 0; key < 69; key++)
            cr_assert(bit(key));
    }
}
