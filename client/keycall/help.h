/*
 * help.h: what keycall says of itself and of calls. All of it is from the table of calls (http/call.h).
 */
#ifndef KB_KEYCALL_HELP_H
#define KB_KEYCALL_HELP_H

#include "keycall/options.h"

/* On stdout: all of it, a service's calls, or a call's arguments, as far as was named. */
void kb_call_help(const struct kb_call_options *options);

#endif
