#include "keycall/options.h"

#include "keycall/textfile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS_MAX 86400

/* The command line while it is read. */
struct reader {
    char **argv;
    int argc, at;
    struct kb_call_options *out;
};

enum own { OWN_NAME, OWN_POOL, OWN_WAIT, OWN_TIMEOUT, OWN_DEADLINE, OWN_JSON, OWN_HELP, OWN_VERSION, OWN_NONE };

/* keycall's own options, in the order of enum own. */
static const struct {
    const char *name;
    char letter; /* 0: none */
    bool valued;
} own[] = {
    {"name", 'n', true},   {"pool", 'p', true}, {"wait", 't', true},  {"timeout", 0, true},
    {"deadline", 0, true}, {"json", 0, false},  {"help", 'h', false}, {"version", 0, false},
};

int kb_call_refuse(int exit_code, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fputs("keycall: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    return exit_code;
}

static int refuse_usage(const char *what)
{
    return kb_call_refuse(KB_CALL_EXIT_USAGE, "%s (see keycall -h)", what);
}

static int read_seconds(const char *text, int least, int *out_ms, const char *refusal)
{
    char *end;
    errno = 0;
    const long value = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || value < least || value > SECONDS_MAX)
        return refuse_usage(refusal);
    *out_ms = (int)value * 1000;
    return 0;
}

static int take_own(struct kb_call_options *out, enum own option, const char *value)
{
    switch (option) {
    case OWN_NAME:
        out->name = value;
        return 0;
    case OWN_POOL:
        out->pool = value;
        return 0;
    case OWN_WAIT:
        return read_seconds(value, 0, &out->wait_ms, "-t wants 0 to 86400 seconds");
    case OWN_TIMEOUT:
        return read_seconds(value, 1, &out->timeout_ms, "--timeout wants 1 to 86400 seconds");
    case OWN_DEADLINE:
        return read_seconds(value, 1, &out->deadline_ms, "--deadline wants 1 to 86400 seconds");
    case OWN_JSON:
        out->json = true;
        return 0;
    case OWN_VERSION:
        out->version = true;
        return 0;
    default:
        out->help = true;
        return 0;
    }
}

/* The next word, which is an option's value. NULL: there is none, and that was told. */
static const char *take_value(struct reader *reader)
{
    if (reader->at < reader->argc)
        return reader->argv[reader->at++];
    refuse_usage("the last option wants a value");
    return NULL;
}

/* -n NAME, -nNAME, -h. */
static int take_short(struct reader *reader, const char *word)
{
    for (enum own option = 0; option < OWN_NONE; option++) {
        if (own[option].letter != word[1] || word[1] == '\0')
            continue;
        if (!own[option].valued && word[2] != '\0')
            break;
        const char *value = !own[option].valued || word[2] != '\0' ? word + 2 : take_value(reader);
        return value != NULL ? take_own(reader->out, option, value) : KB_CALL_EXIT_USAGE;
    }
    return refuse_usage("there is no such option");
}

static int add_argument(struct kb_call_options *out, const struct kb_param *param, const char *text)
{
    kb_call_arg *arg = &out->args[out->arg_count];
    *arg = (kb_call_arg){.name = param->name, .text = text};
    if (param->type == KB_PARAM_TEXT && text[0] == '@' && text[1] == '@') {
        arg->text = text + 1;
    } else if (param->type == KB_PARAM_TEXT && text[0] == '@') {
        out->read[out->arg_count] = kb_call_textfile(param->name, text + 1);
        arg->text = out->read[out->arg_count];
    }
    if (arg->text == NULL)
        return KB_CALL_EXIT_USAGE;
    out->arg_count++;
    return 0;
}

