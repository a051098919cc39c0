#include "segment/owner.h"

#include "segment/count.h"
#include "segment/guard.h"
#include "segment/identity.h"
#include "segment/object.h"
#include "segment/os.h"
#include "segment/secret.h"
#include "segment/slot.h"
#include "tests/kit/child.h"
#include "tests/kit/kit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOBODY = 65534 };

static struct kit kit;
static kb_client *client;
static struct kb_owner second;
static struct kb_owner_error error;

static void set_up(void)
{
    kit_start(&kit, 4);
    memset(&error, 0, sizeof error);
}

static void tear_down(void)
{
    kb_close(client);
    client = NULL;
    kit_stop(&kit);
}

TestSuite(owner, .init = set_up, .fini = tear_down, .timeout = 60);

/* criterion runs no .fini after a skip */
static void skip(const char *why)
{
    tear_down();
    cr_skip_test("%s", why);
}

static struct stat stat_of(const char *name, const char *which)
{
    struct stat st;
    memset(&st, 0, sizeof st);
    const int fd = kb_object_open(name, which);
    if (fd >= 0) {
        cr_assert_eq(fstat(fd, &st), 0);
        close(fd);
    }
    return st;
}

static bool exists(const char *which)
{
    return stat_of(kit.name, which).st_ino != 0;
}

static int claim(void)
{
    kb_key key;
    if (!client) {
        const int code = kb_open(kit.name, &client);
        if (code)
            return code;
    }
    return kb_claim(client, "pool", 0, &key);
}

Test(owner, makes_objects_closed_to_the_world_whatever_the_umask)
{
    const mode_t masks[] = {0, 022, 077, 0777};
    for (int i = 0; i < 4; i++) {
        kit_stop(&kit);
        umask(masks[i]);
        kit_start(&kit, 1);
        cr_assert_eq(stat_of(kit.name, "state").st_mode & 07777, 0660, "umask %o", (unsigned)masks[i]);
        cr_assert_eq(stat_of(kit.name, "secrets").st_mode & 07777, 0640, "umask %o", (unsigned)masks[i]);
    }
}

Test(owner, gives_the_objects_to_the_group_it_is_told)
{
    if (geteuid() != 0)
        skip("only root can give objects to any group");
    kit_stop(&kit);
    cr_assert_eq(kb_owner_start(kit.name, NOBODY, false, &second, &error), 0, "%s", error.text);
    const struct stat state = stat_of(kit.name, "state"), secrets = stat_of(kit.name, "secrets");
    kb_owner_end(&second);
    cr_assert(state.st_gid == NOBODY && (state.st_mode & 07777) == 0660);
    cr_assert(secrets.st_gid == NOBODY && (secrets.st_mode & 07777) == 0640);
}

Test(owner, that_lives_is_named_to_a_second_one)
{
    char pid[32];
    (void)snprintf(pid, sizeof pid, " %d ", (int)getpid());
    cr_assert_eq(kb_owner_start(kit.name, (gid_t)-1, false, &second, &error), KB_EBUSY);
    cr_assert_not_null(strstr(error.text, pid), "%s", error.text);
    cr_assert_not_null(strstr(error.text, kit.name), "%s", error.text);
    cr_assert(kb_owner_in_charge(&kit.owner));
    cr_assert_eq(claim(), 0);
}

/* What a replacing broker in another process found and does. */
static struct shared {
    struct kb_owner owner;
    int code;
    _Atomic int ready;
} * shared;

static int replace(void *arg)
{
    kb_owner_abandon(&kit.owner); /* a lock lives as long as any copy of its descriptor */
    shared->code = kb_owner_start(kit.name, (gid_t)-1, true, &shared->owner, &error);
    atomic_store(&shared->ready, 1);
    return arg ? kit_stand_by(arg) : 0;
}

static pid_t replaced(void)
{
    shared = kit_shared(sizeof *shared);
    const pid_t child = kit_fork(replace, (void *)&shared->ready);
    cr_assert(kit_await(&shared->ready, 1));
    cr_assert_eq(shared->code, 0);
    return child;
}

