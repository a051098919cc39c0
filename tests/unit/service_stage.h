/*
 * service_stage.h: services read from definitions in a test.
 */
#ifndef KB_TESTS_SERVICE_STAGE_H
#define KB_TESTS_SERVICE_STAGE_H

#include "http/service.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* JSON in these tests is written with ' for ". */

static inline char *json_of(const char *quoted)
{
    char *json = strdup(quoted);
    cr_assert_not_null(json);
    for (char *at = json; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    return json;
}

static struct kb_service_error error;
static unsigned line;

/* The definition of a service as the configuration has it. What it borrows is gone when this returns. */
static inline struct kb_service *definition(const char *name, const char *quoted)
{
    struct kb_json_error syntax;
    char *json = json_of(quoted);
    struct kb_json *doc = kb_json_parse(json, strlen(json), &syntax);
    cr_assert_not_null(doc, "%s", quoted);
    error = (struct kb_service_error){-2, NULL};
    struct kb_service *service = kb_service_read(name, doc, 0, &error);
    cr_assert_eq(service == NULL, error.what != NULL, "%s", quoted);
    line = kb_json_line(doc, error.token);
    kb_json_free(doc);
    memset(json, '#', strlen(json));
    free(json);
    return service;
}

static inline struct kb_service *published(const char *quoted)
{
    char *json = json_of(quoted);
    struct kb_service *service = kb_service_parse(json, strlen(json));
    memset(json, '#', strlen(json));
    free(json);
    return service;
}

static inline void expect_error(const char *quoted, unsigned on_line, const char *part)
{
    struct kb_service *service = definition("acme", quoted);
    cr_assert_null(service, "%s", quoted);
    cr_assert_not_null(strstr(error.what, part), "%s: %s", quoted, error.what);
    cr_assert_eq(line, on_line, "%s: line %u", quoted, line);
    cr_assert_null(strstr(error.what, "sekrit"));
}

/* A definition with this member. */
static inline void expect_refused(const char *member, const char *const *values, size_t n, const char *part)
{
    for (size_t i = 0; i < n; i++) {
        char text[512];
        (void)snprintf(text, sizeof text, member, values[i]);
        expect_error(text, 1, part);
    }
}

#define REFUSED(member, part, ...)                                                                                     \
    do {                                                                                                               \
        static const char *const values[] = {__VA_ARGS__};                                                             \
        expect_refused(member, values, sizeof values / sizeof *values, part);                                          \
    } while (0)

#endif
