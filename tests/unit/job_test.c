#include "keypool/job.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define URL "\"url\":\"http://localhost/v1\""

static bool parse(struct kb_job *job, const char *line)
{
    return kb_job_parse(job, line, strlen(line), 7);
}

/* The line is refused, its error holds `why`, and its id is as given (NULL: not to be read). */
static void refused(const char *line, const char *id, const char *why)
{
    struct kb_job job;
    cr_assert_not(parse(&job, line), "taken: %s", line);
    cr_assert_not_null(strstr(job.error, why), "%s: '%s' does not say '%s'", line, job.error, why);
    if (id == NULL)
        cr_assert_null(job.id, "%s: id %s", line, job.id);
    else
        cr_assert_str_eq(job.id, id);
    kb_job_clear(&job);
}

static void has_header(const struct kb_job *job, size_t at, const char *name, const char *value)
{
    cr_assert_lt(at, job->request.header_count);
    cr_assert_str_eq(job->request.headers[at].name, name);
    cr_assert_str_eq(job->request.headers[at].value, value);
}

static void has_body(const struct kb_job *job, const char *body)
{
    cr_assert_eq(job->request.body_len, strlen(body));
    cr_assert_eq(memcmp(job->request.body, body, strlen(body)), 0);
}

Test(job, a_url_is_enough)
{
    struct kb_job job;
    cr_assert(parse(&job, "{" URL "}"), "%s", job.error);
    cr_assert_str_eq(job.id, "7");
    cr_assert_null(job.request.method);
    cr_assert_str_eq(job.request.url, "http://localhost/v1");
    cr_assert_null(job.request.body);
    cr_assert_null(job.request.out);
    cr_assert_eq(job.request.header_count, 0);
    kb_job_clear(&job);
}

Test(job, json_is_sent_as_it_is_written)
{
    static const char *const values[] = {
        "{\"a\": [1, 2.50, \"x\\u00e9\"]}", "\"te\\\"xt\"", "\"\"", "null", "-1e3", "[ ]"};
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        char line[200];
        struct kb_job job;
        snprintf(line, sizeof(line), "{" URL ",\"json\":%s}", values[i]);
        cr_assert(parse(&job, line), "%s: %s", line, job.error);
        cr_assert_null(job.request.method);
        has_header(&job, 0, "Content-Type", "application/json");
        has_body(&job, values[i]);
        kb_job_clear(&job);
    }
}

Test(job, a_content_type_of_its_own_is_kept)
{
    struct kb_job job;
    cr_assert(parse(&job, "{" URL ",\"json\":{},\"headers\":{\"content-TYPE\":\"application/x\",\"X-A\":\"\"}}"));
    cr_assert_eq(job.request.header_count, 2);
    has_header(&job, 0, "content-TYPE", "application/x");
    has_header(&job, 1, "X-A", "");
    kb_job_clear(&job);
}

Test(job, a_text_body_may_hold_anything)
{
    struct kb_job job;
    cr_assert(parse(&job, "{" URL ",\"method\":\"PUT\",\"body\":\"a\\u0000\\ud83d\\ude00\",\"out\":\"d/f\"}"));
    cr_assert_str_eq(job.request.method, "PUT");
    cr_assert_eq(job.request.body_len, 6);
    cr_assert_eq(memcmp(job.request.body, "a\0\xf0\x9f\x98\x80", 6), 0);
    cr_assert_eq(job.request.header_count, 0);
    cr_assert_str_eq(job.request.out, "d/f");
    kb_job_clear(&job);
}

Test(job, an_empty_body_is_a_body)
{
    struct kb_job job;
    cr_assert(parse(&job, "{" URL ",\"body\":\"\"}"));
    cr_assert_not_null(job.request.body);
    cr_assert_eq(job.request.body_len, 0);
    kb_job_clear(&job);
}

Test(job, an_id_is_echoed_as_given)
{
    static const char *const ids[] = {"\"a\\\"b\\u0041\"", "\"\"", "1.50e+2", "-0", "123456789012345678901234567890"};
    for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
        char line[200];
        struct kb_job job;
        snprintf(line, sizeof(line), "{\"id\":%s," URL "}", ids[i]);
        cr_assert(parse(&job, line), "%s: %s", line, job.error);
        cr_assert_str_eq(job.id, ids[i]);
        kb_job_clear(&job);
    }
}

