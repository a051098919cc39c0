#include "broker/definition.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct kb_definitions definitions;
static struct kb_config_error error;

static int read_json(const char *text)
{
    char *copy = strdup(text);
    cr_assert_not_null(copy);
    const struct kb_textfile file = {.text = copy, .len = strlen(copy)};
    error = (struct kb_config_error){0};
    kb_definitions_init(&definitions);
    int rc = kb_definitions_read(&definitions, "FILE", &file, &error);
    free(copy);
    cr_assert_eq(rc, error.message[0] != '\0' ? -1 : 0);
    return rc;
}

static void expect_error(const char *text, unsigned line, const char *part)
{
    cr_assert_eq(read_json(text), -1, "%s", text);
    cr_assert_str_eq(error.file, "FILE");
    cr_assert_eq(error.line, line, "line %u: %s", error.line, error.message);
    cr_assert_not_null(strstr(error.message, part), "%s", error.message);
    cr_assert_null(strstr(error.message, "sekrit"), "%s", error.message);
}

static void expect(unsigned index, const char *name, const char *env, const char *service, unsigned line)
{
    cr_assert_lt(index, definitions.n);
    const struct kb_definition *definition = &definitions.list[index];
    cr_assert_str_eq(definition->name, name);
    cr_assert_str_eq(definition->env, env);
    cr_assert_str_eq(definition->service, service);
    cr_assert_eq(definition->line, line);
    cr_assert_eq(definition->declared, line > 0);
}

Test(definition, builds_in_suno_and_stability)
{
    cr_assert_eq(read_json("{}"), 0);
    cr_assert_eq(definitions.n, 2);
    expect(0, "suno", "SUNO_API_KEY", "suno", 0);
    expect(1, "stability", "STABILITY_KEY", "stability", 0);
    cr_assert_eq(read_json("{\"pools\": {}}"), 0);
    cr_assert_eq(definitions.n, 2);
}

Test(definition, comes_from_the_file_in_its_order)
{
    cr_assert_eq(read_json("{\"pools\":{\"b\":{\"env\":\"B\"},\n\"a\":{\"service\":\"openai\",\"env\":\"A_1\"},\n"
                           "\"stability\":{\"env\":\"X\",\"service\":\"s\"},\n\"suno\":{}}}"),
                 0);
    cr_assert_eq(definitions.n, 4);
    expect(0, "suno", "SUNO_API_KEY", "suno", 4);
    expect(1, "stability", "X", "s", 3);
    expect(2, "b", "B", "b", 1);
    expect(3, "a", "A_1", "openai", 2);
}

Test(definition, has_no_unknown_members)
{
    expect_error("{\n\"pool\":{}}", 2, "what may stand here is \"pools\", \"services\"");
    expect_error("{\"pools\":{\"a\":{\"env\":\"A\",\n\n\"sekrit\":1}}}", 3,
                 "what may stand here is \"env\", \"service\", \"fallback\"");
    expect_error("{\"pools\":{\"a\":{\"\":1}}}", 1, "unknown member");
    expect_error("{\"pools\":{\"a\":{\"env\\u0000\":\"A\"}}}", 1, "unknown member");
    expect_error("{\"pools\":{},\n\"env\":\"A\"}", 2, "unknown member");
}

Test(definition, is_given_once)
{
    expect_error("{\"pools\":{\"a\":{\"env\":\"A\"},\n\"\\u0061\":{\"env\":\"B\"}}}", 2, "stands above already");
    expect_error("{\"pools\":{\"suno\":{},\n\"suno\":{}}}", 2, "stands above already");
    expect_error("{\"pools\":{\"a\":{\"env\":\"A\",\"env\":\"A\"}}}", 1, "twice");
    expect_error("{\"pools\":{},\"pools\":{}}", 1, "twice");
}

