#include "client.h"

#include "segment/identity.h"
#include "segment/os.h"
#include "segment/rotation.h"
#include "segment/slot.h"
#include "segment/sweep.h"
#include "tests/kit/kit.h"

#include <criterion/criterion.h>
#include <string.h>

/* Any worker can scribble on the state segment. The others go on as well as can be, and never get a
 * secret that is not one of the pool's, whole. */

enum { KEYS = 5 };

static struct kit kit;
static kb_client *client;
static kb_key key;
static uint64_t seed = 23;

static void set_up(void)
{
    kit_start(&kit, KEYS);
    cr_assert_eq(kb_open(kit.name, &client), 0);
}

static void tear_down(void)
{
    kb_close(client);
    kit_stop(&kit);
}

TestSuite(hostile, .init = set_up, .fini = tear_down, .timeout = 60);

static int claim(void)
{
    const int code = kb_claim(client, "pool", 0, &key);
    return code ? code : (int)key.index;
}

static struct kb_rotation *rotation(void)
{
    return &kit.state->pools[0].rotation;
}

static void expect_all_but(unsigned bad)
{
    bool seen[KEYS] = {false};
    for (int i = 0; i < 3 * KEYS; i++) {
        const int index = claim();
        cr_assert(index >= 0 && index < KEYS && index != (int)bad, "got %d", index);
        cr_assert_eq(kit_secret_number(key.secret, key.secret_len), index);
        cr_assert_eq(kb_report(client, &key, KB_OUTCOME_OK, -1, 200), 0);
        seen[index] = true;
    }
    for (unsigned k = 0; k < KEYS; k++)
        cr_assert(seen[k] || k == bad, "key %u was not claimed", k);
}

Test(hostile, words_in_no_state_are_passed_over)
{
    for (uint64_t state = KB_STATES; state < 8; state++)
        for (int i = 0; i < 50; i++) {
            atomic_store(&kit.state->slots[0][2].word, (kit_random(&seed) & ~UINT64_C(7)) | state);
            expect_all_but(2);
        }
}

Test(hostile, bits_of_keys_that_are_not_there_are_passed_over)
{
    for (unsigned word = 0; word < KB_KEYS / 64; word++)
        atomic_store(&rotation()->bits[word], ~UINT64_C(0));
    atomic_store(&rotation()->summary, ~UINT64_C(0));
    expect_all_but(KEYS);
    kb_sweep(kit.state, 0, kb_os_now());
    expect_all_but(KEYS);
}

Test(hostile, an_available_key_without_a_secret_is_passed_over)
{
    for (unsigned k = KEYS; k < 60; k++) {
        atomic_store(&kit.state->slots[0][k].word, kb_word_fresh(0, KB_AVAILABLE));
        kb_rotation_mark(rotation(), k, true);
    }
    atomic_store(&rotation()->span, 60);
    expect_all_but(KEYS);
    for (unsigned k = 0; k < KEYS; k++)
        kit_put(&kit, k, KB_COOLING);
    cr_assert_eq(claim(), KB_EEXHAUSTED, "and a claim that finds only such ends");
    cr_assert_eq(*key.secret, 0);
}

Test(hostile, trials_of_owners_that_cannot_be_are_offered_again)
{
    const unsigned owners[] = {KB_WORKERS, 2046, 1500};
    for (int i = 0; i < 3; i++) {
        const struct kb_word w = {.state = KB_PROBATION, .until = kb_word_trial(owners[i], kb_os_now()), .epoch = 3};
        cr_assert_eq(kit_reload(&kit, (unsigned)i, 1), 0);
        kb_slot_change(kit.state, 0,
                       (unsigned)kb_slot_find(kit.state, 0, kit_config_key(kit_secret((unsigned)i), 64).fingerprint),
                       kit_word(&kit, (unsigned)i), kb_word_pack(w));
        cr_assert_geq(claim(), 0);
        cr_assert_eq(kb_report(client, &key, KB_OUTCOME_OK, -1, 200), 0);
    }
}

Test(hostile, pools_that_are_said_to_be_there_have_no_name)
{
    kb_pool_status status;
    for (unsigned p = 0; p < KB_POOLS; p++)
        atomic_store(&kit.state->pools[p].live, UINT32_MAX);
    strcpy(kit.state->pools[1].name, "other");
    cr_assert_eq(kb_claim(client, "other", 0, &key), KB_EPOOL);
    cr_assert_eq(kb_claim(client, "", 0, &key), KB_EPOOL);
    cr_assert_eq(kb_status(client, "other", &status), KB_EPOOL);
    expect_all_but(KEYS);
    strcpy(kit.state->pools[0].name, "renamed");
    expect_all_but(KEYS);
    kb_client *second;
    cr_assert_eq(kb_open(kit.name, &second), 0, "which sweeps them all");
    kb_close(second);
}

