#include "client.h"

#include "segment/count.h"
#include "segment/object.h"
#include "segment/os.h"
#include "segment/word.h"
#include "tests/kit/child.h"
#include "tests/kit/kit.h"

#include <criterion/criterion.h>
#include <grp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A handle over the lives of brokers. */

enum { NOBODY = 65534 };

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
    client = NULL;
    kit_stop(&kit);
}

TestSuite(client, .init = set_up, .fini = tear_down, .timeout = 60);

/* criterion runs no .fini after a skip */
static void skip(const char *why)
{
    tear_down();
    cr_skip_test("%s", why);
}

/* The broker's end in order, and the start of the next one. */
static void end(void)
{
    kb_owner_end(&kit.owner);
    kit.state = NULL;
}

static void start(void)
{
    kit_adopt(&kit);
    cr_assert_eq(kit_reload(&kit, 0, 3), 0);
}

Test(client, of_a_broker_that_has_ended_in_order_is_told)
{
    kb_pool_status status;
    end();
    memset(&key, 's', sizeof key);
    cr_assert_eq(kb_claim(client, "pool", 0, &key), KB_ENOBROKER);
    cr_assert_eq(*key.secret, 0);
    cr_assert_eq(kb_claim(client, "pool", 50, &key), KB_ENOBROKER);
    cr_assert_eq(kb_claim_key(client, "pool", "k000000000000", &key), KB_ENOBROKER);
    cr_assert_eq(kb_status(client, "pool", &status), KB_ENOBROKER);
}

Test(client, works_again_by_itself_with_the_next_broker)
{
    for (int i = 0; i < 20; i++) {
        cr_assert_eq(kb_claim(client, "pool", 0, &key), 0);
        cr_assert_eq(key.index, 0, "a new segment begins with its first key");
        cr_assert_eq(kb_report(client, &key, KB_OUTCOME_OK, -1, 200), 0);
        end();
        cr_assert_eq(kb_claim(client, "pool", 0, &key), KB_ENOBROKER);
        start();
    }
}

Test(client, has_a_worker_slot_in_the_segment_of_the_next_broker)
{
    end();
    start();
    cr_assert_eq(kb_claim(client, "pool", 0, &key), 0);
    unsigned slots = 0;
    for (unsigned slot = 0; slot < KB_WORKERS; slot++)
        slots += atomic_load(&kit.state->workers[slot].identity) != 0;
    cr_assert_eq(slots, 1);
}

Test(client, gives_back_the_memory_of_segments_that_have_ended)
{
    FILE *file;
    char line[512];
    unsigned ended = 0;
    for (int i = 0; i < 5; i++) {
        end();
        start();
        cr_assert_eq(kb_claim(client, "pool", 0, &key), 0);
    }
    cr_assert_not_null(file = fopen("/proc/self/maps", "re"));
    while (fgets(line, sizeof line, file))
        ended += strstr(line, kit.name) && strstr(line, "(deleted)");
    fclose(file);
    cr_assert_eq(ended, 0);
}

Test(client, reports_a_claim_of_a_broker_that_has_ended_to_nobody)
{
    kb_key fresh;
    cr_assert_eq(kb_claim(client, "pool", 0, &key), 0);
    end();
    cr_assert_eq(kb_report(client, &key, KB_OUTCOME_AUTH, -1, 401), 1);
    cr_assert_eq(kb_release(client, &key), 1);
    start();
    cr_assert_eq(kb_report(client, &key, KB_OUTCOME_AUTH, -1, 401), 1);
    cr_assert_eq(kb_claim(client, "pool", 0, &fresh), 0);
    cr_assert_eq(kb_report(client, &key, KB_OUTCOME_AUTH, -1, 401), 1);
    cr_assert_eq(kb_release(client, &key), 1);
    cr_assert_eq(kit_state(&kit, 0), KB_AVAILABLE);
    cr_assert_eq(kb_counts_of(kit.state, 0, 0).failed, 0);
}

struct waiting {
    _Atomic int begun;
    int code;
    kb_key key;
};

