#include "http/placement.h"

#include <criterion/criterion.h>
#include <string.h>

static kb_key key_of(const char *secret)
{
    kb_key key = {.secret_len = strlen(secret)};
    strcpy(key.secret, secret);
    return key;
}

static void stands_in_header(const struct kb_service *service, const char *expected)
{
    const kb_key key = key_of("sk 1");
    struct kb_placement placement;
    cr_assert(kb_placement_fill(&placement, service, "http://h/", &key));
    cr_assert_str_eq(placement.header, expected);
    cr_assert_null(placement.url);
    kb_placement_clear(&placement);
    cr_assert_null(placement.header);
}

static void stands_in_url(const char *url, const char *secret, const char *expected)
{
    const struct kb_service service = {.key_query = "a key"};
    const kb_key key = key_of(secret);
    struct kb_placement placement;
    cr_assert(kb_placement_fill(&placement, &service, url, &key));
    cr_assert_str_eq(placement.url, expected);
    cr_assert_null(placement.header);
    kb_placement_clear(&placement);
}

Test(placement, a_header_holds_prefix_and_secret)
{
    stands_in_header(&(struct kb_service){0}, "Authorization: Bearer sk 1");
    stands_in_header(&(struct kb_service){.key_header = "x-api-key"}, "x-api-key: sk 1");
    stands_in_header(&(struct kb_service){.key_header = "Authorization", .key_prefix = "Key "},
                     "Authorization: Key sk 1");
}

Test(placement, a_query_holds_the_secret_encoded)
{
    stands_in_url("http://h/", "sk-1._~", "http://h/?a%20key=sk-1._~");
    stands_in_url("http://h/p?x=y", "a&b=c#d+e f%", "http://h/p?x=y&a%20key=a%26b%3Dc%23d%2Be%20f%25");
    stands_in_url("http://h", "\xc3\xa9\r\n", "http://h?a%20key=%C3%A9%0D%0A");
}

Test(placement, a_secret_that_would_end_a_header_does_not_fit_one)
{
    static const char *const secrets[] = {"", "a\r\nX-Test: b", "a\nb", "a\x7f"};
    const struct kb_service header = {.key_header = "X"}, query = {.key_query = "x"};
    for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++) {
        const kb_key key = key_of(secrets[i]);
        cr_assert_not(kb_placement_fits(&header, &key));
        cr_assert_eq(kb_placement_fits(&query, &key), i > 0);
    }
    const kb_key key = key_of("sk-1");
    cr_assert(kb_placement_fits(&header, &key));
}
