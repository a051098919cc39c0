#include "http/service_url.h"

#include <criterion/criterion.h>

Test(service_url, is_open_to_all_if_it_is_plain_http_to_another_host)
{
    static const char *const open[] = {"http://a",          "HTTP://a.example/x",        "http://10.0.0.1",
                                       "http://128.0.0.1/", "http://127.evil.com",       "http://127.0.0.1.evil.com",
                                       "http://[::2]/",     "http://[::ffff:10.0.0.1]/", "http://localhost.evil.com",
                                       "http://0.0.0.0"};
    static const char *const closed[] = {
        "https://a",           "http://localhost",    "http://LOCALHOST:80/x", "http://127.0.0.1:9",
        "http://127.200.0.1/", "http://[::1]:8080/x", "https://10.0.0.1",      "/path"};
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        cr_assert(kb_url_open_to_all(open[i]), "%s", open[i]);
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++)
        cr_assert_not(kb_url_open_to_all(closed[i]), "%s", closed[i]);
}

Test(service_url, with_a_query_is_whole_but_no_base)
{
    cr_assert(kb_url_whole("https://a/b?c=d&e"));
    cr_assert(kb_url_whole("https://a?c"));
    cr_assert_not(kb_url_base("https://a/b?c=d"));
    cr_assert(kb_url_base("https://a/b"));
    cr_assert(kb_url_path("/b?c=d"));
    cr_assert_not(kb_url_path("b"));
    cr_assert_not(kb_url_path("/b#c"));
    cr_assert_not(kb_url_path(""));
}
