/*
 * signals.h: the signals that end a run, as something to be read.
 */
#ifndef KB_KEYPOOL_SIGNALS_H
#define KB_KEYPOOL_SIGNALS_H

/*
 * A signalfd, non-blocking, for SIGINT, SIGTERM and SIGHUP; -1 and errno on error. They are blocked
 * from here on, and left so for the workers to ignore before they unblock them.
 */
int kb_signals_open(void);

/* Takes one signal. Returns its number, 0 if there is none. */
int kb_signals_take(int fd);

#endif
