/*
 * values.c: from arguments to values, and from values to a request's fields.
 */
#include "http/call.h"
#include "text/json.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

static bool refuse(char *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool refuse(char *error, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(error, KB_PARAM_ERROR_SIZE, format, list);
    va_end(list);
    return false;
}

static bool same_letter(char a, char b)
{
    return a == b || (a == '-' && b == '_') || (a == '_' && b == '-');
}

static bool same_name(const char *a, const char *b)
{
    while (*a != '\0' && same_letter(*a, *b))
        a++, b++;
    return same_letter(*a, *b);
}

const struct kb_param *kb_call_param(const struct kb_call_spec *spec, const char *name)
{
    for (const struct kb_param *param = spec->params; param->name != NULL; param++)
        if (same_name(param->name, name))
            return param;
    return NULL;
}

static const kb_call_arg *given(const kb_call_arg *args, size_t arg_count, const char *name)
{
    for (size_t i = 0; i < arg_count; i++)
        if (same_name(args[i].name, name))
            return &args[i];
    return NULL;
}

static bool check_names(const struct kb_call_spec *spec, const kb_call_arg *args, size_t arg_count, char *error)
{
    for (size_t i = 0; i < arg_count; i++) {
        if (args[i].name == NULL || args[i].text == NULL)
            return refuse(error, "argument %zu has no name or no text", i + 1);
        if (kb_call_param(spec, args[i].name) == NULL)
            return refuse(error, "%.80s: %s has no such argument", args[i].name, spec->name);
        if (given(args, i, args[i].name) != NULL)
            return refuse(error, "%.80s: is given twice", args[i].name);
    }
    return true;
}

static bool find_variant(const kb_call_arg *args, size_t arg_count, struct kb_call_values *values, char *error)
{
    const struct kb_call_spec *spec = values->spec;
    if (spec->variant == NULL)
        return true;
    const struct kb_param *param = kb_call_param(spec, spec->variant);
    const kb_call_arg *arg = given(args, arg_count, spec->variant);
    const char *text = arg != NULL ? arg->text : param->preset;
    if (text == NULL)
        return refuse(error, "%s: is missing", param->name);
    if (!kb_param_check(param, text, error))
        return false;
    values->variant = (unsigned)kb_param_choice(param->choices, text);
    return true;
}

static bool in_variant(const struct kb_param *param, unsigned variant)
{
    return param->in == 0 || (param->in >> variant & 1) != 0;
}

/* Whether a line of this name is there for the variant. */
static bool taken(const struct kb_call_values *values, const char *name)
{
    for (const struct kb_param *param = values->spec->params; param->name != NULL; param++)
        if (same_name(param->name, name) && in_variant(param, values->variant))
            return true;
    return false;
}

static bool refuse_variant(const struct kb_call_values *values, const char *what, const char *name, char *error)
{
    const char *variant = values->spec->variant;
    if (variant == NULL)
        return refuse(error, "%s: %s", name, what);
    return refuse(error, "%s: %s with %s %s", name, what, variant, kb_call_value(values, variant));
}

static void fill(struct kb_call_values *values, const kb_call_arg *args, size_t arg_count)
{
    for (size_t i = 0; values->spec->params[i].name != NULL; i++) {
        const struct kb_param *param = &values->spec->params[i];
        assert(i < KB_CALL_PARAMS_MAX);
        if (!in_variant(param, values->variant))
            continue;
        const kb_call_arg *arg = given(args, arg_count, param->name);
        values->given[i] = arg != NULL;
        values->text[i] = arg != NULL ? arg->text : param->preset;
    }
}

static bool check_line(const struct kb_call_values *values, size_t line, char *error)
{
    const struct kb_param *param = &values->spec->params[line];
    const char *text = values->text[line];
    if (text != NULL)
        return kb_param_check(param, text, error);
    if (in_variant(param, values->variant) && (param->required >> values->variant & 1) != 0)
        return refuse_variant(values, "is missing, it is needed", param->name, error);
    return true;
}

bool kb_call_check(const struct kb_call_spec *spec, const kb_call_arg *args, size_t arg_count,
                   struct kb_call_values *values, char *error)
{
    *values = (struct kb_call_values){.spec = spec};
    if (!check_names(spec, args, arg_count, error) || !find_variant(args, arg_count, values, error))
        return false;
    fill(values, args, arg_count);
    for (size_t i = 0; i < arg_count; i++)
        if (!taken(values, args[i].name))
            return refuse_variant(values, "does not go", kb_call_param(spec, args[i].name)->name, error);
    for (size_t i = 0; spec->params[i].name != NULL; i++)
        if (!check_line(values, i, error))
            return false;
    return spec->check == NULL || spec->check(values, error);
}

/* The line that holds the value, or -1. */
static int line_of(const struct kb_call_values *values, const char *name)
{
    for (int i = 0; values->spec->params[i].name != NULL; i++)
        if (strcmp(values->spec->params[i].name, name) == 0 && values->text[i] != NULL)
            return i;
    return -1;
}

const char *kb_call_value(const struct kb_call_values *values, const char *name)
{
    int line = line_of(values, name);
    return line >= 0 ? values->text[line] : NULL;
}

bool kb_call_given(const struct kb_call_values *values, const char *name)
{
    int line = line_of(values, name);
    return line >= 0 && values->given[line];
}

bool kb_call_true(const struct kb_call_values *values, const char *name)
{
    const char *text = kb_call_value(values, name);
    return text != NULL && strcmp(text, "true") == 0;
}

size_t kb_call_write_fields(FILE *out, const struct kb_call_values *values)
{
    size_t count = 0;
    for (size_t i = 0; values->spec->params[i].name != NULL; i++) {
        const struct kb_param *param = &values->spec->params[i];
        const char *text = values->text[i];
        if (text == NULL || param->field == NULL)
            continue;
        fprintf(out, "%s\"%s\":", count++ > 0 ? "," : "", param->field);
        if (param->type == KB_PARAM_TEXT || param->type == KB_PARAM_CHOICE)
            kb_json_write_string(out, text, strlen(text));
        else
            fputs(text, out);
    }
    return count;
}

size_t kb_call_parts(const struct kb_call_values *values, kb_http_part *parts)
{
    size_t count = 0;
    for (size_t i = 0; values->spec->params[i].name != NULL; i++) {
        const struct kb_param *param = &values->spec->params[i];
        const char *text = values->text[i];
        if (text == NULL || param->field == NULL)
            continue;
        kb_http_part *part = &parts[count++];
        *part = (kb_http_part){.name = param->field};
        if (param->type == KB_PARAM_FILE)
            part->file = text;
        else
            part->data = text, part->len = strlen(text);
    }
    return count;
}
