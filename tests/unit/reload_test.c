#include "broker/keys.h"

#include "segment/guard.h"
#include "segment/secret.h"
#include "segment/slot.h"
#include "tests/kit/child.h"
#include "tests/kit/config.h"
#include "tests/kit/kit.h"

#include <criterion/criterion.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* Reloads that meet damage, limits and obstacles. */

enum { NOBODY = 65534, LONG_KEYS = 250 };

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
    client = NULL;
    kit_stop(&kit);
}

TestSuite(reload, .init = set_up, .fini = tear_down, .timeout = 60);

/* criterion runs no .fini after a skip */
static void skip(const char *why)
{
    tear_down();
    cr_skip_test("%s", why);
}

#define apply_pool(...) kit_config_keys(&kit, &change, __VA_ARGS__, KIT_END)

static int apply(void)
{
    return kit_config_apply(&kit, &change);
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

static void expect_rewritten(void)
{
    cr_assert_eq(apply_pool(0, 1, 2), 0);
    cr_assert(changed(0, 0, 2, 1));
    cr_assert_eq(kit_state(&kit, 1), KB_AVAILABLE);
    bool seen[3] = {false, false, false};
    for (int i = 0; i < 3; i++)
        seen[claimed()] = true;
    cr_assert(seen[0] && seen[1] && seen[2]);
    cr_assert_null(kit_check(kit.state));
}

Test(reload, a_stored_secret_that_is_damaged_is_written_again)
{
    struct kb_secret *secret = &kit.owner.segment.secrets->secrets[0][1];
    cr_assert_eq(apply_pool(0, 1, 2), 0);
    atomic_fetch_xor(&secret->text[7], 1);
    expect_rewritten();
    atomic_fetch_or(&secret->stamp, KB_SECRET_BUSY); /* its writer died */
    expect_rewritten();
    atomic_store(&secret->stamp, 0);
    expect_rewritten();
    atomic_fetch_xor(&secret->fingerprint[1], 2);
    expect_rewritten();
}

Test(reload, a_word_in_no_state_is_made_new)
{
    cr_assert_eq(apply_pool(0, 1, 2), 0);
    for (uint64_t state = KB_STATES; state < 8; state++) {
        atomic_store(&kit.state->slots[0][1].word, state | UINT64_C(99) << 43);
        expect_rewritten();
    }
}

/* As a broker leaves it that died between a word and the next; or a worker that scribbled. */
Test(reload, a_key_that_stands_twice_stands_once_afterwards)
{
    cr_assert_eq(apply_pool(0, 1, 2), 0);
    for (int i = 0; i < 2; i++)
        atomic_store(&kit.state->slots[0][2].fingerprint[i], atomic_load(&kit.state->slots[0][0].fingerprint[i]));
    cr_assert_eq(apply_pool(0, 1, 2), 0);
    bool seen[3] = {false, false, false};
    for (int i = 0; i < 3; i++)
        seen[claimed()] = true;
    cr_assert(seen[0] && seen[1] && seen[2]);
}

Test(reload, whatever_span_a_worker_wrote_a_removed_key_is_gone)
{
    const uint32_t spans[] = {0, 1, KB_KEYS, UINT32_MAX};
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(apply_pool(0, 1, 2), 0);
        atomic_store(&kit.state->pools[0].rotation.span, spans[i]);
        cr_assert_eq(apply_pool(0, 1), 0);
        for (int turn = 0; turn < 6; turn++)
            cr_assert_neq(claimed(), 2, "span %u: a removed key was claimed", spans[i]);
        cr_assert(wiped(2), "span %u: a removed secret is still there", spans[i]);
    }
}

static void declare_many(unsigned first, unsigned count)
{
    kit_config_begin();
    for (unsigned i = 0; i < count; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "many%u", first + i);
        kit_config_pool(name, "generic");
        kit_config_add(i);
    }
}

