/*
 * Requests with several keys: which are tried, how they are placed, for how long, and from threads and forked
 * processes.
 */
#include "segment/os.h"
#include "tests/kit/child.h"
#include "tests/unit/request_server.h"

#include <pthread.h>

TestSuite(http, .init = begin, .fini = end, .timeout = 60);

#define HEADER "{\"key\":{\"header\":\"X-Test\",\"prefix\":\"Key \"}}"
#define QUERY  "{\"key\":{\"query\":\"key\"}}"

Test(http, a_key_stands_in_the_header_its_service_wants)
{
    set_pool(1, HEADER);
    kb_http_answer got = ask((kb_http_request){0}, "/echo");
    was(&got, KB_OUTCOME_OK, 200, false);
    has_body(&got, "GET [] test=Key [redacted] type=none expect=none length=none none");
    kb_http_answer_clear(&got);
}

Test(http, a_key_stands_in_the_query_its_service_wants)
{
    set_pool(1, QUERY);
    kb_http_answer got = ask((kb_http_request){0}, "/query?other=x");
    has_body(&got, "/query?other=x&key=[redacted] [redacted] other=x none");
    cr_assert_str_eq(key_came, SECRET);
    cr_assert_str_eq(query_came, "/query?other=x&key=sk-secret%2Fwith%2Bsigns");
    kb_http_answer_clear(&got);
    got = ask((kb_http_request){0}, "/query");
    has_body(&got, "/query?key=[redacted] [redacted] other=none none");
    kb_http_answer_clear(&got);
}

Test(http, an_error_does_not_hold_the_url_with_the_key)
{
    set_pool(1, QUERY);
    kb_http_answer got = perform((kb_http_request){.url = "http://127.0.0.1:1/v1?x=y"});
    was(&got, KB_OUTCOME_TRANSIENT, 0, false);
    cr_assert_null(strstr(got.error, "sk-secret"), "%s", got.error);
    kb_http_answer_clear(&got);
}

Test(http, a_changed_definition_counts_from_the_next_request)
{
    const char *const expected[] = {"GET [] test=Key [redacted] type=none expect=none length=none none",
                                    "GET [] test=none type=none expect=none length=none Bearer [redacted]"};
    for (int i = 0; i < 6; i++) {
        set_pool(1, i % 2 ? NULL : HEADER);
        kb_http_answer got = ask((kb_http_request){0}, "/echo");
        has_body(&got, expected[i % 2]);
        kb_http_answer_clear(&got);
    }
}

static char noted[200];
static int notes;

static void note(void *arg, const char *text)
{
    cr_assert_eq(arg, noted);
    snprintf(noted, sizeof(noted), "%s", text);
    notes++;
}

Test(http, a_definition_that_cannot_be_read_is_noted_once)
{
    kb_http_on_note(http, note, noted);
    set_pool(1, "{\"key\":7}");
    for (int i = 0; i < 3; i++) {
        kb_http_answer got = ask((kb_http_request){0}, "/echo");
        has_body(&got, "GET [] test=none type=none expect=none length=none Bearer [redacted]");
        kb_http_answer_clear(&got);
    }
    cr_assert_eq(notes, 1);
    cr_assert_not_null(strstr(noted, "pool: "));
}

Test(http, an_absurd_wait_is_clamped_and_noted)
{
    kb_http_on_note(http, note, noted);
    kb_http_answer got = ask((kb_http_request){0}, "/ages");
    was(&got, KB_OUTCOME_RATE, 429, false);
    cr_assert_eq(got.retry_after_ms, KB_HTTP_WAIT_MAX_MS);
    cr_assert_eq(notes, 1);
    cr_assert_not_null(strstr(noted, got.fingerprint), "%s", noted);
    kb_http_answer_clear(&got);
}

Test(http, falls_back_to_the_next_key)
{
    set_pool(3, NULL);
    kb_http_answer got = ask((kb_http_request){0}, "/first");
    was(&got, KB_OUTCOME_OK, 200, false);
    has_body(&got, "fine");
    cr_assert_eq(got.attempts, 2);
    cr_assert_str_eq(got.fingerprint, kit_config_key(secret_of(1), strlen(secret_of(1))).fingerprint);
    cr_assert_eq(kit_state(&kit, 0), KB_FAILED);
    cr_assert_eq(kit_state(&kit, 1), KB_AVAILABLE);
    kb_http_answer_clear(&got);
}

Test(http, asks_each_key_once_when_all_are_refused)
{
    set_pool(3, NULL);
    kb_http_answer got = ask((kb_http_request){.method = "POST", .body = "x", .body_len = 1}, "/refuse");
    was(&got, KB_OUTCOME_AUTH, 401, false);
    has_body(&got, "{\"message\":\"bad key: Bearer [redacted], I say Bearer [redacted]\"}");
    cr_assert_eq(got.attempts, 3);
    cr_assert_eq(requests, 3);
    cr_assert_eq(connections, 1);
    cr_assert_neq(got.rule[0], '\0');
    kb_http_answer_clear(&got);
}

static void is_asked_once(kb_http_request request, const char *path)
{
    requests = 0;
    kb_http_answer got = ask(request, path);
    cr_assert_eq(code, KB_EEXHAUSTED);
    cr_assert_eq(got.attempts, 1);
    cr_assert_eq(requests, 1);
    kb_http_answer_clear(&got);
}

Test(http, fallback_can_be_limited_by_the_request)
{
    set_pool(3, NULL);
    is_asked_once((kb_http_request){.fallback = KB_FALLBACK(KB_OUTCOME_AUTH)}, "/busy");
    is_asked_once((kb_http_request){.no_fallback = 1}, "/refuse");
    is_asked_once((kb_http_request){.no_fallback = 1, .fallback = KB_FALLBACK_ALL}, "/refuse");
}

