/* keyref_test.c: what people may call a key, and that a change reaches that key or none. */
#include "keyctl/keyref.h"

#include "keyctl/command.h"
#include "segment/slot.h"
#include "tests/kit/kit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct kit kit;

static void start(void)
{
    kit_start(&kit, 3);
}

static void stop(void)
{
    kit_stop(&kit);
}

TestSuite(keyref, .init = start, .fini = stop);

static void set_fingerprint(unsigned key, const char *text)
{
    uint64_t characters[2] = {0, 0};
    memcpy(characters, text, strlen(text));
    for (int i = 0; i < 2; i++)
        atomic_store(&kit.state->slots[0][key].fingerprint[i], characters[i]);
}

static unsigned find(const char *text, unsigned *index)
{
    struct kb_keyref key = {.index = 99};
    const unsigned matches = kb_keyref_find(kit.state, 0, text, &key);
    *index = key.index;
    return matches;
}

static void finds(const char *text, unsigned want_index)
{
    unsigned index;
    cr_assert_eq(find(text, &index), 1, "%s", text);
    cr_assert_eq(index, want_index, "%s", text);
}

static void finds_many(const char *text, unsigned matches)
{
    unsigned index;
    cr_assert_eq(find(text, &index), matches, "%s", text);
}

Test(keyref, digits_are_an_index)
{
    finds("0", 0);
    finds("2", 2);
    finds("002", 2);
    finds_many("3", 0);
    finds_many("4096", 0);
    finds_many("4294967296", 0);
    finds_many("18446744073709551616", 0);
    finds_many("99999999999999999999999999999999", 0);
    finds_many("-1", 0);
    finds_many("+1", 0);
    finds_many(" 1", 0);
    finds_many("0x1", 0);
    finds_many("", 0);
}

Test(keyref, anything_else_is_the_beginning_of_a_fingerprint)
{
    set_fingerprint(0, "k0123456789ab");
    set_fingerprint(1, "k01fedcba9876");
    set_fingerprint(2, "kfedcba987654");
    finds("k012", 0);
    finds("k01f", 1);
    finds("kf", 2);
    finds("kfedcba987654", 2);
    finds_many("k", 3);
    finds_many("k01", 2);
    finds_many("kfedcba9876540", 0);
    finds_many("K012", 0);
    finds_many("012a", 0);
}

Test(keyref, an_empty_slot_is_no_key)
{
    cr_assert_eq(kit_reload(&kit, 1, 2), 0);
    finds_many("0", 0);
    finds("1", 1);
    finds_many("k", 2);
}

Test(keyref, a_span_beyond_the_pool_finds_no_more_than_the_pool)
{
    atomic_store(&kit.state->pools[0].rotation.span, UINT32_MAX);
    finds_many("4096", 0);
    finds_many("4294967295", 0);
    finds_many("k", 3);
}

Test(keyref, a_scribbled_fingerprint_is_never_shown)
{
    static const char *const scribbles[] = {"", "\033[2Jxxxxxxxxx", "k0123456789aB", "k0123456789a", "x0123456789ab"};
    for (size_t i = 0; i < sizeof scribbles / sizeof *scribbles; i++) {
        struct kb_keyref key;
        uint64_t word;
        set_fingerprint(1, scribbles[i]);
        cr_assert(kb_keyref_read(kit.state, 0, 1, &key, &word));
        cr_assert_str_eq(key.fingerprint, "?");
    }
}

Test(keyref, an_ambiguous_or_unknown_key_is_refused_as_unknown)
{
    const struct kb_ctl_pool pool = {.number = 0, .name = "pool"};
    struct kb_keyref key;
    cr_assert_eq(kb_keyref_choose(kit.state, &pool, "k", &key), KB_EXIT_UNKNOWN);
    cr_assert_eq(kb_keyref_choose(kit.state, &pool, "17", &key), KB_EXIT_UNKNOWN);
    cr_assert_eq(kb_keyref_choose(kit.state, &pool, "1", &key), 0);
    cr_assert_eq(key.index, 1);
}

static uint64_t disabled(uint64_t word)
{
    return kb_word_state(word) == KB_DISABLED ? word : kb_word_fresh(word, KB_DISABLED);
}

Test(keyref, a_change_happens_once)
{
    struct kb_keyref key;
    cr_assert_eq(kb_keyref_find(kit.state, 0, "1", &key), 1);
    cr_assert_eq(kb_keyref_change(kit.state, 0, &key, disabled), KB_KEY_CHANGED);
    cr_assert_eq(kit_state(&kit, 1), KB_DISABLED);
    cr_assert_eq(kb_keyref_change(kit.state, 0, &key, disabled), KB_KEY_LEFT);
    cr_assert_null(kit_check(kit.state));
}

Test(keyref, a_change_spares_another_key_in_the_same_place)
{
    struct kb_keyref key;
    cr_assert_eq(kb_keyref_find(kit.state, 0, "0", &key), 1);
    cr_assert_eq(kit_reload(&kit, 0, 0), 0);
    cr_assert_eq(kit_reload(&kit, 10, 3), 0);
    cr_assert_eq(kit_state(&kit, 0), KB_AVAILABLE);
    cr_assert_eq(kb_keyref_change(kit.state, 0, &key, disabled), KB_KEY_GONE);
    cr_assert_eq(kit_state(&kit, 0), KB_AVAILABLE);
    cr_assert_eq(kit_reload(&kit, 0, 0), 0);
    cr_assert_eq(kb_keyref_change(kit.state, 0, &key, disabled), KB_KEY_GONE);
}

/* Between the look and the CAS, somebody else changes the key: the next look decides. */
static unsigned disturbances;

static uint64_t disturbed(uint64_t word)
{
    if (disturbances > 0) {
        disturbances--;
        kb_slot_change(kit.state, 0, 1, word, kb_word_fresh(word, KB_AVAILABLE));
    }
    return kb_word_fresh(word, KB_DISABLED);
}

Test(keyref, a_change_outlives_those_of_others_but_not_for_ever)
{
    struct kb_keyref key;
    cr_assert_eq(kb_keyref_find(kit.state, 0, "1", &key), 1);
    disturbances = 20;
    cr_assert_eq(kb_keyref_change(kit.state, 0, &key, disturbed), KB_KEY_CHANGED);
    cr_assert_eq(disturbances, 0);
    disturbances = 1000000;
    cr_assert_eq(kb_keyref_change(kit.state, 0, &key, disturbed), KB_KEY_RESTLESS);
}
