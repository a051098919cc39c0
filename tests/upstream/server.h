/*
 * server.h: what the parts of this upstream share while it runs.
 */
#ifndef KB_UPSTREAM_SERVER_H
#define KB_UPSTREAM_SERVER_H

#include "keys.h"
#include "log.h"
#include "script.h"

struct kb_upstream {
    struct kb_upstream_keys *keys;
    struct kb_upstream_scripts *scripts;
    struct kb_upstream_log *log;
    const char *key_header; /* a header or a query parameter that may hold the key; NULL: none */
    const char *key_query;
    int delay_ms; /* before every answer but an admin's */
    int stop_fd;  /* an eventfd: readable once the server ends, which cuts every delay short */
};

#endif
