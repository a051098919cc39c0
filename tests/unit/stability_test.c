/*
 * What Stability AI is asked, and what is made of its answers.
 */
#include "tests/unit/adapter_server.h"

#include "keybroker/stability.h"

TestSuite(stability, .init = begin, .fini = end, .timeout = 60);

Test(stability, an_image_goes_to_its_file)
{
    const char *out = in_scratch("out.png");
    char findings[300];
    will_send_image("image/png", "123", "SUCCESS");
    int code = RUN("stability.text_to_image", {"prompt", "a \"house\""}, {"style_preset", "anime"}, {"out", out});
    snprintf(findings, sizeof(findings),
             "{\"file\":\"%s\",\"seed\":123,\"finish_reason\":\"SUCCESS\",\"filtered\":false}", out);
    succeeded(code, findings);
    cr_assert_str_eq(content_of(out), "IMAGE");
    cr_assert_str_eq(method, "POST");
    cr_assert_str_eq(uri, "/v2beta/stable-image/generate/core");
    cr_assert_str_eq(accept_header, "image/*");
    cr_assert(strncmp(type_header, "multipart/form-data; boundary=", 30) == 0, "%s", type_header);
    has_part("prompt", "a \"house\"");
    has_part("style_preset", "anime");
    cr_assert_eq(parts(), 2);
}

Test(stability, models_have_their_paths)
{
    static const char *const models[][3] = {{"core", "core", NULL},
                                            {"ultra", "ultra", NULL},
                                            {"sd3", "sd3", NULL},
                                            {"sd3.5-medium", "sd3", "sd3.5-medium"},
                                            {"sd3.5-flash", "sd3", "sd3.5-flash"}};
    char path[100];
    will_send_image("image/png", "1", "SUCCESS");
    for (size_t i = 0; i < sizeof(models) / sizeof(*models); i++) {
        cr_assert_eq(RUN("stability.text_to_image", {"prompt", "x"}, {"model", models[i][0]}, {"out", in_scratch("o")}),
                     0);
        snprintf(path, sizeof(path), "/v2beta/stable-image/generate/%s", models[i][1]);
        cr_assert_str_eq(uri, path);
        if (models[i][2] != NULL)
            has_part("model", models[i][2]);
        cr_assert_eq(parts(), models[i][2] != NULL ? 2 : 1);
    }
}

Test(stability, an_image_is_sent_with_its_bytes)
{
    will_send_image("image/png", "1", "SUCCESS");
    const char *from = small_file("from.png", "PIXELS");
    double strength = 0.25, scale = 7, seed = 4294967294.0;
    kb_stability_image image;
    kb_stability_options options = {.prompt = "x",
                                    .model = "sd3",
                                    .mode = "image-to-image",
                                    .image = from,
                                    .strength = &strength,
                                    .cfg_scale = &scale,
                                    .seed = &seed,
                                    .out = in_scratch("out.png")};
    cr_assert_eq(kb_stability_text_to_image(http, NULL, &options, &image, &result), 0, "%s", result.answer.error);
    cr_assert(image.made && !image.filtered && image.seed == 1);
    has_part("image", "PIXELS");
    has_part("strength", "0.25");
    has_part("cfg_scale", "7");
    has_part("seed", "4294967294");
    cr_assert_not_null(strstr(body, "filename=\"from.png\""));
    cr_assert_null(strstr(body, scratch));
}

Test(stability, without_a_file_the_image_is_in_memory)
{
    will_answer((struct reply){.status = 200,
                               .type = "application/json; type=image/png",
                               .body = "{\"image\":\"SU1B\\/0c=\",\"seed\":9,\"finish_reason\":\"CONTENT_FILTERED\"}"});
    kb_stability_image image;
    kb_stability_options options = {.prompt = "x"};
    cr_assert_eq(kb_stability_text_to_image(http, NULL, &options, &image, &result), 0);
    cr_assert(image.made && image.filtered && image.seed == 9);
    cr_assert_str_eq(accept_header, "application/json");
    cr_assert_eq(result.data_len, 5);
    cr_assert_eq(memcmp(result.data,
                        "IMA\xff"
                        "G",
                        5),
                 0);
    cr_assert_str_eq(result.findings,
                     "{\"bytes\":5,\"seed\":9,\"finish_reason\":\"CONTENT_FILTERED\",\"filtered\":true}");
}

Test(stability, a_filtered_image_is_a_success)
{
    will_send_image("image/jpeg", "7", "CONTENT_FILTERED");
    kb_stability_image image;
    kb_stability_options options = {.prompt = "x", .out = in_scratch("out.png")};
    cr_assert_eq(kb_stability_text_to_image(http, NULL, &options, &image, &result), 0);
    cr_assert_eq(result.answer.outcome, KB_OUTCOME_OK);
    cr_assert(image.made && image.filtered && image.seed == 7);
    cr_assert_str_eq(image.finish_reason, "CONTENT_FILTERED");
    cr_assert_str_eq(content_of(options.out), "IMAGE");
}

