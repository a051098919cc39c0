#include "broker/config.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Every secret of these tests begins with this, and no message may hold it. */
#define S "sekrit-"

static char directory[] = "/tmp/keybroker-config-XXXXXX";
static char env_path[64], env2_path[64], json_path[64];
static const char *env_files[2] = {env_path, env2_path};
static struct kb_environment environment;
static struct kb_config_sources sources;
static struct kb_config config;
static struct kb_config_error error;
static char warnings[8192];

static void set_up(void)
{
    cr_assert_not_null(mkdtemp(directory));
    cr_assert_eq(chmod(directory, 0755), 0);
    (void)snprintf(env_path, sizeof env_path, "%s/env", directory);
    (void)snprintf(env2_path, sizeof env2_path, "%s/env2", directory);
    (void)snprintf(json_path, sizeof json_path, "%s/json", directory);
    unsetenv("SUNO_API_KEY");
    unsetenv("STABILITY_KEY");
}

static void tear_down(void)
{
    kb_config_free(&config);
    kb_environment_free(&environment);
    (void)unlink(env_path);
    (void)unlink(env2_path);
    (void)unlink(json_path);
    (void)rmdir(directory);
}

TestSuite(config, .init = set_up, .fini = tear_down, .timeout = 60);

static void write_bytes(const char *path, const void *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, bytes, len), (ssize_t)len);
    cr_assert_eq(close(fd), 0);
}

static void write_text(const char *path, const char *text)
{
    write_bytes(path, text, strlen(text));
}

static void check_message(const char *file, const char *message)
{
    cr_assert_null(strstr(message, "sekrit"), "a message holds a secret: %s", message);
    cr_assert(file == NULL || strcmp(file, "environment") == 0 || strncmp(file, directory, strlen(directory)) == 0);
}

static void collect(void *arg, const char *file, unsigned line, const char *message)
{
    check_message(file, message);
    cr_assert_eq(arg, &config);
    if (strstr(message, "swapped out") == NULL) { /* depends on the machine */
        const char *base = file != NULL ? strrchr(file, '/') : NULL;
        size_t used = strlen(warnings);
        (void)snprintf(warnings + used, sizeof warnings - used, "%s:%u: %s\n", base != NULL ? base + 1 : file, line,
                       message);
    }
}

static int load(void)
{
    warnings[0] = '\0';
    kb_config_free(&config);
    kb_environment_free(&environment);
    cr_assert_eq(kb_environment_take(&environment), 0);
    sources.env_files = env_files;
    sources.environment = &environment;
    int rc = kb_config_load(&config, &sources, collect, &config, &error);
    cr_assert_eq(rc, error.message[0] != '\0' ? -1 : 0);
    check_message(error.file, error.message);
    cr_assert(rc == 0 || (config.n_pools == 0 && config.arena.blocks == NULL));
    return rc;
}

static int load_env_bytes(const void *text, size_t len)
{
    write_bytes(env_path, text, len);
    sources.n_env_files = 1;
    return load();
}

static int load_env(const char *text)
{
    return load_env_bytes(text, strlen(text));
}

static int load_json(const char *text)
{
    write_text(json_path, text);
    sources.json_file = json_path;
    return load();
}

static void expect_error(const char *path, unsigned line, const char *part)
{
    cr_assert_str_eq(error.file, path);
    cr_assert_eq(error.line, line, "line %u: %s", error.line, error.message);
    cr_assert_not_null(strstr(error.message, part), "%s", error.message);
}

static void expect_warning(const char *part)
{
    cr_assert_not_null(strstr(warnings, part), "expected: %s\nwarned:\n%s", part, warnings);
}

/* The pool's keys, written with commas behind each. */
static void expect_pool(unsigned index, const char *name, const char *keys)
{
    char text[256] = "";
    cr_assert_lt(index, config.n_pools);
    const struct kb_config_pool *pool = &config.pools[index];
    cr_assert_str_eq(pool->name, name);
    for (unsigned i = 0; i < pool->n_keys; i++) {
        cr_assert_eq(strlen(pool->keys[i].secret), pool->keys[i].len);
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s,", pool->keys[i].secret);
    }
    cr_assert_str_eq(text, keys);
}

Test(config, of_nothing_has_no_pools_and_a_warning)
{
    cr_assert_eq(load(), 0);
    cr_assert_eq(config.n_pools, 0);
    expect_warning("no pools");
    sources.environment = NULL;
    cr_assert_eq(kb_config_load(&config, &sources, NULL, NULL, &error), 0, "nobody needs to listen");
}

