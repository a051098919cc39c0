#include "../../broker/config.h"

#include "../../broker/textfile.h"

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
    write_bytes(json_path, text, strlen(text));
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

Test(config, takes_one_key)
{
    cr_assert_eq(load_env("SUNO_API_KEY=" S "1"), 0);
    cr_assert_eq(config.n_pools, 1);
    expect_pool(0, "suno", S "1,");
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

Test(config, drops_empty_and_repeated_items)
{
    cr_assert_eq(load_env("\nSUNO_API_KEY=," S "1, ," S "2," S "1,\n"), 0);
    expect_pool(0, "suno", S "1," S "2,");
    cr_assert_str_eq(warnings,
                     "env:2: pool suno: item 1 is empty: dropped\nenv:2: pool suno: item 3 is empty: dropped\n"
                     "env:2: pool suno: item 5 repeats a key: dropped\nenv:2: pool suno: item 6 is empty: dropped\n");
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
    write_bytes(env2_path, "SUNO_API_KEY=\n", 14);
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
    write_bytes(json_path, "{\"pools\":{\"x\":{\"env\":\"OTHER_KEY\"}}}", 37);
    sources.json_file = json_path;
    kb_config_free(&config);
    cr_assert_eq(kb_config_load(&config, &sources, collect, &config, &error), 0);
    expect_pool(0, "suno", S "1,");
    expect_pool(2, "x", S "3,");
    cr_assert_null(getenv("OTHER_KEY"));
}

Test(config, holds_keys_of_4096_bytes_and_refuses_longer_ones)
{
    char text[6000] = "\nSTABILITY_KEY=" S "ok," S;
    size_t head = strlen(text), first = strlen(S);
    memset(text + head, 'x', KB_SECRET_MAX - first);
    cr_assert_eq(load_env(text), 0);
    cr_assert_eq(config.pools[0].keys[1].len, KB_SECRET_MAX);
    cr_assert_eq(strlen(config.pools[0].keys[1].secret), KB_SECRET_MAX);
    memset(text + head, 'x', KB_SECRET_MAX - first + 1);
    cr_assert_eq(load_env(text), -1);
    expect_error(env_path, 2, "item 2 is longer");
    memset(text + head, 'x', 5000 - first);
    cr_assert_eq(load_env(text), -1);
    expect_error(env_path, 2, "item 2 is longer");
}

#define LOAD_BYTES(text) load_env_bytes(text, sizeof(text) - 1)

Test(config, refuses_keys_no_header_can_carry)
{
    cr_assert_eq(LOAD_BYTES("\n\nSUNO_API_KEY=" S "\0x\n"), -1);
    expect_error(env_path, 3, "item 1 holds a NUL byte");
    cr_assert_eq(LOAD_BYTES("SUNO_API_KEY=" S "1,\0\n"), -1);
    expect_error(env_path, 1, "item 2 holds a NUL byte");
    static const char *const bad[] = {"a b", "a\tb", "a\x7f", "a\x1b[0m", "a\rb", "a\x01"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "SUNO_API_KEY=" S "%s\n", bad[i]);
        cr_assert_eq(load_env(text), -1);
        expect_error(env_path, 1, "item 1 holds white space or a control character");
    }
    cr_assert_eq(load_env("SUNO_API_KEY=\"" S "1\\n" S "2\"\n"), -1, "lines are not items");
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

Test(config, refuses_files_it_cannot_read)
{
    sources.n_env_files = 1;
    cr_assert_eq(load(), -1);
    expect_error(env_path, 0, "No such file");
    cr_assert_eq(mkdir(env_path, 0755), 0);
    cr_assert_eq(load(), -1);
    expect_error(env_path, 0, "is a directory");
    cr_assert_eq(rmdir(env_path), 0);
    cr_assert_eq(mkfifo(env_path, 0644), 0);
    cr_assert_eq(load(), -1);
    expect_error(env_path, 0, "is no regular file");
    cr_assert_eq(unlink(env_path), 0);
    sources.n_env_files = 0;
    sources.json_file = directory;
    cr_assert_eq(load(), -1);
    expect_error(directory, 0, "is a directory");
    sources.json_file = json_path;
    cr_assert_eq(load(), -1);
    expect_error(json_path, 0, "No such file");
}

Test(config, refuses_files_it_may_not_read)
{
    write_bytes(env_path, "SUNO_API_KEY=" S "1\n", 22);
    cr_assert_eq(chmod(env_path, 0), 0);
    sources.n_env_files = 1;
    bool root = geteuid() == 0;
    cr_assert(!root || seteuid(65534) == 0);
    int rc = load();
    cr_assert(!root || seteuid(0) == 0);
    cr_assert_eq(rc, -1);
    expect_error(env_path, 0, "Permission denied");
}

Test(config, refuses_files_over_32_mib)
{
    write_bytes(env_path, "", 0);
    cr_assert_eq(truncate(env_path, (off_t)KB_TEXTFILE_MAX + 1), 0);
    sources.n_env_files = 1;
    cr_assert_eq(load(), -1);
    expect_error(env_path, 0, "is larger than 33554432 bytes");
}

Test(config, needs_valid_json)
{
    cr_assert_eq(load_json("{\"pools\":\n{\"a\":{\"env\":\"A\",}}}"), -1);
    expect_error(json_path, 2, "not JSON: a member's name is missing");
    cr_assert_eq(load_json(""), -1);
    expect_error(json_path, 1, "the text is empty");
    cr_assert_eq(load_json("\xef\xbb\xbf{}"), 0);
}
