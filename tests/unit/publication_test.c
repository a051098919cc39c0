#include "broker/publication.h"

#include "http/service.h"
#include "tests/kit/kit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* From the JSON file to what a worker reads. */

static char path[] = "/tmp/keybroker-publication-XXXXXX";
static struct kb_config config;
static struct kb_config_error error;
static char warnings[2048];
static struct kit kit;
static kb_client *client;

static void set_up(void)
{
    const int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
    kit_start(&kit, 0);
    cr_assert_eq(kb_open(kit.name, &client), 0);
}

static void tear_down(void)
{
    kb_config_free(&config);
    kb_close(client);
    kit_stop(&kit);
    (void)unlink(path);
}

TestSuite(publication, .init = set_up, .fini = tear_down, .timeout = 60);

static void collect(void *arg, const char *file, unsigned line, const char *message)
{
    const size_t used = strlen(warnings);
    (void)arg;
    cr_assert_null(strstr(message, "sekrit"));
    if (file != NULL && strstr(message, "set nowhere") == NULL)
        (void)snprintf(warnings + used, sizeof warnings - used, "%u: %s\n", line, message);
}

static int load(const char *text)
{
    const struct kb_config_sources sources = {.json_file = path};
    FILE *file = fopen(path, "w");
    cr_assert(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
    kb_config_free(&config);
    warnings[0] = '\0';
    return kb_config_load(&config, &sources, collect, NULL, &error);
}

/* Brings it in and reads what the pool's workers are told. */
static const char *told(const char *pool)
{
    static char text[KB_SERVICE_MAX + 1];
    struct kb_keys_change change;
    cr_assert_eq(kit_apply(&kit, &config, &change), 0);
    cr_assert_gt(kb_pool_service(client, pool, text, sizeof text, NULL), 0);
    return text;
}

Test(publication, names_the_service_and_what_the_file_has)
{
    cr_assert_eq(load("{\"pools\":{\"a\":{\"env\":\"A\",\"service\":\"acme\",\"fallback\":[\"rate\",\"auth\"]},\n"
                      "\"b\":{\"env\":\"A\"},\n\"c\":{\"env\":\"A\",\"fallback\":[],\"service\":\"suno\"}},\n"
                      "\"services\":{\"acme\":{ \"base_url\" : \"https://a.example/\" }}}"),
                 0);
    cr_assert_str_eq(warnings, "");
    cr_assert_str_eq(told("a"), "{\"service\":\"acme\",\"fallback\":[\"auth\",\"rate\"],"
                                "\"definition\":{ \"base_url\" : \"https://a.example/\" }}");
    cr_assert_str_eq(told("b"), "{\"service\":\"b\"}");
    cr_assert_str_eq(told("c"), "{\"service\":\"suno\",\"fallback\":[]}");
}

Test(publication, is_what_the_reader_reads)
{
    cr_assert_eq(load("{\"pools\":{\"suno\":{\"fallback\":[\"auth\"]}},\n"
                      "\"services\":{\"suno\":{\"base_url\":\"http://127.0.0.1:8080/\",\n\"rules\":"
                      "[{\"status\":418,\"outcome\":\"rate\"}]}}}"),
                 0);
    cr_assert_str_eq(warnings, "");
    const char *text = told("suno");
    struct kb_service *service = kb_service_parse(text, strlen(text));
    cr_assert_not_null(service, "%s", text);
    cr_assert_str_eq(service->name, "suno");
    cr_assert_str_eq(service->base_url, "http://127.0.0.1:8080");
    cr_assert_eq(service->fallback, KB_FALLBACK(KB_OUTCOME_AUTH));
    cr_assert_eq(service->rules[0].status_min, 418);
    kb_service_free(service);
}

Test(publication, has_room_for_the_longest_names_and_definition)
{
    static const char name[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    static char text[KB_SERVICE_DEFINITION_MAX + 500];
    const int used = snprintf(text, sizeof text,
                              "{\"pools\":{\"%s\":{\"env\":\"A\",\"fallback\":[\"auth\",\"quota\",\"rate\"]}},"
                              "\"services\":{\"%s\":{",
                              name, name);
    memset(text + used, ' ', KB_SERVICE_DEFINITION_MAX - 2);
    strcpy(text + used + KB_SERVICE_DEFINITION_MAX - 2, "}}}");
    cr_assert_eq(load(text), 0, "%s", error.message);
    const char *published = told(name);
    cr_assert_gt(strlen(published), KB_SERVICE_DEFINITION_MAX + KB_NAME_MAX);
    struct kb_service *service = kb_service_parse(published, strlen(published));
    cr_assert_not_null(service);
    kb_service_free(service);
}

Test(publication, of_a_service_no_pool_uses_is_a_warning)
{
    cr_assert_eq(load("{\"services\":{\n\"stability\":{},\n\"acme\":{\"base_url\":\"http://a.example\"},\n\"b\":{}},"
                      "\"pools\":{\"a\":{\"env\":\"A\",\"service\":\"b\"}}}"),
                 0);
    cr_assert_str_eq(warnings, "2: no pool uses this service\n3: no pool uses this service\n");
}

Test(publication, of_plain_http_to_another_host_is_a_warning)
{
    cr_assert_eq(load("{\"pools\":{\"a\":{\"env\":\"A\",\"service\":\"acme\"},\"l\":{\"env\":\"A\"}},\n\"services\":{"
                      "\n\"acme\":{\"base_url\":\"http://a.example/sekrit\"},"
                      "\n\"l\":{\"base_url\":\"http://localhost:1\"}}}"),
                 0);
    cr_assert_str_eq(warnings, "3: keys of this service go to another host unencrypted: its URL is plain http\n");
}

Test(publication, of_an_error_leaves_what_was_published)
{
    cr_assert_eq(load("{\"pools\":{\"a\":{\"env\":\"A\"}},\"services\":{\"a\":{\"key\":{\"query\":\"k\"}}}}"), 0);
    cr_assert_not_null(strstr(told("a"), "\"query\":\"k\""));
    cr_assert_eq(load("{\"pools\":{\"a\":{\"env\":\"A\"}},\n\"services\":{\"a\":{\"key\":{\"query\":\"&\"}}}}"), -1);
    cr_assert_eq(error.line, 2);
    char text[KB_SERVICE_MAX + 1];
    cr_assert_gt(kb_pool_service(client, "a", text, sizeof text, NULL), 0);
    cr_assert_not_null(strstr(text, "\"query\":\"k\""));
}
