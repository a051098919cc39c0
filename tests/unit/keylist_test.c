#include "broker/keylist.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct kb_config_pool pool;
static struct kb_arena arena;
static struct kb_config_error error;
static char warnings[1024];

static void collect(void *arg, const char *file, unsigned line, const char *message)
{
    size_t used = strlen(warnings);
    (void)arg;
    cr_assert_str_eq(file, "FILE");
    cr_assert_eq(line, 7);
    (void)snprintf(warnings + used, sizeof warnings - used, "%s\n", message);
}

static int read_bytes(const char *text, size_t len)
{
    char *copy = malloc(len); /* of the exact size, for the sanitizers */
    cr_assert(len == 0 || copy != NULL);
    memcpy(copy, text, len);
    const struct kb_value value = {.text = copy, .len = len, .file = "FILE", .line = 7};
    struct kb_config_warnings listener = {.warn = collect};
    pool = (struct kb_config_pool){.name = "p"};
    warnings[0] = '\0';
    kb_arena_free(&arena);
    int rc = kb_keylist_read(&pool, &value, &arena, &listener, &error);
    free(copy);
    return rc;
}

static void clean_up(void)
{
    kb_arena_free(&arena);
}

TestSuite(keylist, .fini = clean_up);

#define READ(text) read_bytes(text, sizeof(text) - 1)

/* The keys, written with a bar behind each. */
static void expect_keys(const char *keys)
{
    char text[256] = "";
    for (unsigned i = 0; i < pool.n_keys; i++) {
        cr_assert_eq(pool.keys[i].secret[pool.keys[i].len], '\0');
        cr_assert_str_eq(pool.keys[i].file, "FILE");
        cr_assert_eq(pool.keys[i].line, 7);
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s|", pool.keys[i].secret);
    }
    cr_assert_str_eq(text, keys);
}

Test(keylist, is_split_at_commas_and_trimmed)
{
    cr_assert_eq(READ("k1"), 0);
    expect_keys("k1|");
    cr_assert_eq(READ(" k1,k2\t,\r\n\v\fk3 "), 0);
    expect_keys("k1|k2|k3|");
    cr_assert_eq(READ("a=b,\"c\",\xc3\xa4\xff"), 0);
    expect_keys("a=b|\"c\"|\xc3\xa4\xff|");
    cr_assert_str_eq(warnings, "");
}

Test(keylist, without_keys_warns_once)
{
    static const char *const empty[] = {"", " ", ",", ",,,,", " , ,\n,\t"};
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        cr_assert_eq(read_bytes(empty[i], strlen(empty[i])), 0);
        expect_keys("");
        cr_assert_str_eq(warnings, "pool p: its variable holds no key\n");
    }
}

Test(keylist, drops_empty_and_repeated_items)
{
    cr_assert_eq(READ(",k1, ,k2, k1 ,"), 0);
    expect_keys("k1|k2|");
    cr_assert_str_eq(warnings, "pool p: item 1 is empty: dropped\npool p: item 3 is empty: dropped\n"
                               "pool p: item 5 repeats a key: dropped\npool p: item 6 is empty: dropped\n");
}

Test(keylist, holds_keys_of_4096_bytes_and_refuses_longer_ones)
{
    char text[5004] = "ok,";
    memset(text + 3, 'x', 5000);
    cr_assert_eq(read_bytes(text, 3 + KB_SECRET_MAX), 0);
    cr_assert_eq(pool.n_keys, 2);
    cr_assert_eq(pool.keys[1].len, KB_SECRET_MAX);
    cr_assert_eq(strlen(pool.keys[1].secret), KB_SECRET_MAX);
    cr_assert_eq(read_bytes(text, 3 + KB_SECRET_MAX + 1), -1);
    cr_assert_str_eq(error.message, "pool p: item 2 is longer than 4096 bytes");
    cr_assert_eq(read_bytes(text, 3 + 5000), -1);
    text[3 + KB_SECRET_MAX] = ' ';
    cr_assert_eq(read_bytes(text, 3 + KB_SECRET_MAX + 1), 0, "white space is not part of the key");
}

Test(keylist, refuses_bytes_no_header_can_carry)
{
    for (int c = 0; c < 256; c++) {
        char text[] = "k1,k?2,k3";
        text[4] = (char)c;
        bool bad = c < 0x21 || c == 0x7F;
        cr_assert_eq(read_bytes(text, sizeof text - 1), bad ? -1 : 0, "byte %d", c);
        if (bad)
            cr_assert_str_eq(error.message, c == 0 ? "pool p: item 2 holds a NUL byte"
                                                   : "pool p: item 2 holds white space or a control character");
        cr_assert(!bad || (error.line == 7 && strcmp(error.file, "FILE") == 0));
    }
    cr_assert_eq(READ("\0"), -1);
    cr_assert_eq(READ("k1,\0"), -1);
}

Test(keylist, holds_4096_keys_and_refuses_one_more)
{
    static char text[KB_KEYS * 8 + 16];
    size_t used = 0;
    for (unsigned i = 0; i < KB_KEYS; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "k%u,", i);
    cr_assert_eq(read_bytes(text, used - 1), 0);
    cr_assert_eq(pool.n_keys, KB_KEYS);
    cr_assert_str_eq(warnings, "");
    memcpy(text + used, "k0", 2);
    cr_assert_eq(read_bytes(text, used + 2), 0, "a repeated key does not count");
    memcpy(text + used, "one", 3);
    cr_assert_eq(read_bytes(text, used + 3), -1);
    cr_assert_str_eq(error.message, "pool p: item 4097 is one key more than the 4096 a pool may have");
}
