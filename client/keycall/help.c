#include "keycall/help.h"

#include "http/number.h"

#include <stdlib.h>
#include <string.h>

#define NAME_WIDTH  34 /* of a call's name with its service's */
#define TEXT_INDENT 8
#define TEXT_WIDTH  92

/* keycall has no other place for an image. */
#define OUT_HELP "file for the image, which has that name only when it is whole"

static const char own_options[] =
    "  -n, --name NAME         the broker (default: $KEYBROKER_NAME, else \"keybroker\")\n"
    "  -p, --pool POOL         the pool the key is from (default: the one named as the service)\n"
    "  -t, --wait SECONDS      wait for keys at most this long in all, 0 to 86400 (default: 30)\n"
    "      --timeout SECONDS   of one attempt, 1 to 86400 (default: the call's own: 60, for images 180)\n"
    "      --deadline SECONDS  of everything (default: none; of a call that waits: suno 900, stability 300)\n"
    "      --json              one line of JSON, however the call went: outcome, status, fingerprint, attempts,\n"
    "                          retry_after_ms, ambiguous, rule, findings, error, and the body of an error\n"
    "  -h, --help              this text, a service's calls or a call's arguments\n"
    "      --version           the version\n";

static const char manners[] =
    "A text may come from a file, --prompt @FILE, or stdin, --prompt @-, without the newlines at its end;\n"
    "one that begins with @ is written @@. \"-\" and \"_\" in names are the same.\n"
    "\n"
    "What was found is printed as JSON on stdout; a call that waits tells its progress on stderr. A key that is\n"
    "refused, out of credits or used too often is followed by the next one. A call that may have been carried\n"
    "out, and billed, though no whole answer came is never sent again, and told as ambiguous. SIGINT and\n"
    "SIGTERM end it at once, and leave no half-written file.\n"
    "\n"
    "Exit codes: 0 the outcome is ok; 1 it is another one; 2 usage, arguments refused before a key was claimed\n"
    "included; 3 no broker; 4 no such pool or key; 5 no key available; 128 + signal when interrupted.\n";

static const char *call_name(const struct kb_call_spec *spec)
{
    return spec->name + strlen(spec->service) + 1;
}

/* The calls of a service; NULL: of all. */
static void list_calls(const char *service)
{
    const struct kb_call_spec *spec;
    for (size_t i = 0; (spec = kb_call_at(i)) != NULL; i++) {
        if (service != NULL && strcmp(spec->service, service) != 0)
            continue;
        const int width = NAME_WIDTH - (int)strlen(spec->service);
        printf("  %s %-*s  %s\n", spec->service, width, call_name(spec), spec->summary);
    }
}

/* Writes text broken at blanks, indented below an argument. */
static void print_wrapped(const char *text)
{
    size_t column = 0;
    while (*text != '\0') {
        const size_t len = strcspn(text, " ");
        if (column == 0 || column + 1 + len > TEXT_WIDTH) {
            printf("%s%*s", column > 0 ? "\n" : "", TEXT_INDENT, "");
            column = 0;
        }
        printf("%s%.*s", column > 0 ? " " : "", (int)len, text);
        column += len + (column > 0);
        text += len + (text[len] == ' ');
    }
    putchar('\n');
}

/* Adds the choices of a mask. */
static void write_choices(FILE *out, const char *choices, unsigned mask)
{
    const char *comma = "";
    for (unsigned i = 0; *choices != '\0'; i++) {
        const size_t len = strcspn(choices, "|");
        if (i >= 32 || (mask >> i & 1) != 0) {
            fprintf(out, "%s%.*s", comma, (int)len, choices);
            comma = ", ";
        }
        choices += len + (choices[len] == '|');
    }
}

