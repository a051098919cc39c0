/*
 * call.h: the table of calls, and what a call is made of.
 *
 * A call's arguments go through one check, whoever gives them: unknown names, names given twice, what is missing, and
 * each value by its line of the table (param.h); then the call's own check of what depends on several of them. Only
 * then does it run.
 */
#ifndef KB_HTTP_CALL_H
#define KB_HTTP_CALL_H

#include "http/param.h"
#include "keybroker/call.h"

#include <stdio.h>

enum { KB_CALL_PARAMS_MAX = 40 }; /* lines of a call's table */

struct kb_call_values;

/* A call, constant. */
struct kb_call_spec {
    const char *name;              /* "suno.generate_music" */
    const char *service;           /* "suno": also its pool, where none is named */
    const char *summary;           /* one line, for people */
    const struct kb_param *params; /* up to one without a name */
    const char *variant;           /* the argument that chooses the variant; NULL: there is one only */
    /* What the table cannot say; NULL: nothing. False fills error (KB_PARAM_ERROR_SIZE bytes). */
    bool (*check)(const struct kb_call_values *values, char *error);
    int (*run)(kb_http *http, const struct kb_call_values *values, const kb_call_settings *settings,
               kb_call_result *result);
};

/* The calls in the order of their help, i from 0; NULL behind the last. */
const struct kb_call_spec *kb_call_at(size_t i);
/* The call of this name, or NULL. */
const struct kb_call_spec *kb_call_find(const char *name);
/* The (first) line of this name, where "_" and "-" are the same; NULL: the call has no such argument. */
const struct kb_param *kb_call_param(const struct kb_call_spec *spec, const char *name);

/* Arguments that were checked. Texts are borrowed from the arguments and the table. */
struct kb_call_values {
    const struct kb_call_spec *spec;
    unsigned variant;                     /* number of the choice; 0 where there are no variants */
    const char *text[KB_CALL_PARAMS_MAX]; /* by line of the table; NULL: not given, not of this variant */
    bool given[KB_CALL_PARAMS_MAX];       /* false: the preset, or nothing */
};

/* Checks the arguments. False fills error (KB_PARAM_ERROR_SIZE bytes). */
bool kb_call_check(const struct kb_call_spec *spec, const kb_call_arg *args, size_t arg_count,
                   struct kb_call_values *values, char *error);

/* The value of this argument (presets included), or NULL; whether it was given. The name is one of the table's. */
const char *kb_call_value(const struct kb_call_values *values, const char *name);
bool kb_call_given(const struct kb_call_values *values, const char *name);
bool kb_call_true(const struct kb_call_values *values, const char *name);

/*
 * The fields of the values that are sent, as members of a JSON object ("a":1,"b":"x", no comma at the ends, returns
 * how many) and as parts of a form (returns their number, at most KB_CALL_PARAMS_MAX).
 */
size_t kb_call_write_fields(FILE *out, const struct kb_call_values *values);
size_t kb_call_parts(const struct kb_call_values *values, kb_http_part *parts);

/* Performs a request of a call: settings, and the headers they add, laid over it. Fills result->answer. */
int kb_call_perform(kb_http *http, const struct kb_call_values *values, const kb_call_settings *settings,
                    kb_http_request *request, kb_call_result *result);

/* Turns an answered call into one that failed: outcome and error (printf's). */
void kb_call_fail(kb_call_result *result, kb_outcome outcome, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
