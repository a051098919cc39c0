/* keyctl_test.c: keyctl's commands on keys in every state. */
#include "keyctl_stage.h"

#include "segment/guard.h"
#include "segment/os.h"
#include "segment/word.h"

#include <unistd.h>

TestSuite(keyctl, .init = start, .fini = stop);

static int key_of(unsigned n)
{
    run_json(&kb_command_status, NULL);
    return element(kb_json_member(doc, element(kb_json_member(doc, 0, "pools"), 0), "keys"), n);
}

/* The key with this index claimed, by its fingerprint, and reported. */
static void report(unsigned key, kb_outcome outcome, int retry_after_ms, int status)
{
    kb_key claim;
    char fingerprint[16] = "";
    memcpy(fingerprint, (const void *)(uintptr_t)&kit.state->slots[0][key].fingerprint, KB_FINGERPRINT_LEN);
    cr_assert_eq(kb_claim_key(client, "pool", fingerprint, &claim), 0);
    cr_assert_eq(kb_report(client, &claim, outcome, retry_after_ms, status), 0);
}

static void claim_next(kb_key *out)
{
    cr_assert_eq(kb_claim(client, "pool", 0, out), 0);
}

Test(keyctl, status_tells_every_state)
{
    const int64_t begun = kb_os_unix_ms();
    report(0, KB_OUTCOME_OK, -1, 200);
    report(1, KB_OUTCOME_AUTH, -1, 401);
    report(2, KB_OUTCOME_RATE, 5000000, 429);
    cr_assert_eq(run(&kb_command_disable, false, "pool", "3"), 0);

    int key = key_of(0);
    says(key, "state", "available");
    says(key, "reason", "none");
    cr_assert_eq(number(key, "index"), 0);
    cr_assert_eq(number(key, "retry_in_ms"), 0);
    cr_assert_eq(number(key, "claims"), 1);
    cr_assert_eq(number(key, "ok"), 1);
    cr_assert_eq(number(key, "failed"), 0);
    cr_assert_eq(number(key, "last_status"), 200);
    cr_assert(is_null(key, "failed_at"));
    key = key_of(1);
    says(key, "state", "failed");
    says(key, "reason", "auth");
    cr_assert(number(key, "retry_in_ms") > 50000 && number(key, "retry_in_ms") < 70000);
    cr_assert_eq(number(key, "failed"), 1);
    cr_assert_eq(number(key, "last_status"), 401);
    cr_assert(number(key, "failed_at") >= begun);
    key = key_of(2);
    says(key, "state", "cooling");
    says(key, "reason", "rate");
    cr_assert(number(key, "retry_in_ms") > 4900000 && number(key, "retry_in_ms") <= 5000016);
    key = key_of(3);
    says(key, "state", "disabled");
    says(key, "reason", "operator");
    cr_assert(is_null(key, "retry_in_ms"));

    const int pool = element(kb_json_member(doc, 0, "pools"), 0);
    says(pool, "name", "pool");
    cr_assert_eq(number(pool, "total"), 4);
    cr_assert_eq(number(pool, "failed"), 3);
    cr_assert_eq(number(pool, "available"), 1);
    cr_assert_eq(number(pool, "current_index"), 0);
    cr_assert_eq(kb_json_size(doc, kb_json_member(doc, pool, "keys")), 4);
    bool alive = false;
    const int broker = kb_json_member(doc, 0, "broker");
    says(0, "name", kit.name);
    cr_assert_eq(number(0, "generation"), 1);
    cr_assert_eq(number(broker, "pid"), getpid());
    cr_assert(kb_json_bool(doc, kb_json_member(doc, broker, "alive"), &alive) && alive);
}

Test(keyctl, status_tells_a_trial_offered_from_one_that_is_out)
{
    kb_key claim;
    report(0, KB_OUTCOME_QUOTA, -1, 402);
    kit_age(&kit, 0);
    int key = key_of(0);
    says(key, "state", "probation");
    says(key, "reason", "quota");
    cr_assert_eq(number(key, "retry_in_ms"), 0);
    do
        claim_next(&claim);
    while (claim.index != 0);
    key = key_of(0);
    says(key, "state", "probation");
    cr_assert(is_null(key, "retry_in_ms"));
    run_json(&kb_command_workers, NULL);
    cr_assert_eq(number(element(kb_json_member(doc, 0, "workers"), 0), "trials"), 1);
}

Test(keyctl, status_of_one_pool_shows_no_other)
{
    cr_assert_eq(kit_reload_pools(&kit, 3, 2), 0);
    run_json(&kb_command_status, "pool1");
    const int pools = kb_json_member(doc, 0, "pools");
    cr_assert_eq(kb_json_size(doc, pools), 1);
    says(element(pools, 0), "name", "pool1");
    cr_assert_eq(run(&kb_command_status, false, "pool3", NULL), KB_EXIT_UNKNOWN);
    cr_assert_eq(run(&kb_command_status, false, "", NULL), KB_EXIT_UNKNOWN);
}

