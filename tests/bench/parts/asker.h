/*
 * asker.h: what http_bench compares: ways to send the same request with a key on a connection kept alive.
 */
#ifndef KB_BENCH_ASKER_H
#define KB_BENCH_ASKER_H

enum { BARE_CURL, BARE_CURL_KEYS, LIBRARY, LIBRARY_SUNO, ASKERS };

/* Each asks in a process of its own: the library has libcurl wipe what it frees, a program without it does not. */
struct asker {
    const char *name;
    void (*enter)(void); /* in its process, once */
    void (*ask)(void);   /* one request; aborts unless it goes well */
    void (*leave)(void);
};

extern const struct asker askers[ASKERS];

/* Once, before processes are forked; the server listens on this port. */
void askers_start(unsigned port);
void askers_stop(void);

#endif