static void *wait_for_a_broker(void *arg)
{
    struct waiting *w = arg;
    atomic_store(&w->begun, 1);
    w->code = kb_claim(client, "pool", KIT_LIMIT_MS, &w->key);
    return NULL;
}

Test(client, waits_for_the_return_of_the_broker)
{
    static struct waiting w;
    pthread_t thread;
    end();
    cr_assert_eq(pthread_create(&thread, NULL, wait_for_a_broker, &w), 0);
    cr_assert(kit_await(&w.begun, 1));
    kb_os_sleep(60);
    start();
    pthread_join(thread, NULL);
    cr_assert_eq(w.code, 0, "%s", kb_strerror(w.code));
    cr_assert_geq(kit_secret_number(w.key.secret, w.key.secret_len), 0);
}

/* A broker has returned when its keys are there, not when its segment is. */
Test(client, waits_until_the_broker_that_returns_has_brought_its_keys)
{
    static struct waiting w;
    pthread_t thread;
    end();
    cr_assert_eq(pthread_create(&thread, NULL, wait_for_a_broker, &w), 0);
    cr_assert(kit_await(&w.begun, 1));
    kit_adopt(&kit);
    kb_os_sleep(200);
    cr_assert_eq(kit_reload(&kit, 0, 3), 0);
    pthread_join(thread, NULL);
    cr_assert_eq(w.code, 0, "%s", kb_strerror(w.code));
}

struct member {
    _Atomic int opened, ended;
};

static int wait_as_a_member_of_the_group(void *arg)
{
    struct member *member = arg;
    kb_client *own;
    if (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0 || kb_open(kit.name, &own) != 0)
        return 90;
    atomic_store(&member->opened, 1);
    return kit_await(&member->ended, 1) ? -kb_claim(own, "pool", KIT_LIMIT_MS, &key) : 91;
}

static void start_for_the_group(void)
{
    struct kb_owner_error error;
    cr_assert_eq(kb_owner_start(kit.name, NOBODY, false, &kit.owner, &error), 0, "%s", error.text);
    kit.state = kit.owner.segment.state;
    cr_assert_eq(kit_reload(&kit, 0, 3), 0);
}

/* A segment in the making is closed to the group for a moment: it is not its group's yet. */
Test(client, of_a_worker_of_the_group_waits_for_the_return_of_the_broker)
{
    struct member *member = kit_shared(sizeof *member);
    if (geteuid() != 0)
        skip("only root can be another user");
    end();
    start_for_the_group();
    const pid_t child = kit_fork(wait_as_a_member_of_the_group, member);
    cr_assert(kit_await(&member->opened, 1));
    end();
    const int fd = kb_object_create(kit.name, "state", 0600, (gid_t)-1);
    atomic_store(&member->ended, 1);
    kb_os_sleep(100);
    close(fd);
    start_for_the_group();
    cr_assert_eq(kit_wait(child), 0);
}

Test(client, goes_on_without_a_broker_that_was_killed_and_with_the_one_that_adopts)
{
    kit_abandon(&kit);
    for (unsigned i = 0; i < 6; i++) {
        cr_assert_eq(kb_claim(client, "pool", 0, &key), 0);
        cr_assert_eq(key.index, i % 3);
        cr_assert_eq(kb_report(client, &key, KB_OUTCOME_OK, -1, 200), 0);
    }
    cr_assert_eq(kb_claim(client, "pool", 0, &key), 0);
    kit_adopt(&kit);
    cr_assert_eq(kit_reload(&kit, 0, 3), 0);
    cr_assert_eq(kb_report(client, &key, KB_OUTCOME_AUTH, -1, 401), 0, "a claim outlives the change of brokers");
    cr_assert_eq(kit_state(&kit, 0), KB_FAILED);
    cr_assert_eq(kb_claim(client, "pool", 0, &key), 0);
    cr_assert_eq(key.index, 1);
}

Test(client, may_be_opened_with_no_broker_alive)
{
    kb_client *second;
    kit_abandon(&kit);
    cr_assert_eq(kb_open(kit.name, &second), 0);
    cr_assert_eq(kb_claim(second, "pool", 0, &key), 0);
    kb_close(second);
}

