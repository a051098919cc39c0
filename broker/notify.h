/*
 * notify.h: telling the service manager, by sd_notify(3)'s protocol: a datagram to $NOTIFY_SOCKET.
 */
#ifndef KB_BROKER_NOTIFY_H
#define KB_BROKER_NOTIFY_H

#include <stdbool.h>

/* "READY=1" and so on. False if there is a socket and it did not take the message; never blocks. */
bool kb_notify(const char *state);

#endif
