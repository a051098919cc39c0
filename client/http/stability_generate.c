/*
 * stability_generate.c: images from text: POST /v2beta/stable-image/generate/{core,ultra,sd3}.
 */
#include "http/stability.h"

#include <string.h>

/* Choices of "model", and masks of them. Upstream takes the names that begin with sd3. as model of sd3; the one of
 * sd3.5-flash is not in its document, but accepted. */
#define MODELS  "core|ultra|sd3|sd3.5-large|sd3.5-large-turbo|sd3.5-medium|sd3.5-flash"
#define CORE    (1u << 0)
#define ULTRA   (1u << 1)
#define SD3     (1u << 2)
#define SD3_5   (15u << 3)
#define SD3_ALL (SD3 | SD3_5)

static const struct kb_param params[] = {
    {.name = "prompt",
     .field = "prompt",
     .type = KB_PARAM_TEXT,
     .max = 10000,
     .required = KB_ALWAYS,
     .help = "what to show"},
    {.name = "model",
     .type = KB_PARAM_CHOICE,
     .choices = MODELS,
     .preset = "core",
     .in = CORE | ULTRA | SD3,
     .help = "what makes the image"},
    {.name = "model", .field = "model", .type = KB_PARAM_CHOICE, .choices = MODELS, .in = SD3_5},
    {.name = "negative_prompt",
     .field = "negative_prompt",
     .type = KB_PARAM_TEXT,
     .max = 10000,
     .help = "what not to show"},
    {.name = "aspect_ratio",
     .field = "aspect_ratio",
     .type = KB_PARAM_CHOICE,
     .choices = "21:9|16:9|3:2|5:4|1:1|4:5|2:3|9:16|9:21",
     .help = "width to height; not with mode image-to-image"},
    {.name = "style_preset",
     .field = "style_preset",
     .type = KB_PARAM_CHOICE,
     .choices = KB_STABILITY_STYLES,
     .help = "style to lean to"},
    {.name = "seed", .field = "seed", .type = KB_PARAM_INTEGER, .max = 4294967294, .help = "0: a random one"},
    {.name = "output_format",
     .field = "output_format",
     .type = KB_PARAM_CHOICE,
     .choices = "png|jpeg|webp",
     .help = "png if not given"},
    {.name = "mode",
     .field = "mode",
     .type = KB_PARAM_CHOICE,
     .choices = "text-to-image|image-to-image",
     .in = SD3_ALL,
     .help = "sd3: image-to-image needs image and strength"},
    {.name = "image",
     .field = "image",
     .type = KB_PARAM_FILE,
     .in = ULTRA | SD3_ALL,
     .help = "ultra, sd3: image to start from"},
    {.name = "strength",
     .field = "strength",
     .type = KB_PARAM_NUMBER,
     .max = 1,
     .in = ULTRA | SD3_ALL,
     .help = "how far to go from the image"},
    {.name = "cfg_scale",
     .field = "cfg_scale",
     .type = KB_PARAM_NUMBER,
     .min = 1,
     .max = 10,
     .in = SD3_ALL,
     .help = "sd3: how strictly to keep to the prompt"},
    {.name = "out", .type = KB_PARAM_OUT, .help = "file for the image; without it the answer has it in base64"},
    {.name = NULL},
};

static const char *wrong_mode(const struct kb_call_values *values)
{
    const char *mode = kb_call_value(values, "mode");
    bool from_image = mode != NULL && strcmp(mode, "image-to-image") == 0;
    bool image = kb_call_given(values, "image"), strength = kb_call_given(values, "strength");
    bool sd3 = values->variant >= 2;
    if (from_image && !image)
        return "image: is missing, mode image-to-image needs it";
    if (from_image && kb_call_given(values, "aspect_ratio"))
        return "aspect_ratio: does not go with mode image-to-image";
    if (sd3 && image && !from_image)
        return "image: goes with mode image-to-image only";
    if (image && !strength)
        return "strength: is missing, an image needs it";
    if (strength && !image)
        return "strength: goes with an image only";
    return NULL;
}

static bool check(const struct kb_call_values *values, char *error)
{
    const char *wrong = wrong_mode(values);
    if (wrong == NULL)
        return kb_stability_check_size(values, error);
    snprintf(error, KB_PARAM_ERROR_SIZE, "%s", wrong);
    return false;
}

static int run(kb_http *http, const struct kb_call_values *values, const kb_call_settings *settings,
               kb_call_result *result)
{
    static const char *const paths[] = {"/v2beta/stable-image/generate/core", "/v2beta/stable-image/generate/ultra",
                                        "/v2beta/stable-image/generate/sd3"};
    return kb_stability_form(http, values, settings, paths[values->variant < 2 ? values->variant : 2], result);
}

const struct kb_call_spec kb_stability_text_to_image_call = {
    .name = "stability.text_to_image",
    .service = "stability",
    .summary = "an image from a text",
    .params = params,
    .variant = "model",
    .check = check,
    .run = run,
};
