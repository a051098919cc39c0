#include "segment/identity.h"

#include "tests/kit/child.h"
#include "tests/kit/kit.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <unistd.h>

TestSuite(identity, .timeout = 60);

/* What a child tells about itself. */
static struct shared {
    uint64_t identity;
    _Atomic int ready;
} * shared;

static int tell(void *arg)
{
    shared->identity = kb_identity_self();
    atomic_store(&shared->ready, 1);
    return arg ? kit_stand_by(arg) : 0;
}

static pid_t living_child(void)
{
    shared = kit_shared(sizeof *shared);
    const pid_t child = kit_fork(tell, (void *)&shared->ready);
    cr_assert(kit_await(&shared->ready, 1));
    return child;
}

Test(identity, stays_the_same_and_names_this_process)
{
    const uint64_t self = kb_identity_self();
    cr_assert_neq(self, 0);
    cr_assert_eq(kb_identity_pid(self), (int)getpid());
    cr_assert_not(kb_identity_dead(self));
    cr_assert(kb_identity_near(self, self));
    for (int i = 0; i < 100; i++)
        cr_assert_eq(kb_identity_self(), self);
}

static void *tell_in_thread(void *arg)
{
    *(uint64_t *)arg = kb_identity_self();
    return NULL;
}

Test(identity, is_one_for_all_threads)
{
    pthread_t thread;
    uint64_t there = 0;
    cr_assert_eq(pthread_create(&thread, NULL, tell_in_thread, &there), 0);
    pthread_join(thread, NULL);
    cr_assert_eq(there, kb_identity_self());
}

Test(identity, of_a_forked_child_is_its_own_and_known_to_its_parent)
{
    const pid_t child = living_child();
    cr_assert_neq(shared->identity, kb_identity_self());
    cr_assert_eq(kb_identity_pid(shared->identity), (int)child);
    cr_assert_eq(kb_identity_of(child), shared->identity);
    cr_assert(kb_identity_near(shared->identity, kb_identity_self()));
    cr_assert_not(kb_identity_dead(shared->identity));
    kit_kill(child, true);
}

Test(identity, of_a_reaped_process_is_dead)
{
    const pid_t child = living_child();
    kit_kill(child, true);
    cr_assert(kb_identity_dead(shared->identity));
    cr_assert_eq(kb_identity_of(child), 0);
}

Test(identity, of_a_zombie_is_dead)
{
    const pid_t child = living_child();
    kit_kill(child, false);
    cr_assert(kb_identity_dead(shared->identity));
    kit_wait(child);
}

Test(identity, of_one_that_only_stands_still_is_alive)
{
    const pid_t child = living_child();
    kit_freeze(child);
    cr_assert_not(kb_identity_dead(shared->identity));
    kit_kill(child, true);
}

static void *outlive_main_thread(void *arg)
{
    pthread_join(*(pthread_t *)arg, NULL);
    tell((void *)&shared->ready);
    return NULL;
}

static int leave_main_thread(void *arg)
{
    static pthread_t leader;
    pthread_t thread;
    (void)arg;
    leader = pthread_self();
    if (pthread_create(&thread, NULL, outlive_main_thread, &leader) != 0)
        return 1;
    pthread_exit(NULL);
}

/* Such a process shows as a zombie, and works on. */
Test(identity, of_one_whose_main_thread_has_exited_is_alive)
{
    shared = kit_shared(sizeof *shared);
    const pid_t child = kit_fork(leave_main_thread, NULL);
    cr_assert(kit_await(&shared->ready, 1));
    cr_assert_eq(kb_identity_pid(shared->identity), (int)child);
    cr_assert_not(kb_identity_dead(shared->identity));
    kit_kill(child, true);
    cr_assert(kb_identity_dead(shared->identity));
}

Test(identity, of_another_process_under_a_living_pid_is_dead)
{
    const uint64_t self = kb_identity_self();
    cr_assert(kb_identity_dead(self ^ UINT64_C(2) << 22), "another start time");
}

Test(identity, of_another_pid_namespace_is_never_dead)
{
    const pid_t child = living_child();
    kit_kill(child, true);
    for (unsigned bit = 48; bit < 64; bit++) {
        const uint64_t foreign = shared->identity ^ UINT64_C(1) << bit;
        cr_assert_not(kb_identity_dead(foreign), "namespace bit %u", bit);
        cr_assert_not(kb_identity_near(foreign, kb_identity_self()));
    }
    cr_assert_not(kb_identity_dead(shared->identity & ((UINT64_C(1) << 48) - 1)), "no namespace known");
}

Test(identity, without_a_start_time_only_a_missing_process_is_dead)
{
    const uint64_t no_start = ~(((UINT64_C(1) << 26) - 1) << 22);
    const pid_t child = living_child();
    cr_assert_not(kb_identity_dead(shared->identity & no_start));
    kit_kill(child, true);
    cr_assert(kb_identity_dead(shared->identity & no_start));
}

Test(identity, of_nobody_is_not_dead)
{
    const uint64_t self = kb_identity_self(), pid_bits = (UINT64_C(1) << 22) - 1;
    cr_assert_not(kb_identity_dead(0));
    cr_assert_not(kb_identity_dead(self & ~pid_bits));
    cr_assert_not(kb_identity_near(0, 0));
    cr_assert_eq(kb_identity_of(0), 0);
    cr_assert_eq(kb_identity_of(-1), 0);
    cr_assert_eq(kb_identity_of(0x7fffffff), 0);
}

/* Any word may stand where an identity should. This process is not to be harmed by looking. */
Test(identity, that_is_garbage_is_judged_without_harm)
{
    uint64_t seed = 3;
    for (int i = 0; i < 2000; i++) {
        const uint64_t garbage = kit_random(&seed);
        kb_identity_pid(garbage);
        kb_identity_near(garbage, kb_identity_self());
        if (garbage >> 48 != kb_identity_self() >> 48)
            cr_assert_not(kb_identity_dead(garbage));
    }
}