Test(reload, as_many_pools_as_there_are_places_and_not_one_more)
{
    declare_many(0, KB_POOLS - 1); /* the kit's own name has a place too */
    cr_assert_eq(apply(), 0);
    cr_assert_eq(kb_claim(client, "many62", 0, &key), 0);
    declare_many(1, KB_POOLS - 1);
    const uint64_t generation = atomic_load(&kit.state->header.generation);
    cr_assert_eq(apply(), KB_EFULL);
    cr_assert_eq(atomic_load(&kit.state->header.generation), generation);
    cr_assert_eq(kb_claim(client, "many0", 0, &key), 0, "nothing has changed");
    cr_assert_eq(kb_claim(client, "many63", 0, &key), KB_EPOOL);
}

static int enter_and_stay(void *arg)
{
    return kb_guard_enter(&kit.state->header, KB_GUARD_LIMIT_MS) == 0 ? kit_stand_by(arg) : 1;
}

Test(reload, stay_as_they_are_while_another_stands_still_inside_the_guard)
{
    _Atomic int *ready = kit_shared(sizeof *ready);
    cr_assert_eq(apply_pool(0), 0);
    const pid_t child = kit_fork(enter_and_stay, (void *)ready);
    cr_assert(kit_await(ready, 1));
    kit_freeze(child);
    cr_assert_eq(apply_pool(1), KB_EBUSY);
    cr_assert_eq(claimed(), 0);
    kit_kill(child, true);
    cr_assert_eq(apply_pool(1), 0);
    cr_assert_eq(claimed(), 1);
}

static int start_with_nothing_locked(void *arg)
{
    const struct rlimit none = {0, 0};
    (void)arg;
    if (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0 || setrlimit(RLIMIT_MEMLOCK, &none) != 0)
        return 90;
    struct kit own;
    kit_start(&own, 0);
    const int code = kit_config_apply(&own, &change);
    kit_stop(&own);
    /* a sanitizer may take the call for itself */
    return code ? -code : change.locked == (mlock(&key, 1) == 0) ? 0 : 91;
}

Test(reload, that_cannot_be_locked_in_memory_are_brought_in_all_the_same)
{
    cr_assert_eq(apply_pool(0), 0);
    if (geteuid() != 0)
        skip("only root can be sure to start with a right to lock");
    cr_assert(change.locked);
    cr_assert_eq(kit_wait(kit_fork(start_with_nothing_locked, NULL)), 0);
}

static void fill_pool(const char *name, unsigned first, unsigned count)
{
    kit_config_pool(name, "generic");
    for (unsigned i = 0; i < count; i++)
        kit_config_add(first + i);
}

static void fill_pool_with_long_ones(void)
{
    static char longs[LONG_KEYS][KB_SECRET_MAX];
    kit_config_pool("pool", "generic");
    for (unsigned i = 0; i < LONG_KEYS; i++) {
        memset(longs[i], 'l', sizeof longs[i]);
        longs[i][0] = (char)('a' + i % 26);
        longs[i][1] = (char)('a' + i / 26);
        kit_config_add_secret(longs[i], sizeof longs[i]);
    }
}

static void expect_keys_0_and_1(uint64_t generation)
{
    for (int i = 0; i < 4; i++)
        cr_assert_eq(claimed(), i % 2);
    cr_assert_eq(atomic_load(&kit.state->header.generation), generation);
    cr_assert_null(kit_check(kit.state));
}

Test(reload, that_does_not_fit_into_shm_leaves_the_old_keys_claimable)
{
    tear_down();
    if (!kit_own_shm("1m"))
        skip("not allowed to mount a small /dev/shm");
    set_up();
    cr_assert_eq(apply_pool(0, 1), 0);
    const uint64_t generation = atomic_load(&kit.state->header.generation);
    kit_config_begin();
    fill_pool_with_long_ones();
    cr_assert_eq(apply(), KB_ENOMEM, "long texts have pages of their own");
    expect_keys_0_and_1(generation);
    kit_config_begin();
    fill_pool("pool", 100, KB_KEYS);
    cr_assert_eq(apply(), KB_ENOMEM);
    expect_keys_0_and_1(generation);
    cr_assert_eq(apply_pool(1, 2), 0);
    cr_assert_eq(claimed(), 2);
}
