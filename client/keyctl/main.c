/*
 * keyctl: shows and changes what a broker's shared memory holds.
 */
#include "keyctl/access.h"
#include "keyctl/command.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct kb_command *const commands[] = {
    &kb_command_status,   &kb_command_reset,   &kb_command_enable,  &kb_command_disable,
    &kb_command_reload,   &kb_command_workers, &kb_command_exec,    &kb_command_probe,
    &kb_command_classify, &kb_command_purge,   &kb_command_version, NULL,
};

static const struct kb_command *find(const char *name)
{
    const struct kb_command *const *at = commands;
    while (*at && strcmp((*at)->name, name) != 0)
        at++;
    return *at;
}

static void print_synopsis(FILE *out, const struct kb_command *command)
{
    fprintf(out, "usage: keyctl%s%s %s%s%s\n", command->takes & KB_TAKES_NAME ? " [-n NAME]" : "",
            command->takes & KB_TAKES_JSON ? " [--json]" : "", command->name, *command->synopsis ? " " : "",
            command->synopsis);
}

static void print_overview(FILE *out)
{
    fputs("usage: keyctl [-n NAME] COMMAND [ARGUMENT...]\n\n", out);
    for (const struct kb_command *const *at = commands; *at; at++) {
        const struct kb_command *command = *at;
        const int width = 32 - (int)strlen(command->name);
        fprintf(out, "  %s %-*s %s\n", command->name, width, command->synopsis, command->summary);
    }
    fputs("\n"
          "  -n, --name NAME  the broker (default: $KEYBROKER_NAME, else \"keybroker\")\n"
          "      --json       one line of JSON instead of text, for every command but exec\n"
          "  -h, --help       this text, or what a command does: keyctl COMMAND -h\n"
          "\n"
          "KEY is an index (digits) or the beginning of a fingerprint.\n"
          "Exit codes: 0 done, 1 failed, 2 usage, 3 no broker, 4 no such pool or key, 5 no key available.\n",
          out);
}

static int print_help(const struct kb_command *command)
{
    if (!command) {
        print_overview(stdout);
        return KB_EXIT_DONE;
    }
    print_synopsis(stdout, command);
    printf("\n%s", command->help);
    return KB_EXIT_DONE;
}

static int refuse(const struct kb_command *command, const char *why)
{
    kb_ctl_fail(KB_EXIT_USAGE, "%s", why);
    if (command)
        print_synopsis(stderr, command);
    else
        print_overview(stderr);
    return KB_EXIT_USAGE;
}

/* Runs what was asked for, once it is known to make sense. */
static int obey(struct kb_ctl_options *told)
{
    if (!told->command)
        kb_ctl_options_no_cmd(told);
    const struct kb_command *command = told->command ? find(told->command) : NULL;
    if (told->command && !command)
        return refuse(NULL, "there is no such command");
    if (told->help)
        return print_help(command);
    if (!command)
        return refuse(NULL, "a command is missing");
    if (!(command->takes & KB_TAKES_CMD))
        kb_ctl_options_no_cmd(told);
    else if (!told->cmd)
        return refuse(command, "a command to run is missing behind --");
    if (told->used & ~command->takes)
        return refuse(command, "this option is not for this command");
    if (told->n_words < command->least_words)
        return refuse(command, "an argument is missing");
    if (told->n_words > command->most_words)
        return refuse(command, "there are too many arguments");
    if (!told->name && (command->takes & (KB_TAKES_NAME | KB_NEEDS_NO_NAME)) == KB_TAKES_NAME)
        return refuse(command, "$KEYBROKER_NAME is no broker's name");
    return command->run(told);
}

/* What could not be written was not shown: no success. */
static int finish(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    return kb_ctl_fail(code == KB_EXIT_DONE ? KB_EXIT_FAILED : code, "cannot write to stdout");
}

int main(int argc, char **argv)
{
    struct kb_ctl_options told;
    const int code = kb_ctl_options_parse(&told, argc, argv);
    if (code)
        return code;
    /* A reader that has gone is an error like a full disk. CMD begins with what keyctl was given. */
    if (!told.cmd)
        signal(SIGPIPE, SIG_IGN);
    return finish(obey(&told));
}
