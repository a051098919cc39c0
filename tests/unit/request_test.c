/*
 * What is sent, what comes back, and what of it may hold the secret.
 */
#include "tests/unit/request_server.h"

TestSuite(request, .init = begin, .fini = end, .timeout = 60);

static void has_body(const struct kb_answer *got, const char *expected)
{
    cr_assert_not_null(got->body, "no body: %s", got->error);
    cr_assert(got->body_len == strlen(expected) && memcmp(got->body, expected, got->body_len) == 0,
              "'%.*s' is not '%s'", (int)got->body_len, got->body, expected);
}

Test(request, carries_the_key_as_bearer_token)
{
    struct kb_answer got = ask((struct kb_request){0}, "/echo");
    was(&got, KB_OUTCOME_OK, 200, false);
    has_body(&got, "GET [] test=none type=none expect=none length=none Bearer [redacted]");
    cr_assert_null(got.error);
    kb_answer_clear(&got);
}

Test(request, carries_body_and_headers_and_none_of_libcurls)
{
    struct kb_header headers[] = {{"X-Test", ""}, {"Content-Type", "text/x"}};
    struct kb_request request = {
        .method = "PATCH", .body = "a=b", .body_len = 3, .headers = headers, .header_count = 2};
    struct kb_answer got = ask(request, "/echo");
    has_body(&got, "PATCH [a=b] test= type=text/x expect=none length=3 Bearer [redacted]");
    kb_answer_clear(&got);
    got = ask((struct kb_request){.method = "POST", .body = "x", .body_len = 1}, "/echo");
    has_body(&got, "POST [x] test=none type=none expect=none length=1 Bearer [redacted]");
    kb_answer_clear(&got);
    got = ask((struct kb_request){.method = "POST"}, "/echo");
    has_body(&got, "POST [] test=none type=none expect=none length=0 Bearer [redacted]");
    kb_answer_clear(&got);
}

Test(request, head_ends_without_a_body)
{
    struct kb_answer got = ask((struct kb_request){.method = "HEAD"}, "/echo");
    was(&got, KB_OUTCOME_OK, 200, false);
    has_body(&got, "");
    kb_answer_clear(&got);
}

Test(request, keeps_its_connection_across_keys)
{
    for (int i = 0; i < 5; i++) {
        struct kb_answer got = perform((struct kb_request){0}, "http", "/echo", i % 2 ? "one" : "two");
        was(&got, KB_OUTCOME_OK, 200, false);
        kb_answer_clear(&got);
    }
    cr_assert_eq(requests, 5);
    cr_assert_eq(connections, 1);
}

Test(request, an_echoed_secret_is_redacted)
{
    struct kb_answer got = ask((struct kb_request){0}, "/refuse");
    was(&got, KB_OUTCOME_AUTH, 401, false);
    has_body(&got, "{\"message\":\"bad key: Bearer [redacted], I say Bearer [redacted]\"}");
    kb_answer_clear(&got);
}

Test(request, an_echo_in_gzip_is_redacted)
{
    struct kb_answer got = ask((struct kb_request){0}, "/gzip");
    was(&got, KB_OUTCOME_AUTH, 401, false);
    has_body(&got, "bad key: [redacted]");
    kb_answer_clear(&got);
}

Test(request, retry_after_is_the_wait)
{
    struct kb_answer got = ask((struct kb_request){0}, "/busy");
    was(&got, KB_OUTCOME_RATE, 429, false);
    cr_assert_eq(got.retry_after_ms, 7000);
    kb_answer_clear(&got);
    got = ask((struct kb_request){0}, "/refuse");
    cr_assert_eq(got.retry_after_ms, -1);
    kb_answer_clear(&got);
}

Test(request, a_redirect_is_not_followed)
{
    struct kb_answer got = ask((struct kb_request){0}, "/away");
    was(&got, KB_OUTCOME_CLIENT, 302, false);
    has_body(&got, "gone");
    cr_assert_eq(requests, 1);
    kb_answer_clear(&got);
}

Test(request, a_connection_lost_after_sending_is_ambiguous)
{
    struct kb_answer got = ask((struct kb_request){.method = "POST"}, "/silent");
    was(&got, KB_OUTCOME_TRANSIENT, 0, true);
    cr_assert_not_null(got.error);
    cr_assert_null(got.body);
    kb_answer_clear(&got);
    got = ask((struct kb_request){0}, "/half");
    was(&got, KB_OUTCOME_TRANSIENT, 200, true);
    cr_assert_null(got.body);
    kb_answer_clear(&got);
}

Test(request, a_refusal_that_breaks_off_is_a_refusal)
{
    struct kb_answer got = ask((struct kb_request){.method = "POST"}, "/half-busy");
    was(&got, KB_OUTCOME_RATE, 429, false);
    cr_assert_eq(got.retry_after_ms, 7000);
    cr_assert_not_null(got.error);
    cr_assert_null(got.body);
    kb_answer_clear(&got);
    got = ask((struct kb_request){.method = "POST"}, "/half-error");
    was(&got, KB_OUTCOME_TRANSIENT, 500, true);
    kb_answer_clear(&got);
}

