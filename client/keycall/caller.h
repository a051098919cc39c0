/*
 * caller.h: the process that makes the call, and the one that waits for it. No request can be stopped in its middle,
 * but a process can: a signal ends the one that makes it, and the other clears up what it left.
 */
#ifndef KB_KEYCALL_CALLER_H
#define KB_KEYCALL_CALLER_H

/* Makes the call; returns an exit code. */
typedef int kb_caller_make(void *arg);

/*
 * Runs make(arg) in a child process and returns its exit code. SIGINT, SIGTERM, SIGHUP and SIGQUIT kill the child:
 * parts of the file `out` (NULL: none) are then removed, and 128 + the signal's number is returned. The child does not
 * outlive this process.
 */
int kb_caller_run(kb_caller_make *make, void *arg, const char *out);

#endif
