/*
 * Bodies that are not what was hoped for: of another type, packed, without end. What is over a limit costs no
 * memory and leaves no file.
 */
#include "fixture.h"

#include <sys/stat.h>

#define MANY       104857600 /* bytes: 100 MB */
#define HTML       "<html><h1>Unauthorized</h1>invalid api key, rate limit exceeded</html>"
#define GROWTH_MAX (32u << 20)

static void start_suno(void)
{
    start("suno");
}

static void start_stability(void)
{
    start("stability");
}

/* The most memory this process ever held, in bytes. */
static uint64_t high_water(void)
{
    char line[128];
    unsigned long long kib = 0;
    FILE *file = fopen("/proc/self/status", "re");
    cr_assert_not_null(file);
    while (fgets(line, sizeof line, file) && sscanf(line, "VmHWM: %llu kB", &kib) != 1)
        continue;
    fclose(file);
    return kib << 10;
}

static void check_size(const char *path, off_t size)
{
    struct stat about;
    cr_assert_eq(stat(path, &about), 0, "%s", path);
    cr_expect_eq(about.st_size, size, "%jd bytes", (intmax_t)about.st_size);
}

Test(body, a_page_where_json_was_due_blames_no_key, .init = start_suno, .fini = stop, .timeout = 60)
{
    server_script(&server, "type=text/html", HTML);
    cr_expect_eq(ask((kb_http_request){.url = "/api/v1/generate/credit"}), 0);
    cr_expect_eq(KB_FALLBACK(answer.outcome) & KB_FALLBACK_ALL, 0, "%s", kb_outcome_name(answer.outcome));
    cr_expect_eq(answer.status, 200);
    cr_expect_str_eq(answer.body ? answer.body : "", HTML);
    cr_expect_eq(available(), KEYS);
    cr_expect_eq(seen(), 1);
}

Test(body, half_a_json_text_blames_no_key, .init = start_suno, .fini = stop, .timeout = 60)
{
    server_script(&server, "", "{\"code\":401,\"msg\":\"unauthor");
    cr_expect_eq(ask((kb_http_request){.url = "/api/v1/generate/credit"}), 0);
    cr_expect_eq(KB_FALLBACK(answer.outcome) & KB_FALLBACK_ALL, 0, "%s", kb_outcome_name(answer.outcome));
    cr_expect_eq(available(), KEYS);
}

Test(body, an_error_where_an_image_was_due_leaves_no_file, .init = start_stability, .fini = stop, .timeout = 60)
{
    static const char *const errors[] = {"status=400", "status=403", "status=500", "status=429"};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        server_script(&server, errors[i], "{\"id\":\"1\",\"name\":\"content_moderation\",\"errors\":[\"flagged\"]}");
        ask((kb_http_request){.url = "/v2beta/x", .out = file_path("image.png"), .no_fallback = 1});
        cr_expect_neq(answer.outcome, KB_OUTCOME_OK, "%s", errors[i]);
        cr_expect_not(answer.in_file, "%s", errors[i]);
        cr_expect_not_null(answer.body ? strstr(answer.body, "flagged") : NULL, "%s: the error is told", errors[i]);
        cr_expect_eq(files_like("image.png"), 0, "%s", errors[i]);
    }
}

Test(body, a_refusal_with_status_200_leaves_no_file, .init = start_suno, .fini = stop, .timeout = 60)
{
    server_script(&server, "key=one", "{\"code\":429,\"msg\":\"The current credits are insufficient.\",\"data\":null}");
    server_script(&server, "key=two", "{\"code\":200}");
    const char *path = file_path("song.json");
    cr_expect_eq(ask((kb_http_request){.url = "/song", .out = path}), 0);
    cr_expect_str_eq(kb_outcome_name(answer.outcome), "ok", "%s by \"%s\": %s", kb_outcome_name(answer.outcome),
                     answer.rule, answer.error);
    cr_expect_eq(answer.attempts, 2);
    cr_expect(answer.in_file);
    check_size(path, 12);
    cr_expect_eq(files_like("song.json"), 1, "and no part of it");
    cr_expect_eq(available(), KEYS - 1);
}