Test(job, lines_that_are_no_object_have_no_id)
{
    refused("", NULL, "no JSON");
    refused("{", NULL, "no JSON");
    refused("GET http://localhost/", NULL, "no JSON");
    refused("{\"id\":1," URL "}}", NULL, "no JSON");
    refused("[" URL "]", NULL, "no JSON");
    refused("[]", NULL, "no JSON object");
    refused("\"x\"", NULL, "no JSON object");
    refused("{\"id\":1," URL ",\"body\":\"\xff\"}", NULL, "no UTF-8");
    refused("{\"id\":\"\xc0\x80\"," URL "}", NULL, "no UTF-8");
    refused("{\"id\":\"\xed\xa0\x80\"," URL "}", NULL, "no UTF-8");
    refused("{\"id\":null," URL "}", NULL, "id is neither");
    refused("{\"id\":{}," URL "}", NULL, "id is neither");
    refused("{\"id\":true," URL "}", NULL, "id is neither");
}

Test(job, nesting_without_end_is_refused)
{
    char line[4000];
    memset(line, '[', sizeof(line));
    line[sizeof(line) - 1] = '\0';
    refused(line, NULL, "no JSON");
}

Test(job, a_line_over_the_limit_is_refused)
{
    struct kb_job job;
    char *line = calloc(1, KB_JOB_LINE_MAX + 1);
    cr_assert_not_null(line);
    cr_assert_not(kb_job_parse(&job, line, KB_JOB_LINE_MAX + 1, 1));
    cr_assert_not_null(strstr(job.error, "longer than"));
    kb_job_clear(&job);
    free(line);
}

Test(job, members_are_checked)
{
    refused("{\"id\":1," URL ",\"URL\":\"x\"}", "1", "unknown member \"URL\"");
    refused("{\"id\":1," URL ",\"\":\"x\"}", "1", "unknown member \"\"");
    refused("{\"id\":1," URL ",\"key\":\"x\"}", "1", "unknown member");
    refused("{\"id\":1," URL ",\"json\":1,\"body\":\"x\"}", "1", "both json and body");
    refused("{\"id\":1," URL ",\"body\":1}", "1", "body is no string");
    refused("{\"id\":1," URL ",\"method\":1}", "1", "method is no string");
    refused("{\"id\":1," URL ",\"method\":\"GET\\u0000\"}", "1", "method holds a NUL");
    refused("{\"id\":1," URL ",\"out\":1}", "1", "out is no string");
    refused("{\"id\":1," URL ",\"out\":\"a\\u0000b\"}", "1", "NUL");
}

Test(job, urls_are_texts)
{
    refused("{\"id\":1}", "1", "no url");
    refused("{\"id\":1,\"url\":5}", "1", "url is no string");
    refused("{\"id\":1,\"url\":\"http://localhost/\\u0000\"}", "1", "url holds a NUL");
}

static void header_refused(const char *members, const char *why)
{
    char line[300];
    snprintf(line, sizeof(line), "{\"id\":1," URL ",\"headers\":{%s}}", members);
    refused(line, "1", why);
}

Test(job, headers_are_texts)
{
    header_refused("\"X\":\"a\\u0000b\"", "NUL");
    header_refused("\"X\\u0000\":\"b\"", "NUL");
    header_refused("\"X\":5", "no string");
    refused("{\"id\":1," URL ",\"headers\":[]}", "1", "headers is no object");
    refused("{\"id\":1," URL ",\"headers\":null}", "1", "headers is no object");
}

Test(job, headers_are_limited_in_number)
{
    char members[4000] = "\"X\":\"\"", *end = members + strlen(members);
    for (int i = 1; i < KB_JOB_HEADERS_MAX; i++)
        end += sprintf(end, ",\"X%d\":\"\"", i);
    char line[5000];
    struct kb_job job;
    snprintf(line, sizeof(line), "{" URL ",\"json\":1,\"headers\":{%s}}", members);
    cr_assert(parse(&job, line), "%s", job.error);
    has_header(&job, KB_JOB_HEADERS_MAX, "Content-Type", "application/json");
    kb_job_clear(&job);
    snprintf(line, sizeof(line), "{\"id\":1," URL ",\"headers\":{%s,\"Y\":\"\"}}", members);
    refused(line, "1", "more than 100 headers");
}

