#include "client.h"

#include "segment/count.h"
#include "segment/os.h"
#include "segment/secret.h"
#include "segment/slot.h"
#include "segment/sweep.h"
#include "tests/kit/ambush.h"
#include "tests/kit/child.h"
#include "tests/kit/config.h"
#include "tests/kit/kit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { KEYS = 5 };

static struct kit kit;
static kb_client *client;
static kb_key key;

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

TestSuite(claim, .init = set_up, .fini = tear_down, .timeout = 60);

/* The index of the key that was claimed, or the error. */
static int claim_by(kb_client *c)
{
    const int code = kb_claim(c, "pool", 0, &key);
    return code ? code : (int)key.index;
}

static int claim(void)
{
    return claim_by(client);
}

static void reload_to(unsigned keys)
{
    cr_assert_eq(kit_reload(&kit, 0, keys), 0);
}

Test(claim, goes_round_the_keys_in_their_order)
{
    for (int i = 0; i < 3 * KEYS; i++) {
        cr_assert_eq(claim(), i % KEYS);
        cr_assert_eq(kit_secret_number(key.secret, key.secret_len), i % KEYS);
        cr_assert_eq(kb_counts_of(kit.state, 0, (unsigned)i % KEYS).claims, (uint64_t)i / KEYS + 1);
    }
}

Test(claim, is_one_rotation_for_all_handles)
{
    kb_client *second;
    cr_assert_eq(kb_open(kit.name, &second), 0);
    for (int i = 0; i < 4 * KEYS; i++)
        cr_assert_eq(claim_by(i % 3 ? client : second), i % KEYS);
    kb_close(second);
}

static int claim_thrice(void *arg)
{
    (void)arg;
    for (int i = 2; i < 5; i++)
        if (claim() != i)
            return 1;
    return 0;
}

Test(claim, is_one_rotation_for_all_processes)
{
    cr_assert_eq(claim(), 0);
    cr_assert_eq(claim(), 1);
    cr_assert_eq(kit_wait(kit_fork(claim_thrice, NULL)), 0);
    cr_assert_eq(claim(), 0);
}

Test(claim, of_a_pool_with_one_key_gives_that_key_again_and_again)
{
    reload_to(1);
    for (int i = 0; i < 1000; i++) {
        cr_assert_eq(claim(), 0);
        cr_assert_eq(kb_report(client, &key, KB_OUTCOME_OK, -1, 200), 0);
    }
}

Test(claim, says_which_key_it_is)
{
    memset(&key, 's', sizeof key);
    cr_assert_eq(claim(), 0);
    cr_assert_str_eq(key.secret, kit_secret(0));
    cr_assert_eq(key.secret_len, strlen(kit_secret(0)));
    cr_assert_eq(key.wait_ms, 0);
}

/* The name people get from their shell. */
static void expect_shells_fingerprint(void)
{
    char command[256], digits[KB_FINGERPRINT_LEN];
    (void)snprintf(command, sizeof command, "printf %%s '%.100s' | sha256sum", key.secret);
    FILE *pipe = popen(command, "re");
    cr_assert_not_null(pipe);
    cr_assert_eq(fread(digits, 1, sizeof digits - 1, pipe), sizeof digits - 1);
    digits[sizeof digits - 1] = 0;
    pclose(pipe);
    cr_assert_eq(key.fingerprint[0], 'k');
    cr_assert_str_eq(key.fingerprint + 1, digits);
}

Test(claim, gives_the_fingerprint_that_sha256sum_gives)
{
    for (int i = 0; i < KEYS; i++) {
        cr_assert_eq(claim(), i);
        expect_shells_fingerprint();
    }
}

