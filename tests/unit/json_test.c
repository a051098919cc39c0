#include "text/json.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct kb_json_error error;

/* Parses a copy that ends where the text ends, so that sanitizers see a read behind it. */
static struct kb_json *parse(const char *text, size_t len, char **copy)
{
    *copy = malloc(len);
    cr_assert(len == 0 || *copy != NULL);
    if (len > 0)
        memcpy(*copy, text, len);
    error = (struct kb_json_error){0};
    return kb_json_parse(*copy, len, &error);
}

static bool accepts_bytes(const char *text, size_t len)
{
    char *copy;
    struct kb_json *doc = parse(text, len, &copy);
    bool accepted = doc != NULL;
    kb_json_free(doc);
    free(copy);
    cr_assert_eq(accepted, error.what == NULL, "an error is told if and only if there is one");
    return accepted;
}

static bool accepts(const char *text)
{
    return accepts_bytes(text, strlen(text));
}

Test(json, takes_what_the_grammar_allows)
{
    static const char *const good[] = {
        "{}",
        "[]",
        " \t\r\n{ } ",
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1",
        "-10.5e+3",
        "0.0",
        "1E9",
        "1e-400",
        "\"\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\uD83D\\ude00\\uD800\"",
        "[1,\"a\",null,[],{}]",
        "{\"a\":{\"b\":[1,2]},\"c\":3}",
        "{\"\":0,\"\":1}",
        "\"\x7f\"",
        "\"\xc3\xa4\"",
        "\"\xff\"",
        "123456789012345678901234567890123456789012345678901234567890",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_assert(accepts(good[i]), "%s: %s", good[i], error.what);
}

Test(json, refuses_what_jsmn_would_let_pass)
{
    static const char *const bad[] = {
        "",
        " ",
        "nul",
        "nulls",
        "True",
        "tru e",
        "NaN",
        "Infinity",
        "-",
        "+1",
        "01",
        "-01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x10",
        "1 2",
        "{} {}",
        "[1,]",
        "[,1]",
        "[,]",
        "[1 2]",
        "[1:2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\" 1}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\":1 \"b\":2}",
        "{a:1}",
        "{1:2}",
        "{\"a\",\"b\"}",
        "{\"a\":1:2}",
        "{\"a\"::1}",
        "{[]:1}",
        "[}",
        "{]",
        "[[]",
        "]",
        "}",
        "[]]",
        "{}}",
        ":",
        ",",
        "'a'",
        "\"a",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\",
        "\"\n\"",
        "\"\t\"",
        "\"\x1f\"",
        "[1]//",
        "/**/[]",
        "\xef\xbb\xbf{}",
        "\xff",
        "[\v]",
        "[\f]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_not(accepts(bad[i]), "%s", bad[i]);
    cr_assert_not(accepts_bytes("[1]\0", 4), "a NUL behind the value");
    cr_assert_not(accepts_bytes("\"a\0b\"", 5), "a NUL in a string");
    cr_assert_not(accepts_bytes("\"\\\0\"", 4), "a NUL as an escape");
    cr_assert_not(accepts_bytes("[\0]", 3), "a NUL for a value");
}

Test(json, refuses_a_text_cut_at_any_byte)
{
    static const char text[] = "{\"pools\": {\"a\\u0041\": {\"env\": \"X\", \"n\": [-1.5e+3, true, false, null, {}]}}}";
    cr_assert(accepts(text));
    for (size_t len = 0; len < sizeof text - 1; len++)
        cr_assert_not(accepts_bytes(text, len), "the first %zu bytes", len);
}

Test(json, refuses_deep_nests_and_takes_those_at_the_limit)
{
    enum { DEEP = 1000000 };
    char *text = malloc(2 * DEEP);
    cr_assert_not_null(text);
    memset(text, '[', DEEP);
    memset(text + DEEP, ']', DEEP);
    cr_assert(accepts_bytes(text + DEEP - KB_JSON_DEPTH_MAX, 2 * KB_JSON_DEPTH_MAX));
    cr_assert_not(accepts_bytes(text + DEEP - KB_JSON_DEPTH_MAX - 1, 2 * KB_JSON_DEPTH_MAX + 2));
    cr_assert_not(accepts_bytes(text, 2 * DEEP));
    cr_assert_str_eq(error.what, "nested too deep");
    cr_assert_not(accepts_bytes(text, DEEP));
    for (size_t i = 0; i + 5 <= DEEP; i += 5)
        memcpy(text + i, "{\"a\":", 5);
    cr_assert_not(accepts_bytes(text, DEEP));
    free(text);
}

Test(json, counts_depth_not_brackets)
{
    char text[3 * 2 * KB_JSON_DEPTH_MAX + 1];
    for (size_t i = 0; i < sizeof text - 1; i += 3)
        memcpy(text + i, i % 2 == 0 ? ",[]" : ",{}", 3);
    text[0] = '[';
    text[sizeof text - 1] = ']';
    cr_assert(accepts_bytes(text, sizeof text), "%s", error.what);
}

Test(json, refuses_more_tokens_than_it_would_hold)
{
    size_t len = 2 * ((size_t)KB_JSON_TOKENS_MAX - 1) + 1; /* "[0,0,...,0]": the array and TOKENS_MAX - 1 zeros */
    char *text = malloc(len + 2);
    cr_assert_not_null(text);
    for (size_t i = 0; i < len + 2; i++)
        text[i] = i % 2 == 0 ? ',' : '0';
    text[0] = '[';
    text[len - 1] = ']';
    cr_assert(accepts_bytes(text, len));
    text[len - 1] = ',';
    text[len + 1] = ']';
    cr_assert_not(accepts_bytes(text, len + 2));
    cr_assert_str_eq(error.what, "too many values");
    free(text);
}

Test(json, refuses_a_text_over_its_size)
{
    static const char nothing[1];
    cr_assert_null(kb_json_parse(nothing, (size_t)KB_JSON_SIZE_MAX + 1, &error));
    cr_assert_str_eq(error.what, "the text is too large");
}

Test(json, names_the_line_of_an_error)
{
    cr_assert_not(accepts("{\n\"a\": 1,\n\n\"b\": x\n}"));
    cr_assert_eq(error.line, 4);
    cr_assert_not(accepts("x"));
    cr_assert_eq(error.line, 1);
    cr_assert_not(accepts("[\r\n1,\r\n"));
    cr_assert_eq(error.line, 3);
}

Test(json, walks_siblings_and_members)
{
    static const char text[] = "{\"a\": [1, [2, {\"x\": 3}], 4],\n \"b\": {},\n \"a\": \"last\"}";
    struct kb_json *doc = kb_json_parse(text, strlen(text), &error);
    cr_assert_not_null(doc);
    cr_assert_eq(kb_json_type(doc, 0), KB_JSON_OBJECT);
    cr_assert_eq(kb_json_size(doc, 0), 3);
    int a = kb_json_first(doc, 0), b = kb_json_next(doc, a), c = kb_json_next(doc, b);
    cr_assert(kb_json_equals(doc, a, "a") && kb_json_equals(doc, b, "b") && kb_json_equals(doc, c, "a"));
    cr_assert_eq(kb_json_next(doc, c), -1);
    cr_assert_eq(kb_json_line(doc, a), 1);
    cr_assert_eq(kb_json_line(doc, c), 3);
    cr_assert_eq(kb_json_size(doc, a), 0, "a name holds nothing");
    cr_assert_eq(kb_json_first(doc, a), -1);

    int array = kb_json_value(doc, a);
    cr_assert_eq(kb_json_size(doc, array), 3);
    cr_assert_eq(kb_json_next(doc, array), -1, "a value has no sibling");
    int one = kb_json_first(doc, array), nest = kb_json_next(doc, one), four = kb_json_next(doc, nest);
    int64_t number;
    cr_assert(kb_json_integer(doc, four, &number) && number == 4);
    cr_assert_eq(kb_json_next(doc, four), -1);
    cr_assert_eq(kb_json_value(doc, four), -1);
    int object = kb_json_next(doc, kb_json_first(doc, nest));
    cr_assert(kb_json_integer(doc, kb_json_member(doc, object, "x"), &number) && number == 3);

    cr_assert(kb_json_equals(doc, kb_json_member(doc, 0, "a"), "last"));
    cr_assert_eq(kb_json_member(doc, 0, "last"), -1, "a value is no name");
    cr_assert_eq(kb_json_member(doc, array, "x"), -1);
    cr_assert_eq(kb_json_first(doc, kb_json_member(doc, 0, "b")), -1);
    kb_json_free(doc);
}

Test(json, takes_no_token_for_null)
{
    struct kb_json *doc = kb_json_parse("[]", 2, &error);
    cr_assert_not_null(doc);
    static const int outside[] = {-1, 1, 1000000, INT32_MIN};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        int token = outside[i];
        int64_t number;
        bool boolean;
        char text[8];
        size_t len = 9;
        cr_assert_eq(kb_json_type(doc, token), KB_JSON_NULL);
        cr_assert_eq(kb_json_line(doc, token), 0);
        cr_assert_eq(kb_json_size(doc, token), 0);
        cr_assert_eq(kb_json_first(doc, token), -1);
        cr_assert_eq(kb_json_next(doc, token), -1);
        cr_assert_eq(kb_json_value(doc, token), -1);
        cr_assert_eq(kb_json_member(doc, token, ""), -1);
        cr_assert_eq(kb_json_string(doc, token, text, sizeof text), -1);
        cr_assert_not(kb_json_equals(doc, token, ""));
        cr_assert_not(kb_json_integer(doc, token, &number));
        cr_assert_not(kb_json_bool(doc, token, &boolean));
        cr_assert_str_eq(kb_json_raw(doc, token, &len), "");
        cr_assert_eq(len, 0);
    }
    kb_json_free(doc);
    kb_json_free(NULL);
}

static void expect_integer(const char *text, bool good, int64_t value)
{
    struct kb_json *doc = kb_json_parse(text, strlen(text), &error);
    int64_t out = 77;
    cr_assert_not_null(doc, "%s", text);
    cr_assert_eq(kb_json_integer(doc, 0, &out), good, "%s", text);
    cr_assert_eq(out, good ? value : 77, "%s", text);
    kb_json_free(doc);
}

Test(json, reads_integers_in_range_only)
{
    expect_integer("0", true, 0);
    expect_integer("-0", true, 0);
    expect_integer("-17", true, -17);
    expect_integer("9223372036854775807", true, INT64_MAX);
    expect_integer("-9223372036854775808", true, INT64_MIN);
    expect_integer("9223372036854775808", false, 0);
    expect_integer("-9223372036854775809", false, 0);
    expect_integer("100000000000000000000000000000000000000", false, 0);
    expect_integer("1.0", false, 0);
    expect_integer("1e3", false, 0);
    expect_integer("\"1\"", false, 0);
    expect_integer("true", false, 0);
}

Test(json, reads_booleans)
{
    struct kb_json *doc = kb_json_parse("[true,false,null,\"true\"]", 24, &error);
    bool out = false;
    cr_assert_not_null(doc);
    cr_assert(kb_json_bool(doc, 1, &out) && out);
    cr_assert(kb_json_bool(doc, 2, &out) && !out);
    cr_assert_not(kb_json_bool(doc, 3, &out));
    cr_assert_not(kb_json_bool(doc, 4, &out));
    kb_json_free(doc);
}

Test(json, walks_a_million_elements)
{
    enum { N = 1000000 };
    char *text = malloc(2 * N + 1);
    cr_assert_not_null(text);
    for (size_t i = 0; i < N; i++)
        memcpy(text + 2 * i, i == 0 ? "[7" : ",7", 2);
    text[2 * N] = ']';
    struct kb_json *doc = kb_json_parse(text, 2 * N + 1, &error);
    cr_assert_not_null(doc);
    int64_t sum = 0, value;
    for (int at = kb_json_first(doc, 0); at >= 0; at = kb_json_next(doc, at))
        sum += kb_json_integer(doc, at, &value) ? value : 0;
    cr_assert_eq(sum, 7 * N);
    kb_json_free(doc);
    free(text);
}