#define CALL "\"call\":\"suno.wait\""

static void has_argument(const struct kb_job *job, size_t at, const char *name, const char *text)
{
    cr_assert_lt(at, job->arg_count);
    cr_assert_str_eq(job->args[at].name, name);
    cr_assert_str_eq(job->args[at].text, text);
}

Test(job, a_call_takes_all_other_members_as_arguments)
{
    struct kb_job job;
    cr_assert(
        parse(&job, "{\"a\":\"x\\u00e9\"," CALL ",\"url\":\"/\",\"id\":\"i\",\"n\":-1.50e3,\"t\":true,\"out\":\"f\"}"),
        "%s", job.error);
    cr_assert_str_eq(job.call, "suno.wait");
    cr_assert_str_eq(job.id, "\"i\"");
    cr_assert_eq(job.arg_count, 5);
    has_argument(&job, 0, "a", "x\u00e9");
    has_argument(&job, 1, "url", "/");
    has_argument(&job, 2, "n", "-1.50e3");
    has_argument(&job, 3, "t", "true");
    has_argument(&job, 4, "out", "f");
    cr_assert_str_eq(kb_job_out(&job), "f");
    cr_assert_null(job.request.url);
    kb_job_clear(&job);
}

Test(job, a_call_may_have_no_arguments)
{
    struct kb_job job;
    cr_assert(parse(&job, "{" CALL "}"), "%s", job.error);
    cr_assert_str_eq(job.id, "7");
    cr_assert_eq(job.arg_count, 0);
    cr_assert_null(kb_job_out(&job));
    kb_job_clear(&job);
}

/* No blank to spare: what the decoded texts need is all in the line. */
Test(job, the_shortest_arguments_have_room)
{
    struct kb_job job;
    cr_assert(parse(&job, "{\"call\":\"\",\"\":1,\"b\":2,\"c\":\"\",\"\":0}"), "%s", job.error);
    cr_assert_eq(job.arg_count, 4);
    has_argument(&job, 0, "", "1");
    has_argument(&job, 3, "", "0");
    kb_job_clear(&job);
}

Test(job, arguments_are_checked)
{
    refused("{\"id\":1,\"call\":null}", "1", "call is no string");
    refused("{\"id\":1,\"call\":\"a\\u0000b\"}", "1", "call holds a NUL");
    refused("{\"id\":1," CALL "," CALL "}", "1", "call is given twice");
    refused("{\"id\":1," CALL ",\"a\":null}", "1", "a is neither");
    refused("{\"id\":1," CALL ",\"a\":[1]}", "1", "a is neither");
    refused("{\"id\":1," CALL ",\"a\":{}}", "1", "a is neither");
    refused("{\"id\":1," CALL ",\"a\":\"x\\u0000\"}", "1", "a holds a NUL");
    refused("{\"id\":1," CALL ",\"a\\u0000\":1}", "1", "name holds a NUL");
    refused("{\"id\":1,\"c\\u0061ll\":\"suno.wait\"}", "1", "unknown member");
}

Test(job, arguments_are_limited_in_number)
{
    char line[3000] = "{" CALL, *end = line + strlen(line);
    struct kb_job job;
    for (int i = 0; i < KB_JOB_ARGUMENTS_MAX; i++)
        end += sprintf(end, ",\"a%d\":1", i);
    strcpy(end, "}");
    cr_assert(parse(&job, line), "%s", job.error);
    cr_assert_eq(job.arg_count, KB_JOB_ARGUMENTS_MAX);
    kb_job_clear(&job);
    strcpy(end, ",\"x\":1,\"y\":1,\"id\":1}");
    refused(line, "1", "more than 100 arguments");
}

Test(job, a_line_that_may_hold_a_call_is_told_by_its_bytes)
{
    static const char call[] = "{ \"call\" : \"x\"}", url[] = "{" URL "}", text[] = "{" URL ",\"json\":\"call\"}";
    cr_assert(kb_job_maybe_call(call, strlen(call)));
    cr_assert_not(kb_job_maybe_call(url, strlen(url)));
    cr_assert(kb_job_maybe_call(text, strlen(text)));
    cr_assert_not(kb_job_maybe_call(call, 3));
}