Test(claim, gives_secrets_of_every_length_whole)
{
    static const size_t lengths[] = {1, 7, 8, 9, 223, 224, 225, 231, 232, 233, 4095, 4096};
    enum { LENGTHS = sizeof lengths / sizeof *lengths };
    static char texts[LENGTHS][KB_SECRET_MAX];
    struct kb_keys_change change;
    kit_config_begin();
    kit_config_pool("pool", "generic");
    for (int i = 0; i < LENGTHS; i++) {
        for (size_t at = 0; at < lengths[i]; at++)
            texts[i][at] = (char)('!' + (at * 7 + (size_t)i) % 90);
        kit_config_add_secret(texts[i], lengths[i]);
    }
    cr_assert_eq(kit_config_apply(&kit, &change), 0);
    for (int i = 0; i < 2 * LENGTHS; i++) {
        memset(&key, 's', sizeof key);
        cr_assert_eq(kb_claim(client, "pool", 0, &key), 0);
        /* slots of the kit's keys are used again: find which text it is */
        int which = 0;
        while (which < LENGTHS && lengths[which] != key.secret_len)
            which++;
        cr_assert_lt(which, LENGTHS, "length %zu", key.secret_len);
        cr_assert_eq(memcmp(key.secret, texts[which], key.secret_len), 0);
        cr_assert_eq(key.secret[key.secret_len], 0);
        cr_assert_str_eq(key.fingerprint, kit_config_key(texts[which], lengths[which]).fingerprint);
    }
}

Test(claim, begun_after_a_key_failed_passes_it_over)
{
    const kb_outcome failures[] = {KB_OUTCOME_AUTH, KB_OUTCOME_QUOTA, KB_OUTCOME_RATE};
    for (int f = 0; f < 3; f++) {
        const int failed = claim();
        cr_assert_eq(failed, f);
        cr_assert_eq(kb_report(client, &key, failures[f], -1, 0), 0);
        for (int i = 0; i < 20; i++)
            cr_assert_gt(claim(), failed);
        while (claim() != KEYS - 1)
            continue;
    }
}

Test(claim, goes_on_with_a_key_whose_call_failed_for_other_reasons)
{
    const kb_outcome others[] = {KB_OUTCOME_OK, KB_OUTCOME_TRANSIENT, KB_OUTCOME_CLIENT};
    for (int i = 0; i < 3 * KEYS; i++) {
        cr_assert_eq(claim(), i % KEYS);
        cr_assert_eq(kb_report(client, &key, others[i % 3], 60000, 500), 0);
    }
}

static void fail_key_0(void *arg)
{
    (void)arg;
    kit_put(&kit, 0, KB_FAILED);
}

static void remove_key_0(void *arg)
{
    (void)arg;
    kit_reload(&kit, 1, KEYS - 1);
}

static void replace_all_keys(void *arg)
{
    (void)arg;
    kit_reload(&kit, 100, KEYS);
}

/* What happens to a key while its secret is copied is seen by the claim that copies it. */
static void claim_in_ambush(void (*strike)(void *))
{
    const struct kb_secrets *secrets = atomic_load(&client->segment)->secrets;
    kit_ambush(secrets->secrets[0], sizeof secrets->secrets[0], false, strike, NULL);
    memset(&key, 0, sizeof key);
    const int code = kb_claim(client, "pool", 0, &key);
    cr_assert(kit_ambush_end());
    cr_assert_eq(code, 0);
}

Test(claim, gives_no_key_that_failed_while_it_was_copied)
{
    claim_in_ambush(fail_key_0);
    cr_assert_eq(key.index, 1);
    cr_assert_eq(kit_secret_number(key.secret, key.secret_len), 1);
}

Test(claim, gives_no_key_that_was_removed_while_it_was_copied)
{
    claim_in_ambush(remove_key_0);
    cr_assert_eq(kit_secret_number(key.secret, key.secret_len), 1);
}

Test(claim, gives_the_new_key_whole_where_the_old_one_was_replaced_while_it_was_copied)
{
    claim_in_ambush(replace_all_keys);
    const int number = kit_secret_number(key.secret, key.secret_len);
    cr_assert_geq(number, 100);
    cr_assert_str_eq(key.fingerprint, kit_config_key(key.secret, key.secret_len).fingerprint);
}

static char long_text[1000];

