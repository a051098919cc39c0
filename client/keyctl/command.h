/*
 * command.h: what a command of keyctl is. Each stands in a file of its own; main.c has the table.
 */
#ifndef KB_KEYCTL_COMMAND_H
#define KB_KEYCTL_COMMAND_H

#include "keyctl/options.h"

/* What keyctl ends with; fixed. */
enum kb_exit {
    KB_EXIT_DONE,
    KB_EXIT_FAILED,
    KB_EXIT_USAGE,
    KB_EXIT_NO_BROKER, /* no segment of that name */
    KB_EXIT_UNKNOWN,   /* no such pool or key */
    KB_EXIT_NO_KEY     /* none available */
};

/* Options a command takes beside -h; the rest are usage errors. */
enum kb_takes {
    KB_TAKES_NAME = 1,
    KB_TAKES_JSON = 2,
    KB_TAKES_CMD = 4, /* -- CMD, --env */
    KB_TAKES_HEADERS = 8,
    KB_TAKES_TIMEOUT = 16,
    KB_NEEDS_NO_NAME = 32 /* takes -n, and does something else without it */
};

struct kb_command {
    const char *name;
    const char *synopsis; /* what follows the name */
    const char *summary;  /* a line of the list of commands */
    const char *help;     /* what it does and its exit codes; ends with a newline */
    unsigned least_words, most_words;
    unsigned takes;                                /* kb_takes */
    int (*run)(const struct kb_ctl_options *told); /* an exit code; errors were told on stderr */
};

extern const struct kb_command kb_command_status, kb_command_reset, kb_command_enable, kb_command_disable,
    kb_command_reload, kb_command_workers, kb_command_exec, kb_command_probe, kb_command_classify, kb_command_purge,
    kb_command_version;

#endif
