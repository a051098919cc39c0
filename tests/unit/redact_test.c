#include "http/redact.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* The text must end where its memory does, so that the sanitizer sees a step beyond. */
static char *redacted(const char *text, size_t len, const char *secret, size_t *out_len)
{
    char *copy = malloc(len > 0 ? len : 1);
    cr_assert_not_null(copy);
    memcpy(copy, text, len);
    *out_len = len;
    cr_assert(kb_redact(&copy, out_len, secret, strlen(secret)));
    return copy;
}

static void becomes(const char *text, const char *secret, const char *expected)
{
    size_t len;
    char *got = redacted(text, strlen(text), secret, &len);
    cr_assert(len == strlen(expected) && memcmp(got, expected, len) == 0, "%s: got %.*s", text, (int)len, got);
    free(got);
}

Test(redact, every_occurrence_is_replaced)
{
    becomes("sk-1", "sk-1", "[redacted]");
    becomes("key sk-1 is bad: sk-1.", "sk-1", "key [redacted] is bad: [redacted].");
    becomes("sk-1sk-1", "sk-1", "[redacted][redacted]");
    becomes("a long secret", "a long secret", "[redacted]");
}

Test(redact, other_text_is_left_alone)
{
    becomes("", "sk-1", "");
    becomes("sk-", "sk-1", "sk-");
    becomes("sk-2 sk-", "sk-1", "sk-2 sk-");
    becomes("s\\u006c-1 \\n \\u00", "sk-1", "s\\u006c-1 \\n \\u00");
    becomes("s%6", "sk-1", "s%6");
    becomes("anything", "", "anything");
}

Test(redact, an_occurrence_behind_a_false_start_is_found)
{
    becomes("aab", "ab", "a[redacted]");
    becomes("sksk-1", "sk-1", "sk[redacted]");
}

Test(redact, escaped_characters_count_as_themselves)
{
    becomes("{\"error\":\"bad key ab\\/cd\\/ef\"}", "ab/cd/ef", "{\"error\":\"bad key [redacted]\"}");
    becomes("a\\\\b", "a\\b", "[redacted]");
    becomes("a\\b", "a\\b", "[redacted]");
    becomes("a\\\"b", "a\"b", "[redacted]");
    becomes("ab\\", "abc", "ab\\");
}

Test(redact, codes_of_json_and_urls_count_as_their_characters)
{
    becomes("bad: s\\u006b-1", "sk-1", "bad: [redacted]");
    becomes("bad: \\u0073\\u006B-1.", "sk-1", "bad: [redacted].");
    becomes("GET /?key=ab%2Fcd%2bef HTTP", "ab/cd+ef", "GET /?key=[redacted] HTTP");
    becomes("%61b/cd+ef", "ab/cd+ef", "[redacted]");
    becomes("a+key", "a key", "[redacted]");
}

Test(redact, bytes_beside_the_secret_may_be_any)
{
    size_t len;
    char *got = redacted("\0\xff!K!\0", 6, "!K!", &len);
    cr_assert_eq(len, 13);
    cr_assert_eq(memcmp(got, "\0\xff[redacted]\0", 13), 0);
    free(got);
}

Test(redact, no_text_is_no_text)
{
    char *none = NULL;
    size_t len = 0;
    cr_assert(kb_redact(&none, &len, "sk-1", 4));
    cr_assert_null(none);
}
