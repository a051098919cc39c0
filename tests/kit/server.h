/*
 * server.h: the upstream of tests/upstream as a process, directed from a C test.
 *
 * It is looked for in $KB_BUILD, else $BUILD, else build/. Its manual is tests/upstream/admin.h.
 */
#ifndef KB_TESTS_SERVER_H
#define KB_TESTS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct server {
    pid_t pid; /* 0: none */
    unsigned port;
};

bool server_there(void);

/* Starts one with these options, up to a NULL, and waits until it listens. Aborts if that does not come. It ends
 * with this process at the latest. */
void server_start(struct server *server, const char *const *options);
void server_stop(struct server *server);

/* Any request to it. The answer's body with a final NUL, to be freed; NULL if the status is not 200 or nothing came. */
char *server_ask(const struct server *server, const char *method, const char *path, const char *body, size_t len);

/* Another state for a key, by its name. Aborts if it is refused. */
void server_set(const struct server *server, const char *key, const char *state);
/* Scripts an answer: the arguments of /admin/answer, and its body. Aborts if it is refused. */
void server_script(const struct server *server, const char *arguments, const char *body);
void server_script_bytes(const struct server *server, const char *arguments, const char *body, size_t len);
/* Takes all scripted answers back. */
void server_unscript(const struct server *server);

/* A figure of a key ("seen", "ok", "refused", "first_ms", "last_ms"). Aborts if there is none. */
uint64_t server_stat(const struct server *server, const char *key, const char *figure);
/* "connections" or "unknown". */
uint64_t server_count(const struct server *server, const char *figure);
/* The last requests as JSON, one a line; to be freed. */
char *server_log(const struct server *server);

#endif
