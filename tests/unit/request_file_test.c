/*
 * Answers that go to a file.
 */
#include "tests/unit/request_server.h"

TestSuite(request_file, .init = begin, .fini = end, .timeout = 60);

static int files_in_scratch(void)
{
    int count = 0;
    DIR *dir = opendir(scratch);
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count - 2;
}

static void file_holds(const char *path, const char *expected)
{
    char text[64] = "";
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    cr_assert_lt(fread(text, 1, sizeof(text), file), sizeof(text));
    fclose(file);
    cr_assert_str_eq(text, expected);
}

Test(request_file, a_good_answer_goes_to_its_file)
{
    const char *path = in_scratch("out");
    kb_http_answer got = ask((kb_http_request){.out = path}, "/fine");
    was(&got, KB_OUTCOME_OK, 200, false);
    cr_assert(got.in_file && got.body == NULL);
    file_holds(path, "fine");
    cr_assert_eq(files_in_scratch(), 1);
    kb_http_answer_clear(&got);
}

Test(request_file, an_empty_answer_makes_an_empty_file)
{
    kb_http_answer got = ask((kb_http_request){.out = in_scratch("out"), .method = "HEAD"}, "/fine");
    cr_assert(got.in_file);
    file_holds(in_scratch("out"), "");
    kb_http_answer_clear(&got);
}

static void leaves_the_old_file(const char *path, kb_outcome outcome, int status)
{
    FILE *old = fopen(in_scratch("out"), "w");
    fputs("old", old);
    fclose(old);
    kb_http_answer got = ask((kb_http_request){.out = in_scratch("out")}, path);
    cr_assert(got.outcome == outcome && got.status == status, "%s: %s", path, got.error);
    cr_assert_not(got.in_file);
    file_holds(in_scratch("out"), "old");
    cr_assert_eq(files_in_scratch(), 1);
    kb_http_answer_clear(&got);
}

Test(request_file, an_answer_that_breaks_off_leaves_the_file_as_it_was)
{
    leaves_the_old_file("/half", KB_OUTCOME_TRANSIENT, 200);
}

Test(request_file, refusals_and_redirects_are_no_content_for_a_file)
{
    leaves_the_old_file("/refuse", KB_OUTCOME_AUTH, 401);
    leaves_the_old_file("/away", KB_OUTCOME_CLIENT, 302);
}

Test(request_file, a_file_that_cannot_be_made_costs_no_claim)
{
    refused((kb_http_request){.url = url_of("http", "/fine"), .out = in_scratch("missing/out")}, "No such file");
    refused((kb_http_request){.url = url_of("http", "/fine"), .out = in_scratch("")}, "no file");
    refused((kb_http_request){.url = url_of("http", "/fine"), .out = ""}, "no file");
    cr_assert_eq(requests, 0);
}

#define RULE "{\"rules\":[{\"status\":200,\"field\":\"code\",\"is\":401,\"outcome\":\"auth\"}]}"

Test(request_file, an_error_in_an_envelope_of_200_is_no_content)
{
    set_pool(1, RULE);
    leaves_the_old_file("/envelope", KB_OUTCOME_AUTH, 200);
    kb_http_answer got = ask((kb_http_request){.out = in_scratch("out")}, "/envelope");
    has_body(&got, ENVELOPE);
    kb_http_answer_clear(&got);
}

Test(request_file, nothing_of_an_envelope_is_in_the_next_keys_file)
{
    set_pool(2, RULE);
    kb_http_answer got = ask((kb_http_request){.out = in_scratch("out")}, "/envelope");
    was(&got, KB_OUTCOME_OK, 200, false);
    cr_assert_eq(got.attempts, 2);
    file_holds(in_scratch("out"), "fine");
    kb_http_answer_clear(&got);
}

Test(request_file, an_empty_answer_after_an_envelope_makes_an_empty_file)
{
    set_pool(2, RULE);
    kb_http_answer got = ask((kb_http_request){.out = in_scratch("out")}, "/envelope-then-nothing");
    cr_assert(got.in_file && got.attempts == 2);
    file_holds(in_scratch("out"), "");
    kb_http_answer_clear(&got);
}

Test(request_file, an_answer_over_the_files_limit_is_not_kept)
{
    kb_http_answer got = ask((kb_http_request){.out = in_scratch("out"), .file_max = 3}, "/fine");
    was(&got, KB_OUTCOME_CLIENT, 200, false);
    cr_assert_eq(files_in_scratch(), 0);
    kb_http_answer_clear(&got);
    got = ask((kb_http_request){.out = in_scratch("out"), .file_max = 4, .body_max = 1}, "/fine");
    cr_assert(got.in_file);
    kb_http_answer_clear(&got);
}
