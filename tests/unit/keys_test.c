#include "broker/keys.h"

#include "segment/count.h"
#include "segment/guard.h"
#include "segment/policy.h"
#include "segment/rotation.h"
#include "segment/secret.h"
#include "segment/slot.h"
#include "tests/kit/child.h"
#include "tests/kit/config.h"
#include "tests/kit/kit.h"

#include <criterion/criterion.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { NOBODY = 65534 };

static struct kit kit;
static kb_client *client;
static kb_key key;
static struct kb_keys_change change;

static void set_up(void)
{
    kit_start(&kit, 0);
    cr_assert_eq(kb_open(kit.name, &client), 0);
}

static void tear_down(void)
{
    kb_close(client);
    kit_stop(&kit);
}

TestSuite(keys, .init = set_up, .fini = tear_down, .timeout = 60);

#define apply_pool(...) kit_config_keys(&kit, &change, __VA_ARGS__, KIT_END)

static int apply(void)
{
    return kit_config_apply(&kit, &change);
}

static int slot_of(unsigned number)
{
    return kb_slot_find(kit.state, 0, kit_config_key(kit_secret(number), strlen(kit_secret(number))).fingerprint);
}

static int claimed(void)
{
    const int code = kb_claim(client, "pool", 0, &key);
    return code ? code : kit_secret_number(key.secret, key.secret_len);
}

static bool changed(unsigned added, unsigned removed, unsigned kept, unsigned rewritten)
{
    return change.added == added && change.removed == removed && change.kept == kept && change.rewritten == rewritten;
}

static bool wiped(unsigned slot)
{
    const struct kb_secrets *secrets = kit.owner.segment.secrets;
    const char *bytes[] = {(const char *)&secrets->secrets[0][slot], (const char *)secrets->longs[0][slot]};
    const size_t sizes[] = {sizeof secrets->secrets[0][slot], KB_SECRET_MAX};
    for (int part = 0; part < 2; part++)
        for (size_t i = 0; i < sizes[part]; i++)
            if (bytes[part][i])
                return false;
    return true;
}

Test(keys, state_follows_the_fingerprint_through_any_order)
{
    cr_assert_eq(apply_pool(0, 1, 2, 3), 0);
    cr_assert(changed(4, 0, 0, 0));
    for (unsigned number = 0; number < 4; number++)
        cr_assert_eq(slot_of(number), (int)number, "new keys stand in the order they are given");
    for (int i = 0; i < 6; i++)
        cr_assert_geq(claimed(), 0);
    kit_put(&kit, 1, KB_FAILED);
    kit_put(&kit, 2, KB_DISABLED);
    uint64_t words[4];
    for (unsigned slot = 0; slot < 4; slot++)
        words[slot] = kit_word(&kit, slot);
    cr_assert_eq(apply_pool(3, 2, 9, 1, 0, 8), 0);
    cr_assert(changed(2, 0, 4, 0));
    for (unsigned number = 0; number < 4; number++) {
        cr_assert_eq(slot_of(number), (int)number);
        cr_assert_eq(kit_word(&kit, number), words[number]);
        cr_assert_eq(kb_counts_of(kit.state, 0, number).claims, number < 2 ? 2 : 1);
    }
    cr_assert_eq(slot_of(9), 4);
    cr_assert_eq(slot_of(8), 5);
    cr_assert_null(kit_check(kit.state));
}

Test(keys, one_that_is_removed_is_empty_unclaimable_and_wiped)
{
    cr_assert_eq(apply_pool(0, 1, 2), 0);
    const uint64_t before = kit_word(&kit, 1);
    cr_assert_eq(apply_pool(0, 2), 0);
    cr_assert(changed(0, 1, 2, 0));
    cr_assert_eq(kit_state(&kit, 1), KB_EMPTY);
    cr_assert_neq(kb_word_epoch(kit_word(&kit, 1)), kb_word_epoch(before));
    cr_assert(wiped(1));
    cr_assert_not(wiped(0));
    for (int i = 0; i < 10; i++)
        cr_assert_neq(claimed(), 1);
    cr_assert_null(kit_check(kit.state));
}

Test(keys, one_that_is_new_in_a_slot_has_nothing_of_the_one_before)
{
    cr_assert_eq(apply_pool(0, 1), 0);
    cr_assert_eq(claimed(), 0);
    cr_assert_eq(kb_report(client, &key, KB_OUTCOME_AUTH, -1, 401), 0);
    cr_assert_neq(atomic_load(&kit.state->slots[0][0].failed_at), 0);
    const uint32_t epoch = kb_word_epoch(kit_word(&kit, 0));
    cr_assert_eq(apply_pool(1), 0);
    cr_assert_eq(apply_pool(1, 7), 0);
    cr_assert(changed(1, 0, 1, 0));
    cr_assert_eq(slot_of(7), 0);
    const struct kb_counts counts = kb_counts_of(kit.state, 0, 0);
    cr_assert(counts.claims == 0 && counts.ok == 0 && counts.failed == 0 && counts.other == 0);
    cr_assert_eq(atomic_load(&kit.state->slots[0][0].failed_at), 0);
    cr_assert_eq(atomic_load(&kit.state->slots[0][0].last_status), 0);
    const struct kb_word w = kb_word_unpack(kit_word(&kit, 0));
    cr_assert(w.state == KB_AVAILABLE && w.strikes == 0 && w.reason == KB_REASON_NONE && w.epoch > epoch);
}

