/*
 * What is sent, what comes back, and what of it may hold the secret.
 */
#include "tests/unit/request_server.h"

TestSuite(request, .init = begin, .fini = end, .timeout = 60);

Test(request, carries_the_key_as_bearer_token)
{
    kb_http_answer got = ask((kb_http_request){0}, "/echo");
    was(&got, KB_OUTCOME_OK, 200, false);
    has_body(&got, "GET [] test=none type=none expect=none length=none Bearer [redacted]");
    cr_assert_null(got.error);
    kb_http_answer_clear(&got);
}

Test(request, carries_body_and_headers_and_none_of_libcurls)
{
    kb_http_header headers[] = {{"X-Test", ""}, {"Content-Type", "text/x"}};
    kb_http_request request = {.method = "PATCH", .body = "a=b", .body_len = 3, .headers = headers, .header_count = 2};
    kb_http_answer got = ask(request, "/echo");
    has_body(&got, "PATCH [a=b] test= type=text/x expect=none length=3 Bearer [redacted]");
    kb_http_answer_clear(&got);
    got = ask((kb_http_request){.method = "POST", .body = "x", .body_len = 1}, "/echo");
    has_body(&got, "POST [x] test=none type=none expect=none length=1 Bearer [redacted]");
    kb_http_answer_clear(&got);
    got = ask((kb_http_request){.method = "POST"}, "/echo");
    has_body(&got, "POST [] test=none type=none expect=none length=0 Bearer [redacted]");
    kb_http_answer_clear(&got);
}

Test(request, head_ends_without_a_body)
{
    kb_http_answer got = ask((kb_http_request){.method = "HEAD"}, "/echo");
    was(&got, KB_OUTCOME_OK, 200, false);
    has_body(&got, "");
    kb_http_answer_clear(&got);
}

Test(request, keeps_its_connection_across_keys)
{
    set_pool(2, NULL);
    for (int i = 0; i < 5; i++) {
        kb_http_answer got = ask((kb_http_request){0}, "/echo");
        cr_assert_eq(got.fingerprint[0], 'k');
        was(&got, KB_OUTCOME_OK, 200, false);
        kb_http_answer_clear(&got);
    }
    cr_assert_eq(requests, 5);
    cr_assert_eq(connections, 1);
}

Test(request, an_echoed_secret_is_redacted)
{
    kb_http_answer got = ask((kb_http_request){0}, "/refuse");
    was(&got, KB_OUTCOME_AUTH, 401, false);
    has_body(&got, "{\"message\":\"bad key: Bearer [redacted], I say Bearer [redacted]\"}");
    kb_http_answer_clear(&got);
}

Test(request, an_echo_in_gzip_is_redacted)
{
    kb_http_answer got = ask((kb_http_request){0}, "/gzip");
    was(&got, KB_OUTCOME_AUTH, 401, false);
    has_body(&got, "bad key: [redacted]");
    kb_http_answer_clear(&got);
}

Test(request, an_echo_in_a_header_is_redacted)
{
    kb_http_answer got = ask((kb_http_request){0}, "/echo");
    cr_assert_str_eq(kb_http_answer_header(&got, "x-echo"), "Bearer [redacted]");
    cr_assert_null(kb_http_answer_header(&got, "X-Ech"));
    kb_http_answer_clear(&got);
}

Test(request, headers_of_an_answer_are_kept_up_to_a_limit)
{
    kb_http_answer got = ask((kb_http_request){0}, "/headers");
    was(&got, KB_OUTCOME_OK, 200, false);
    cr_assert_eq(got.header_count, 200);
    for (size_t i = 0; i < got.header_count; i++)
        cr_assert(got.headers[i].name[0] != '\0' && got.headers[i].value[0] != '\0');
    kb_http_answer_clear(&got);
    cr_assert_eq(got.header_count, 0);
}

Test(request, retry_after_is_the_wait)
{
    kb_http_answer got = ask((kb_http_request){0}, "/busy");
    was(&got, KB_OUTCOME_RATE, 429, false);
    cr_assert_eq(got.retry_after_ms, 7000);
    kb_http_answer_clear(&got);
    kit_put(&kit, 0, KB_AVAILABLE);
    got = ask((kb_http_request){0}, "/refuse");
    was(&got, KB_OUTCOME_AUTH, 401, false);
    cr_assert_eq(got.retry_after_ms, -1);
    kb_http_answer_clear(&got);
}