Test(owner, is_replaced_in_place)
{
    const uint64_t instance = kit.state->header.instance;
    kit_put(&kit, 1, KB_DISABLED);
    const pid_t child = replaced();
    cr_assert(shared->owner.adopted && shared->owner.before_lives);
    cr_assert_eq(shared->owner.before, kb_identity_self());
    cr_assert_eq(kit.state->header.instance, instance);
    cr_assert_eq(atomic_load(&kit.state->header.broker_pid), (uint64_t)child);
    cr_assert_not(kb_owner_in_charge(&kit.owner));
    cr_assert_eq(kb_owner_enter(&kit.owner), KB_EPERM);
    cr_assert_eq(kb_guard_owner(&kit.state->header), 0);
    cr_assert_eq(kit_reload(&kit, 50, 4), KB_EPERM);
    cr_assert_eq(kit_state(&kit, 1), KB_DISABLED);
    cr_assert_eq(claim(), 0);
    kit_kill(child, true);
}

Test(owner, that_was_replaced_ends_without_touching_anything)
{
    cr_assert_eq(claim(), 0);
    const pid_t child = replaced();
    kb_owner_end(&kit.owner);
    kit.state = NULL;
    cr_assert(exists("state") && exists("secrets"));
    for (int i = 0; i < 8; i++)
        cr_assert_eq(claim(), 0);
    cr_assert_eq(kb_owner_start(kit.name, (gid_t)-1, false, &second, &error), KB_EBUSY, "the new one lives");
    cr_assert_not_null(strstr(error.text, "is run by"), "%s", error.text);
    kit_kill(child, true);
}

Test(owner, that_asks_to_replace_starts_afresh_where_there_is_nothing)
{
    kit_stop(&kit);
    cr_assert_eq(kb_owner_start(kit.name, (gid_t)-1, true, &second, &error), 0);
    cr_assert(!second.adopted && !second.before_lives);
    kb_owner_end(&second);
}

static int run_a_broker_until_killed(void *arg)
{
    kit_start(&kit, 4);
    if (kb_owner_enter(&kit.owner) != 0)
        return 1;
    memcpy(arg, &kit, sizeof kit);
    return kit_stand_by((char *)arg + sizeof kit);
}

Test(owner, adopts_what_a_broker_killed_inside_the_guard_has_left)
{
    char *memory = kit_shared(sizeof kit + sizeof(int));
    kit_stop(&kit);
    const pid_t child = kit_fork(run_a_broker_until_killed, memory);
    cr_assert(kit_await((const _Atomic int *)(void *)(memory + sizeof kit), 1));
    kit_kill(child, true);
    memcpy(kit.name, ((struct kit *)(void *)memory)->name, sizeof kit.name);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(claim(), 0, "workers need no broker");
    kit_adopt(&kit);
    cr_assert(kit.owner.adopted && !kit.owner.before_lives);
    cr_assert_eq(kb_identity_pid(kit.owner.before), (int)child);
    cr_assert_eq(kit_reload(&kit, 0, 4), 0);
    cr_assert_eq(claim(), 0);
}

Test(owner, that_adopts_keeps_states_counts_cursor_and_secrets)
{
    kb_key key;
    uint64_t words[4];
    for (int i = 0; i < 7; i++)
        cr_assert_eq(claim(), 0);
    kit_put(&kit, 0, KB_FAILED);
    kit_put(&kit, 1, KB_DISABLED);
    for (unsigned k = 0; k < 4; k++)
        words[k] = kit_word(&kit, k);
    const uint64_t instance = kit.state->header.instance, generation = atomic_load(&kit.state->header.generation);
    kit_abandon(&kit);
    kit_adopt(&kit);
    cr_assert_eq(kit_reload(&kit, 0, 4), 0);
    cr_assert_eq(kit.state->header.instance, instance);
    cr_assert_gt(atomic_load(&kit.state->header.generation), generation);
    for (unsigned k = 0; k < 4; k++)
        cr_assert_eq(kit_word(&kit, k), words[k]);
    cr_assert_eq(kb_counts_of(kit.state, 0, 0).claims, 2);
    cr_assert_eq(kb_counts_of(kit.state, 0, 3).claims, 1);
    cr_assert_eq(kb_claim(client, "pool", 0, &key), 0);
    cr_assert_eq(key.index, 3);
    cr_assert_eq(kit_secret_number(key.secret, key.secret_len), 3);
}

