#include "keypool/result.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void reads(const struct kb_result *result, const char *expected)
{
    size_t len;
    char *text = kb_result_text(result, &len);
    cr_assert_not_null(text);
    cr_assert_eq(len, strlen(text));
    cr_assert_str_eq(text, expected);
    free(text);
}

static struct kb_result good(const char *body, size_t len)
{
    return (struct kb_result){.id = "\"a\"",
                              .line = 3,
                              .status = 200,
                              .fingerprint = "k0123456789ab",
                              .attempts = 2,
                              .outcome = "ok",
                              .ms = 12,
                              .body = body,
                              .body_len = len};
}

#define GOOD                                                                                                           \
    "{\"id\":\"a\",\"line\":3,\"status\":200,\"fingerprint\":\"k0123456789ab\",\"attempts\":2,\"outcome\":\"ok\","     \
    "\"ms\":12"

Test(result, a_text_body_is_a_json_string_on_one_line)
{
    struct kb_result result = good("say \"hi\"\n\xc3\xa9", 11);
    reads(&result, GOOD ",\"body\":\"say \\\"hi\\\"\\n\xc3\xa9\"}\n");
    result = good("", 0);
    reads(&result, GOOD ",\"body\":\"\"}\n");
}

Test(result, other_bytes_are_base64)
{
    struct kb_result result = good("\xff", 1);
    reads(&result, GOOD ",\"body_base64\":\"/w==\"}\n");
    result = good("\xff\xfe", 2);
    reads(&result, GOOD ",\"body_base64\":\"//4=\"}\n");
    result = good("\xff\x00k", 3);
    reads(&result, GOOD ",\"body_base64\":\"/wBr\"}\n");
    result = good("\xc3(text)", 7);
    reads(&result, GOOD ",\"body_base64\":\"wyh0ZXh0KQ==\"}\n");
}

Test(result, a_file_stands_in_place_of_the_body)
{
    struct kb_result result = good(NULL, 0);
    result.out = "a \"b\".png";
    reads(&result, GOOD ",\"out\":\"a \\\"b\\\".png\"}\n");
}

Test(result, what_does_not_exist_is_null_or_absent)
{
    struct kb_result result = {.line = 9, .outcome = KB_RESULT_NOT_STARTED, .error = "no \"broker\""};
    reads(&result,
          "{\"id\":null,\"line\":9,\"status\":0,\"fingerprint\":null,\"attempts\":0,\"outcome\":\"not_started\","
          "\"ms\":0,\"error\":\"no \\\"broker\\\"\"}\n");
}

Test(result, attempts_nobody_knows_are_null)
{
    struct kb_result result = {.line = 9, .lost = true, .outcome = "transient", .ambiguous = true};
    reads(&result, "{\"id\":null,\"line\":9,\"status\":0,\"fingerprint\":null,\"attempts\":null,"
                   "\"outcome\":\"transient\",\"ms\":0,\"ambiguous\":true}\n");
}

Test(result, what_decided_is_told)
{
    struct kb_result result = good("no", 2);
    result.rule = "generic: status 403";
    reads(&result, GOOD ",\"rule\":\"generic: status 403\",\"body\":\"no\"}\n");
}

Test(result, doubt_is_told)
{
    struct kb_result result = good(NULL, 0);
    result.ambiguous = true;
    reads(&result, GOOD ",\"ambiguous\":true}\n");
}