Test(request, a_refusal_over_the_limit_is_a_refusal)
{
    struct kb_answer got = ask((struct kb_request){.answer_max = 3}, "/refuse");
    was(&got, KB_OUTCOME_AUTH, 401, false);
    cr_assert_null(got.body);
    cr_assert_not_null(strstr(got.error, "limit"));
    kb_answer_clear(&got);
}

Test(request, is_not_sent_again_when_a_kept_connection_breaks)
{
    struct kb_answer got = ask((struct kb_request){0}, "/fine");
    kb_answer_clear(&got);
    got = ask((struct kb_request){.method = "POST", .body = "x", .body_len = 1}, "/silent");
    was(&got, KB_OUTCOME_TRANSIENT, 0, true);
    cr_assert_eq(requests, 2);
    kb_answer_clear(&got);
    got = ask((struct kb_request){0}, "/fine");
    was(&got, KB_OUTCOME_OK, 200, false);
    kb_answer_clear(&got);
}

Test(request, a_timeout_after_sending_is_ambiguous)
{
    struct kb_answer got = ask((struct kb_request){.timeout_ms = HANG_MS}, "/hang");
    was(&got, KB_OUTCOME_TRANSIENT, 0, true);
    cr_assert_eq(requests, 1);
    kb_answer_clear(&got);
}

Test(request, no_connection_is_not_ambiguous)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0); /* bound and not listening: nobody else can answer there */
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, len), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    char url[64];
    struct kb_answer got;
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", ntohs(address.sin_port));
    struct kb_request request = {.method = "GET", .url = url, .timeout_ms = 30000};
    kb_request_perform(easy, &request, SECRET, SECRET_LEN, &got);
    was(&got, KB_OUTCOME_TRANSIENT, 0, false);
    cr_assert_not_null(got.error);
    kb_answer_clear(&got);
    close(fd);
}

Test(request, an_answer_over_the_limit_is_the_callers)
{
    struct kb_answer got = ask((struct kb_request){.answer_max = 3}, "/fine");
    was(&got, KB_OUTCOME_CLIENT, 200, false);
    cr_assert_null(got.body);
    cr_assert_not_null(strstr(got.error, "limit"));
    kb_answer_clear(&got);
    got = ask((struct kb_request){.answer_max = 4}, "/fine");
    was(&got, KB_OUTCOME_OK, 200, false);
    has_body(&got, "fine");
    kb_answer_clear(&got);
}

static void url_is_refused(const char *url)
{
    struct kb_answer got;
    struct kb_request request = {.method = "GET", .url = url, .timeout_ms = 30000};
    kb_request_perform(easy, &request, SECRET, SECRET_LEN, &got);
    was(&got, KB_OUTCOME_CLIENT, 0, false);
    kb_answer_clear(&got);
}

Test(request, other_schemes_and_user_names_are_refused)
{
    char url[64];
    snprintf(url, sizeof(url), "http://me:word@127.0.0.1:%d/fine", server_port());
    url_is_refused(url);
    url_is_refused("file:///etc/passwd");
    url_is_refused("ftp://127.0.0.1/");
    url_is_refused("gopher://127.0.0.1/");
    cr_assert_eq(requests, 0);
}

Test(request, a_secret_no_header_can_carry_fails_the_key)
{
    static const char *const secrets[] = {"", "a\r\nX-Test: b", "a\nb", "a\x7f"};
    for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++) {
        struct kb_answer got = perform((struct kb_request){0}, "http", "/echo", secrets[i]);
        was(&got, KB_OUTCOME_AUTH, 0, false);
        kb_answer_clear(&got);
    }
    cr_assert_eq(requests, 0);
}

static char *contents_of(const char *path)
{
    static char texts[2][4096];
    static int next;
    char *text = texts[next++ % 2];
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    text[fread(text, 1, 4095, file)] = '\0';
    fclose(file);
    return text;
}

/* A certificate of its own making is what an impostor has to offer. The test starts its server itself. */
TestSuite(request_tls, .init = prepare, .fini = end, .timeout = 60);

Test(request_tls, an_unknown_certificate_gets_no_key)
{
    char command[512];
    snprintf(command, sizeof(command),
             "openssl req -x509 -newkey rsa:2048 -nodes -keyout %s/key -out %s/cert -days 1 -subj /CN=127.0.0.1 "
             "-addext subjectAltName=IP:127.0.0.1 >/dev/null 2>&1",
             scratch, scratch);
    if (system(command) != 0 || MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
        cr_skip_test("neither openssl nor a server with TLS");
    char *key = contents_of(in_scratch("key"));
    char *certificate = contents_of(in_scratch("cert"));
    start_server(MHD_USE_TLS, key, certificate);
    struct kb_answer got = perform((struct kb_request){0}, "https", "/fine", SECRET);
    was(&got, KB_OUTCOME_TRANSIENT, 0, false);
    cr_assert_not_null(strstr(got.error, "certificate"), "%s", got.error);
    cr_assert_eq(requests, 0);
    kb_answer_clear(&got);
}