Test(request, a_redirect_is_not_followed)
{
    kb_http_answer got = ask((kb_http_request){0}, "/away");
    was(&got, KB_OUTCOME_CLIENT, 302, false);
    has_body(&got, "gone");
    cr_assert_eq(requests, 1);
    kb_http_answer_clear(&got);
}

Test(request, a_connection_lost_after_sending_is_ambiguous)
{
    kb_http_answer got = ask((kb_http_request){.method = "POST"}, "/silent");
    was(&got, KB_OUTCOME_TRANSIENT, 0, true);
    cr_assert_not_null(got.error);
    cr_assert_null(got.body);
    kb_http_answer_clear(&got);
    got = ask((kb_http_request){0}, "/half");
    was(&got, KB_OUTCOME_TRANSIENT, 200, true);
    cr_assert_null(got.body);
    kb_http_answer_clear(&got);
}

Test(request, a_refusal_that_breaks_off_is_a_refusal)
{
    kb_http_answer got = ask((kb_http_request){.method = "POST"}, "/half-busy");
    was(&got, KB_OUTCOME_RATE, 429, false);
    cr_assert_eq(got.retry_after_ms, 7000);
    cr_assert_not_null(got.error);
    cr_assert_null(got.body);
    kb_http_answer_clear(&got);
    kit_put(&kit, 0, KB_AVAILABLE);
    got = ask((kb_http_request){.method = "POST"}, "/half-error");
    was(&got, KB_OUTCOME_TRANSIENT, 500, true);
    kb_http_answer_clear(&got);
}

Test(request, a_refusal_over_the_limit_is_a_refusal)
{
    kb_http_answer got = ask((kb_http_request){.body_max = 3}, "/refuse");
    was(&got, KB_OUTCOME_AUTH, 401, false);
    cr_assert_null(got.body);
    cr_assert_not_null(strstr(got.error, "limit"));
    kb_http_answer_clear(&got);
}

Test(request, is_not_sent_again_when_a_kept_connection_breaks)
{
    kb_http_answer got = ask((kb_http_request){0}, "/fine");
    kb_http_answer_clear(&got);
    got = ask((kb_http_request){.method = "POST", .body = "x", .body_len = 1}, "/silent");
    was(&got, KB_OUTCOME_TRANSIENT, 0, true);
    cr_assert_eq(requests, 2);
    kb_http_answer_clear(&got);
    got = ask((kb_http_request){0}, "/fine");
    was(&got, KB_OUTCOME_OK, 200, false);
    kb_http_answer_clear(&got);
}

Test(request, a_timeout_after_sending_is_ambiguous)
{
    kb_http_answer got = ask((kb_http_request){.timeout_ms = HANG_MS}, "/hang");
    was(&got, KB_OUTCOME_TRANSIENT, 0, true);
    cr_assert_eq(requests, 1);
    kb_http_answer_clear(&got);
}

Test(request, no_connection_is_not_ambiguous)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0); /* bound and not listening: nobody else can answer there */
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, len), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    char url[64];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", ntohs(address.sin_port));
    kb_http_answer got = perform((kb_http_request){.url = url});
    was(&got, KB_OUTCOME_TRANSIENT, 0, false);
    cr_assert_not_null(got.error);
    kb_http_answer_clear(&got);
    close(fd);
}

Test(request, an_answer_over_the_limit_is_the_callers)
{
    kb_http_answer got = ask((kb_http_request){.body_max = 3}, "/fine");
    was(&got, KB_OUTCOME_CLIENT, 200, false);
    cr_assert_null(got.body);
    cr_assert_not_null(strstr(got.error, "limit"));
    kb_http_answer_clear(&got);
    got = ask((kb_http_request){.body_max = 4}, "/fine");
    was(&got, KB_OUTCOME_OK, 200, false);
    has_body(&got, "fine");
    kb_http_answer_clear(&got);
}

/* A certificate of its own making is what an impostor has to offer. The test starts its server itself. */
TestSuite(request_tls, .init = prepare, .fini = end, .timeout = 60);

Test(request_tls, an_unknown_certificate_gets_no_key)
{
    if (!start_tls_server())
        cr_skip_test("neither openssl nor a server with TLS");
    kb_http_answer got = perform((kb_http_request){.url = url_of("https", "/fine")});
    was(&got, KB_OUTCOME_TRANSIENT, 0, false);
    cr_assert_not_null(strstr(got.error, "certificate"), "%s", got.error);
    cr_assert_eq(requests, 0);
    kb_http_answer_clear(&got);
}