Test(config, reads_both_pools_in_order)
{
    cr_assert_eq(load_env("STABILITY_KEY=" S "3\nSUNO_API_KEY=" S "1, " S "2\n"), 0);
    cr_assert_eq(config.n_pools, 2);
    expect_pool(0, "suno", S "1," S "2,");
    expect_pool(1, "stability", S "3,");
    cr_assert_str_eq(warnings, "");
    cr_assert_str_eq(config.pools[0].service, "suno");
    cr_assert_str_eq(config.pools[0].env, "SUNO_API_KEY");
    cr_assert_str_eq(config.pools[0].keys[1].file, env_path);
    cr_assert_eq(config.pools[0].keys[1].line, 2);
    cr_assert_eq(config.pools[0].line, 2);
    /* printf %s sekrit-1 | sha256sum */
    cr_assert_str_eq(config.pools[0].keys[0].fingerprint, "k60963baa8a4f");
}

Test(config, reads_dotenv_habits)
{
    cr_assert_eq(load_env("\xef\xbb\xbf# keys\r\nexport SUNO_API_KEY = \"" S "1,\r\n " S
                          "2\" # two\r\nSTABILITY_KEY='" S "3'\r\n"),
                 0);
    expect_pool(0, "suno", S "1," S "2,");
    expect_pool(1, "stability", S "3,");
    cr_assert_str_eq(warnings, "");
    cr_assert_eq(config.pools[0].keys[1].line, 2);
}

Test(config, has_empty_pools_for_variables_without_keys)
{
    static const char *const empty[] = {"SUNO_API_KEY=\n", "SUNO_API_KEY=,\n", "SUNO_API_KEY=\" ,\t, ,\n\"\n"};
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        cr_assert_eq(load_env(empty[i]), 0);
        cr_assert_eq(config.n_pools, 1);
        expect_pool(0, "suno", "");
        cr_assert_str_eq(warnings, "env:1: pool suno: its variable holds no key\n");
    }
}

Test(config, lets_the_last_file_win_and_any_file_the_environment)
{
    setenv("SUNO_API_KEY", S "e1", 1);
    setenv("STABILITY_KEY", S "e2", 1);
    cr_assert_eq(load_env("SUNO_API_KEY=" S "0\nSUNO_API_KEY=" S "1\n"), 0);
    expect_pool(0, "suno", S "1,");
    expect_pool(1, "stability", S "e2,");
    cr_assert_str_eq(config.pools[1].keys[0].file, "environment");
    cr_assert_eq(config.pools[1].keys[0].line, 0);
    write_text(env2_path, "SUNO_API_KEY=\n");
    sources.n_env_files = 2;
    cr_assert_eq(load(), 0);
    expect_pool(0, "suno", "");
}

Test(config, takes_its_variables_out_of_the_environment)
{
    setenv("SUNO_API_KEY", S "1", 1);
    setenv("STABILITY_KEY", S "2", 1);
    setenv("OTHER_KEY", S "3", 1);
    cr_assert_eq(load(), 0);
    cr_assert_eq(config.n_pools, 2);
    cr_assert(getenv("SUNO_API_KEY") == NULL && getenv("STABILITY_KEY") == NULL);
    cr_assert_str_eq(getenv("OTHER_KEY"), S "3");

    /* A reload whose JSON file names the variable only now. */
    static const char json[] = "{\"pools\":{\"x\":{\"env\":\"OTHER_KEY\"}}}";
    write_text(json_path, json);
    sources.json_file = json_path;
    kb_config_free(&config);
    cr_assert_eq(kb_config_load(&config, &sources, collect, &config, &error), 0);
    expect_pool(0, "suno", S "1,");
    expect_pool(2, "x", S "3,");
    cr_assert_null(getenv("OTHER_KEY"));
}

#define LOAD_BYTES(text) load_env_bytes(text, sizeof(text) - 1)

Test(config, refuses_keys_that_cannot_be_held_and_names_the_place)
{
    cr_assert_eq(LOAD_BYTES("\n\nSUNO_API_KEY=" S "1," S "\0x\n"), -1);
    expect_error(env_path, 3, "pool suno: item 2 holds a NUL byte");
    char text[5100] = "#\nSTABILITY_KEY=" S;
    memset(text + strlen(text), 'x', 5000);
    cr_assert_eq(load_env(text), -1);
    expect_error(env_path, 2, "pool stability: item 1 is longer");
    setenv("STABILITY_KEY", S "a b", 1);
    sources.n_env_files = 0;
    cr_assert_eq(load(), -1);
    expect_error("environment", 0, "pool stability: item 1 holds white space");
}

Test(config, only_warns_of_nul_bytes_elsewhere)
{
    cr_assert_eq(LOAD_BYTES("# \0\nOTHER=" S "\0\nSUNO_API_KEY=" S "\0\nSUNO_API_KEY=" S "1\n\0\n"), 0);
    expect_pool(0, "suno", S "1,");
    cr_assert_str_eq(warnings, "env:1: a NUL byte in a comment\nenv:2: a NUL byte in a value that is not used\n"
                               "env:3: a NUL byte in a value that is not used\n"
                               "env:5: no assignment, comment or blank line: skipped\n");
}

