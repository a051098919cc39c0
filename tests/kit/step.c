#include "step.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <sys/user.h>
#endif

enum { ENDED = -1 };

/* The signal the victim stopped with, or ENDED. */
static int await_stop(pid_t victim)
{
    int status;
    while (waitpid(victim, &status, 0) < 0)
        if (errno != EINTR)
            return ENDED;
    return WIFSTOPPED(status) ? WSTOPSIG(status) : ENDED;
}

enum way { RUN, STEP };

static int resume(pid_t victim, enum way way)
{
    const long done =
        way == STEP ? ptrace(PTRACE_SINGLESTEP, victim, NULL, NULL) : ptrace(PTRACE_CONT, victim, NULL, NULL);
    if (done != 0)
        return ENDED;
    return await_stop(victim);
}

#if defined(__x86_64__)
static uintptr_t place(pid_t victim)
{
    struct user_regs_struct registers;
    return ptrace(PTRACE_GETREGS, victim, NULL, &registers) == 0 ? registers.rip : 0;
}

/* Runs to the instruction at `address`. False: the victim is where it was; *stop is set if it ran by. */
static bool run_to(pid_t victim, uintptr_t address, int *stop)
{
    struct user_regs_struct registers;
    errno = 0;
    const long code = ptrace(PTRACE_PEEKTEXT, victim, address, NULL);
    if (errno || ptrace(PTRACE_POKETEXT, victim, address, (code & ~0xffL) | 0xcc) != 0)
        return false;
    *stop = resume(victim, RUN);
    ptrace(PTRACE_POKETEXT, victim, address, code); /* whatever it stopped for: this run is not its last */
    if (*stop != SIGTRAP || ptrace(PTRACE_GETREGS, victim, NULL, &registers) != 0)
        return false;
    registers.rip = address;
    return ptrace(PTRACE_SETREGS, victim, NULL, &registers) == 0;
}
#else
/* All instructions at one address: every one but the first is met too often for a breakpoint. */
static uintptr_t place(pid_t victim)
{
    (void)victim;
    return 1;
}

static bool run_to(pid_t victim, uintptr_t address, int *stop)
{
    (void)victim, (void)address, (void)stop;
    return false;
}
#endif

pid_t step_fork(void (*body)(void *arg), void *arg)
{
    const pid_t victim = fork();
    if (victim == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
            body(arg);
        _exit(1);
    }
    if (victim > 0 && await_stop(victim) == SIGSTOP)
        return victim;
    return -1;
}

void step_mark(void)
{
    kill(getpid(), SIGSTOP);
}

bool step_on(pid_t victim)
{
    return resume(victim, RUN) == SIGSTOP;
}

/* Counts how often each instruction's address was met before on the path. */
static void count_visits(struct step_path *path)
{
    enum { SLOTS = 2 * STEP_PATH_MAX };
    struct visits {
        uintptr_t address;
        uint32_t count;
    } *seen = calloc(SLOTS, sizeof *seen);
    for (size_t i = 0; seen && i < path->count; i++) {
        size_t slot = (path->at[i] * UINT64_C(0x9e3779b97f4a7c15) >> 32) % SLOTS;
        while (seen[slot].address && seen[slot].address != path->at[i])
            slot = (slot + 1) % SLOTS;
        seen[slot].address = path->at[i];
        path->before[i] = seen[slot].count++;
    }
    free(seen);
}

bool step_record(pid_t victim, struct step_path *path, bool (*changed)(void *arg), void *arg)
{
    path->count = 0;
    path->at = calloc(STEP_PATH_MAX, sizeof *path->at);
    path->before = calloc(STEP_PATH_MAX, sizeof *path->before);
    path->news = calloc(STEP_PATH_MAX, 1);
    while (path->at && path->before && path->news && path->count < STEP_PATH_MAX) {
        path->at[path->count] = place(victim);
        const int stop = resume(victim, STEP);
        if (stop != SIGTRAP) {
            count_visits(path);
            return stop == SIGSTOP;
        }
        path->news[path->count++] = changed(arg);
    }
    return false;
}

void step_path_free(struct step_path *path)
{
    free(path->at);
    free(path->before);
    free(path->news);
}

/* The instruction up to k to run to: each of its visits costs a breakpoint and a step, each instruction
 * from there to k a step. */
static size_t waypoint(const struct step_path *path, size_t k)
{
    size_t best = 0, cost = k;
    for (size_t i = k; i > 0 && k - i < cost; i--) {
        const size_t this_cost = k - i + (size_t)2 * path->before[i];
        if (this_cost < cost) {
            best = i;
            cost = this_cost;
        }
    }
    return best;
}

static bool step(pid_t victim)
{
    return resume(victim, STEP) == SIGTRAP;
}

bool step_to(pid_t victim, const struct step_path *path, size_t k)
{
    size_t from = waypoint(path, k);
    int stop = 0;
    for (uint32_t visit = 0; from > 0 && visit <= path->before[from]; visit++) {
        if (visit > 0 && !step(victim))
            return false;
        if (run_to(victim, path->at[from], &stop))
            continue;
        if (stop)
            return false;
        assert(visit == 0);
        from = 0; /* no breakpoint can be set there */
    }
    for (; from < k; from++)
        if (!step(victim))
            return false;
    return true;
}