Test(body, an_earlier_file_stays_until_there_is_a_whole_one, .init = start_stability, .fini = stop, .timeout = 60)
{
    const char *path = file_path("image.png");
    FILE *file = fopen(path, "we");
    cr_assert(file && fputs("the one before", file) >= 0 && fclose(file) == 0);
    server_script(&server, "type=image/png&size=50000&cut=20000", "");
    ask((kb_http_request){.url = "/v2beta/x", .out = path});
    cr_expect(answer.ambiguous);
    check_size(path, 14);
    server_script(&server, "type=image/png&size=50000", "");
    cr_expect_eq(ask((kb_http_request){.url = "/v2beta/x", .out = path}), 0);
    check_size(path, 50000);
    cr_expect_eq(files_like("image.png"), 1);
}

Test(body, gzip_is_unpacked_before_it_is_judged_and_told, .init = start_suno, .fini = stop, .timeout = 60)
{
    server_script(&server, "gzip=1&key=one", "{\"code\":401,\"msg\":\"no access\",\"data\":null}");
    server_script(&server, "gzip=1&key=two", "{\"code\":200,\"msg\":\"success\",\"data\":12}");
    cr_expect_eq(ask((kb_http_request){.url = "/api/v1/generate/credit"}), 0);
    cr_expect_eq(answer.attempts, 2);
    cr_expect_str_eq(answer.body ? answer.body : "", "{\"code\":200,\"msg\":\"success\",\"data\":12}");
    cr_expect_eq(available(), KEYS - 1);
}

Test(body, what_calls_itself_gzip_and_is_none_blames_no_key, .init = start_suno, .fini = stop, .timeout = 60)
{
    server_script(&server, "header=Content-Encoding:gzip", "{\"code\":401}");
    cr_expect_eq(ask((kb_http_request){.url = "/api/v1/generate/credit"}), 0);
    cr_expect_eq(KB_FALLBACK(answer.outcome) & KB_FALLBACK_ALL, 0, "%s", kb_outcome_name(answer.outcome));
    cr_expect_not_null(answer.error);
    cr_expect_eq(available(), KEYS);
    cr_expect_eq(seen(), 1);
}

Test(body, a_hundred_megabytes_over_the_memory_limit, .init = start_suno, .fini = stop, .timeout = 60)
{
    cr_assert_eq(ask((kb_http_request){.url = "/warm"}), 0);
    const uint64_t before = high_water();
    server_script(&server, text("size=%d", MANY), "{\"code\":200,\"data\":\"");
    cr_expect_eq(ask((kb_http_request){.url = "/large", .body_max = 1 << 20}), 0);
    cr_expect_eq(answer.outcome, KB_OUTCOME_CLIENT, "%s", kb_outcome_name(answer.outcome));
    cr_expect_not_null(answer.error);
    cr_expect_leq(answer.body_len, 1u << 20);
    cr_expect_lt(high_water() - before, GROWTH_MAX, "%llu bytes more", (unsigned long long)(high_water() - before));
    cr_expect_eq(seen(), 2);
    cr_expect_eq(available(), KEYS);
}

Test(body, a_hundred_megabytes_over_the_file_limit, .init = start_stability, .fini = stop, .timeout = 60)
{
    cr_assert_eq(ask((kb_http_request){.url = "/warm"}), 0);
    const uint64_t before = high_water();
    server_script(&server, text("size=%d&type=image/png", MANY), "");
    cr_expect_eq(ask((kb_http_request){.url = "/large", .out = file_path("large.png"), .file_max = MANY - 1}), 0);
    cr_expect_eq(answer.outcome, KB_OUTCOME_CLIENT, "%s", kb_outcome_name(answer.outcome));
    cr_expect_not_null(answer.error);
    cr_expect_not(answer.in_file);
    cr_expect_eq(files_like("large.png"), 0);
    cr_expect_lt(high_water() - before, GROWTH_MAX, "%llu bytes more", (unsigned long long)(high_water() - before));
    cr_expect_eq(available(), KEYS);
}

