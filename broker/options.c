#include "options.h"

#include "segment/mapping.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_REPLACE = 256, OPT_CHECK, OPT_GROUP, OPT_VERSION };

static const struct option long_options[] = {
    {"name", required_argument, NULL, 'n'},        {"env", required_argument, NULL, 'e'},
    {"config", required_argument, NULL, 'c'},      {"snapshot", required_argument, NULL, 's'},
    {"group", required_argument, NULL, OPT_GROUP}, {"replace", no_argument, NULL, OPT_REPLACE},
    {"check", no_argument, NULL, OPT_CHECK},       {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPT_VERSION},   {NULL, 0, NULL, 0},
};

static const char help[] =
    "usage: keybrokerd [-n NAME] [-e ENVFILE]... [-c CONFIG.json] [--group GROUP] [--replace] [--check]\n"
    "\n"
    "Owns the keys of the pools in shared memory, in the foreground, until SIGTERM or SIGINT. Prints\n"
    "\"ready\" on stdout once workers can claim; logs to stderr. SIGHUP reads everything again.\n"
    "\n"
    "  -n, --name NAME        of this broker: letters, digits, _ and -, at most 64\n"
    "                         (default: $KEYBROKER_NAME, else \"keybroker\")\n"
    "  -e, --env ENVFILE      read SUNO_API_KEY=k1,k2 and the like from here; again for more files:\n"
    "                         a later one beats an earlier one, any beats the environment\n"
    "  -c, --config FILE      more pools: {\"pools\":{\"openai\":{\"env\":\"OPENAI_API_KEY\"}}}\n"
    "  -s, --snapshot FILE    accepted; snapshots are not written by this version, which it says\n"
    "      --group GROUP      give the shared memory to this group, whose processes may be workers\n"
    "      --replace          take over in place from the broker that runs under this name\n"
    "      --check            list each key's pool, index, fingerprint and file:line, and exit\n"
    "  -h, --help             this text\n"
    "      --version          name and version\n"
    "\n"
    "Exit status: 0 ended in order, 1 failed, 2 usage.\n";

static int usage(const char *what, const char *which)
{
    fprintf(stderr, "keybrokerd: %s%s%s (see keybrokerd --help)\n", what, which ? ": " : "", which ? which : "");
    return 2;
}

static bool parse_group(const char *text, gid_t *out)
{
    const struct group *group = getgrnam(text);
    char *end;
    if (group) {
        *out = group->gr_gid;
        return true;
    }
    errno = 0;
    const unsigned long id = strtoul(text, &end, 10);
    *out = (gid_t)id;
    return isdigit((unsigned char)*text) && *end == 0 && errno == 0 && id < (gid_t)-1;
}

static int parse_one(struct kb_options *out, int option)
{
    switch (option) {
    case 'n':
        if (!kb_name_valid(optarg))
            return usage("a name is 1 to 64 of the characters A-Z a-z 0-9 _ -", NULL);
        out->name = optarg;
        return -1;
    case 'e':
        if (out->n_env_files == KB_ENV_FILES_MAX)
            return usage("at most 64 env files", NULL);
        out->env_files[out->n_env_files++] = optarg;
        return -1;
    case 'c':
        out->config = optarg;
        return -1;
    case 's':
        out->snapshot = optarg;
        return -1;
    case OPT_GROUP:
        return parse_group(optarg, &out->group) ? -1 : usage("no such group", optarg);
    case OPT_REPLACE:
        out->replace = true;
        return -1;
    case OPT_CHECK:
        out->check = true;
        return -1;
    case 'h':
        fputs(help, stdout);
        return 0;
    case OPT_VERSION:
        printf("keybrokerd %s (layout %u)\n", kb_version(), KB_LAYOUT);
        return 0;
    default:
        return 2; /* getopt has said what is wrong */
    }
}

int kb_options_parse(struct kb_options *out, int argc, char **argv)
{
    *out = (struct kb_options){.group = (gid_t)-1};
    for (int option; (option = getopt_long(argc, argv, "n:e:c:s:h", long_options, NULL)) != -1;) {
        const int done = parse_one(out, option);
        if (done >= 0)
            return done;
    }
    /* Not the argument itself: it may be a key in the wrong place. */
    if (optind < argc)
        return usage("it takes options only", NULL);
    if (!out->name)
        out->name = kb_name_default(NULL);
    return out->name ? -1 : usage("$KEYBROKER_NAME is no valid name", NULL);
}
