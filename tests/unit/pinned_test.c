#include "client.h"

#include "segment/count.h"
#include "segment/os.h"
#include "segment/slot.h"
#include "tests/kit/ambush.h"
#include "tests/kit/kit.h"

#include <criterion/criterion.h>
#include <string.h>

/* kb_claim_key: a claim of one key by its name. */

static struct kit kit;
static kb_client *client;
static kb_key key;

static void set_up(void)
{
    kit_start(&kit, 3);
    cr_assert_eq(kb_open(kit.name, &client), 0);
}

static void tear_down(void)
{
    kb_close(client);
    kit_stop(&kit);
}

TestSuite(pinned, .init = set_up, .fini = tear_down, .timeout = 60);

static const char *name_of(unsigned number)
{
    static struct kb_config_key named;
    named = kit_config_key(kit_secret(number), strlen(kit_secret(number)));
    return named.fingerprint;
}

static int pin(unsigned number)
{
    memset(&key, 's', sizeof key);
    return kb_claim_key(client, "pool", name_of(number), &key);
}

static int report(kb_outcome outcome)
{
    return kb_report(client, &key, outcome, -1, 0);
}

static struct kb_word word_of(unsigned k)
{
    return kb_word_unpack(kit_word(&kit, k));
}

static uint64_t cursor(void)
{
    return atomic_load(&kit.state->pools[0].rotation.cursor);
}

/* Key 1 on trial with another handle of this process. */
static void put_on_trial(kb_client *other, kb_key *trial)
{
    kit_put(&kit, 1, KB_PROBATION);
    do
        cr_assert_eq(kb_claim(other, "pool", 0, trial), 0);
    while (trial->index != 1);
}

Test(pinned, gives_the_key_that_was_named)
{
    for (unsigned i = 3; i-- > 0;) {
        cr_assert_eq(pin(i), 0);
        cr_assert_eq(key.index, i);
        cr_assert_eq(key.wait_ms, 0);
        cr_assert_eq(kit_secret_number(key.secret, key.secret_len), (int)i);
        cr_assert_str_eq(key.fingerprint, name_of(i));
    }
}

Test(pinned, takes_no_turn)
{
    kb_key turn;
    cr_assert_eq(kb_claim(client, "pool", 0, &turn), 0);
    const uint64_t before = cursor();
    for (int i = 0; i < 10; i++) {
        cr_assert_eq(pin(1), 0);
        cr_assert_eq(report(KB_OUTCOME_OK), 0);
    }
    cr_assert_eq(cursor(), before);
    cr_assert_eq(kb_claim(client, "pool", 0, &turn), 0);
    cr_assert_eq(turn.index, 1);
}

Test(pinned, works_in_every_state_but_disabled_and_changes_none)
{
    const unsigned states[] = {KB_AVAILABLE, KB_FAILED, KB_COOLING, KB_PROBATION};
    for (int s = 0; s < 4; s++) {
        kit_put(&kit, 1, states[s]);
        const uint64_t word = kit_word(&kit, 1);
        cr_assert_eq(pin(1), 0, "state %u", states[s]);
        cr_assert_eq(kit_secret_number(key.secret, key.secret_len), 1);
        cr_assert_eq(kit_word(&kit, 1), word);
        cr_assert_eq(kb_release(client, &key), 0);
        cr_assert_eq(kit_word(&kit, 1), word);
    }
    kit_put(&kit, 1, KB_DISABLED);
    cr_assert_eq(pin(1), KB_EKEY);
}

Test(pinned, takes_no_trial)
{
    kb_key trial;
    kit_put(&kit, 1, KB_PROBATION);
    cr_assert_eq(pin(1), 0);
    cr_assert(kb_word_claimable(kit_word(&kit, 1)), "the trial is still to be had");
    put_on_trial(client, &trial);
    const uint64_t word = kit_word(&kit, 1);
    cr_assert_eq(pin(1), 0, "somebody else's trial is out");
    cr_assert_eq(kit_word(&kit, 1), word);
    cr_assert_eq(kb_release(client, &key), 0);
    cr_assert_eq(report(KB_OUTCOME_TRANSIENT), 0);
    cr_assert_eq(kit_word(&kit, 1), word);
    cr_assert_eq(kb_report(client, &trial, KB_OUTCOME_OK, -1, 200), 0);
    cr_assert_eq(kit_state(&kit, 1), KB_AVAILABLE);
}

Test(pinned, of_what_is_no_key_of_the_pool_says_so)
{
    char longer[64];
    strcpy(longer, name_of(1));
    strcat(longer, "0");
    cr_assert_eq(pin(3), KB_EKEY);
    cr_assert_eq(kb_claim_key(client, "pool", "", &key), KB_EKEY);
    cr_assert_eq(kb_claim_key(client, "pool", "k", &key), KB_EKEY);
    cr_assert_eq(kb_claim_key(client, "pool", longer, &key), KB_EKEY);
    longer[KB_FINGERPRINT_LEN - 1] = 0;
    cr_assert_eq(kb_claim_key(client, "pool", longer, &key), KB_EKEY, "a part of a fingerprint");
    cr_assert_eq(kb_claim_key(client, "other", name_of(1), &key), KB_EPOOL);
    cr_assert_eq(kit_reload(&kit, 0, 1), 0);
    cr_assert_eq(pin(1), KB_EKEY, "it was removed");
}

