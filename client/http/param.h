/*
 * param.h: one line of a call's table of arguments, and the check of a value against it.
 *
 * A call may come in variants, chosen by one of its arguments ("model", "operation"): bit i of a mask is its choice i.
 * An argument whose rules differ between variants has several lines of the same name, one after the other, with masks
 * that do not overlap; the first has the help.
 */
#ifndef KB_HTTP_PARAM_H
#define KB_HTTP_PARAM_H

#include <stdbool.h>
#include <stddef.h>

enum kb_param_type {
    KB_PARAM_TEXT,
    KB_PARAM_INTEGER,
    KB_PARAM_NUMBER,
    KB_PARAM_BOOLEAN,
    KB_PARAM_CHOICE,
    KB_PARAM_FILE, /* path of a file to send */
    KB_PARAM_OUT   /* path of a file to write */
};

#define KB_ALWAYS (~0u) /* the mask of all variants */

struct kb_param {
    const char *name;
    const char *field; /* what upstream calls it; NULL: it is not sent as it is */
    enum kb_param_type type;
    double min, max;     /* characters of a text, or the value of a number; both 0: any (of a text: at least 1) */
    double step;         /* a number is a multiple of it; 0: any */
    const char *choices; /* between '|' */
    const char *preset;  /* the value where none is given; NULL: none */
    unsigned in;         /* mask: the variants that take it; 0: all */
    unsigned required;   /* mask: the variants that cannot do without */
    const char *help;    /* NULL: this line goes on the one before */
};

#define KB_PARAM_ERROR_SIZE 256

/* Checks the value; false fills error (KB_PARAM_ERROR_SIZE bytes), which begins with the argument's name. */
bool kb_param_check(const struct kb_param *param, const char *text, char *error);

/* The place of text among choices, or -1. */
int kb_param_choice(const char *choices, const char *text);
/* UTF-8 characters of text, or -1 if it is no UTF-8. */
long kb_param_characters(const char *text);
/* "text", "integer", "number", "true|false", "file", …: for people. */
const char *kb_param_type_name(enum kb_param_type type);

#endif
