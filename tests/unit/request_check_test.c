/*
 * Requests that are refused before a key is claimed.
 */
#include "segment/count.h"
#include "tests/unit/request_server.h"

#include <sys/stat.h>

TestSuite(request_check, .init = begin, .fini = end, .timeout = 60);

static void url_is_refused(const char *url)
{
    refused((kb_http_request){.url = url}, "bad url");
}

Test(request_check, urls_are_http_without_user_names)
{
    static const char *const urls[] = {"",
                                       "localhost/v1",
                                       "http://",
                                       "http://localhost:99999/",
                                       "http://localhost/a b",
                                       "http://localhost/\r\nX: y",
                                       "http://localhost/#part",
                                       "ftp://localhost/",
                                       "file:///etc/passwd",
                                       "gopher://localhost/",
                                       "http://me@localhost/",
                                       "https://me:secret@localhost/",
                                       "/a path"};
    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++)
        url_is_refused(urls[i]);
    refused((kb_http_request){0}, "no url");
}

Test(request_check, a_path_needs_a_base)
{
    refused((kb_http_request){.url = "/v1"}, "no base URL");
    char definition[100];
    snprintf(definition, sizeof(definition), "{\"base_url\":\"http://127.0.0.1:%d/echo\"}", server_port());
    set_pool(1, definition);
    kb_http_answer got = perform((kb_http_request){.url = "/below?x=1"});
    was(&got, KB_OUTCOME_OK, 200, false);
    kb_http_answer_clear(&got);
    cr_assert_str_eq(query_came, "/echo/below?x=1");
}

static void header_is_refused(const char *name, const char *value, const char *why)
{
    kb_http_header header = {name, value};
    refused((kb_http_request){.url = url_of("http", "/fine"), .headers = &header, .header_count = 1}, why);
}

Test(request_check, headers_cannot_forge_others)
{
    header_is_refused("X", "a\r\nY: b", "control character");
    header_is_refused("X", "a\nY: b", "control character");
    header_is_refused("X", "a\x7f", "control character");
    header_is_refused("X", NULL, "no value");
    header_is_refused("X: a\r\nY", "b", "name");
    header_is_refused("X:", "b", "name");
    header_is_refused("", "b", "name");
    header_is_refused(NULL, "b", "name");
}

Test(request_check, the_key_and_the_framing_are_not_the_requests)
{
    header_is_refused("Authorization", "Bearer mine", "Authorization");
    header_is_refused("aUTHORIZATION", "", "aUTHORIZATION");
    header_is_refused("Content-Length", "5", "Content-Length");
    header_is_refused("transfer-encoding", "chunked", "transfer-encoding");
    set_pool(1, "{\"key\":{\"header\":\"x-api-key\",\"prefix\":\"\"}}");
    header_is_refused("X-API-Key", "mine", "X-API-Key");
}

Test(request_check, methods_are_known)
{
    const char *url = url_of("http", "/fine");
    refused((kb_http_request){.url = url, .method = "get"}, "method");
    refused((kb_http_request){.url = url, .method = "CONNECT"}, "method");
    refused((kb_http_request){.url = url, .method = "GET / HTTP/1.1\r\nX: y"}, "method");
    refused((kb_http_request){.url = url, .method = "HEAD", .body = ""}, "HEAD");
}

Test(request_check, a_body_is_one_thing)
{
    const char *url = url_of("http", "/fine");
    kb_http_part part = {.name = "a", .data = "b", .len = 1};
    kb_http_header type = {"Content-Type", "multipart/form-data; boundary=x"};
    refused((kb_http_request){.url = url, .body = "x", .body_len = 1, .parts = &part, .part_count = 1}, "both");
    refused((kb_http_request){.url = url, .body_len = 1}, "no body");
    refused((kb_http_request){.url = url, .part_count = 1}, "parts are missing");
    refused((kb_http_request){.url = url, .header_count = 1}, "headers are missing");
    refused((kb_http_request){.url = url, .parts = &part, .part_count = 1, .headers = &type, .header_count = 1},
            "Content-Type");
}

static void part_is_refused(kb_http_part part, const char *why)
{
    refused((kb_http_request){.url = url_of("http", "/form"), .parts = &part, .part_count = 1}, why);
}

Test(request_check, parts_are_whole_and_their_files_readable)
{
    part_is_refused((kb_http_part){.data = "x"}, "no name");
    part_is_refused((kb_http_part){.name = "a\r\nb", .data = "x"}, "control");
    part_is_refused((kb_http_part){.name = "a"}, "either");
    part_is_refused((kb_http_part){.name = "a", .data = "x", .file = "y"}, "either");
    part_is_refused((kb_http_part){.name = "a", .data = "x", .filename = "\n"}, "file name");
    part_is_refused((kb_http_part){.name = "a", .data = "x", .content_type = "a\r\nb: c"}, "content type");
    part_is_refused((kb_http_part){.name = "a", .file = in_scratch("missing")}, "No such file");
    part_is_refused((kb_http_part){.name = "a", .file = scratch}, "Is a directory");
    cr_assert_eq(mkfifo(in_scratch("fifo"), 0600), 0);
    part_is_refused((kb_http_part){.name = "a", .file = in_scratch("fifo")}, "cannot send part a");
}

Test(request_check, times_and_fallback_make_sense)
{
    const char *url = url_of("http", "/fine");
    refused((kb_http_request){.url = url, .timeout_ms = -1}, "negative");
    refused((kb_http_request){.url = url, .wait_ms = -2}, "negative");
    refused((kb_http_request){.url = url, .deadline_ms = -1}, "negative");
    refused((kb_http_request){.url = url, .fallback = KB_FALLBACK(KB_OUTCOME_CLIENT)}, "fallback");
}

Test(request_check, nothing_was_sent_or_claimed)
{
    kb_pool_status status;
    url_is_refused("ftp://127.0.0.1/");
    header_is_refused("X", "\n", "control");
    cr_assert_eq(kb_status(client, "pool", &status), 0);
    cr_assert_eq(kb_counts_of(kit.state, 0, 0).claims, 0);
    cr_assert_eq(requests, 0);
}

Test(request_check, what_is_missing_altogether_is_refused)
{
    kb_http_answer got;
    kb_http_request request = {.pool = "pool", .url = "http://127.0.0.1/"};
    cr_assert_eq(kb_http_perform(NULL, &request, &got), KB_EINVAL);
    cr_assert_eq(kb_http_perform(http, NULL, &got), KB_EINVAL);
    cr_assert_eq(kb_http_perform(http, &request, NULL), KB_EINVAL);
    request.pool = NULL;
    cr_assert_eq(kb_http_perform(http, &request, &got), KB_EINVAL);
    kb_http_answer_clear(&got);
    request.pool = "other";
    cr_assert_eq(kb_http_perform(http, &request, &got), KB_EPOOL);
    cr_assert_str_eq(got.error, kb_strerror(KB_EPOOL));
    kb_http_answer_clear(&got);
    kb_http *none = http;
    cr_assert_eq(kb_http_open(NULL, &none), KB_EINVAL);
    cr_assert_null(none);
    kb_http_close(NULL);
    kb_http_answer_clear(NULL);
}