/* So no claim finds the pool empty while its only key is exchanged. */
Test(keys, one_that_replaces_the_only_one_goes_to_another_slot)
{
    cr_assert_eq(apply_pool(0), 0);
    cr_assert_eq(slot_of(0), 0);
    cr_assert_eq(apply_pool(1), 0);
    cr_assert_eq(slot_of(1), 1);
    cr_assert_eq(apply_pool(2), 0);
    cr_assert_eq(slot_of(2), 0);
}

Test(keys, one_that_was_removed_and_comes_back_is_new)
{
    cr_assert_eq(apply_pool(0, 1), 0);
    kit_put(&kit, 0, KB_DISABLED);
    cr_assert_eq(apply_pool(1), 0);
    cr_assert_eq(apply_pool(0, 1), 0);
    cr_assert(changed(1, 0, 1, 0));
    cr_assert_eq(kit_state(&kit, 0), KB_AVAILABLE);
}

Test(keys, none_at_all_are_no_error)
{
    cr_assert_eq(apply_pool(0, 1), 0);
    cr_assert_eq(kit_config_keys(&kit, &change, KIT_END), 0);
    cr_assert(changed(0, 2, 0, 0));
    cr_assert_eq(claimed(), KB_EEXHAUSTED);
    kit_config_begin();
    cr_assert_eq(apply(), 0);
    cr_assert_eq(claimed(), KB_EPOOL);
}

Test(keys, every_change_raises_the_generation_by_one)
{
    const uint64_t before = atomic_load(&kit.state->header.generation);
    for (uint64_t i = 1; i <= 5; i++) {
        cr_assert_eq(apply_pool((int)i), 0);
        cr_assert_eq(atomic_load(&kit.state->header.generation), before + i);
    }
}

Test(keys, a_pool_that_vanishes_is_gone_with_its_secrets_and_comes_back)
{
    kit_config_begin();
    kit_config_pool("pool", "generic");
    kit_config_add(0);
    kit_config_pool("second", "generic");
    kit_config_add(1);
    cr_assert_eq(apply(), 0);
    cr_assert_eq(kb_claim(client, "second", 0, &key), 0);
    cr_assert_eq(apply_pool(0), 0);
    cr_assert_eq(kb_claim(client, "second", 0, &key), KB_EPOOL);
    cr_assert_eq(atomic_load(&kit.owner.segment.secrets->secrets[1][0].stamp), 0);
    cr_assert_eq(claimed(), 0);
    kit_config_begin();
    kit_config_pool("second", "generic");
    kit_config_add(2);
    cr_assert_eq(apply(), 0);
    cr_assert_eq(kb_claim(client, "second", 0, &key), 0);
    cr_assert_eq(kit_secret_number(key.secret, key.secret_len), 2);
    cr_assert_eq(claimed(), KB_EPOOL);
}

Test(keys, a_pool_has_the_cooldowns_of_its_service)
{
    kit_config_begin();
    kit_config_pool("pool", "suno");
    kit_config_add(0);
    kit_config_pool("images", "stability");
    kit_config_add(0);
    cr_assert_eq(apply(), 0);
    cr_assert_eq(kb_policy_cooldown_ms(&kit.state->pools[0], KB_REASON_RATE, 1, 0), 10000);
    cr_assert_eq(kb_policy_cooldown_ms(&kit.state->pools[1], KB_REASON_RATE, 1, 0), 60000);
    cr_assert_str_eq(kit.state->pools[1].service, "stability");
    cr_assert_str_eq(kit.state->pools[1].name, "images");
    cr_assert_str_eq(kit.state->pools[1].env, "KIT_KEYS");
}

static void fill_pool(const char *name, unsigned first, unsigned count)
{
    kit_config_pool(name, "generic");
    for (unsigned i = 0; i < count; i++)
        kit_config_add(first + i);
}

Test(keys, pools_of_4096_each_are_brought_in_and_half_exchanged)
{
    static bool seen[2 * KB_KEYS];
    static const char *const names[] = {"pool", "pool1", "pool2"};
    kit_config_begin();
    for (int p = 0; p < 3; p++)
        fill_pool(names[p], 0, KB_KEYS);
    cr_assert_eq(apply(), 0);
    cr_assert(changed(3 * KB_KEYS, 0, 0, 0));
    for (int i = 0; i < KB_KEYS; i++)
        cr_assert_eq(claimed(), i);
    kit_config_begin();
    fill_pool("pool1", 0, KB_KEYS);
    fill_pool("pool", KB_KEYS / 2, KB_KEYS);
    cr_assert_eq(apply(), 0);
    cr_assert(changed(KB_KEYS / 2, KB_KEYS / 2 + KB_KEYS, KB_KEYS / 2 + KB_KEYS, 0));
    for (int i = 0; i < KB_KEYS; i++)
        seen[claimed()] = true;
    for (int i = 0; i < 2 * KB_KEYS; i++)
        cr_assert_eq(seen[i], i >= KB_KEYS / 2 && i < KB_KEYS * 3 / 2, "key %d", i);
    cr_assert_eq(kb_claim(client, "pool2", 0, &key), KB_EPOOL);
    cr_assert_null(kit_check(kit.state));
}