/* The same text under another stamp, as after a broker found it damaged. */
static void rewrite(void *arg)
{
    (void)arg;
    kb_secret_write(kit.owner.segment.secrets, 0, 0, long_text, sizeof long_text, "k000000000000");
}

Test(claim, gives_a_trial_back_whose_secret_could_not_be_copied)
{
    const struct kb_secrets *secrets = atomic_load(&client->segment)->secrets;
    struct kb_keys_change change;
    memset(long_text, 'l', sizeof long_text);
    reload_to(0);
    kit_config_begin();
    kit_config_pool("pool", "generic");
    kit_config_add_secret(long_text, sizeof long_text);
    cr_assert_eq(kit_config_apply(&kit, &change), 0);
    kit_put(&kit, 0, KB_PROBATION);
    /* its stamp is read elsewhere, so this comes between that and the text */
    kit_ambush(secrets->longs[0][0], sizeof secrets->longs[0][0], false, rewrite, NULL);
    const int index = claim();
    cr_assert(kit_ambush_end());
    cr_assert_eq(index, 0, "another turn, and its trial is to be had");
    cr_assert_eq(memcmp(key.secret, long_text, sizeof long_text), 0);
    cr_assert_eq(kb_report(client, &key, KB_OUTCOME_OK, -1, 200), 0);
    cr_assert_eq(kit_state(&kit, 0), KB_AVAILABLE);
}

Test(claim, finds_again_a_key_whose_bit_was_lost)
{
    _Atomic uint64_t *bits = &kit.state->pools[0].rotation.bits[0];
    reload_to(1);
    atomic_store(bits, 0);
    cr_assert_eq(claim(), 0, "at once, when nothing else is there");
    reload_to(2);
    atomic_store(bits, 1);
    int turns = 0;
    while (turns <= 65536 && claim() != 1)
        turns++;
    cr_assert_leq(turns, 65536, "by itself, in the end");
}

Test(claim, of_a_pool_that_is_not_there_says_so)
{
    char long_name[300];
    memset(long_name, 'p', sizeof long_name);
    long_name[sizeof long_name - 1] = 0;
    const char *const names[] = {"poo", "pool1", "POOL", "", "pool ", "/", long_name};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cr_assert_eq(kb_claim(client, names[i], 0, &key), KB_EPOOL, "%s", names[i]);
}

Test(claim, never_gives_a_disabled_key)
{
    kit_put(&kit, 1, KB_DISABLED);
    for (int i = 0; i < 3 * KEYS; i++)
        cr_assert_neq(claim(), 1);
    for (unsigned k = 0; k < KEYS; k++)
        kit_put(&kit, k, KB_DISABLED);
    cr_assert_eq(claim(), KB_EEXHAUSTED);
    cr_assert_eq(key.wait_ms, -1);
    cr_assert_eq(kit_state(&kit, 1), KB_DISABLED);
}

Test(claim, of_an_empty_pool_has_nothing_to_wait_for)
{
    reload_to(0);
    cr_assert_eq(claim(), KB_EEXHAUSTED);
    cr_assert_eq(key.wait_ms, -1);
}

static void cool(unsigned k, uint64_t ms)
{
    kit_put(&kit, k, KB_COOLING);
    const uint64_t word = kit_word(&kit, k);
    struct kb_word w = kb_word_unpack(word);
    w.until = kb_word_until(kb_os_now() + ms);
    kb_slot_change(kit.state, 0, k, word, kb_word_pack(w));
    kb_due_announce(&kit.state->pools[0], kb_os_now() + ms);
}

Test(claim, says_when_the_first_key_comes_back)
{
    reload_to(3);
    cool(0, 50000);
    cool(1, 30000);
    kit_put(&kit, 2, KB_DISABLED);
    cr_assert_eq(claim(), KB_EEXHAUSTED);
    cr_assert(key.wait_ms > 20000 && key.wait_ms <= 30000 + KB_TICK_MS, "%d ms", key.wait_ms);
}
