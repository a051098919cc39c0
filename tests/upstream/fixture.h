/*
 * fixture.h: what the tests of requests against a real upstream share: upstream with three keys, a broker that has
 * them as its one pool, and an HTTP handle. Everything is of this test's own; stop() ends it.
 */
#ifndef KB_UPSTREAM_FIXTURE_H
#define KB_UPSTREAM_FIXTURE_H

#include "keybroker/http.h"
#include "tests/kit/broker.h"
#include "tests/kit/child.h"
#include "tests/kit/server.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A part of every secret that no escaping changes: whatever holds a secret holds this. */
#define MARK         "7f3aMARK9c21"
#define SECRET(name) "sk-" name "-" MARK "/with+signs=1"
enum { KEYS = 3, POOL = 0 };

static const char *const key_names[KEYS] = {"one", "two", "three"};
static struct server server;
static struct broker broker;
static kb_client *client;
static kb_http *http;
static kb_http_answer answer;
static const char *pool;
static char said[4096]; /* the notes, one a line */

/* Formats into one of a few texts of its own. */
__attribute__((format(printf, 1, 2))) static inline const char *text(const char *format, ...)
{
    static char texts[4][4096];
    static unsigned next;
    char *out = texts[next++ % 4];
    va_list args;
    va_start(args, format);
    vsnprintf(out, sizeof texts[0], format, args);
    va_end(args);
    return out;
}

static inline void note(void *arg, const char *line)
{
    const size_t len = strlen(said);
    (void)arg;
    snprintf(said + len, sizeof said - len, "%s\n", line);
}

/* The configuration of the pool: more members of its service ("key", "rules", …) and of itself, each with a comma in
 * front, or "". */
static inline const char *configuration(const char *service_members, const char *pool_members)
{
    return text("{\"services\":{\"%s\":{\"base_url\":\"http://127.0.0.1:%u\"%s}},"
                "\"pools\":{\"%s\":{\"env\":\"TEST_KEYS\",\"service\":\"%s\"%s}}}",
                pool, server.port, service_members, pool, pool, pool_members);
}

/* What a process needs to ask: also one forked off, which then calls this itself. */
static inline void open_http(void)
{
    cr_assert_eq(kb_open(broker.name, &client), 0);
    cr_assert_eq(kb_http_open(client, &http), 0);
    kb_http_on_note(http, note, NULL);
}

/* The pool, its service of the same name, and upstream with these options besides its keys. */
static inline void start_with(const char *name, const char *service_members, const char *pool_members,
                              const char *const *options)
{
    const char *all[16] = {"--key", "one=" SECRET("one") ":good",     "--key", "two=" SECRET("two") ":good",
                           "--key", "three=" SECRET("three") ":good", NULL};
    if (!server_there() || !broker_there())
        cr_skip_test("upstream or keybrokerd is not built here");
    for (int i = 0; options && options[i]; i++)
        all[6 + i] = options[i];
    pool = name;
    setenv("no_proxy", "127.0.0.1,localhost", 1);
    server_start(&server, all);
    cr_assert(broker_start(&broker, "TEST_KEYS=" SECRET("one") "," SECRET("two") "," SECRET("three") "\n",
                           configuration(service_members, pool_members)));
    open_http();
}

static inline void start(const char *name)
{
    start_with(name, "", "", NULL);
}

static inline void stop(void)
{
    kb_http_answer_clear(&answer);
    kb_http_close(http);
    kb_close(client);
    broker_clean(&broker);
    server_stop(&server);
}

static inline int ask(kb_http_request request)
{
    kb_http_answer_clear(&answer);
    memset(&answer, 0, sizeof answer);
    if (!request.pool)
        request.pool = pool;
    return kb_http_perform(http, &request, &answer);
}

/* Requests that came with a key. */
static inline uint64_t seen(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < KEYS; i++)
        sum += server_stat(&server, key_names[i], "seen");
    return sum;
}

static inline unsigned available(void)
{
    kb_pool_status status = {.total = 0};
    cr_assert_eq(kb_status(client, pool, &status), 0);
    return status.available;
}

/* The key of the last answer. */
static inline struct broker_key last_key(void)
{
    return broker_key(&broker, POOL, answer.fingerprint);
}

/* Whether anything the library gave out holds any part of a secret that matters. */
static inline bool leaked(void)
{
    bool found = strstr(said, MARK) || strstr(answer.rule, MARK) || (answer.error && strstr(answer.error, MARK));
    found = found || (answer.body && memmem(answer.body, answer.body_len, MARK, strlen(MARK)));
    for (size_t i = 0; i < answer.header_count; i++)
        found = found || strstr(answer.headers[i].name, MARK) || strstr(answer.headers[i].value, MARK);
    return found;
}

/* A path in a folder that goes with the broker; how many files there have names that begin so. */
static inline const char *file_path(const char *name)
{
    return text("%s/%s", broker.folder, name);
}
static inline unsigned files_like(const char *name)
{
    unsigned count = 0;
    DIR *folder = opendir(broker.folder);
    cr_assert_not_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));)
        count += strncmp(entry->d_name, name, strlen(name)) == 0;
    closedir(folder);
    return count;
}

#endif
