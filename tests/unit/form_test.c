/*
 * Multipart bodies, as they arrive.
 */
#include "tests/unit/request_server.h"

TestSuite(form, .init = begin, .fini = end, .timeout = 60);

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(in_scratch(name), "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static kb_http_answer send_parts(const kb_http_part *parts, size_t count, const char *path)
{
    return ask((kb_http_request){.parts = parts, .part_count = count}, path);
}

static void holds(const kb_http_answer *got, const char *text)
{
    cr_assert_not_null(got->body, "no body: %s", got->error);
    cr_assert_not_null(strstr(got->body, text), "'%s' is not in '%s'", text, got->body);
}

Test(form, data_and_files_arrive_with_their_names)
{
    write_file("picture.png", "not really");
    const kb_http_part parts[] = {
        {.name = "prompt", .data = "a \"cat\"", .len = 7},
        {.name = "image", .file = in_scratch("picture.png")},
        {.name = "mask", .data = "m\0m", .len = 3, .filename = "m.bin", .content_type = "application/x-mask"}};
    kb_http_answer got = send_parts(parts, 3, "/form");
    was(&got, KB_OUTCOME_OK, 200, false);
    holds(&got, "Content-Disposition: form-data; name=\"prompt\"\r\n\r\na \"cat\"\r\n");
    holds(&got, "name=\"image\"; filename=\"picture.png\"\r\nContent-Type: image/png\r\n\r\nnot really\r\n");
    holds(&got, "name=\"mask\"; filename=\"m.bin\"\r\nContent-Type: application/x-mask\r\n\r\nm");
    kb_http_answer_clear(&got);
}

Test(form, libcurl_names_the_boundary_and_nothing_waits_for_100)
{
    const kb_http_part part = {.name = "a", .data = "b", .len = 1};
    kb_http_answer got = send_parts(&part, 1, "/echo");
    holds(&got, "POST [--");
    holds(&got, "type=multipart/form-data; boundary=");
    holds(&got, "expect=none");
    kb_http_answer_clear(&got);
}

Test(form, a_file_may_have_another_name_and_be_empty)
{
    write_file("empty", "");
    const kb_http_part part = {.name = "a", .file = in_scratch("empty"), .filename = "other \"one\".webp"};
    kb_http_answer got = send_parts(&part, 1, "/form");
    holds(&got, "filename=\"other %22one%22.webp\"");
    kb_http_answer_clear(&got);
}

Test(form, is_sent_again_whole_with_the_next_key)
{
    set_pool(2, NULL);
    write_file("file", "content of the file");
    const kb_http_part parts[] = {{.name = "a", .data = "text", .len = 4}, {.name = "b", .file = in_scratch("file")}};
    kb_http_answer got = send_parts(parts, 2, "/first-form");
    was(&got, KB_OUTCOME_OK, 200, false);
    cr_assert_eq(got.attempts, 2);
    holds(&got, "\r\n\r\ntext\r\n");
    holds(&got, "\r\n\r\ncontent of the file\r\n");
    kb_http_answer_clear(&got);
}

Test(form, leaves_nothing_for_the_next_request)
{
    const kb_http_part part = {.name = "a", .data = "b", .len = 1};
    kb_http_answer got = send_parts(&part, 1, "/form");
    kb_http_answer_clear(&got);
    got = ask((kb_http_request){0}, "/echo");
    has_body(&got, "GET [] test=none type=none expect=none length=none Bearer [redacted]");
    kb_http_answer_clear(&got);
    got = ask((kb_http_request){.method = "HEAD"}, "/echo");
    has_body(&got, "");
    kb_http_answer_clear(&got);
    got = ask((kb_http_request){.body = "x", .body_len = 1}, "/echo");
    has_body(&got, "POST [x] test=none type=none expect=none length=1 Bearer [redacted]");
    kb_http_answer_clear(&got);
}