Test(hostile, spans_cursors_and_times_that_cannot_be_do_no_harm)
{
    const uint64_t values[] = {0, ~UINT64_C(0), UINT64_C(1) << 63, 0x1000, 0xffff, ~UINT64_C(0) << 16, 1};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        atomic_store(&rotation()->cursor, values[i]);
        atomic_store(&rotation()->next_due, values[i]);
        expect_all_but(KEYS);
        atomic_store(&rotation()->span, (uint32_t)values[i]);
        expect_all_but(KEYS);
    }
}

Test(hostile, cooldowns_that_cannot_be_end_by_and_by_at_most)
{
    struct kb_policy *policy = &kit.state->pools[0].policy;
    for (int i = 0; i < 4; i++) {
        const uint32_t value = i % 2 ? UINT32_MAX : 0;
        atomic_store(&policy->auth_ms, value);
        atomic_store(&policy->max_ms, i < 2 ? 0 : UINT32_MAX);
        atomic_store(&policy->trial_ms, value);
        cr_assert_eq(kit_reload(&kit, 10 * (unsigned)i, 1), 0);
        atomic_store(&policy->auth_ms, value);
        const int index = claim();
        cr_assert_geq(index, 0);
        cr_assert_eq(kb_report(client, &key, KB_OUTCOME_AUTH, -1, 401), 0);
        cr_assert_leq(kb_word_until_ms(kit_word(&kit, (unsigned)index)),
                      kb_os_now() + UINT64_C(31) * 24 * 3600 * 1000 + KB_TICK_MS);
        cr_assert_eq(claim(), index, "all have failed: it is tried at once");
    }
}

/* A number that looks like one of the segment's own half of the time. */
static uint64_t garbage(void)
{
    const uint64_t g = kit_random(&seed);
    switch (g % 8) {
    case 0:
        return 0;
    case 1:
        return ~UINT64_C(0);
    case 2:
        return kb_word_pack((struct kb_word){.state = g >> 8 & 7, .epoch = (uint32_t)(g >> 16)});
    case 3:
        return kb_word_pack((struct kb_word){.state = g >> 8 & 7, .until = g >> 16, .strikes = 15});
    case 4:
        return kb_identity_self();
    case 5:
        return g >> 40;
    default:
        return g;
    }
}

static void scribble(void *start, size_t size, unsigned per_mille)
{
    _Atomic uint64_t *words = start;
    for (size_t i = 0; i < size / 8; i++)
        if (kit_random(&seed) % 1000 < per_mille)
            atomic_store(&words[i], garbage());
}

static void use(void)
{
    kb_pool_status status;
    for (int i = 0; i < 20; i++) {
        const int code = i % 4 ? kb_claim(client, "pool", 0, &key)
                               : kb_claim_key(client, "pool", kit_config_key(kit_secret(2), 64).fingerprint, &key);
        if (code == 0) {
            const int number = kit_secret_number(key.secret, key.secret_len);
            cr_assert(number >= 0 && number < KEYS, "not a secret of this pool");
            cr_assert_geq(kb_report(client, &key, (kb_outcome)(kit_random(&seed) % 6), i % 3 ? -1 : 1000, 500), 0);
        } else {
            cr_assert(code == KB_EEXHAUSTED || code == KB_EPOOL || code == KB_EKEY, "%s", kb_strerror(code));
            cr_assert_eq(*key.secret, 0);
        }
    }
    const int code = kb_status(client, "pool", &status);
    cr_assert(code == KB_EPOOL || (code == 0 && status.total <= KB_KEYS && status.available <= status.total));
}

/* Everything but the header's first line, which says what this is, and the guard, which is for brokers. */
Test(hostile, scribbles_everywhere_neither_crash_a_worker_nor_give_it_a_wrong_secret)
{
    struct kb_state *state = kit.state;
    for (int round = 0; round < 150; round++) {
        scribble(&state->header.doorbell,
                 offsetof(struct kb_header, reload_text) - offsetof(struct kb_header, doorbell), 300);
        scribble(state->header.lane_owner, sizeof state->header.lane_owner, 300);
        scribble(state->workers, sizeof state->workers, 100);
        scribble(&state->pools[0], 960, 100);
        scribble(state->slots[0], 64 * sizeof state->slots[0][0], 200);
        use();
    }
    cr_assert_eq(kit_reload(&kit, 0, KEYS), 0);
    atomic_store(&rotation()->cursor, 0);
    memset(state->workers, 0, sizeof state->workers);
    kb_client *second;
    cr_assert_eq(kb_open(kit.name, &second), 0);
    cr_assert_geq(claim(), 0, "a reload and a sweep set it right");
    kb_close(second);
}
