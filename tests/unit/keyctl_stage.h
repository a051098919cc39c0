/* keyctl_stage.h: a segment, a client of it, and running a command of keyctl there without the program. */
#ifndef KB_TESTS_KEYCTL_STAGE_H
#define KB_TESTS_KEYCTL_STAGE_H

#include "keyctl/command.h"
#include "tests/kit/kit.h"
#include "text/json.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct kit kit;
static kb_client *client;
static char *shown; /* by the last command */
static struct kb_json *doc;

static inline void start(void)
{
    kit_start(&kit, 4);
    cr_assert_eq(kb_open(kit.name, &client), 0);
}

static inline void stop(void)
{
    kb_json_free(doc);
    free(shown);
    kb_close(client);
    kit_stop(&kit);
}

/* Runs a command and keeps what it shows. */
static inline int run(const struct kb_command *command, bool json, const char *pool, const char *key)
{
    const struct kb_ctl_options told = {.name = kit.name, .json = json, .words = {pool, key}};
    FILE *const terminal = stdout;
    size_t size;
    free(shown);
    shown = NULL;
    stdout = open_memstream(&shown, &size);
    const int code = command->run(&told);
    fclose(stdout);
    stdout = terminal;
    return code;
}

/* Runs it with --json and parses what it shows into doc. */
static inline void run_json(const struct kb_command *command, const char *pool)
{
    struct kb_json_error error = {0, NULL};
    cr_assert_eq(run(command, true, pool, NULL), KB_EXIT_DONE);
    cr_assert_str_not_empty(shown);
    cr_assert_eq(strchr(shown, '\n'), shown + strlen(shown) - 1, "one line");
    kb_json_free(doc);
    doc = kb_json_parse(shown, strlen(shown), &error);
    cr_assert_not_null(doc, "%s", error.what);
}

static inline int element(int array, unsigned n)
{
    int at = kb_json_first(doc, array);
    while (n-- > 0)
        at = kb_json_next(doc, at);
    return at;
}

static inline int64_t number(int object, const char *name)
{
    int64_t value;
    cr_assert(kb_json_integer(doc, kb_json_member(doc, object, name), &value), "%s", name);
    return value;
}

static inline bool is_null(int object, const char *name)
{
    const int value = kb_json_member(doc, object, name);
    return value >= 0 && kb_json_type(doc, value) == KB_JSON_NULL;
}

static inline void says(int object, const char *name, const char *text)
{
    cr_assert(kb_json_equals(doc, kb_json_member(doc, object, name), text), "%s is not %s in %s", name, text, shown);
}

#endif