Test(client, stays_with_its_own_broker_though_another_segment_has_its_name)
{
    kb_client *second;
    kit_abandon(&kit);
    kit_stop(&kit); /* the objects are gone, what is mapped is not */
    cr_assert_eq(kb_claim(client, "pool", 0, &key), 0);
    start();
    cr_assert_eq(kb_claim(client, "pool", 0, &key), 0);
    cr_assert_eq(key.index, 1);
    cr_assert_eq(kb_open(kit.name, &second), 0);
    cr_assert_eq(kb_claim(second, "pool", 0, &key), 0);
    cr_assert_eq(key.index, 0);
    cr_assert_eq(kb_report(client, &key, KB_OUTCOME_AUTH, -1, 401), 1, "a claim of another segment");
    kb_close(second);
}

enum { THREADS = 8, RESTARTS = 10 };
static _Atomic int stop;
static _Atomic unsigned claims;

static void *claim_on_and_on(void *arg)
{
    _Atomic int *wrong = arg;
    while (!atomic_load(&stop)) {
        kb_key mine;
        const int code = kb_claim(client, "pool", KIT_LIMIT_MS, &mine);
        if (code != 0)
            atomic_store(wrong, code);
        else if (kit_secret_number(mine.secret, mine.secret_len) < 0 ||
                 kb_report(client, &mine, KB_OUTCOME_OK, -1, 200) < 0)
            atomic_store(wrong, KB_ECORRUPT);
        atomic_fetch_add(&claims, 1);
    }
    return NULL;
}

Test(client, loses_no_claim_over_restarts_under_many_threads)
{
    pthread_t threads[THREADS];
    static _Atomic int wrong;
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, claim_on_and_on, &wrong), 0);
    for (int i = 0; i < RESTARTS; i++) {
        const unsigned before = atomic_load(&claims);
        const uint64_t until = kb_os_now() + KIT_LIMIT_MS;
        while (atomic_load(&claims) < before + 100 && kb_os_now() < until)
            kb_os_sleep(1);
        cr_assert_geq(atomic_load(&claims), before + 100, "claims have stopped");
        end();
        start();
    }
    atomic_store(&stop, 1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(wrong, 0, "%d: %s", wrong, kb_strerror(wrong));
}

Test(client, that_is_null_is_refused_or_ignored)
{
    kb_pool_status status;
    kb_close(NULL);
    kb_key_clear(NULL);
    memset(&key, 0, sizeof key);
    cr_assert_eq(kb_claim(NULL, "pool", 0, &key), KB_EINVAL);
    cr_assert_eq(kb_claim_key(NULL, "pool", "k000000000000", &key), KB_EINVAL);
    cr_assert_eq(kb_report(NULL, &key, KB_OUTCOME_OK, -1, 200), KB_EINVAL);
    cr_assert_eq(kb_release(NULL, &key), KB_EINVAL);
    cr_assert_eq(kb_status(NULL, "pool", &status), KB_EINVAL);
    cr_assert_eq(kb_report(client, NULL, KB_OUTCOME_OK, -1, 200), KB_EINVAL);
    cr_assert_eq(kb_release(client, NULL), KB_EINVAL);
}

Test(client, has_words_for_every_code_and_outcome)
{
    for (int code = KB_EBUSY; code <= 1; code++)
        cr_assert_str_neq(kb_strerror(code), "unknown error", "%d", code);
    cr_assert_str_eq(kb_strerror(-1000), "unknown error");
    const char *const names[] = {"ok", "auth", "quota", "rate", "transient", "client"};
    for (int outcome = KB_OUTCOME_OK; outcome <= KB_OUTCOME_CLIENT; outcome++)
        cr_assert_str_eq(kb_outcome_name((kb_outcome)outcome), names[outcome]);
    cr_assert_str_eq(kb_outcome_name((kb_outcome)6), "unknown");
    char version[32];
    (void)snprintf(version, sizeof version, "%d.%d.%d", KB_VERSION_MAJOR, KB_VERSION_MINOR, KB_VERSION_PATCH);
    cr_assert_str_eq(kb_version(), version);
    cr_assert_eq(kb_version_number(), KB_VERSION_NUMBER);
}
