/*
 * Stability's answers as recorded and documented, both versions, over HTTP: errors go by their name.
 */
#include "rows.h"

#define V2(name, text)   "{\"id\":\"a1b2\",\"name\":\"" name "\",\"errors\":[\"" text "\"]}"
#define V1(name, text)   "{\"id\":\"a1b2\",\"name\":\"" name "\",\"message\":\"" text "\"}"
#define IMAGE(finish)    "{\"image\":\"AAAA\",\"seed\":7,\"finish_reason\":\"" finish "\"}"
#define ARTIFACT(finish) "{\"artifacts\":[{\"base64\":\"AAAA\",\"seed\":7,\"finishReason\":\"" finish "\"}]}"
#define JSON_OF_AN_IMAGE "&type=application/json;%20type=image/png"
#define LACK             "You lack sufficient credits to make this request. Please purchase more credits."

static const struct row v2beta[] = {
    {"an image in JSON", 200, JSON_OF_AN_IMAGE, IMAGE("SUCCESS"), KB_OUTCOME_OK, 0},
    {"a filtered image", 200, JSON_OF_AN_IMAGE, IMAGE("CONTENT_FILTERED"), KB_OUTCOME_OK, 0},
    {"an image's bytes", 200, "&type=image/png&header=finish-reason:SUCCESS&header=seed:7",
     "\x89PNG\r\n\x1a\nunauthorized", KB_OUTCOME_OK, 0},
    {"a filtered image's bytes", 200, "&type=image/png&header=finish-reason:CONTENT_FILTERED", "\x89PNG", KB_OUTCOME_OK,
     0},
    {"a result in progress", 202, NULL, "{\"id\":\"a1\",\"status\":\"in-progress\"}", KB_OUTCOME_OK, 0},
    {"400", 400, NULL, V2("bad_request", "seed: must be a number"), KB_OUTCOME_CLIENT, 0},
    {"400 with a prompt that sounds like a key's", 400, NULL, V2("bad_request", "prompt: 'unauthorized' is too short"),
     KB_OUTCOME_CLIENT, 0},
    {"401", 401, NULL, V2("unauthorized", "authorization: invalid or missing header value"), KB_OUTCOME_AUTH, 0},
    {"402", 402, NULL, V2("payment_required", LACK), KB_OUTCOME_QUOTA, 0},
    {"403 for the content", 403, NULL,
     V2("content_moderation", "Your request was flagged by our content moderation system"), KB_OUTCOME_CLIENT, 0},
    {"403 of another name", 403, NULL, V2("permission_denied", "You do not have permission"), KB_OUTCOME_AUTH, 0},
    {"404", 404, NULL, V2("generation_not_found", "not found"), KB_OUTCOME_CLIENT, 0},
    {"413", 413, NULL, V2("payload_too_large", "over 10 MiB"), KB_OUTCOME_CLIENT, 0},
    {"422 for the language", 422, NULL, V2("invalid_language", "English is the only supported language"),
     KB_OUTCOME_CLIENT, 0},
    {"422 for a person", 422, NULL, V2("public_figure", "a public figure"), KB_OUTCOME_CLIENT, 0},
    {"429", 429, NULL, V2("rate_limit_exceeded", "You have exceeded the rate limit of 150 requests"), KB_OUTCOME_RATE,
     0},
    {"429 with Retry-After", 429, "&header=Retry-After:25", V2("rate_limit_exceeded", "slow down"), KB_OUTCOME_RATE,
     25000},
    {"500", 500, NULL, V2("internal_error", "An internal error occurred"), KB_OUTCOME_TRANSIENT, 0},
    {"502 of a proxy", 502, "&type=text/html", "<html>401 Unauthorized</html>", KB_OUTCOME_TRANSIENT, 0},
    {"503 without a body", 503, "&type=", "", KB_OUTCOME_TRANSIENT, 0},
};