Test(stability, an_answer_that_is_no_image_is_no_success)
{
    const char *out = in_scratch("out.png");
    will_send_image("text/html", "7", "SUCCESS");
    cr_assert_eq(RUN("stability.text_to_image", {"prompt", "x"}, {"out", out}), 0);
    cr_assert_eq(result.answer.outcome, KB_OUTCOME_TRANSIENT);
    cr_assert(result.answer.ambiguous && !result.answer.in_file);
    cr_assert_null(content_of(out));
    static const char *const bodies[] = {
        "{}", "[]", "{\"image\":\"\"}", "{\"image\":\"S\"}", "{\"image\":\"S*==\"}", "{\"image\":7}", "IMAGE"};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        requests = n_replies = 0;
        will_say(bodies[i]);
        cr_assert_eq(RUN("stability.text_to_image", {"prompt", "x"}), 0);
        cr_assert_eq(result.answer.outcome, KB_OUTCOME_TRANSIENT, "%s", bodies[i]);
        cr_assert_null(result.findings);
        cr_assert_null(result.data);
    }
}

Test(stability, headers_that_are_odd_are_left_out)
{
    const char *out = in_scratch("out.png");
    char findings[300];
    will_answer((struct reply){.status = 200, .type = "IMAGE/webp", .body = "I", .headers = {{"Seed", "12\"}"}}});
    int code = RUN("stability.text_to_image", {"prompt", "x"}, {"out", out});
    snprintf(findings, sizeof(findings), "{\"file\":\"%s\",\"finish_reason\":\"\",\"filtered\":false}", out);
    succeeded(code, findings);
}

Test(stability, a_moderated_prompt_costs_no_key)
{
    const char *out = in_scratch("out.png");
    will_answer((struct reply){.status = 403,
                               .type = "application/json",
                               .body = "{\"id\":\"x\",\"name\":\"content_moderation\",\"errors\":[\"flagged\"]}"});
    cr_assert_eq(RUN("stability.text_to_image", {"prompt", "x"}, {"out", out}), 0);
    cr_assert_eq(result.answer.outcome, KB_OUTCOME_CLIENT);
    cr_assert_eq(requests, 1);
    cr_assert_null(content_of(out));
}

Test(stability, an_empty_account_goes_on_to_the_next_key)
{
    will_answer((struct reply){.status = 402,
                               .type = "application/json",
                               .body = "{\"id\":\"x\",\"name\":\"payment_required\",\"errors\":[\"You lack sufficient "
                                       "credits\"]}"});
    will_send_image("image/png", "1", "SUCCESS");
    const char *from = small_file("from.png", "PIXELS"), *out = in_scratch("out.png");
    cr_assert_eq(RUN("stability.edit_image", {"operation", "erase"}, {"image", from}, {"out", out}), 0);
    cr_assert_eq(result.answer.outcome, KB_OUTCOME_OK);
    cr_assert_eq(requests, 2);
    has_part("image", "PIXELS");
}

Test(stability, operations_have_their_paths_and_parts)
{
    const char *from = small_file("from.png", "PIXELS"), *mask = small_file("mask.png", "MASK"),
               *out = in_scratch("out.png");
    kb_call_arg image = {"image", from}, file = {"out", out}, prompt = {"prompt", "p"};
    will_send_image("image/png", "1", "SUCCESS");
    cr_assert_eq(RUN("stability.edit_image", image, file, prompt, {"operation", "inpaint"}, {"mask", mask},
                     {"grow_mask", "7.5"}),
                 0);
    cr_assert_str_eq(uri, "/v2beta/stable-image/edit/inpaint");
    has_part("mask", "MASK");
    has_part("grow_mask", "7.5");
    cr_assert_eq(parts(), 4);
    cr_assert_eq(
        RUN("stability.edit_image", image, file, prompt, {"operation", "search-and-replace"}, {"search_prompt", "cat"}),
        0);
    cr_assert_str_eq(uri, "/v2beta/stable-image/edit/search-and-replace");
    has_part("search_prompt", "cat");
    cr_assert_eq(parts(), 3);
    cr_assert_eq(RUN("stability.edit_image", image, file, {"operation", "outpaint"}, {"left", "10"}), 0);
    cr_assert_str_eq(uri, "/v2beta/stable-image/edit/outpaint");
    has_part("left", "10");
    cr_assert_eq(parts(), 2);
    cr_assert_eq(RUN("stability.edit_image", image, file, {"operation", "remove-background"}), 0);
    cr_assert_eq(parts(), 1);
}
