#include "keyctl/access.h"
#include "keyctl/command.h"
#include "keyctl/print.h"
#include "segment/os.h"
#include "segment/worker.h"

#include <inttypes.h>
#include <stdio.h>

enum { LIMIT_MS = 5000, STEP_MS = 5 };

/* Whether the answer to this ticket, or to a later one, has come. The numbers wrap. */
static bool answered(struct kb_header *header, uint32_t ticket)
{
    return (int32_t)(atomic_load(&header->reload_done) - ticket) >= 0;
}

/* Asks and waits. A broker that finds the question after this has given up answers it all the same. */
static bool ask(struct kb_state *state)
{
    const uint32_t ticket = atomic_fetch_add(&state->header.reload_asked, 1) + 1;
    const uint64_t until = kb_os_now() + LIMIT_MS;
    kb_doorbell_ring(state);
    while (!answered(&state->header, ticket)) {
        if (kb_os_now() >= until)
            return false;
        kb_os_sleep(STEP_MS);
    }
    return true;
}

static void tell(const struct kb_ctl_options *told, uint64_t generation)
{
    if (told->json) {
        printf("{\"name\":");
        kb_ctl_json(told->name);
        printf(",\"generation\":%" PRIu64 "}\n", generation);
    } else {
        printf("reloaded: generation %" PRIu64 "\n", generation);
    }
}

static int reload(const struct kb_ctl_options *told, struct kb_state *state)
{
    struct kb_header *header = &state->header;
    char reason[sizeof header->reload_text];
    int pid;
    if (!kb_ctl_broker_lives(header, &pid))
        return kb_ctl_fail(KB_EXIT_FAILED,
                           "the broker is not running: start keybrokerd, which goes on with what is here");
    if (!ask(state))
        return kb_ctl_fail(KB_EXIT_FAILED, "broker \"%s\" (process %d) has not answered within %d s", told->name, pid,
                           LIMIT_MS / 1000);
    if (atomic_load(&header->reload_failed)) {
        kb_ctl_plain(reason, header->reload_text, sizeof reason);
        return kb_ctl_fail(KB_EXIT_FAILED, "the old keys are kept: %s", reason);
    }
    tell(told, atomic_load(&header->generation));
    return KB_EXIT_DONE;
}

static int run(const struct kb_ctl_options *told)
{
    struct kb_segment *segment;
    int code = kb_ctl_open(told, &segment);
    if (code)
        return code;
    code = reload(told, segment->state);
    kb_segment_close(segment);
    return code;
}

const struct kb_command kb_command_reload = {
    .name = "reload",
    .synopsis = "",
    .summary = "has the broker read its configuration again",
    .help = "Has the broker read its env files and configuration again, waits at most 5 s for it, and says the\n"
            "new generation. Keys that stay keep their state. If the broker cannot take what it finds, it\n"
            "keeps the old keys, and its reason is told. Needs a living broker.\n"
            "\n"
            "Exit codes: 0 reloaded, 1 refused, not answered or not running, 2 usage, 3 no broker.\n",
    .takes = KB_TAKES_NAME | KB_TAKES_JSON,
    .run = run,
};
