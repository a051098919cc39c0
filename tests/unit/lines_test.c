#include "keypool/lines.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Lines over a pipe that holds text, at its end. */
static struct kb_lines lines_of(const char *text, size_t len, size_t line_max)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(write(ends[1], text, len), (ssize_t)len);
    close(ends[1]);
    return (struct kb_lines){.fd = ends[0], .line_max = line_max};
}

static enum kb_line next(struct kb_lines *lines, const char **text, size_t *len)
{
    enum kb_line line;
    while ((line = kb_lines_next(lines, text, len)) == KB_LINE_NONE && !lines->at_end)
        cr_assert_eq(kb_lines_read(lines), 0);
    return line;
}

static void expect(struct kb_lines *lines, uint64_t number, const char *expected)
{
    const char *text;
    size_t len;
    cr_assert_eq(next(lines, &text, &len), KB_LINE_WHOLE, "no line '%s'", expected);
    cr_assert(len == strlen(expected) && memcmp(text, expected, len) == 0, "'%.*s' is not '%s'", (int)len, text,
              expected);
    cr_assert_eq(lines->number, number);
}

static void expect_end(struct kb_lines *lines)
{
    const char *text;
    size_t len;
    cr_assert_eq(next(lines, &text, &len), KB_LINE_NONE);
    close(lines->fd);
    kb_lines_clear(lines);
}

Test(lines, blank_lines_are_skipped_and_counted)
{
    struct kb_lines lines = lines_of("one\n\n \t\r\ntwo\r\n", 14, 100);
    expect(&lines, 1, "one");
    expect(&lines, 4, "two\r");
    cr_assert_eq(lines.taken, 14);
    expect_end(&lines);
}

Test(lines, the_last_line_needs_no_newline)
{
    struct kb_lines lines = lines_of("one\ntwo", 7, 100);
    expect(&lines, 1, "one");
    expect(&lines, 2, "two");
    expect_end(&lines);
}

Test(lines, a_line_that_is_not_all_there_is_not_taken)
{
    int ends[2];
    const char *text;
    size_t len;
    cr_assert_eq(pipe(ends), 0);
    struct kb_lines lines = {.fd = ends[0], .line_max = 100};
    cr_assert_eq(write(ends[1], "one\ntw", 6), 6);
    cr_assert_eq(kb_lines_read(&lines), 0);
    expect(&lines, 1, "one");
    cr_assert_eq(kb_lines_next(&lines, &text, &len), KB_LINE_NONE);
    cr_assert_eq(lines.taken, 4);
    cr_assert_eq(kb_lines_bytes(&lines), 6);
    cr_assert_eq(write(ends[1], "o\n", 2), 2);
    cr_assert_eq(kb_lines_read(&lines), 0);
    expect(&lines, 2, "two");
    close(ends[1]);
    expect_end(&lines);
}

Test(lines, a_line_at_the_limit_is_taken_and_one_beyond_told)
{
    const char *text;
    size_t len;
    struct kb_lines lines = lines_of("12345\n123456\nnext", 17, 5);
    expect(&lines, 1, "12345");
    cr_assert_eq(next(&lines, &text, &len), KB_LINE_TOO_LONG);
    cr_assert_eq(lines.number, 2);
    expect(&lines, 3, "next");
    expect_end(&lines);
}

Test(lines, a_long_line_is_told_once_however_it_comes)
{
    int ends[2];
    const char *text;
    size_t len;
    cr_assert_eq(pipe(ends), 0);
    struct kb_lines lines = {.fd = ends[0], .line_max = 10};
    for (int i = 0; i < 5; i++) {
        cr_assert_eq(write(ends[1], "xxxxxxxx", 8), 8);
        cr_assert_eq(kb_lines_read(&lines), 0);
        cr_assert_eq(kb_lines_next(&lines, &text, &len), i == 1 ? KB_LINE_TOO_LONG : KB_LINE_NONE);
    }
    cr_assert_eq(write(ends[1], "x\nnext\n", 7), 7);
    cr_assert_eq(kb_lines_read(&lines), 0);
    expect(&lines, 2, "next");
    cr_assert_eq(lines.taken, 47);
    close(ends[1]);
    expect_end(&lines);
}

Test(lines, many_reads_make_one_line)
{
    enum { LONG = 40000, COUNT = 9 };
    static char chunk[LONG];
    int ends[2];
    const char *text;
    size_t len;
    memset(chunk, 'x', sizeof(chunk));
    cr_assert_eq(pipe(ends), 0);
    struct kb_lines lines = {.fd = ends[0], .line_max = (size_t)LONG * COUNT};
    for (int i = 0; i < COUNT; i++) {
        cr_assert_eq(write(ends[1], chunk, LONG), LONG);
        cr_assert_eq(kb_lines_read(&lines), 0);
        cr_assert_eq(kb_lines_next(&lines, &text, &len), KB_LINE_NONE);
    }
    cr_assert_eq(write(ends[1], "\n", 1), 1);
    cr_assert_eq(next(&lines, &text, &len), KB_LINE_WHOLE);
    cr_assert_eq(len, (size_t)LONG * COUNT);
    cr_assert(text[0] == 'x' && text[len - 1] == 'x');
    close(ends[1]);
    expect_end(&lines);
}

Test(lines, a_read_that_fails_says_why)
{
    struct kb_lines lines = {.fd = -1, .line_max = 10};
    cr_assert_eq(kb_lines_read(&lines), EBADF);
    kb_lines_clear(&lines);
}
