#include "keyctl/command.h"
#include "segment/layout.h"

#include <stdio.h>

static int run(const struct kb_ctl_options *told)
{
    if (told->json)
        printf("{\"version\":\"%s\",\"layout\":%u}\n", kb_version(), KB_LAYOUT);
    else
        printf("keyctl %s (layout %u)\n", kb_version(), KB_LAYOUT);
    return KB_EXIT_DONE;
}

const struct kb_command kb_command_version = {
    .name = "version",
    .synopsis = "",
    .summary = "shows the version",
    .help = "Shows the version, and the layout of shared memory it works with. Needs no broker.\n"
            "\n"
            "Exit codes: 0 shown, 1 failed, 2 usage.\n",
    .takes = KB_TAKES_JSON,
    .run = run,
};
