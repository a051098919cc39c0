#include "text/json.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct kb_json *parse(const char *text)
{
    struct kb_json_error error;
    struct kb_json *doc = kb_json_parse(text, strlen(text), &error);
    cr_assert_not_null(doc, "%s", text);
    return doc;
}

static void expect_string(const char *text, const char *value, size_t len)
{
    struct kb_json *doc = parse(text);
    char out[64];
    memset(out, 'x', sizeof out);
    cr_assert_eq(kb_json_string(doc, 0, out, len + 1), (ptrdiff_t)len, "%s", text);
    cr_assert_eq(memcmp(out, value, len), 0, "%s", text);
    cr_assert_eq(out[len], '\0');
    cr_assert_eq(out[len + 1], 'x');
    cr_assert_eq(kb_json_string(doc, 0, out, len), -1, "no room for the NUL");
    cr_assert_eq(kb_json_string(doc, 0, out, 0), -1);
    cr_assert_eq(kb_json_equals(doc, 0, value), strlen(value) == len, "%s", text);
    cr_assert_not(kb_json_equals(doc, 0, "something else"));
    kb_json_free(doc);
}

#define EXPECT_STRING(text, value) expect_string(text, value, sizeof(value) - 1)

Test(json_string, decodes_escapes)
{
    EXPECT_STRING("\"\"", "");
    EXPECT_STRING("\"plain\"", "plain");
    EXPECT_STRING("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
    EXPECT_STRING("\"\\u0041\\u00e4\\u20AC\\uFFFF\"", "A\xc3\xa4\xe2\x82\xac\xef\xbf\xbf");
    EXPECT_STRING("\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80");
    EXPECT_STRING("\"\\uDBFF\\uDFFF\"", "\xf4\x8f\xbf\xbf");
    EXPECT_STRING("\"a\\u0000b\"", "a\0b");
    EXPECT_STRING("\"\\u0000\"", "\0");
}

#define FFFD "\xef\xbf\xbd"

Test(json_string, replaces_lone_surrogates)
{
    EXPECT_STRING("\"\\ud83d\"", FFFD);
    EXPECT_STRING("\"\\ude00\"", FFFD);
    EXPECT_STRING("\"\\ud83dx\"", FFFD "x");
    EXPECT_STRING("\"\\ud83d\\n\"", FFFD "\n");
    EXPECT_STRING("\"\\ud83d\\u0041\"", FFFD "A");
    EXPECT_STRING("\"\\ud83d\\ud83d\\ude00\"", FFFD "\xf0\x9f\x98\x80");
    EXPECT_STRING("\"\\ude00\\ud83d\"", FFFD FFFD);
}

Test(json_string, replaces_what_is_no_utf8)
{
    EXPECT_STRING("\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
    EXPECT_STRING("\"\xff\"", FFFD);
    EXPECT_STRING("\"\x80\"", FFFD);
    EXPECT_STRING("\"\xc3\"", FFFD);
    EXPECT_STRING("\"\xc3x\"", FFFD "x");
    EXPECT_STRING("\"\xc0\x80\"", FFFD FFFD);
    EXPECT_STRING("\"\xed\xa0\x80\"", FFFD FFFD FFFD);
    EXPECT_STRING("\"\xf4\x90\x80\x80\"", FFFD FFFD FFFD FFFD);
    EXPECT_STRING("\"\xf0\x9f\x98\"", FFFD FFFD FFFD);
}

Test(json_string, is_for_strings_only)
{
    struct kb_json *doc = parse("[1]");
    char out[8];
    cr_assert_eq(kb_json_string(doc, 1, out, sizeof out), -1);
    cr_assert_eq(kb_json_string(doc, 0, out, sizeof out), -1);
    cr_assert_not(kb_json_equals(doc, 1, "1"));
    kb_json_free(doc);
}

static void expect_written(const char *text, size_t len, const char *json)
{
    char *out = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&out, &size);
    cr_assert_not_null(stream);
    kb_json_write_string(stream, text, len);
    cr_assert_eq(fclose(stream), 0);
    cr_assert_str_eq(out, json);
    free(out);
}

#define EXPECT_WRITTEN(text, json) expect_written(text, sizeof(text) - 1, json)

Test(json_string, is_written_so_that_it_reads_back)
{
    EXPECT_WRITTEN("", "\"\"");
    EXPECT_WRITTEN("plain / text", "\"plain / text\"");
    EXPECT_WRITTEN("a\"b\\c", "\"a\\\"b\\\\c\"");
    EXPECT_WRITTEN("\0\n\r\t\x1b[31m", "\"\\u0000\\n\\u000d\\u0009\\u001b[31m\"");
    EXPECT_WRITTEN("\x7f\xc2\x9b", "\"\\u007f\\u009b\"");
    EXPECT_WRITTEN("\xc3\xa4\xf0\x9f\x98\x80", "\"\xc3\xa4\xf0\x9f\x98\x80\"");
    EXPECT_WRITTEN("x\xffy\xe2\x82", "\"x" FFFD "y" FFFD FFFD "\"");
}

Test(json_string, of_every_byte_is_written_as_json)
{
    for (int first = 0; first < 256; first++) {
        for (int second = 0; second < 256; second++) {
            char text[2] = {(char)first, (char)second}, decoded[16], *out = NULL;
            size_t size = 0;
            FILE *stream = open_memstream(&out, &size);
            cr_assert_not_null(stream);
            kb_json_write_string(stream, text, sizeof text);
            cr_assert_eq(fclose(stream), 0);
            struct kb_json *doc = parse(out);
            ptrdiff_t len = kb_json_string(doc, 0, decoded, sizeof decoded);
            if (first < 0x80 && second < 0x80)
                cr_assert(len == 2 && memcmp(decoded, text, 2) == 0, "%02x %02x", (unsigned)first, (unsigned)second);
            cr_assert(len >= 1 && len <= 6);
            kb_json_free(doc);
            free(out);
        }
    }
}
