/*
 * print.h: how keycall tells what came of a call.
 */
#ifndef KB_KEYCALL_PRINT_H
#define KB_KEYCALL_PRINT_H

#include "keycall/options.h"

/* The findings on stdout and what went wrong on stderr, or with --json all of it on stdout. wait_ms: after how long to
 * look again if no key was available, -1: not known. */
void kb_call_print(const struct kb_call_options *options, int code, const kb_call_result *result, int wait_ms);

/* A kb_call_progress: a line on stderr. */
int kb_call_print_progress(void *arg, const char *findings);

#endif