static const struct row v1[] = {
    {"an artifact", 200, NULL, ARTIFACT("SUCCESS"), KB_OUTCOME_OK, 0},
    {"a filtered artifact", 200, NULL, ARTIFACT("CONTENT_FILTERED"), KB_OUTCOME_OK, 0},
    {"an artifact that failed", 200, NULL, ARTIFACT("ERROR"), KB_OUTCOME_OK, 0},
    {"a balance", 200, NULL, "{\"credits\":0.63}", KB_OUTCOME_OK, 0},
    {"an empty balance", 200, NULL, "{\"credits\":0}", KB_OUTCOME_OK, 0},
    {"400", 400, NULL, V1("bad_request", "width: must be a multiple of 64"), KB_OUTCOME_CLIENT, 0},
    {"400 for words", 400, NULL, V1("invalid_prompts", "Invalid prompts detected"), KB_OUTCOME_CLIENT, 0},
    {"401 without a key", 401, NULL, V1("unauthorized", "missing authorization header"), KB_OUTCOME_AUTH, 0},
    {"401 that echoes the key", 401, NULL,
     V1("unauthorized",
        "Incorrect API key provided: {KEY}. You can find your API key at https://platform.stability.ai."),
     KB_OUTCOME_AUTH, 0},
    {"403", 403, NULL, V1("permission_denied", "You do not have permission to access this resource"), KB_OUTCOME_AUTH,
     0},
    {"404 engine", 404, NULL, V1("not_found", "The specified engine (ID some-engine) was not found."),
     KB_OUTCOME_CLIENT, 0},
    {"429 of an empty account", 429, NULL,
     V1("insufficient_balance", "Your organization does not have enough balance to request this action"),
     KB_OUTCOME_QUOTA, 0},
    {"429", 429, NULL, V1("rate_limit_exceeded", "too many requests"), KB_OUTCOME_RATE, 0},
    {"429 without a body", 429, "&type=", "", KB_OUTCOME_RATE, 0},
    {"500", 500, NULL, V1("server_error", "An unexpected server error has occurred"), KB_OUTCOME_TRANSIENT, 0},
};

static void start_stability(void)
{
    start("stability");
}

Test(stability, each_v2beta_answer_is_judged_and_the_key_stands_accordingly, .init = start_stability, .fini = stop,
     .timeout = 90)
{
    for (size_t i = 0; i < sizeof v2beta / sizeof v2beta[0]; i++)
        check_row(&v2beta[i], 60000);
}

Test(stability, each_v1_answer_is_judged_and_the_key_stands_accordingly, .init = start_stability, .fini = stop,
     .timeout = 90)
{
    for (size_t i = 0; i < sizeof v1 / sizeof v1[0]; i++)
        check_row(&v1[i], 60000);
}

Test(stability, a_moderated_prompt_costs_one_request_and_no_key, .init = start_stability, .fini = stop, .timeout = 60)
{
    server_script(&server, "status=403&times=0", V2("content_moderation", "flagged"));
    for (int i = 0; i < 2 * KEYS; i++)
        cr_expect_eq(ask((kb_http_request){.url = "/v2beta/stable-image/generate/core"}), 0);
    cr_expect_eq(answer.outcome, KB_OUTCOME_CLIENT);
    cr_expect_eq(seen(), 2 * KEYS);
    cr_expect_eq(available(), KEYS);
}

Test(stability, headers_of_an_image_are_told, .init = start_stability, .fini = stop, .timeout = 60)
{
    const kb_http_part parts[] = {{.name = "prompt", .data = "a cat", .len = 5},
                                  {.name = "output_format", .data = "png", .len = 3},
                                  {.name = "image", .data = "\x89PNG", .len = 4, .filename = "cat.png"}};
    const char *path = file_path("image.png");
    server_script(&server, "type=image/png&header=finish-reason:CONTENT_FILTERED&header=Seed:77", "\x89PNG bytes");
    cr_expect_eq(ask((kb_http_request){
                     .url = "/v2beta/stable-image/generate/core", .parts = parts, .part_count = 3, .out = path}),
                 0);
    cr_expect_eq(answer.outcome, KB_OUTCOME_OK);
    cr_expect(answer.in_file);
    cr_expect_eq(files_like("image.png"), 1);
    const char *finish = kb_http_answer_header(&answer, "Finish-Reason"),
               *seed = kb_http_answer_header(&answer, "seed");
    cr_expect_str_eq(finish ? finish : "none", "CONTENT_FILTERED");
    cr_expect_str_eq(seed ? seed : "none", "77");
    char *log = server_log(&server);
    cr_expect_not_null(strstr(log, "\"parts\":[\"prompt\",\"output_format\",\"image\"]"), "%s", log);
    cr_expect_not_null(strstr(log, "\"method\":\"POST\""));
    cr_expect_null(strstr(log, MARK), "the log masks the key");
    free(log);
}
