#include "keyctl/access.h"
#include "keyctl/command.h"
#include "keyctl/print.h"
#include "segment/owner.h"

#include <stdio.h>

static int run(const struct kb_ctl_options *told)
{
    struct kb_owner_error error = {""};
    const int code = kb_owner_purge(told->name, &error);
    if (code)
        return kb_ctl_fail(code == KB_ENOBROKER ? KB_EXIT_NO_BROKER : KB_EXIT_FAILED, "%s", error.text);
    if (told->json) {
        printf("{\"name\":");
        kb_ctl_json(told->name);
        printf(",\"purged\":true}\n");
    } else {
        printf("removed what broker \"%s\" had left\n", told->name);
    }
    return KB_EXIT_DONE;
}

const struct kb_command kb_command_purge = {
    .name = "purge",
    .synopsis = "",
    .summary = "removes what a dead broker left",
    .help = "Removes the shared memory a dead broker left, its keys and counters with it. Workers that still\n"
            "use it find that it has ended. Not needed to start a broker again: that goes on with what is\n"
            "there. Refuses while the broker lives.\n"
            "\n"
            "Exit codes: 0 removed, 1 the broker lives or it is not allowed, 2 usage, 3 there is nothing.\n",
    .takes = KB_TAKES_NAME | KB_TAKES_JSON,
    .run = run,
};
