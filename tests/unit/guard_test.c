#include "segment/guard.h"

#include "segment/identity.h"
#include "segment/os.h"
#include "tests/kit/child.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

enum { PROCESSES = 4, ROUNDS = 20000, PATIENCE_MS = 15000 };

/* What the processes of a test share. The counter is plain: only the guard makes it right. */
static struct shared {
    struct kb_header header;
    uint64_t counter;
    _Atomic int ready;
    unsigned rounds;
} * shared;

static struct kb_header *header;

static void set_up(void)
{
    shared = kit_shared(sizeof *shared);
    header = &shared->header;
    cr_assert(kb_guard_init(header));
}

TestSuite(guard, .init = set_up, .timeout = 60);

static int tokens(void)
{
    int value = -1;
    sem_getvalue(&header->guard_gate, &value);
    return value;
}

Test(guard, is_entered_and_left)
{
    cr_assert_eq(kb_guard_owner(header), 0);
    cr_assert_eq(kb_guard_enter(header, 0), 0);
    cr_assert_eq(kb_guard_owner(header), kb_identity_self());
    kb_guard_leave(header);
    cr_assert_eq(kb_guard_owner(header), 0);
    cr_assert_eq(kb_guard_enter(header, 0), 0);
}

Test(guard, of_one_that_is_inside_gives_busy_after_the_limit)
{
    cr_assert_eq(kb_guard_enter(header, 0), 0);
    const uint64_t start = kb_os_now();
    cr_assert_eq(kb_guard_enter(header, 120), KB_EBUSY);
    cr_assert_geq(kb_os_now() - start, 120);
    cr_assert_eq(kb_guard_owner(header), kb_identity_self());
}

static int count(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < shared->rounds; i++) {
        if (kb_guard_enter(header, PATIENCE_MS) != 0)
            return 1;
        shared->counter++;
        kb_guard_leave(header);
    }
    return 0;
}

static void count_in(unsigned processes, unsigned rounds, int (*body)(void *))
{
    pid_t children[PROCESSES];
    shared->rounds = rounds;
    for (unsigned i = 0; i < processes; i++)
        children[i] = kit_fork(body, NULL);
    for (unsigned i = 0; i < processes; i++)
        cr_assert_eq(kit_wait(children[i]), 0);
    cr_assert_eq(shared->counter, (uint64_t)processes * rounds);
    cr_assert_eq(kb_guard_enter(header, PATIENCE_MS), 0);
}

Test(guard, lets_in_one_of_many_processes_at_a_time)
{
    count_in(PROCESSES, ROUNDS, count);
}

static void *count_in_thread(void *arg)
{
    return count(arg) == 0 ? arg : NULL;
}

Test(guard, lets_in_one_of_many_threads_at_a_time)
{
    pthread_t threads[PROCESSES];
    shared->rounds = 1000;
    for (int i = 0; i < PROCESSES; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, count_in_thread, shared), 0);
    for (int i = 0; i < PROCESSES; i++) {
        void *result;
        pthread_join(threads[i], &result);
        cr_assert_not_null(result);
    }
    cr_assert_eq(shared->counter, PROCESSES * 1000);
}

static volatile sig_atomic_t alarms;

static void on_alarm(int signal_number)
{
    (void)signal_number;
    alarms = 1;
}

/* Signals every 200 µs, and no system call restarted. */
static int count_in_a_storm(void *arg)
{
    const struct sigaction action = {.sa_handler = on_alarm};
    const struct itimerval storm = {.it_interval = {.tv_usec = 200}, .it_value = {.tv_usec = 200}};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &storm, NULL);
    const int result = count(arg);
    return result ? result : alarms ? 0 : 2;
}

Test(guard, takes_no_interrupted_wait_for_success)
{
    count_in(PROCESSES, 2000, count_in_a_storm);
}

static int enter_and_stay(void *arg)
{
    (void)arg;
    if (kb_guard_enter(header, PATIENCE_MS) != 0)
        return 1;
    return kit_stand_by((void *)&shared->ready);
}

static pid_t child_inside(void)
{
    const pid_t child = kit_fork(enter_and_stay, NULL);
    cr_assert(kit_await(&shared->ready, 1));
    cr_assert_eq(kb_identity_pid(kb_guard_owner(header)), (int)child);
    return child;
}

Test(guard, of_one_that_was_killed_inside_goes_to_the_next)
{
    kit_kill(child_inside(), true);
    cr_assert_eq(kb_guard_enter(header, PATIENCE_MS), 0);
    cr_assert_eq(kb_guard_owner(header), kb_identity_self());
}

Test(guard, of_a_zombie_goes_to_the_next)
{
    const pid_t child = child_inside();
    kit_kill(child, false);
    cr_assert_eq(kb_guard_enter(header, PATIENCE_MS), 0);
    kit_wait(child);
}

/* The death comes while the other one waits at the gate, and nobody posts for the dead. */
Test(guard, of_one_that_is_killed_while_another_waits_goes_to_the_one_that_waits)
{
    const pid_t child = child_inside();
    while (sem_trywait(&header->guard_gate) == 0)
        continue;
    cr_assert_eq(kb_guard_enter(header, 20), KB_EBUSY);
    kit_kill(child, true);
    shared->rounds = 1;
    const pid_t waiting = kit_fork(count, NULL);
    cr_assert_eq(kit_wait(waiting), 0);
}

Test(guard, of_one_that_stands_still_inside_stays_its_own)
{
    const pid_t child = child_inside();
    kit_freeze(child);
    cr_assert_eq(kb_guard_enter(header, 200), KB_EBUSY);
    cr_assert_eq(kb_identity_pid(kb_guard_owner(header)), (int)child);
    kit_kill(child, true);
    cr_assert_eq(kb_guard_enter(header, PATIENCE_MS), 0);
}

Test(guard, of_another_pid_namespace_stays_its_own)
{
    const uint64_t foreign = kb_identity_self() ^ UINT64_C(2) << 48;
    atomic_store(&header->guard_owner, foreign);
    cr_assert_eq(kb_guard_enter(header, 100), KB_EBUSY);
    cr_assert_eq(kb_guard_owner(header), foreign);
}

static int wait_for_it(void *arg)
{
    (void)arg;
    atomic_store(&shared->ready, 1);
    return count(NULL);
}

/* A holder that cleared the owner word and died before it posted. */
Test(guard, goes_on_when_the_token_was_lost)
{
    shared->rounds = 1;
    cr_assert_eq(kb_guard_enter(header, 0), 0);
    while (sem_trywait(&header->guard_gate) == 0)
        continue;
    const pid_t child = kit_fork(wait_for_it, NULL);
    cr_assert(kit_await(&shared->ready, 1));
    kb_os_sleep(20);
    atomic_store(&header->guard_owner, 0);
    cr_assert_eq(kit_wait(child), 0);
}

Test(guard, is_exclusive_whatever_tokens_there_are_too_many)
{
    for (int i = 0; i < 1000; i++)
        sem_post(&header->guard_gate);
    count_in(PROCESSES, 1000, count);
    cr_assert_leq(tokens(), 1002);
}

Test(guard, gathers_no_tokens)
{
    for (int i = 0; i < 1000; i++) {
        cr_assert_eq(kb_guard_enter(header, 0), 0);
        kb_guard_leave(header);
    }
    cr_assert_leq(tokens(), 1);
}
