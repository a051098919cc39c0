#include "http/arguments.h"

#include <assert.h>

void kb_arguments_text(struct kb_arguments *arguments, const char *name, const char *text)
{
    if (text == NULL)
        return;
    assert(arguments->count < KB_CALL_PARAMS_MAX);
    arguments->list[arguments->count++] = (kb_call_arg){name, text};
}

void kb_arguments_number(struct kb_arguments *arguments, const char *name, const double *number)
{
    char *text = arguments->numbers[arguments->count];
    if (number == NULL)
        return;
    kb_number_write(text, *number);
    kb_arguments_text(arguments, name, text);
}

void kb_arguments_flag(struct kb_arguments *arguments, const char *name, int flag)
{
    kb_arguments_text(arguments, name, flag != 0 ? "true" : NULL);
}