Test(http, an_ambiguous_request_is_never_replayed)
{
    set_pool(3, NULL);
    kb_http_answer got = ask((kb_http_request){.timeout_ms = HANG_MS, .method = "POST"}, "/hang");
    was(&got, KB_OUTCOME_TRANSIENT, 0, true);
    cr_assert_eq(got.attempts, 1);
    kb_http_answer_clear(&got);
    got = ask((kb_http_request){.method = "POST"}, "/half");
    was(&got, KB_OUTCOME_TRANSIENT, 200, true);
    kb_http_answer_clear(&got);
    cr_assert_eq(requests, 2);
    for (unsigned k = 0; k < 3; k++)
        cr_assert_eq(kit_state(&kit, k), KB_AVAILABLE);
}

Test(http, a_deadline_ends_attempts_and_waits)
{
    const uint64_t start = kb_os_now();
    kb_http_request request = {.deadline_ms = HANG_MS, .wait_ms = -1, .timeout_ms = 3600 * 1000};
    kb_http_answer got = ask(request, "/hang");
    was(&got, KB_OUTCOME_TRANSIENT, 0, true);
    kb_http_answer_clear(&got);
    kit_put(&kit, 0, KB_COOLING);
    got = ask((kb_http_request){.deadline_ms = 50, .wait_ms = -1}, "/fine");
    cr_assert_eq(code, KB_EEXHAUSTED);
    cr_assert_eq(got.attempts, 0);
    cr_assert_str_eq(got.error, kb_strerror(KB_EEXHAUSTED));
    kb_http_answer_clear(&got);
    cr_assert_geq(kb_os_now() - start, HANG_MS + 50);
}

Test(http, a_key_can_be_named)
{
    char fingerprint[KB_FINGERPRINT_LEN + 1];
    set_pool(3, NULL);
    strcpy(fingerprint, kit_config_key(secret_of(2), strlen(secret_of(2))).fingerprint);
    for (int i = 0; i < 3; i++) {
        kb_http_answer got = ask((kb_http_request){.fingerprint = fingerprint}, "/fine");
        was(&got, KB_OUTCOME_OK, 200, false);
        cr_assert_str_eq(got.fingerprint, fingerprint);
        cr_assert_eq(got.attempts, 1);
        kb_http_answer_clear(&got);
    }
    kb_http_answer got = ask((kb_http_request){.fingerprint = fingerprint}, "/refuse");
    was(&got, KB_OUTCOME_AUTH, 401, false);
    cr_assert_eq(got.attempts, 1);
    cr_assert_eq(kit_state(&kit, 2), KB_FAILED);
    kb_http_answer_clear(&got);
    got = ask((kb_http_request){.fingerprint = "k000000000000"}, "/fine");
    cr_assert_eq(code, KB_EKEY);
    kb_http_answer_clear(&got);
}

/* ---- threads and processes ---- */

enum { THREADS = 8, ROUNDS = 50 };

static const char *const wanted[] = {"GET [] test=none type=none expect=none length=none Bearer [redacted]", "fine"};

static bool asks_well(const char *base, int i)
{
    char url[200];
    kb_http_answer got;
    snprintf(url, sizeof(url), "%s%s", base, i % 2 ? "/fine" : "/echo");
    kb_http_request request = {.pool = "pool", .url = url, .timeout_ms = 30000};
    const bool good = kb_http_perform(http, &request, &got) == 0 && got.outcome == KB_OUTCOME_OK && got.body != NULL &&
                      strcmp(got.body, wanted[i % 2]) == 0;
    kb_http_answer_clear(&got);
    return good;
}

static void *ask_often(void *base)
{
    size_t failed = 0;
    for (int i = 0; i < ROUNDS; i++)
        failed += !asks_well(base, i);
    return (void *)failed;
}

Test(http, threads_share_a_handle)
{
    pthread_t threads[THREADS];
    char base[160];
    set_pool(3, NULL);
    snprintf(base, sizeof(base), "%s", url_of("http", ""));
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, ask_often, base), 0);
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        cr_assert_eq(pthread_join(threads[i], &failed), 0);
        cr_assert_eq(failed, NULL);
    }
    cr_assert_eq(requests, THREADS * ROUNDS);
    cr_assert_leq(connections, THREADS);
}

static int use_in_child(void *base)
{
    for (int i = 0; i < 10; i++)
        if (!asks_well(base, i))
            return 1;
    kb_http_close(http);
    return 0;
}

Test(http, works_on_both_sides_of_a_fork)
{
    char base[160];
    snprintf(base, sizeof(base), "%s", url_of("http", ""));
    cr_assert(asks_well(base, 0));
    cr_assert_eq(connections, 1);
    pid_t child = kit_fork(use_in_child, base);
    for (int i = 0; i < 10; i++)
        cr_assert(asks_well(base, i));
    cr_assert_eq(kit_wait(child), 0);
    cr_assert(asks_well(base, 1));
    cr_assert_eq(requests, 22);
    cr_assert_eq(connections, 2, "the child has one of its own, the parent's was not ended");
}

static int close_in_child(void *arg)
{
    (void)arg;
    kb_http_close(http);
    return 0;
}

Test(http, closed_in_a_child_goes_on_in_the_parent)
{
    char base[160];
    snprintf(base, sizeof(base), "%s", url_of("http", ""));
    cr_assert(asks_well(base, 0));
    cr_assert_eq(kit_wait(kit_fork(close_in_child, NULL)), 0);
    cr_assert(asks_well(base, 1));
    cr_assert_eq(connections, 1);
}