Test(definition, has_the_types_it_needs)
{
    static const char *const values[] = {"null", "[]", "1", "true", "\"sekrit\"", "1e99999", "[{}]"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[128];
        (void)snprintf(text, sizeof text, "{\"pools\":\n{\"a\":%s}}", values[i]);
        expect_error(text, 2, "an object must stand here");
        (void)snprintf(text, sizeof text, "{\"pools\":\n%s}", values[i]);
        expect_error(text, 2, "an object must stand here");
        expect_error(values[i], 1, "an object must stand here");
        if (values[i][0] == '"')
            continue;
        (void)snprintf(text, sizeof text, "{\"pools\":\n{\"a\":{\"env\":%s}}}", values[i]);
        expect_error(text, 2, "the name of a variable must stand here");
        (void)snprintf(text, sizeof text, "{\"pools\":\n{\"a\":{\"service\":%s}}}", values[i]);
        expect_error(text, 2, "a name must stand here");
    }
    expect_error("{\"pools\":{\n\"a\":{}}}", 2, "needs the member \"env\"");
    expect_error("{\"pools\":{\"a\":{\"service\":\"a\"}}}", 1, "needs the member \"env\"");
}

/* A pool with this name and this variable; `n` characters of each, taken from the start of the text. */
static int read_pool(const char *name, int name_len, const char *env, int env_len)
{
    char text[1024];
    (void)snprintf(text, sizeof text, "{\"pools\":{\"%.*s\":{\"env\":\"%.*s\"}}}", name_len, name, env_len, env);
    return read_json(text);
}

Test(definition, has_names_of_the_right_length_and_characters)
{
    static const char many[] =
        "Aa0_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
        "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    static const char *const bad[] = {"a/b", "../a", "a b", "a.b", "\\u0000", "a\\u0000", "\\u00e4", "a\\n", "%s"};
    cr_assert_eq(read_pool(many, KB_NAME_MAX, many, KB_ENV_MAX), 0);
    cr_assert_eq(strlen(definitions.list[2].name), KB_NAME_MAX);
    cr_assert_eq(strlen(definitions.list[2].env), KB_ENV_MAX);
    cr_assert_eq(read_pool(many, KB_NAME_MAX + 1, "A", 1), -1);
    cr_assert_eq(read_pool("", 0, "A", 1), -1);
    cr_assert_eq(read_pool("a", 1, many, KB_ENV_MAX + 1), -1);
    cr_assert_eq(read_pool("a", 1, "", 0), -1);
    cr_assert_eq(read_pool("-a_", 3, "_9", 2), 0);
    cr_assert_eq(read_pool("a", 1, "9a", 2), -1, "no digit first");
    cr_assert_eq(read_pool("a", 1, "a-b", 3), -1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert_eq(read_pool(bad[i], 99, "A", 1), -1, "%s", bad[i]);
        cr_assert_eq(read_pool("a", 1, bad[i], 99), -1, "%s", bad[i]);
    }
}

static int read_many(unsigned n, const char *extra)
{
    char text[8192];
    size_t used = (size_t)snprintf(text, sizeof text, "{\"pools\":{%s", extra);
    for (unsigned i = 0; i < n; i++)
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "%s\"p%u\":{\"env\":\"V%u\"}", i > 0 ? ",\n" : "", i, i);
    (void)snprintf(text + used, sizeof text - used, "}}");
    return read_json(text);
}

Test(definition, stands_beside_63_others_at_most)
{
    cr_assert_eq(read_many(64, ""), 0);
    cr_assert_eq(definitions.n, 66);
    cr_assert_eq(read_many(65, ""), -1);
    cr_assert_eq(error.line, 65);
    cr_assert_str_eq(error.message, "more than 64 pools");
    cr_assert_eq(read_many(62, "\"suno\":{},\"stability\":{},"), 0);
    cr_assert_eq(read_many(63, "\"suno\":{},\"stability\":{},"), -1);
}

Test(definition, survives_hostile_texts)
{
    static char deep[200000];
    memset(deep, '[', sizeof deep - 1);
    expect_error(deep, 1, "cannot be read as JSON: nested too deep");
    for (size_t i = 0; i + 6 < sizeof deep; i += 5)
        memcpy(deep + i, "{\"a\":", 5);
    expect_error(deep, 1, "cannot be read as JSON");
    expect_error("{\"pools\":{\"a\":{\"env\":123456789012345678901234567890}}}", 1, "the name of a variable");
    static const char whole[] = "{\"pools\":{\"openai\":{\"env\":\"OPENAI_API_KEY\",\"service\":\"openai\"}}}";
    cr_assert_eq(read_json(whole), 0);
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        char text[sizeof whole] = "";
        memcpy(text, whole, len);
        expect_error(text, 1, "cannot be read as JSON");
    }
}
