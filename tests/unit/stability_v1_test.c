/*
 * Version 1 of Stability AI: images, balance and account.
 */
#include "tests/unit/adapter_server.h"

#include "keybroker/stability.h"

TestSuite(stability_v1, .init = begin, .fini = end, .timeout = 60);

Test(stability_v1, version_1_writes_json)
{
    const char *out = in_scratch("out.png");
    will_send_image("image/png", "5", "SUCCESS");
    int code = RUN("stability.text_to_image_v1", {"prompt", "a\"b"}, {"negative_prompt", "c"}, {"width", "512"},
                   {"cfg_scale", "7.5"}, {"sampler", "DDIM"}, {"organization", "org-1"}, {"out", out});
    cr_assert_eq(code, 0, "%s", result.answer.error);
    cr_assert_str_eq(uri, "/v1/generation/stable-diffusion-xl-1024-v1-0/text-to-image");
    cr_assert_str_eq(accept_header, "image/png");
    cr_assert_str_eq(organization, "org-1");
    cr_assert_str_eq(type_header, "application/json");
    cr_assert_str_eq(body, "{\"width\":512,\"cfg_scale\":7.5,\"sampler\":\"DDIM\",\"text_prompts\":[{\"text\":"
                           "\"a\\\"b\",\"weight\":1},{\"text\":\"c\",\"weight\":-1}]}");
    cr_assert_str_eq(content_of(out), "IMAGE");
}

Test(stability_v1, version_1_gives_several_images)
{
    double samples = 2;
    kb_stability_image image;
    kb_stability_v1_options options = {.prompt = "x", .samples = &samples, .out = in_scratch("out.png")};
    will_say("{\"artifacts\":[{\"base64\":\"QQ==\",\"seed\":1050625087,\"finishReason\":\"CONTENT_FILTERED\"},"
             "{\"base64\":\"Qg==\",\"seed\":2,\"finishReason\":\"SUCCESS\"}]}");
    cr_assert_eq(kb_stability_text_to_image_v1(http, NULL, &options, &image, &result), 0);
    cr_assert_eq(result.answer.outcome, KB_OUTCOME_OK, "%s", result.answer.error);
    cr_assert(image.made && image.filtered && image.seed == 1050625087);
    cr_assert_str_eq(accept_header, "application/json");
    cr_assert_str_eq(content_of(in_scratch("out-1.png")), "A");
    cr_assert_str_eq(content_of(in_scratch("out-2.png")), "B");
    cr_assert_null(content_of(options.out));
    cr_assert_not_null(strstr(result.findings, "\"images\":[{\"file\":\""));
}

Test(stability_v1, version_1_tells_a_failed_image)
{
    will_say("{\"artifacts\":[{\"base64\":\"QQ==\",\"seed\":1,\"finishReason\":\"ERROR\"}]}");
    kb_stability_image image;
    kb_stability_v1_options options = {.prompt = "x"};
    cr_assert_eq(kb_stability_text_to_image_v1(http, NULL, &options, &image, &result), 0);
    cr_assert_eq(result.answer.outcome, KB_OUTCOME_TRANSIENT);
    cr_assert_not(image.made);
    requests = n_replies = 0;
    will_say("[]");
    kb_call_result_clear(&result);
    cr_assert_eq(kb_stability_text_to_image_v1(http, NULL, &options, &image, &result), 0);
    cr_assert_eq(result.answer.outcome, KB_OUTCOME_TRANSIENT);
}

Test(stability_v1, balance_and_account)
{
    double credits;
    will_say("{\"credits\":0.6336833840314097}");
    cr_assert_eq(kb_stability_balance(http, NULL, NULL, "org", &credits, &result), 0);
    cr_assert(credits > 0.633683 && credits < 0.633684);
    cr_assert_str_eq(uri, "/v1/user/balance");
    cr_assert_str_eq(organization, "org");
    requests = n_replies = 0;
    will_say(
        "{\"id\":\"user-1\",\"email\":\"a@b\",\"x\":[],\"organizations\":[{\"id\":\"org-1\",\"name\":\"N\",\"role\""
        ":\"ADMIN\",\"is_default\":true},7]}");
    kb_call_result_clear(&result);
    cr_assert_eq(kb_stability_account(http, NULL, NULL, &result), 0);
    cr_assert_str_eq(uri, "/v1/user/account");
    cr_assert_not_null(strstr(result.findings, "\"id\":\"user-1\",\"email\":\"a@b\",\"organizations\":[{\"id\":\"org-1"
                                               "\",\"name\":\"N\",\"role\":\"ADMIN\",\"is_default\":true}]}"));
    requests = n_replies = 0;
    will_say("{\"message\":\"fine\"}");
    kb_call_result_clear(&result);
    cr_assert_eq(kb_stability_account(http, NULL, NULL, &result), 0);
    cr_assert_eq(result.answer.outcome, KB_OUTCOME_TRANSIENT);
}