static void write_limits(FILE *out, const struct kb_param *param)
{
    char least[KB_NUMBER_SIZE], most[KB_NUMBER_SIZE], step[KB_NUMBER_SIZE];
    kb_number_write(least, param->min);
    kb_number_write(most, param->max);
    kb_number_write(step, param->step);
    if (param->type == KB_PARAM_TEXT && param->max > 0)
        fprintf(out, "%s to %s characters", param->min > 0 ? least : "1", most);
    if (param->type == KB_PARAM_CHOICE)
        write_choices(out, param->choices, KB_ALWAYS);
    if ((param->type == KB_PARAM_INTEGER || param->type == KB_PARAM_NUMBER) && param->min < param->max)
        fprintf(out, "%s to %s", least, most);
    if (param->step > 0)
        fprintf(out, " in steps of %s", step);
}

static unsigned all_variants(const struct kb_call_spec *spec)
{
    unsigned count = 1;
    if (spec->variant == NULL)
        return KB_ALWAYS;
    for (const char *at = kb_call_param(spec, spec->variant)->choices; *at != '\0'; at++)
        count += *at == '|';
    return count < 32 ? (1u << count) - 1 : KB_ALWAYS;
}

/* Which variants take it, where not all do, and which need it, where not all of those do. */
static void write_variants(FILE *out, const struct kb_call_spec *spec, const struct kb_param *param)
{
    const unsigned all = all_variants(spec), in = (param->in != 0 ? param->in : KB_ALWAYS) & all;
    const unsigned required = param->required & in;
    if (spec->variant == NULL)
        return;
    const char *choices = kb_call_param(spec, spec->variant)->choices;
    const char *parted = ftell(out) > 0 ? "; " : "";
    if (in != all) {
        fprintf(out, "%swith %s ", parted, spec->variant);
        write_choices(out, choices, in);
        parted = "; ";
    }
    if (required != 0 && required != in) {
        fprintf(out, "%sneeded with %s ", parted, spec->variant);
        write_choices(out, choices, required);
    }
}

/* What a line of the table demands. */
static void print_line(const struct kb_call_spec *spec, const struct kb_param *param)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL)
        return;
    write_limits(out, param);
    if (spec->variant == NULL || strcmp(param->name, spec->variant) != 0)
        write_variants(out, spec, param);
    if (fclose(out) == 0 && len > 0)
        print_wrapped(text);
    free(text);
}

static bool is_needed(const struct kb_call_spec *spec, const struct kb_param *param)
{
    const unsigned in = (param->in != 0 ? param->in : KB_ALWAYS) & all_variants(spec);
    return param->type == KB_PARAM_OUT || (param->required & in) == in;
}

static void print_argument(const struct kb_call_spec *spec, const struct kb_param *param)
{
    if (param->help == NULL && param->type == KB_PARAM_CHOICE)
        return; /* the choices stand above */
    if (param->help != NULL) {
        printf("  --%s %s%s", param->name, kb_param_type_name(param->type), is_needed(spec, param) ? "  (needed)" : "");
        if (param->preset != NULL)
            printf("  (default: %s)", param->preset);
        putchar('\n');
        print_wrapped(param->type == KB_PARAM_OUT ? OUT_HELP : param->help);
    }
    print_line(spec, param);
}

static void call_help(const struct kb_call_options *options)
{
    const struct kb_call_spec *spec = options->spec;
    printf("usage: keycall [OPTION...] %s %s [--ARGUMENT VALUE]...\n\n%s: %s\n\n", spec->service, call_name(spec),
           spec->name, spec->summary);
    for (const struct kb_param *param = spec->params; param->name != NULL; param++)
        print_argument(spec, param);
    puts("\nkeycall -h tells the OPTIONs, and how a text is taken from a file.");
}

void kb_call_help(const struct kb_call_options *options)
{
    if (options->spec != NULL) {
        call_help(options);
        return;
    }
    const char *service = options->service;
    printf("usage: keycall [OPTION...] %s CALL [--ARGUMENT VALUE]...\n\n", service != NULL ? service : "SERVICE");
    if (service == NULL)
        puts("Makes one call of a service with a key of a pool. SERVICE and CALL are one of\n");
    list_calls(service);
    puts("\nkeycall SERVICE CALL -h tells a call's arguments.");
    if (service == NULL)
        printf("\n%s\n%s", own_options, manners);
}
