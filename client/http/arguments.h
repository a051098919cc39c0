/*
 * arguments.h: the arguments of a call, put together from the members of a typed struct.
 */
#ifndef KB_HTTP_ARGUMENTS_H
#define KB_HTTP_ARGUMENTS_H

#include "http/call.h"
#include "http/number.h"

struct kb_arguments {
    kb_call_arg list[KB_CALL_PARAMS_MAX];
    size_t count;
    char numbers[KB_CALL_PARAMS_MAX][KB_NUMBER_SIZE];
};

/* Adds one; a NULL text or number is left out. The text is borrowed. */
void kb_arguments_text(struct kb_arguments *arguments, const char *name, const char *text);
void kb_arguments_number(struct kb_arguments *arguments, const char *name, const double *number);
/* Added if not 0. */
void kb_arguments_flag(struct kb_arguments *arguments, const char *name, int flag);

#endif
