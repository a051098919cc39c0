#include "keyctl/options.h"

#include "keyctl/command.h"
#include "keyctl/pools.h"
#include "segment/mapping.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLAIN_WORD = 1, OPTION_JSON = 256, OPTION_ENV, OPTION_TIMEOUT };

static const struct option long_options[] = {
    {"name", required_argument, NULL, 'n'},
    {"json", no_argument, NULL, OPTION_JSON},
    {"header", required_argument, NULL, 'H'},
    {"env", required_argument, NULL, OPTION_ENV},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int refuse(const char *why)
{
    fprintf(stderr, "keyctl: %s (see keyctl --help)\n", why);
    return KB_EXIT_USAGE;
}

static bool read_milliseconds(const char *text, int *out)
{
    char *end;
    errno = 0;
    const long value = strtol(text, &end, 10);
    *out = (int)value;
    return *text >= '0' && *text <= '9' && *end == 0 && errno == 0 && value <= INT_MAX;
}

/* "Name: value" */
static int take_header(struct kb_ctl_options *out, char *text)
{
    char *value = strchr(text, ':');
    out->used |= KB_TAKES_HEADERS;
    if (value == NULL || value == text)
        return refuse("-H wants 'Name: value'");
    if (out->n_headers == KB_CTL_HEADERS_MAX)
        return refuse("there are too many -H");
    *value++ = '\0';
    value += strspn(value, " \t");
    out->headers[out->n_headers++] = (kb_http_header){.name = text, .value = value};
    return 0;
}

static void take_word(struct kb_ctl_options *out, const char *word)
{
    if (!out->command)
        out->command = word;
    else if (out->n_words++ < KB_CTL_WORDS_MAX)
        out->words[out->n_words - 1] = word;
}

static int take_option(struct kb_ctl_options *out, int option)
{
    switch (option) {
    case PLAIN_WORD:
        take_word(out, optarg);
        return 0;
    case 'n':
        out->name = optarg;
        out->used |= KB_TAKES_NAME;
        return kb_name_valid(optarg) ? 0 : refuse("a broker's name is 1 to 64 of the characters A-Z a-z 0-9 _ -");
    case 'H':
        return take_header(out, optarg);
    case 'h':
        out->help = true;
        return 0;
    case OPTION_JSON:
        out->json = true;
        out->used |= KB_TAKES_JSON;
        return 0;
    case OPTION_ENV:
        out->env = optarg;
        out->used |= KB_TAKES_CMD;
        return kb_ctl_env_valid(optarg) ? 0 : refuse("--env wants the name of a variable");
    case OPTION_TIMEOUT:
        out->used |= KB_TAKES_TIMEOUT;
        return read_milliseconds(optarg, &out->timeout_ms) ? 0 : refuse("--timeout wants milliseconds");
    case ':':
        return refuse("the last option wants a value");
    default:
        return refuse("there is no such option");
    }
}

int kb_ctl_options_parse(struct kb_ctl_options *out, int argc, char **argv)
{
    *out = (struct kb_ctl_options){.timeout_ms = KB_CTL_CLAIM_MS};
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "-:n:H:h", long_options, NULL)) != -1;) {
        const int code = take_option(out, option);
        if (code)
            return code;
    }
    if (optind < argc)
        out->cmd = argv + optind;
    if (!out->name)
        out->name = kb_name_default(NULL);
    return 0;
}

void kb_ctl_options_no_cmd(struct kb_ctl_options *told)
{
    for (; told->cmd && *told->cmd; told->cmd++)
        take_word(told, *told->cmd);
    told->cmd = NULL;
}