Test(config, warns_of_odd_lines_without_their_text_and_not_for_ever)
{
    cr_assert_eq(load_env(S "1\nSUNO_API_KEY " S "2\n"), 0);
    expect_warning("env:2: no assignment");
    char text[2 * 1000 + 1];
    memset(text, '\n', sizeof text);
    text[sizeof text - 1] = '\0';
    for (size_t i = 0; i < sizeof text - 1; i += 2)
        text[i] = '?';
    cr_assert_eq(load_env(text), 0);
    expect_warning("env:100: no assignment");
    expect_warning("the others are left out");
    cr_assert_null(strstr(warnings, "env:101:"));
    expect_warning("no pools");
}

Test(config, needs_every_file_it_is_given)
{
    sources.n_env_files = 2;
    write_text(env_path, "SUNO_API_KEY=" S "1\n");
    cr_assert_eq(load(), -1);
    expect_error(env2_path, 0, "No such file");
    sources.n_env_files = 1;
    sources.json_file = json_path;
    cr_assert_eq(load(), -1);
    expect_error(json_path, 0, "No such file");
    sources.json_file = directory;
    cr_assert_eq(load(), -1);
    expect_error(directory, 0, "is a directory");
    sources.json_file = NULL;
    cr_assert_eq(load(), 0);
}

Test(config, needs_valid_json)
{
    cr_assert_eq(load_json("{\"pools\":\n{\"a\":{\"env\":\"A\",}}}"), -1);
    expect_error(json_path, 2, "cannot be read as JSON: a member's name is missing");
    cr_assert_eq(load_json(""), -1);
    expect_error(json_path, 1, "the text is empty");
    cr_assert_eq(load_json("\xef\xbb\xbf{}"), 0);
}

Test(config, has_the_pools_of_the_json_file_even_without_keys)
{
    cr_assert_eq(load_json("{\"pools\":{\"a\":{\"env\":\"KB_TEST_A\"},\n\"suno\":{\"service\":\"other\"}}}"), 0);
    cr_assert_eq(config.n_pools, 2);
    expect_pool(0, "suno", "");
    expect_pool(1, "a", "");
    cr_assert_str_eq(config.pools[0].service, "other");
    cr_assert_str_eq(config.pools[0].file, json_path);
    cr_assert_eq(config.pools[0].line, 2);
    cr_assert_str_eq(warnings, "json:2: pool suno: its variable is set nowhere\n"
                               "json:1: pool a: its variable is set nowhere\n");
}

Test(config, gives_a_shared_variable_to_each_of_its_pools)
{
    write_text(env_path, "SHARED=" S "1," S "2\n");
    sources.n_env_files = 1;
    cr_assert_eq(load_json("{\"pools\":{\"a\":{\"env\":\"SHARED\"},\"b\":{\"env\":\"SHARED\"}}}"), 0);
    expect_pool(0, "a", S "1," S "2,");
    expect_pool(1, "b", S "1," S "2,");
    cr_assert_str_eq(warnings, "");
}

Test(config, holds_4096_keys_in_each_of_64_pools_and_no_more)
{
    FILE *json = fopen(json_path, "w"), *env = fopen(env_path, "w");
    cr_assert(json != NULL && env != NULL);
    for (unsigned pool = 0; pool < KB_POOLS; pool++) {
        fprintf(json, "%s\"p%u\":{\"env\":\"V%u\"}", pool == 0 ? "{\"pools\":{" : ",", pool, pool);
        fprintf(env, "V%u=", pool);
        for (unsigned key = 0; key < KB_KEYS; key++)
            fprintf(env, S "%u-%u,", pool, key);
        fprintf(env, S "%u-0\n", pool); /* repeated: not one too many */
    }
    fputs("}}", json);
    cr_assert(fclose(json) == 0 && fclose(env) == 0);
    sources.json_file = json_path;
    sources.n_env_files = 1;
    cr_assert_eq(load(), 0);
    cr_assert_eq(config.n_pools, KB_POOLS);
    for (unsigned pool = 0; pool < KB_POOLS; pool++)
        cr_assert_eq(config.pools[pool].n_keys, KB_KEYS);
    cr_assert_str_eq(config.pools[63].keys[4095].secret, S "63-4095");

    write_text(env2_path, "SUNO_API_KEY=" S "1\n");
    sources.n_env_files = 2;
    cr_assert_eq(load(), -1);
    expect_error(json_path, 0, "more than 64 pools");
}
