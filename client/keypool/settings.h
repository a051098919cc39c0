/*
 * settings.h: what keypool was asked to do, as master and workers use it.
 */
#ifndef KB_KEYPOOL_SETTINGS_H
#define KB_KEYPOOL_SETTINGS_H

#include "keybroker/http.h"

#define KB_WORKERS_MAX 256

struct kb_settings {
    kb_client *client; /* opened before the first fork, used by every worker */
    kb_http *http;     /* likewise */
    const char *pool;
    int workers;         /* 1..KB_WORKERS_MAX */
    int wait_ms;         /* for keys, in all, per job */
    int timeout_ms;      /* of one request */
    int call_timeout_ms; /* the same of a call; 0: its own */
};

#endif