Test(body, a_hundred_megabytes_into_a_file, .init = start_stability, .fini = stop, .timeout = 60)
{
    const char *path = file_path("large.png");
    cr_assert_eq(ask((kb_http_request){.url = "/warm"}), 0);
    const uint64_t before = high_water();
    server_script(&server, text("size=%d&type=image/png", MANY), "");
    cr_expect_eq(ask((kb_http_request){.url = "/large", .out = path, .file_max = MANY}), 0);
    cr_expect_eq(answer.outcome, KB_OUTCOME_OK);
    check_size(path, MANY);
    cr_expect_eq(files_like("large.png"), 1);
    cr_expect_lt(high_water() - before, GROWTH_MAX, "%llu bytes more", (unsigned long long)(high_water() - before));
}

/* Bits as deflate packs them: a Huffman code's first bit first, from the lowest bit of a byte up. */
static void put(unsigned char *bytes, size_t *at, unsigned code, unsigned bits)
{
    while (bits-- > 0) {
        bytes[*at / 8] |= (unsigned char)((code >> bits & 1) << *at % 8);
        ++*at;
    }
}

/* gzip of 100 MB: one 'x', then copies of the 258 bytes before, in the codes RFC 1951 fixes. */
static unsigned char *bomb(size_t *len)
{
    enum { COPY = 258, HEAD = 10, COPY_BITS = 13 };
    const size_t copies = MANY / COPY;
    unsigned char *bytes = calloc(1, HEAD + copies * COPY_BITS / 8 + 16);
    size_t at = 8 * HEAD;
    cr_assert_not_null(bytes);
    memcpy(bytes, (const unsigned char[]){0x1f, 0x8b, 8}, 3);
    put(bytes, &at, 6, 3); /* the last block, of fixed codes */
    put(bytes, &at, 0x30 + 'x', 8);
    for (size_t i = 0; i < copies; i++) {
        put(bytes, &at, 0xc5, 8); /* length 258 … */
        put(bytes, &at, 0, 5);    /* … from 1 byte back */
    }
    put(bytes, &at, 0, 7);
    *len = at / 8 + 9; /* and a check nobody gets to */
    return bytes;
}

Test(body, a_hundred_megabytes_unpacked_from_less_than_one, .init = start_suno, .fini = stop, .timeout = 60)
{
    size_t len;
    unsigned char *packed = bomb(&len);
    cr_assert_lt(len, 1u << 20);
    cr_assert_eq(ask((kb_http_request){.url = "/warm"}), 0);
    const uint64_t before = high_water();
    server_script_bytes(&server, "header=Content-Encoding:gzip&times=2", (const char *)packed, len);
    cr_expect_eq(ask((kb_http_request){.url = "/bomb", .body_max = 2 << 20}), 0);
    cr_expect_eq(answer.outcome, KB_OUTCOME_CLIENT, "%s: %s", kb_outcome_name(answer.outcome), answer.error);
    cr_expect_not_null(answer.error);
    cr_expect_eq(ask((kb_http_request){.url = "/bomb", .out = file_path("bomb"), .file_max = 2 << 20}), 0);
    cr_expect_eq(answer.outcome, KB_OUTCOME_CLIENT, "%s: %s", kb_outcome_name(answer.outcome), answer.error);
    cr_expect_eq(files_like("bomb"), 0);
    cr_expect_lt(high_water() - before, GROWTH_MAX, "%llu bytes more", (unsigned long long)(high_water() - before));
    cr_expect_eq(available(), KEYS);
    free(packed);
}

/* What a refusal says beyond the limit changes nothing about it. */
Test(body, a_refusal_over_the_limit_still_fails_its_key, .init = start_suno, .fini = stop, .timeout = 60)
{
    server_script(&server, text("status=401&key=one&size=%d", MANY), "{\"code\":401,\"msg\":\"");
    cr_expect_eq(ask((kb_http_request){.url = "/large", .body_max = 4096}), 0);
    cr_expect_eq(answer.outcome, KB_OUTCOME_OK);
    cr_expect_eq(answer.attempts, 2);
    cr_expect_eq(available(), KEYS - 1);
}
