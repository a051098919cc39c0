/*
 * A process killed or stopped while it takes, holds or leaves the guard.
 */
#include "segment/guard.h"
#include "segment/identity.h"
#include "tests/kit/child.h"
#include "tests/kit/peer.h"

#include <signal.h>
#include <unistd.h>

enum { LIMIT_MS = 2000, MOMENT_MS = 1 };

static struct kb_header *header(struct stage *stage)
{
    return &stage->kit.state->header;
}

static bool victim_holds(struct stage *stage)
{
    const uint64_t owner = kb_guard_owner(header(stage));
    return owner != 0 && kb_identity_pid(owner) == stage->victim;
}

/* Whether the guard can be had and left again. */
static int pass(struct stage *stage, uint64_t limit_ms)
{
    const int code = kb_guard_enter(header(stage), limit_ms);
    if (code == 0)
        kb_guard_leave(header(stage));
    return code;
}

static void nothing(struct stage *stage)
{
    (void)stage;
}

static void enter(struct stage *stage)
{
    stage->code = kb_guard_enter(header(stage), LIMIT_MS);
}

static void enter_in_vain(struct stage *stage)
{
    stage->code = kb_guard_enter(header(stage), MOMENT_MS);
}

static void leave(struct stage *stage)
{
    kb_guard_leave(header(stage));
}

/* Enters, and leaves a process waiting at the gate. */
static void enter_before_another(struct stage *stage)
{
    signal(SIGCHLD, SIG_IGN);
    enter(stage);
    stage->waiter = 0;
    if (fork() == 0) {
        const int code = pass(stage, LIMIT_MS);
        atomic_store(&stage->waiter, code == 0 ? 1 : 2);
        _exit(0);
    }
}

/* Only a living owner keeps others out, and only for as long as they want to wait. */
static void try(struct stage *stage)
{
    const bool held = victim_holds(stage);
    const int code = pass(stage, held ? MOMENT_MS : LIMIT_MS);
    if (code != (held ? KB_EBUSY : 0))
        books_wrong(&stage->books, "the guard beside a stopped process: %s", kb_strerror(code));
}

static void check(struct stage *stage, bool killed)
{
    if (!killed && stage->code != 0)
        books_wrong(&stage->books, "the guard was not had: %s", kb_strerror(stage->code));
    if (pass(stage, LIMIT_MS) != 0)
        books_wrong(&stage->books, "the guard is lost");
}

static void check_waiter(struct stage *stage, bool killed)
{
    check(stage, killed);
    if (!kit_await(&stage->waiter, 1) || stage->waiter != 1)
        books_wrong(&stage->books, "one who waited for the guard did not get it");
}

static void hold(struct stage *stage)
{
    if (kb_guard_owner(header(stage)) == 0 && kb_guard_enter(header(stage), LIMIT_MS) != 0)
        books_wrong(&stage->books, "setting the scene: the guard cannot be had");
}

static void check_vain(struct stage *stage, bool killed)
{
    if (!killed && stage->code != KB_EBUSY)
        books_wrong(&stage->books, "the guard was had twice");
    leave(stage);
    if (pass(stage, LIMIT_MS) != 0)
        books_wrong(&stage->books, "the guard is lost");
}

#define AVAILABLE                                                                                                      \
    {                                                                                                                  \
        {                                                                                                              \
            KB_AVAILABLE, 0                                                                                            \
        }                                                                                                              \
    }

static const struct stage_play plays[] = {
    {
        .name = "entering the guard",
        .start = {KB_AVAILABLE, 0},
        .before = nothing,
        .run = enter,
        .after = leave,
        .meanwhile = try,
        .check = check,
        .killed = AVAILABLE,
    },
    {
        .name = "leaving the guard before one who waits",
        .start = {KB_AVAILABLE, 0},
        .before = enter_before_another,
        .run = leave,
        .meanwhile = try,
        .check = check_waiter,
        .killed = AVAILABLE,
    },
    {
        .name = "waiting for the guard in vain",
        .start = {KB_AVAILABLE, 0},
        .set = hold,
        .before = nothing,
        .run = enter_in_vain,
        .meanwhile = nothing,
        .check = check_vain,
        .killed = AVAILABLE,
    },
};

int main(void)
{
    return stage_run(plays, sizeof plays / sizeof plays[0]);
}
