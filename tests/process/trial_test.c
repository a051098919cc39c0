/*
 * A key in probation has one trial on the whole host.
 */
#include "segment/word.h"
#include "tests/kit/child.h"
#include "tests/kit/kit.h"

#include <criterion/criterion.h>
#include <pthread.h>

enum { CONTENDERS = 16, ROUNDS = 150 };

static struct kit kit;

static struct scene {
    pthread_barrier_t together;
    _Atomic int won[ROUNDS]; /* how many got the trial */
    _Atomic int lost[ROUNDS];
    _Atomic int other; /* anything else */
} * scene;

static void start(void)
{
    pthread_barrierattr_t shared;
    kit_start(&kit, 1);
    scene = kit_shared(sizeof *scene);
    pthread_barrierattr_init(&shared);
    pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&scene->together, &shared, CONTENDERS);
}

static void stop(void)
{
    kit_stop(&kit);
}

/* How the one who has it gives the trial back, round by round: what says nothing about the key. */
static int give_back(kb_client *client, const kb_key *key, unsigned round)
{
    if (round % 3 == 0)
        return kb_release(client, key);
    return kb_report(client, key, round % 3 == 1 ? KB_OUTCOME_TRANSIENT : KB_OUTCOME_CLIENT, -1, 0);
}

/* Every round all claim before the one who got the trial gives it back. */
static int contend(void *arg)
{
    kb_client *client;
    kb_key key;
    (void)arg;
    if (kb_open(kit.name, &client) != 0)
        return 1;
    for (unsigned round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&scene->together);
        const int code = kb_claim(client, "pool", 0, &key);
        atomic_fetch_add(code == 0               ? &scene->won[round]
                         : code == KB_EEXHAUSTED ? &scene->lost[round]
                                                 : &scene->other,
                         1);
        pthread_barrier_wait(&scene->together);
        if (code == 0 && give_back(client, &key, round) != 0)
            atomic_fetch_add(&scene->other, 1);
    }
    kb_close(client);
    return 0;
}

Test(trial, one_of_sixteen_contenders_gets_it, .init = start, .fini = stop, .timeout = 90)
{
    pid_t pid[CONTENDERS];
    kit_put(&kit, 0, KB_FAILED);
    kit_age(&kit, 0);
    for (int i = 0; i < CONTENDERS; i++)
        pid[i] = kit_fork(contend, NULL);
    for (int i = 0; i < CONTENDERS; i++)
        cr_assert_eq(kit_wait(pid[i]), 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        cr_assert_eq(atomic_load(&scene->won[round]), 1, "round %u", round);
        cr_assert_eq(atomic_load(&scene->lost[round]), CONTENDERS - 1, "round %u", round);
    }
    cr_expect_eq(atomic_load(&scene->other), 0);
    cr_expect_eq(kit_state(&kit, 0), KB_PROBATION);
    cr_expect_null(kit_check(kit.state));
}

static int claim_and_stand(void *arg)
{
    kb_client *client;
    kb_key key;
    if (kb_open(kit.name, &client) != 0 || kb_claim(client, "pool", 0, &key) != 0)
        return 1;
    return kit_stand_by(arg);
}

/* A worker that is stopped has not given up its trial; one that was killed has. */
Test(trial, it_ends_with_its_holders_death_not_with_its_standstill, .init = start, .fini = stop, .timeout = 90)
{
    _Atomic int *ready = kit_shared(sizeof *ready);
    kb_client *client;
    kb_key key;
    kit_put(&kit, 0, KB_FAILED);
    kit_age(&kit, 0);
    const pid_t holder = kit_fork(claim_and_stand, ready);
    cr_assert(kit_await(ready, 1));
    kit_freeze(holder);
    cr_assert_eq(kb_open(kit.name, &client), 0);
    cr_expect_eq(kb_claim(client, "pool", 0, &key), KB_EEXHAUSTED);
    cr_expect_gt(key.wait_ms, 0);
    kit_kill(holder, false);
    cr_expect_eq(kb_claim(client, "pool", 0, &key), 0, "a zombie's trial is nobody's");
    cr_expect_eq(kb_report(client, &key, KB_OUTCOME_OK, -1, 200), 0);
    cr_expect_eq(kit_state(&kit, 0), KB_AVAILABLE);
    kit_kill(holder, true);
    kb_close(client);
}