static void put_out(void)
{
    kb_key claim;
    report(0, KB_OUTCOME_AUTH, -1, 401);
    report(1, KB_OUTCOME_RATE, 100000, 429);
    report(2, KB_OUTCOME_QUOTA, -1, 402);
    kit_age(&kit, 2);
    cr_assert_eq(run(&kb_command_disable, false, "pool", "3"), 0);
    claim_next(&claim); /* the trial of key 2 */
    cr_assert_eq(claim.index, 2);
}

Test(keyctl, reset_brings_back_all_but_the_disabled)
{
    put_out();
    run_json(&kb_command_reset, NULL);
    cr_assert_eq(number(0, "reset"), 3);
    for (unsigned key = 0; key < 3; key++) {
        cr_assert_eq(kit_state(&kit, key), KB_AVAILABLE);
        cr_assert_eq(kb_word_unpack(kit_word(&kit, key)).strikes, 0);
    }
    cr_assert_eq(kit_state(&kit, 3), KB_DISABLED);
    cr_assert_null(kit_check(kit.state));
    cr_assert_eq(number(key_of(0), "failed"), 1, "counters are kept");
    run_json(&kb_command_reset, NULL);
    cr_assert_eq(number(0, "reset"), 0);
}

Test(keyctl, reset_of_one_key_leaves_the_others)
{
    put_out();
    cr_assert_eq(run(&kb_command_reset, false, "pool", "1"), 0);
    cr_assert_str_eq(shown, "1 key reset\n");
    cr_assert_eq(kit_state(&kit, 0), KB_FAILED);
    cr_assert_eq(kit_state(&kit, 1), KB_AVAILABLE);
    cr_assert_eq(run(&kb_command_reset, false, "pool", "3"), 0);
    cr_assert_str_eq(shown, "0 keys reset\n");
    cr_assert_eq(kit_state(&kit, 3), KB_DISABLED);
}

Test(keyctl, reset_of_one_pool_leaves_the_others)
{
    cr_assert_eq(kit_reload_pools(&kit, 2, 1), 0);
    report(0, KB_OUTCOME_AUTH, -1, 401);
    cr_assert_eq(run(&kb_command_reset, false, "pool1", NULL), 0);
    cr_assert_eq(kit_state(&kit, 0), KB_FAILED);
    cr_assert_eq(run(&kb_command_reset, false, "pool", NULL), 0);
    cr_assert_eq(kit_state(&kit, 0), KB_AVAILABLE);
}

Test(keyctl, a_report_from_before_a_reset_fails_no_key)
{
    kb_key before;
    report(0, KB_OUTCOME_AUTH, -1, 401);
    kit_age(&kit, 0);
    do
        claim_next(&before);
    while (before.index != 0);
    cr_assert_eq(run(&kb_command_reset, false, NULL, NULL), 0);
    cr_assert_eq(kb_report(client, &before, KB_OUTCOME_AUTH, -1, 401), 1);
    cr_assert_eq(kit_state(&kit, 0), KB_AVAILABLE);
}

Test(keyctl, reset_gives_up_while_the_guard_is_held)
{
    report(0, KB_OUTCOME_AUTH, -1, 401);
    cr_assert_eq(kb_guard_enter(&kit.state->header, 0), 0);
    cr_assert_eq(run(&kb_command_reset, false, NULL, NULL), KB_EXIT_FAILED);
    cr_assert_eq(kit_state(&kit, 0), KB_FAILED);
    kb_guard_leave(&kit.state->header);
    cr_assert_eq(run(&kb_command_reset, false, NULL, NULL), KB_EXIT_DONE);
}

Test(keyctl, a_disabled_key_is_never_claimed_until_it_is_enabled)
{
    kb_key claim;
    report(1, KB_OUTCOME_AUTH, -1, 401);
    cr_assert_eq(run(&kb_command_disable, false, "pool", "1"), 0);
    cr_assert_eq(run(&kb_command_disable, false, "pool", "1"), 0);
    cr_assert(strstr(shown, "already") != NULL);
    cr_assert_eq(kb_word_unpack(kit_word(&kit, 1)).strikes, 1);
    for (int i = 0; i < 9; i++) {
        claim_next(&claim);
        cr_assert_neq(claim.index, 1);
    }
    cr_assert_eq(run(&kb_command_enable, false, "pool", "1"), 0);
    cr_assert_eq(kit_state(&kit, 1), KB_AVAILABLE);
    cr_assert_eq(kb_word_unpack(kit_word(&kit, 1)).strikes, 0);
    const uint64_t word = kit_word(&kit, 1);
    cr_assert_eq(run(&kb_command_enable, false, "pool", "1"), 0);
    cr_assert_eq(kit_word(&kit, 1), word);
    cr_assert_null(kit_check(kit.state));
}

Test(keyctl, enable_is_no_reset)
{
    report(1, KB_OUTCOME_AUTH, -1, 401);
    cr_assert_eq(run(&kb_command_enable, false, "pool", "1"), 0);
    cr_assert_eq(kit_state(&kit, 1), KB_FAILED);
}
