#include "broker/definition.h"

#include "http/service.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct kb_definitions definitions;
static struct kb_config_error error;
static char json[64 * 1024]; /* what was read last; definitions point into it */

static int read_json(const char *text)
{
    (void)snprintf(json, sizeof json, "%s", text);
    const struct kb_textfile file = {.text = json, .len = strlen(json)};
    error = (struct kb_config_error){0};
    kb_definitions_init(&definitions);
    int rc = kb_definitions_read(&definitions, "FILE", &file, &error);
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

static void expect_service(const char *name, const char *text, unsigned line)
{
    const struct kb_definition_service *service = kb_definitions_service(&definitions, name);
    cr_assert_not_null(service, "%s", name);
    cr_assert_eq(service->len, strlen(text));
    cr_assert_eq(memcmp(service->text, text, service->len), 0, "%.*s", (int)service->len, service->text);
    cr_assert_eq(service->line, line);
}

Test(definition_service, may_stand_before_or_after_the_pools_as_it_is_written)
{
    static const char *const texts[] = {
        "{\"services\":{\"acme\":{ \"rules\" : [] },\n\"suno\":{}},\"pools\":{\"a\":{\"env\":\"A\"}}}",
        "{\"pools\":{\"a\":{\"env\":\"A\"}},\"services\":{\"acme\":{ \"rules\" : [] },\n\"suno\":{}}}",
    };
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(read_json(texts[i]), 0);
        cr_assert_eq(definitions.n, 3);
        cr_assert_eq(definitions.n_services, 2);
        expect_service("acme", "{ \"rules\" : [] }", 1);
        expect_service("suno", "{}", 2);
        cr_assert_null(kb_definitions_service(&definitions, "stability"));
    }
    cr_assert_eq(read_json("{\"services\":{}}"), 0);
    cr_assert_eq(definitions.n_services, 0);
}

Test(definition_service, that_is_wrong_is_an_error_with_its_line)
{
    expect_error("{\"services\":\n[]}", 2, "an object must stand here");
    expect_error("{\"services\":{\n\"a\":1}}", 2, "an object must stand here");
    expect_error("{\"services\":{\"a\":{\n\"base_url\":\"sekrit\"}}}", 2, "a base URL must stand here");
    expect_error("{\"services\":{\"a\":{\n\"sekrit\":1}}}", 2, "unknown member: what may stand here is \"base_url\"");
    expect_error("{\"services\":{\"a\":{\"rules\":[\n{\"status\":400,\n\"outcome\":\"sekrit\"}]}}}", 3,
                 "an outcome must stand here");
    expect_error("{\"services\":{\"a\":{},\n\"\\u0061\":{}}}", 2, "stands above already");
    expect_error("{\"services\":{},\n\"services\":{}}", 1, "twice");
    expect_error("{\"services\":{\n\"a b\":{}}}", 2, "a name must stand here");
    expect_error("{\"services\":{\n\"a\\u0000\":{}}}", 2, "a name must stand here");
    expect_error("{\"services\":{\n\"\":{}}}", 2, "a name must stand here");
}

Test(definition_service, has_a_name_with_dots_if_it_likes)
{
    cr_assert_eq(read_json("{\"services\":{\"kie.ai\":{}},\"pools\":{\"k\":{\"env\":\"A\",\"service\":\"kie.ai\"}}}"),
                 0);
    cr_assert_str_eq(definitions.list[2].service, "kie.ai");
    expect_error("{\"pools\":{\"k.i\":{\"env\":\"A\"}}}", 1, "a name must stand here");
}

Test(definition_service, tells_when_keys_would_go_unencrypted_to_another_host)
{
    cr_assert_eq(read_json("{\"services\":{\"a\":{\"base_url\":\"http://a.example\"},"
                           "\"b\":{\"base_url\":\"http://127.0.0.1:9\"},"
                           "\"c\":{\"probe\":{\"url\":\"http://a.example/\"}},"
                           "\"d\":{\"base_url\":\"https://a.example\"},\"e\":{}}}"),
                 0);
    static const bool open[] = {true, false, true, false, false};
    for (unsigned i = 0; i < 5; i++)
        cr_assert_eq(definitions.services[i].open_to_all, open[i], "%s", definitions.services[i].name);
}

static int read_many(unsigned n)
{
    static char text[8192];
    size_t used = (size_t)snprintf(text, sizeof text, "{\"services\":{");
    for (unsigned i = 0; i < n; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s\"s%u\":{}", i > 0 ? ",\n" : "", i);
    (void)snprintf(text + used, sizeof text - used, "}}");
    return read_json(text);
}

Test(definition_service, stands_beside_63_others_at_most)
{
    cr_assert_eq(read_many(64), 0);
    cr_assert_eq(definitions.n_services, 64);
    cr_assert_eq(read_many(65), -1);
    cr_assert_eq(error.line, 65);
    cr_assert_str_eq(error.message, "more than 64 services");
}

Test(definition_service, that_cannot_be_published_is_too_long)
{
    static char text[KB_SERVICE_DEFINITION_MAX + 100];
    for (int extra = 0; extra < 2; extra++) {
        const int used = snprintf(text, sizeof text, "{\n\"services\":{\"a\":{");
        memset(text + used, ' ', (size_t)(KB_SERVICE_DEFINITION_MAX - 2 + extra));
        strcpy(text + used + KB_SERVICE_DEFINITION_MAX - 2 + extra, "}}}");
        if (extra == 0)
            cr_assert_eq(read_json(text), 0, "%s", error.message);
        else
            expect_error(text, 2, "longer than 16000 bytes");
    }
}

Test(definition_service, a_pools_fallback_is_its_own)
{
    cr_assert_eq(read_json("{\"pools\":{\"suno\":{\"fallback\":[\"auth\",\"rate\"]},\"stability\":{\"fallback\":[]},"
                           "\"a\":{\"env\":\"A\"}}}"),
                 0);
    cr_assert(definitions.list[0].fallback.named);
    cr_assert_eq(definitions.list[0].fallback.bits, KB_FALLBACK(KB_OUTCOME_AUTH) | KB_FALLBACK(KB_OUTCOME_RATE));
    cr_assert(definitions.list[1].fallback.named && definitions.list[1].fallback.bits == 0);
    cr_assert_not(definitions.list[2].fallback.named);
    expect_error("{\"pools\":{\"suno\":{\n\"fallback\":\"auth\"}}}", 2, "a list of outcomes must stand here");
    expect_error("{\"pools\":{\"suno\":{\"fallback\":[\"auth\",\n\"client\"]}}}", 2, "a list of outcomes");
}