Test(pinned, and_reported_ok_never_restores_a_key)
{
    const unsigned states[] = {KB_FAILED, KB_COOLING, KB_PROBATION};
    for (int s = 0; s < 3; s++) {
        kit_put(&kit, 1, states[s]);
        const uint64_t word = kit_word(&kit, 1);
        cr_assert_eq(pin(1), 0);
        cr_assert_eq(report(KB_OUTCOME_OK), 0);
        cr_assert_eq(kit_word(&kit, 1), word);
    }
}

Test(pinned, and_reported_as_a_failure_fails_a_key_that_had_not)
{
    const unsigned states[] = {KB_AVAILABLE, KB_PROBATION};
    const kb_outcome failures[] = {KB_OUTCOME_AUTH, KB_OUTCOME_QUOTA, KB_OUTCOME_RATE};
    for (int s = 0; s < 2; s++)
        for (int f = 0; f < 3; f++) {
            kit_put(&kit, 1, states[s]);
            const unsigned strikes = word_of(1).strikes;
            cr_assert_eq(pin(1), 0);
            cr_assert_eq(report(failures[f]), 0);
            cr_assert_eq(kit_state(&kit, 1), failures[f] == KB_OUTCOME_RATE ? KB_COOLING : KB_FAILED);
            cr_assert_eq(word_of(1).strikes, strikes + 1);
        }
}

Test(pinned, and_reported_as_a_failure_takes_the_trial_from_another)
{
    kb_key trial;
    put_on_trial(client, &trial);
    cr_assert_eq(pin(1), 0);
    cr_assert_eq(report(KB_OUTCOME_AUTH), 0);
    cr_assert_eq(kit_state(&kit, 1), KB_FAILED);
    const uint64_t word = kit_word(&kit, 1);
    cr_assert_eq(kb_report(client, &trial, KB_OUTCOME_OK, -1, 200), 1);
    cr_assert_eq(kit_word(&kit, 1), word);
}

Test(pinned, and_reported_as_a_failure_of_a_failed_key_adds_no_strike)
{
    kit_put(&kit, 1, KB_FAILED);
    const uint64_t word = kit_word(&kit, 1);
    cr_assert_eq(pin(1), 0);
    for (int i = 0; i < 5; i++)
        cr_assert_geq(report(i % 2 ? KB_OUTCOME_AUTH : KB_OUTCOME_QUOTA), 0);
    cr_assert_eq(kit_word(&kit, 1), word);
    cr_assert_eq(kb_counts_of(kit.state, 0, 1).failed, 5);
}

Test(pinned, and_reported_rate_may_lengthen_a_pause_and_never_shorten_it)
{
    kit_put(&kit, 1, KB_COOLING); /* for an hour */
    const uint64_t until = word_of(1).until;
    cr_assert_eq(pin(1), 0);
    cr_assert_geq(kb_report(client, &key, KB_OUTCOME_RATE, 1000, 429), 0);
    cr_assert_eq(word_of(1).until, until);
    cr_assert_geq(kb_report(client, &key, KB_OUTCOME_RATE, 7200 * 1000, 429), 0);
    cr_assert_gt(word_of(1).until, until);
    cr_assert_eq(word_of(1).strikes, 1);
}

Test(pinned, and_reported_late_changes_nothing)
{
    cr_assert_eq(pin(1), 0);
    kit_put(&kit, 1, KB_DISABLED);
    const uint64_t word = kit_word(&kit, 1);
    for (int outcome = KB_OUTCOME_OK; outcome <= KB_OUTCOME_CLIENT; outcome++)
        cr_assert_eq(report((kb_outcome)outcome), 1);
    cr_assert_eq(kb_release(client, &key), 1);
    cr_assert_eq(kit_word(&kit, 1), word);
}

static void replace_all_keys(void *arg)
{
    (void)arg;
    kit_reload(&kit, 100, 3);
}

Test(pinned, gives_no_other_key_that_took_the_place_while_it_was_copied)
{
    const struct kb_secrets *secrets = atomic_load(&client->segment)->secrets;
    kit_ambush(secrets->secrets[0], sizeof secrets->secrets[0], false, replace_all_keys, NULL);
    const int code = pin(1);
    cr_assert(kit_ambush_end());
    cr_assert_eq(code, KB_EKEY);
    cr_assert_eq(*key.secret, 0);
}

Test(pinned, gives_no_other_key_though_a_worker_forged_the_name)
{
    struct kb_slot *slots = kit.state->slots[0];
    for (int i = 0; i < 2; i++)
        atomic_store(&slots[0].fingerprint[i], atomic_load(&slots[2].fingerprint[i]));
    const int code = pin(2);
    cr_assert(code == KB_EKEY || (code == 0 && kit_secret_number(key.secret, key.secret_len) == 2));
}