Test(owner, that_ends_wipes_the_secrets_and_removes_the_names)
{
    struct kb_segment *worker;
    cr_assert_eq(kb_segment_open(kit.name, KB_USE_WORKER, &worker), 0);
    kb_owner_end(&kit.owner);
    kit.state = NULL;
    cr_assert(!exists("state") && !exists("secrets"));
    cr_assert_eq(atomic_load(&worker->state->header.ended), 1);
    for (unsigned k = 0; k < 4; k++) {
        const char *bytes = (const char *)&worker->secrets->secrets[0][k];
        for (size_t i = 0; i < sizeof worker->secrets->secrets[0][k]; i++)
            cr_assert_eq(bytes[i], 0);
        cr_assert_eq(kb_word_state(atomic_load(&worker->state->slots[0][k].word)), KB_EMPTY);
    }
    kb_segment_close(worker);
}

static int enter_and_stay(void *arg)
{
    return kb_guard_enter(&kit.state->header, KB_GUARD_LIMIT_MS) == 0 ? kit_stand_by(arg) : 1;
}

Test(owner, ends_though_a_process_stands_still_inside_the_guard)
{
    struct kb_segment *worker;
    _Atomic int *ready = kit_shared(sizeof *ready);
    const pid_t child = kit_fork(enter_and_stay, (void *)ready);
    cr_assert(kit_await(ready, 1));
    kit_freeze(child);
    cr_assert_eq(kb_segment_open(kit.name, KB_USE_WORKER, &worker), 0);
    kb_owner_end(&kit.owner);
    kit.state = NULL;
    cr_assert_eq(atomic_load(&worker->secrets->secrets[0][0].stamp), 0);
    cr_assert_not(exists("state"));
    kb_segment_close(worker);
    kit_kill(child, true);
}

Test(owner, that_is_killed_with_names_that_begin_alike_stays_apart)
{
    char longer[KB_NAME_MAX + 1], shorter[KB_NAME_MAX + 1];
    (void)snprintf(longer, sizeof longer, "%.50s-x", kit.name);
    (void)snprintf(shorter, sizeof shorter, "%.50s-", kit.name);
    cr_assert_eq(kb_owner_start(longer, (gid_t)-1, false, &second, &error), 0, "%s", error.text);
    cr_assert_eq(kb_owner_purge(shorter, &error), KB_ENOBROKER);
    kb_owner_abandon(&second);
    cr_assert_eq(kb_owner_purge(longer, &error), 0);
    cr_assert_eq(claim(), 0);
    cr_assert_eq(kb_owner_start(shorter, (gid_t)-1, false, &second, &error), 0);
    kit_stop(&kit);
    cr_assert_neq(stat_of(shorter, "state").st_ino, 0);
    kb_owner_end(&second);
}

Test(owner, of_somebody_elses_objects_is_refused)
{
    if (geteuid() != 0)
        skip("only root can make what belongs to somebody else");
    const int fd = kb_object_open(kit.name, "state");
    kit_abandon(&kit);
    cr_assert_eq(fchown(fd, NOBODY, NOBODY), 0);
    close(fd);
    cr_assert_eq(kb_owner_start(kit.name, (gid_t)-1, false, &second, &error), KB_EPERM);
    cr_assert_not_null(strstr(error.text, "65534"), "%s", error.text);
    cr_assert(exists("state"));
}

Test(owner, of_a_full_shm_fails_and_leaves_nothing)
{
    kit_stop(&kit);
    if (!kit_own_shm("200k"))
        skip("not allowed to mount a small /dev/shm");
    cr_assert_eq(kb_owner_start(kit.name, (gid_t)-1, false, &second, &error), KB_ENOMEM);
    cr_assert_neq(*error.text, 0);
    cr_assert(!exists("state") && !exists("secrets"));
    cr_assert_eq(kb_open(kit.name, &client), KB_ENOBROKER);
}

/* The state fits, the secrets' first page does not. */
Test(owner, of_a_shm_that_fills_up_midway_fails_and_leaves_nothing)
{
    kit_stop(&kit);
    if (!kit_own_shm("328k"))
        skip("not allowed to mount a small /dev/shm");
    cr_assert_eq(kb_owner_start(kit.name, (gid_t)-1, false, &second, &error), KB_ENOMEM);
    cr_assert(!exists("state") && !exists("secrets"));
}
