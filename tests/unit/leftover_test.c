#include "segment/owner.h"

#include "segment/object.h"
#include "segment/slot.h"
#include "tests/kit/child.h"
#include "tests/kit/kit.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What brokers leave behind, and what the next one or keyctl purge makes of it. */

static struct kit kit;
static kb_client *client;
static struct kb_owner second;
static struct kb_owner_error error;

static void set_up(void)
{
    kit_start(&kit, 4);
    cr_assert_eq(kb_open(kit.name, &client), 0);
}

static void tear_down(void)
{
    kb_close(client);
    kit_stop(&kit);
}

TestSuite(leftover, .init = set_up, .fini = tear_down, .timeout = 60);

static int claim(void)
{
    kb_key key;
    const int code = kb_claim(client, "pool", 0, &key);
    if (code == 0)
        cr_assert_geq(kit_secret_number(key.secret, key.secret_len), 0);
    return code;
}

static bool exists(const char *which)
{
    const int fd = kb_object_open(kit.name, which);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void write_at(const char *which, off_t at, const void *bytes, size_t size)
{
    const int fd = kb_object_open(kit.name, which);
    cr_assert_geq(fd, 0);
    cr_assert_eq(pwrite(fd, bytes, size, at), (ssize_t)size);
    close(fd);
}

static void write_state_u32(off_t at, uint32_t value)
{
    write_at("state", at, &value, sizeof value);
}

/* An object of that size and content in the place of the one there is. */
static void put_object(const char *which, off_t size, const char *content)
{
    kb_object_unlink(kit.name, which);
    const int fd = kb_object_create(kit.name, which, 0660, (gid_t)-1);
    cr_assert_geq(fd, 0);
    cr_assert_eq(ftruncate(fd, size), 0);
    if (content)
        cr_assert_eq(pwrite(fd, content, strlen(content), 0), (ssize_t)strlen(content));
    close(fd);
}

/* The next broker starts afresh; says why; and the handle of before works with it. */
static void expect_replaced(const char *why)
{
    kit_adopt(&kit);
    cr_assert_not(kit.owner.adopted);
    if (why)
        cr_assert(kit.owner.set_aside && strstr(kit.owner.set_aside, why), "%s", kit.owner.set_aside);
    else
        cr_assert_null(kit.owner.set_aside);
    cr_assert_eq(kit_reload(&kit, 0, 4), 0);
    kb_client *fresh;
    kb_key key;
    cr_assert_eq(kb_open(kit.name, &fresh), 0);
    cr_assert_eq(kb_claim(fresh, "pool", 0, &key), 0);
    cr_assert_eq(key.index, 0);
    kb_close(fresh);
    cr_assert_null(kit_check(kit.state));
}

Test(leftover, that_has_ended_is_replaced)
{
    kit_abandon(&kit);
    /* Its broker died between saying so and emptying the keys: open handles go on until the next one comes. */
    write_state_u32(offsetof(struct kb_header, ended), 1);
    expect_replaced(NULL);
    kb_key key;
    cr_assert_eq(kb_claim(client, "pool", 0, &key), 0);
    cr_assert_eq(key.kb_instance, kit.owner.segment.instance);
}

Test(leftover, that_was_only_created_is_replaced)
{
    kit_abandon(&kit);
    kb_object_unlink(kit.name, "secrets");
    put_object("state", 0, NULL);
    expect_replaced(NULL);
}

Test(leftover, that_was_not_published_is_replaced)
{
    const uint64_t none = 0;
    kit_abandon(&kit);
    write_at("state", 0, &none, sizeof none);
    expect_replaced(NULL);
    cr_assert_eq(claim(), 0);
}

Test(leftover, that_is_something_else_is_replaced)
{
    const off_t sizes[] = {40, 4096, (off_t)sizeof(struct kb_state), (off_t)sizeof(struct kb_state) + 4096};
    for (int i = 0; i < 4; i++) {
        kit_abandon(&kit);
        put_object("state", sizes[i], "neither ours nor anybody's: forty bytes.");
        put_object("secrets", sizes[i], "the same");
        expect_replaced("damaged");
    }
}

Test(leftover, with_no_secrets_is_replaced_and_its_workers_find_the_new_one)
{
    kit_abandon(&kit);
    kb_object_unlink(kit.name, "secrets");
    cr_assert_eq(claim(), 0, "what is mapped goes on");
    expect_replaced("damaged");
    cr_assert_eq(claim(), 0);
    cr_assert_eq(kit_reload(&kit, 100, 4), 0);
    kb_key key;
    cr_assert_eq(kb_claim(client, "pool", 0, &key), 0);
    cr_assert_geq(kit_secret_number(key.secret, key.secret_len), 100, "the handle has moved to the new segment");
}

Test(leftover, with_secrets_of_another_segment_is_replaced)
{
    const uint64_t instance = 12345;
    kit_abandon(&kit);
    write_at("secrets", offsetof(struct kb_secrets_header, instance), &instance, sizeof instance);
    expect_replaced("damaged");
    cr_assert_eq(claim(), 0);
}

Test(leftover, with_secrets_cut_off_is_replaced)
{
    kit_abandon(&kit);
    put_object("secrets", 4096, NULL);
    expect_replaced("damaged");
}

Test(leftover, of_another_layout_is_replaced)
{
    kit_abandon(&kit);
    write_state_u32(offsetof(struct kb_header, layout), KB_LAYOUT + 1);
    expect_replaced("layout");
    cr_assert_eq(claim(), 0);
}

Test(leftover, of_another_layout_whose_broker_lives_is_left_to_it)
{
    kit.state->header.layout = KB_LAYOUT + 1;
    cr_assert_eq(kb_owner_start(kit.name, (gid_t)-1, false, &second, &error), KB_EVERSION);
    cr_assert_eq(kb_owner_start(kit.name, (gid_t)-1, true, &second, &error), KB_EVERSION);
    kit.state->header.layout = KB_LAYOUT;
    cr_assert_eq(claim(), 0);
}

Test(leftover, is_not_purged_while_its_broker_lives)
{
    cr_assert_eq(kb_owner_purge(kit.name, &error), KB_EBUSY);
    cr_assert_neq(*error.text, 0);
    cr_assert_eq(claim(), 0);
    cr_assert(kb_owner_in_charge(&kit.owner));
}

/* The bytes of the broken-off broker's secrets, seen by one who maps them still. */
static bool any_byte(const void *start, size_t size)
{
    const char *bytes = start;
    for (size_t i = 0; i < size; i++)
        if (bytes[i])
            return true;
    return false;
}

Test(leftover, is_purged_when_its_broker_is_dead_and_its_secrets_are_wiped)
{
    struct kb_segment *worker;
    cr_assert_eq(kb_segment_open(kit.name, KB_USE_WORKER, &worker), 0);
    kit_abandon(&kit);
    cr_assert(any_byte(&worker->secrets->secrets[0], 4 * sizeof(struct kb_secret)));
    cr_assert_eq(kb_owner_purge(kit.name, &error), 0);
    cr_assert(!exists("state") && !exists("secrets"));
    cr_assert_not(any_byte(&worker->secrets->secrets[0], 4 * sizeof(struct kb_secret)));
    cr_assert_eq(claim(), KB_ENOBROKER);
    kb_segment_close(worker);
    cr_assert_eq(kb_owner_purge(kit.name, &error), KB_ENOBROKER);
}

Test(leftover, that_is_damaged_is_purged_too)
{
    for (int damage = 0; damage < 5; damage++) {
        kit_abandon(&kit);
        if (damage == 0)
            put_object("state", 0, NULL);
        else if (damage == 1)
            put_object("state", 40, "neither ours nor anybody's: forty bytes.");
        else if (damage == 2)
            kb_object_unlink(kit.name, "secrets");
        else if (damage == 3)
            kb_object_unlink(kit.name, "state");
        else
            write_state_u32(offsetof(struct kb_header, layout), KB_LAYOUT + 1);
        cr_assert_eq(kb_owner_purge(kit.name, &error), 0, "damage %d: %s", damage, error.text);
        cr_assert(!exists("state") && !exists("secrets"), "damage %d", damage);
        kit_adopt(&kit);
    }
}

Test(leftover, of_a_broker_that_died_before_its_first_keys_is_adopted)
{
    kit_abandon(&kit);
    kit_stop(&kit);
    cr_assert_eq(kb_owner_start(kit.name, (gid_t)-1, false, &second, &error), 0);
    kb_owner_abandon(&second);
    kit_adopt(&kit);
    cr_assert(kit.owner.adopted);
    cr_assert_eq(kit_reload(&kit, 0, 4), 0);
    kb_close(client);
    cr_assert_eq(kb_open(kit.name, &client), 0);
    cr_assert_eq(claim(), 0);
}

static int hold_the_start(void *arg)
{
    const int fd = kb_object_open(kit.name, "state");
    if (!kb_object_lock(fd, 0))
        return 1;
    return kit_stand_by(arg);
}

/* One that dies while it starts lets go of the lock with its life. */
Test(leftover, of_one_that_was_killed_while_starting_is_adopted)
{
    _Atomic int *ready = kit_shared(sizeof *ready);
    kit_abandon(&kit);
    const pid_t child = kit_fork(hold_the_start, (void *)ready);
    cr_assert(kit_await(ready, 1));
    kit_kill(child, true);
    kit_adopt(&kit);
    cr_assert(kit.owner.adopted);
    cr_assert_eq(claim(), 0);
}
