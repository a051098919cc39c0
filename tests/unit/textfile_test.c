#include "broker/textfile.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/keybroker-textfile-XXXXXX";
static char path[64];
static struct kb_arena arena;
static struct kb_textfile file;
static struct kb_config_error error;

static void set_up(void)
{
    cr_assert_not_null(mkdtemp(directory));
    cr_assert_eq(chmod(directory, 0755), 0);
    (void)snprintf(path, sizeof path, "%s/file", directory);
}

static void tear_down(void)
{
    kb_arena_free(&arena);
    (void)unlink(path);
    (void)rmdir(directory);
}

TestSuite(textfile, .init = set_up, .fini = tear_down, .timeout = 60);

static void write_file(const char *text, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, len), (ssize_t)len);
    cr_assert_eq(close(fd), 0);
}

static void expect_text(const char *text, size_t len)
{
    cr_assert_eq(kb_textfile_read(&file, path, &arena, &error), 0, "%s", error.message);
    cr_assert_eq(file.len, len);
    cr_assert_eq(memcmp(file.text, text, len), 0);
    cr_assert_eq(file.text[len], '\0');
}

static void expect_error(const char *part)
{
    cr_assert_eq(kb_textfile_read(&file, path, &arena, &error), -1);
    cr_assert_str_eq(error.file, path);
    cr_assert_eq(error.line, 0);
    cr_assert_not_null(strstr(error.message, part), "%s", error.message);
}

Test(textfile, is_read_whole)
{
    static char large[1 << 20];
    memset(large, 'x', sizeof large);
    write_file("", 0);
    expect_text("", 0);
    write_file("a\0b\n", 4);
    expect_text("a\0b\n", 4);
    write_file(large, sizeof large);
    expect_text(large, sizeof large);
}

Test(textfile, loses_one_byte_order_mark)
{
    write_file("\xef\xbb\xbfx", 4);
    expect_text("x", 1);
    write_file("\xef\xbb\xbf", 3);
    expect_text("", 0);
    write_file("\xef\xbb\xbf\xef\xbb\xbf", 6);
    expect_text("\xef\xbb\xbf", 3);
    write_file("\xef\xbb", 2);
    expect_text("\xef\xbb", 2);
}

Test(textfile, is_a_regular_file)
{
    expect_error("cannot be opened: No such file");
    cr_assert_eq(mkdir(path, 0755), 0);
    expect_error("is a directory");
    cr_assert_eq(rmdir(path), 0);
    cr_assert_eq(mkfifo(path, 0644), 0);
    expect_error("is no regular file");
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(symlink("/dev/zero", path), 0);
    expect_error("is no regular file");
}

Test(textfile, must_be_readable)
{
    write_file("x", 1);
    cr_assert_eq(chmod(path, 0), 0);
    bool root = geteuid() == 0;
    cr_assert(!root || seteuid(65534) == 0);
    expect_error("cannot be opened: Permission denied");
    cr_assert(!root || seteuid(0) == 0);
}

Test(textfile, has_32_mib_at_most)
{
    write_file("", 0);
    cr_assert_eq(truncate(path, (off_t)KB_TEXTFILE_MAX + 1), 0);
    expect_error("is larger than 33554432 bytes");
    cr_assert_eq(truncate(path, (off_t)KB_TEXTFILE_MAX), 0);
    cr_assert_eq(kb_textfile_read(&file, path, &arena, &error), 0);
    cr_assert_eq(file.len, KB_TEXTFILE_MAX);
}
