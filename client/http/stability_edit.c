/*
 * stability_edit.c: changing an image: POST /v2beta/stable-image/edit/OPERATION.
 */
#include "http/number.h"
#include "http/stability.h"

#include <string.h>

/* Choices of "operation", which are upstream's last parts of the path, and masks of them. */
#define OPERATIONS "inpaint|search-and-replace|search-and-recolor|erase|outpaint|remove-background"
#define INPAINT    (1u << 0)
#define REPLACE    (1u << 1)
#define RECOLOR    (1u << 2)
#define ERASE      (1u << 3)
#define OUTPAINT   (1u << 4)
#define BACKGROUND (1u << 5)

enum { SIDE_MAX = 2000 }; /* pixels */

static const struct kb_param params[] = {
    {.name = "operation", .type = KB_PARAM_CHOICE, .choices = OPERATIONS, .required = KB_ALWAYS, .help = "what to do"},
    {.name = "image", .field = "image", .type = KB_PARAM_FILE, .required = KB_ALWAYS, .help = "image to change"},
    {.name = "prompt",
     .field = "prompt",
     .type = KB_PARAM_TEXT,
     .max = 10000,
     .in = INPAINT | REPLACE | RECOLOR | OUTPAINT,
     .required = INPAINT | REPLACE | RECOLOR,
     .help = "what to show instead; outpaint can do without"},
    {.name = "search_prompt",
     .field = "search_prompt",
     .type = KB_PARAM_TEXT,
     .max = 10000,
     .in = REPLACE,
     .required = REPLACE,
     .help = "search-and-replace: what to replace"},
    {.name = "select_prompt",
     .field = "select_prompt",
     .type = KB_PARAM_TEXT,
     .max = 10000,
     .in = RECOLOR,
     .required = RECOLOR,
     .help = "search-and-recolor: what to recolor"},
    {.name = "mask",
     .field = "mask",
     .type = KB_PARAM_FILE,
     .in = INPAINT | ERASE,
     .help = "inpaint, erase: where; else the image's alpha channel says so"},
    {.name = "negative_prompt",
     .field = "negative_prompt",
     .type = KB_PARAM_TEXT,
     .max = 10000,
     .in = INPAINT | REPLACE | RECOLOR,
     .help = "what not to show"},
    {.name = "grow_mask",
     .field = "grow_mask",
     .type = KB_PARAM_NUMBER,
     .max = 100,
     .in = INPAINT,
     .help = "pixels to widen the mask by; inpaint up to 100, others 20"},
    {.name = "grow_mask", .field = "grow_mask", .type = KB_PARAM_NUMBER, .max = 20, .in = REPLACE | RECOLOR | ERASE},
    {.name = "left",
     .field = "left",
     .type = KB_PARAM_INTEGER,
     .max = SIDE_MAX,
     .in = OUTPAINT,
     .help = "outpaint: pixels to add at this side"},
    {.name = "right", .field = "right", .type = KB_PARAM_INTEGER, .max = SIDE_MAX, .in = OUTPAINT, .help = "the same"},
    {.name = "up", .field = "up", .type = KB_PARAM_INTEGER, .max = SIDE_MAX, .in = OUTPAINT, .help = "the same"},
    {.name = "down", .field = "down", .type = KB_PARAM_INTEGER, .max = SIDE_MAX, .in = OUTPAINT, .help = "the same"},
    /* The document names two ranges that both must hold, 0.2 to 0.5 and 0 to 1. */
    {.name = "creativity",
     .field = "creativity",
     .type = KB_PARAM_NUMBER,
     .min = 0.2,
     .max = 0.5,
     .in = OUTPAINT,
     .help = "outpaint: how freely to invent"},
    {.name = "style_preset",
     .field = "style_preset",
     .type = KB_PARAM_CHOICE,
     .choices = KB_STABILITY_STYLES,
     .in = INPAINT | REPLACE | RECOLOR | OUTPAINT,
     .help = "style to lean to"},
    {.name = "seed",
     .field = "seed",
     .type = KB_PARAM_INTEGER,
     .max = 4294967294,
     .in = ~BACKGROUND,
     .help = "0: a random one"},
    {.name = "output_format",
     .field = "output_format",
     .type = KB_PARAM_CHOICE,
     .choices = "png|jpeg|webp",
     .in = ~BACKGROUND,
     .help = "png if not given; remove-background: png, webp"},
    {.name = "output_format",
     .field = "output_format",
     .type = KB_PARAM_CHOICE,
     .choices = "png|webp",
     .in = BACKGROUND},
    {.name = "out", .type = KB_PARAM_OUT, .help = "file for the image; without it the answer has it in base64"},
    {.name = NULL},
};

static bool adds(const struct kb_call_values *values, const char *side)
{
    double pixels = 0;
    const char *text = kb_call_value(values, side);
    return text != NULL && kb_number_read(text, strlen(text), &pixels) && pixels > 0;
}

static bool check(const struct kb_call_values *values, char *error)
{
    bool outpaint = (OUTPAINT >> values->variant & 1) != 0;
    if (!outpaint || adds(values, "left") || adds(values, "right") || adds(values, "up") || adds(values, "down"))
        return kb_stability_check_size(values, error);
    snprintf(error, KB_PARAM_ERROR_SIZE, "left, right, up or down: one above 0 is needed with operation outpaint");
    return false;
}

static int run(kb_http *http, const struct kb_call_values *values, const kb_call_settings *settings,
               kb_call_result *result)
{
    char path[64];
    snprintf(path, sizeof(path), "/v2beta/stable-image/edit/%s", kb_call_value(values, "operation"));
    return kb_stability_form(http, values, settings, path, result);
}

const struct kb_call_spec kb_stability_edit_image_call = {
    .name = "stability.edit_image",
    .service = "stability",
    .summary = "an image changed",
    .params = params,
    .variant = "operation",
    .check = check,
    .run = run,
};
