#include "keybroker.h"

#include "segment/os.h"
#include "segment/slot.h"
#include "segment/sweep.h"
#include "tests/kit/kit.h"

#include <criterion/criterion.h>
#include <string.h>

enum { KEYS = 7 };

static struct kit kit;
static kb_client *client;
static kb_pool_status status;

static void set_up(void)
{
    kit_start(&kit, KEYS);
    cr_assert_eq(kb_open(kit.name, &client), 0);
    memset(&status, 0xff, sizeof status);
}

static void tear_down(void)
{
    kb_close(client);
    kit_stop(&kit);
}

TestSuite(status, .init = set_up, .fini = tear_down, .timeout = 60);

static void look(void)
{
    cr_assert_eq(kb_status(client, "pool", &status), 0);
    cr_assert_eq(status.failed, status.total - status.available);
}

static int claim(void)
{
    kb_key key;
    const int code = kb_claim(client, "pool", 0, &key);
    return code ? code : (int)key.index;
}

static void put_on_trial(unsigned k)
{
    kit_put(&kit, k, KB_PROBATION);
    struct kb_word w = kb_word_unpack(kit_word(&kit, k));
    w.until = kb_word_trial(0, kb_os_now());
    kb_slot_change(kit.state, 0, k, kit_word(&kit, k), kb_word_pack(w));
}

static void cool_for(unsigned k, uint64_t ms)
{
    kit_put(&kit, k, KB_COOLING);
    struct kb_word w = kb_word_unpack(kit_word(&kit, k));
    w.until = kb_word_until(kb_os_now() + ms);
    kb_slot_change(kit.state, 0, k, kit_word(&kit, k), kb_word_pack(w));
}

Test(status, of_a_fresh_pool_is_all_available)
{
    look();
    cr_assert(status.total == KEYS && status.available == KEYS && status.failed == 0);
    cr_assert(status.cooling == 0 && status.on_trial == 0 && status.disabled == 0);
    cr_assert_eq(status.current_index, 0);
    cr_assert_eq(status.wait_ms, 0);
    cr_assert_eq(status.generation, atomic_load(&kit.state->header.generation));
}

Test(status, tells_every_state_apart)
{
    kit_put(&kit, 1, KB_FAILED);
    kit_put(&kit, 2, KB_COOLING);
    kit_put(&kit, 3, KB_PROBATION);
    put_on_trial(4);
    kit_put(&kit, 5, KB_DISABLED);
    look();
    cr_assert(status.total == KEYS && status.available == 3 && status.failed == 4);
    cr_assert(status.cooling == 1 && status.on_trial == 1 && status.disabled == 1);
    cr_assert_eq(status.wait_ms, 0);
}

Test(status, shows_what_is_due)
{
    kit_put(&kit, 1, KB_FAILED);
    look();
    cr_assert_eq(status.available, KEYS - 1);
    kit_age(&kit, 1);
    look();
    cr_assert_eq(status.available, KEYS, "in probation with no trial out");
}

Test(status, counts_keys_and_not_the_holes_between_them)
{
    cr_assert_eq(kit_reload(&kit, 3, 2), 0);
    look();
    cr_assert(status.total == 2 && status.available == 2);
    cr_assert_eq(status.current_index, 3);
    cr_assert_eq(claim(), 3);
    cr_assert_eq(kit_reload(&kit, 0, 0), 0);
    look();
    cr_assert(status.total == 0 && status.available == 0 && status.failed == 0 && status.wait_ms == -1);
}

Test(status, takes_no_turn)
{
    for (int i = 0; i < 2 * KEYS; i++) {
        for (int j = 0; j < 3; j++)
            look();
        cr_assert_eq(status.current_index, (unsigned)i % KEYS);
        cr_assert_eq(claim(), i % KEYS);
    }
}

Test(status, names_the_key_that_the_next_claim_gets)
{
    static const unsigned states[] = {KB_AVAILABLE, KB_FAILED, KB_COOLING, KB_PROBATION, KB_DISABLED};
    uint64_t seed = 17;
    for (int round = 0; round < 2000; round++) {
        const unsigned kinds = round % 2 ? 5 : 3; /* often all failed */
        for (unsigned k = 0; k < KEYS; k++)
            kit_put(&kit, k, states[round % 2 ? kit_random(&seed) % kinds : 1 + kit_random(&seed) % kinds % 2]);
        look();
        const int index = claim();
        if (index >= 0)
            cr_assert_eq(status.current_index, (unsigned)index, "round %d", round);
        else
            cr_assert_eq(status.available, 0);
    }
}

Test(status, says_when_a_key_comes_back)
{
    for (unsigned k = 0; k < KEYS; k++)
        kit_put(&kit, k, KB_DISABLED);
    look();
    cr_assert_eq(status.wait_ms, -1, "only an operator ends that");
    cool_for(2, 40000);
    cool_for(3, 20000);
    look();
    cr_assert(status.wait_ms > 10000 && status.wait_ms <= 20000 + KB_TICK_MS, "%d ms", status.wait_ms);
    put_on_trial(4);
    look();
    cr_assert(status.wait_ms > 0 && status.wait_ms <= 20000, "%d ms: a trial may end at any moment", status.wait_ms);
}

Test(status, counts_reloads)
{
    look();
    const uint64_t before = status.generation;
    cr_assert_eq(kit_reload(&kit, 0, KEYS), 0);
    look();
    cr_assert_eq(status.generation, before + 1);
}

Test(status, of_what_is_not_there_says_so)
{
    cr_assert_eq(kb_status(client, "other", &status), KB_EPOOL);
    cr_assert_eq(kb_status(client, "", &status), KB_EPOOL);
    cr_assert_eq(kb_status(client, NULL, &status), KB_EINVAL);
    cr_assert_eq(kb_status(client, "pool", NULL), KB_EINVAL);
}