/* An argument of the call: --name VALUE, --name=VALUE, and --name alone for one that is true or false. */
static int take_argument(struct reader *reader, const struct kb_param *param, const char *value)
{
    struct kb_call_options *out = reader->out;
    const char *next = reader->at < reader->argc ? reader->argv[reader->at] : "";
    for (size_t i = 0; i < out->arg_count; i++)
        if (out->args[i].name == param->name)
            return kb_call_refuse(KB_CALL_EXIT_USAGE, "--%s: is given twice", param->name);
    if (value == NULL && param->type == KB_PARAM_BOOLEAN && strcmp(next, "true") != 0 && strcmp(next, "false") != 0)
        value = "true";
    if (value == NULL)
        value = take_value(reader);
    return value != NULL ? add_argument(out, param, value) : KB_CALL_EXIT_USAGE;
}

/* keycall's own option of this name: --name VALUE, --name=VALUE; NULL value: none stands behind "=". */
static int take_own_name(struct reader *reader, const char *name, const char *value)
{
    const struct kb_call_options *out = reader->out;
    enum own option = 0;
    while (option < OWN_NONE && strcmp(own[option].name, name) != 0)
        option++;
    if (option == OWN_NONE && out->spec != NULL)
        return kb_call_refuse(KB_CALL_EXIT_USAGE, "%s has no such argument (see keycall %s %s -h)", out->spec->name,
                              out->service, out->call);
    if (option == OWN_NONE || (value != NULL && !own[option].valued))
        return refuse_usage("there is no such option");
    if (!own[option].valued)
        value = "";
    else if (value == NULL)
        value = take_value(reader);
    return value != NULL ? take_own(reader->out, option, value) : KB_CALL_EXIT_USAGE;
}

/* Behind CALL an option is one of its arguments, or else one of keycall's own. */
static int take_long(struct reader *reader, const char *word)
{
    char name[64];
    const size_t len = strcspn(word, "=");
    const char *value = word[len] == '=' ? word + len + 1 : NULL;
    if (len >= sizeof name)
        return refuse_usage("there is no such option");
    memcpy(name, word, len);
    name[len] = '\0';
    const struct kb_param *param = reader->out->spec != NULL ? kb_call_param(reader->out->spec, name) : NULL;
    return param != NULL ? take_argument(reader, param, value) : take_own_name(reader, name, value);
}

static bool is_service(const char *word)
{
    const struct kb_call_spec *spec;
    for (size_t i = 0; (spec = kb_call_at(i)) != NULL; i++)
        if (strcmp(spec->service, word) == 0)
            return true;
    return false;
}

/* CALL, where "_" and "-" are the same. */
static int take_call(struct kb_call_options *out, const char *word)
{
    char name[KB_NAME_MAX * 2 + 2];
    const int len = snprintf(name, sizeof name, "%s.%s", out->service, word);
    for (char *at = name; *at != '\0'; at++)
        if (*at == '-')
            *at = '_';
    out->call = word;
    out->spec = len > 0 && (size_t)len < sizeof name ? kb_call_find(name) : NULL;
    if (out->spec != NULL)
        return 0;
    return kb_call_refuse(KB_CALL_EXIT_USAGE, "%s has no such call (keycall %s lists them)", out->service,
                          out->service);
}

static int take_word(struct kb_call_options *out, const char *word)
{
    if (out->spec != NULL)
        return refuse_usage("there are too many words; arguments are --NAME VALUE");
    if (out->service != NULL)
        return take_call(out, word);
    if (!is_service(word))
        return refuse_usage("there is no such service");
    out->service = word;
    return 0;
}

int kb_call_options_parse(struct kb_call_options *out, int argc, char **argv)
{
    struct reader reader = {.argv = argv, .argc = argc, .at = 1, .out = out};
    *out = (struct kb_call_options){.wait_ms = KB_CALL_WAIT_MS};
    while (reader.at < argc) {
        const char *word = argv[reader.at++];
        const int code = strncmp(word, "--", 2) == 0 ? take_long(&reader, word + 2)
                         : *word == '-'              ? take_short(&reader, word)
                                                     : take_word(out, word);
        if (code != 0)
            return code;
    }
    return 0;
}

void kb_call_options_clear(struct kb_call_options *options)
{
    for (size_t i = 0; i < options->arg_count; i++)
        free(options->read[i]);
    options->arg_count = 0;
}
