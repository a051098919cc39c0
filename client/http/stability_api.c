/*
 * stability_api.c: keybroker/stability.h over the calls by name.
 */
#include "http/arguments.h"
#include "http/stability.h"

#include <string.h>

static struct kb_json *parse(const char *findings)
{
    struct kb_json_error error;
    return findings != NULL ? kb_json_parse(findings, strlen(findings), &error) : NULL;
}

static void read_image(const char *findings, kb_stability_image *image)
{
    struct kb_json *doc = parse(findings);
    double seed = 0;
    *image = (kb_stability_image){.made = 0};
    if (doc == NULL)
        return;
    int images = kb_json_member(doc, 0, "images"), object = images >= 0 ? kb_json_first(doc, images) : 0;
    int running = kb_json_member(doc, 0, "state");
    if (kb_json_type(doc, object) == KB_JSON_OBJECT && !kb_json_equals(doc, running, "running")) {
        kb_findings_read_text(doc, object, "finish_reason", image->finish_reason, sizeof(image->finish_reason));
        if (kb_findings_read_number(doc, object, "seed", &seed) && seed >= 0 && seed <= UINT32_MAX)
            image->seed = (uint32_t)seed;
        image->filtered = strcmp(image->finish_reason, "CONTENT_FILTERED") == 0;
        image->made = 1;
    }
    kb_json_free(doc);
}

static int make(kb_http *http, const char *name, const struct kb_arguments *arguments, const kb_call_settings *settings,
                kb_stability_image *image, kb_call_result *result)
{
    int code = kb_call_run(http, name, arguments->list, arguments->count, settings, result);
    read_image(result->findings, image);
    image->made = image->made != 0 && code == 0 && result->answer.outcome == KB_OUTCOME_OK;
    return code;
}

int kb_stability_text_to_image(kb_http *http, const kb_call_settings *settings, const kb_stability_options *options,
                               kb_stability_image *image, kb_call_result *result)
{
    struct kb_arguments arguments = {.count = 0};
    kb_arguments_text(&arguments, "prompt", options->prompt);
    kb_arguments_text(&arguments, "model", options->model);
    kb_arguments_text(&arguments, "negative_prompt", options->negative_prompt);
    kb_arguments_text(&arguments, "aspect_ratio", options->aspect_ratio);
    kb_arguments_text(&arguments, "style_preset", options->style_preset);
    kb_arguments_text(&arguments, "output_format", options->output_format);
    kb_arguments_text(&arguments, "mode", options->mode);
    kb_arguments_text(&arguments, "image", options->image);
    kb_arguments_number(&arguments, "strength", options->strength);
    kb_arguments_number(&arguments, "cfg_scale", options->cfg_scale);
    kb_arguments_number(&arguments, "seed", options->seed);
    kb_arguments_text(&arguments, "out", options->out);
    return make(http, "stability.text_to_image", &arguments, settings, image, result);
}

int kb_stability_edit_image(kb_http *http, const kb_call_settings *settings, const kb_stability_edit_options *options,
                            kb_stability_image *image, kb_call_result *result)
{
    struct kb_arguments arguments = {.count = 0};
    kb_arguments_text(&arguments, "operation", options->operation);
    kb_arguments_text(&arguments, "image", options->image);
    kb_arguments_text(&arguments, "prompt", options->prompt);
    kb_arguments_text(&arguments, "search_prompt", options->search_prompt);
    kb_arguments_text(&arguments, "select_prompt", options->select_prompt);
    kb_arguments_text(&arguments, "mask", options->mask);
    kb_arguments_text(&arguments, "negative_prompt", options->negative_prompt);
    kb_arguments_number(&arguments, "grow_mask", options->grow_mask);
    kb_arguments_number(&arguments, "left", options->left);
    kb_arguments_number(&arguments, "right", options->right);
    kb_arguments_number(&arguments, "up", options->up);
    kb_arguments_number(&arguments, "down", options->down);
    kb_arguments_number(&arguments, "creativity", options->creativity);
    kb_arguments_text(&arguments, "style_preset", options->style_preset);
    kb_arguments_number(&arguments, "seed", options->seed);
    kb_arguments_text(&arguments, "output_format", options->output_format);
    kb_arguments_text(&arguments, "out", options->out);
    return make(http, "stability.edit_image", &arguments, settings, image, result);
}

int kb_stability_replace_background(kb_http *http, const kb_call_settings *settings,
                                    const kb_stability_background_options *options, char *task, kb_call_result *result)
{
    struct kb_arguments arguments = {.count = 0};
    kb_arguments_text(&arguments, "subject_image", options->subject_image);
    kb_arguments_text(&arguments, "background_prompt", options->background_prompt);
    kb_arguments_text(&arguments, "background_reference", options->background_reference);
    kb_arguments_text(&arguments, "foreground_prompt", options->foreground_prompt);
    kb_arguments_text(&arguments, "negative_prompt", options->negative_prompt);
    kb_arguments_number(&arguments, "preserve_original_subject", options->preserve_original_subject);
    kb_arguments_number(&arguments, "original_background_depth", options->original_background_depth);
    kb_arguments_flag(&arguments, "keep_original_background", options->keep_original_background);
    kb_arguments_text(&arguments, "light_source_direction", options->light_source_direction);
    kb_arguments_text(&arguments, "light_reference", options->light_reference);
    kb_arguments_number(&arguments, "light_source_strength", options->light_source_strength);
    kb_arguments_number(&arguments, "seed", options->seed);
    kb_arguments_text(&arguments, "output_format", options->output_format);
    int code = kb_call_run(http, "stability.replace_background", arguments.list, arguments.count, settings, result);
    struct kb_json *doc = parse(result->findings);
    *task = '\0';
    if (doc != NULL)
        kb_findings_read_text(doc, 0, "task", task, KB_TASK_SIZE);
    kb_json_free(doc);
    return code;
}

int kb_stability_check_result(kb_http *http, const kb_call_settings *settings, const char *task, const char *out,
                              kb_stability_image *image, kb_call_result *result)
{
    struct kb_arguments arguments = {.count = 0};
    kb_arguments_text(&arguments, "task", task);
    kb_arguments_text(&arguments, "out", out);
    return make(http, "stability.check_result", &arguments, settings, image, result);
}

int kb_stability_wait(kb_http *http, const kb_call_settings *settings, const char *task, const char *out,
                      int interval_ms, kb_stability_image *image, kb_call_result *result)
{
    struct kb_arguments arguments = {.count = 0};
    double interval = interval_ms;
    kb_arguments_text(&arguments, "task", task);
    kb_arguments_text(&arguments, "out", out);
    kb_arguments_number(&arguments, "interval_ms", interval_ms != 0 ? &interval : NULL);
    return make(http, "stability.wait", &arguments, settings, image, result);
}

int kb_stability_text_to_image_v1(kb_http *http, const kb_call_settings *settings,
                                  const kb_stability_v1_options *options, kb_stability_image *image,
                                  kb_call_result *result)
{
    struct kb_arguments arguments = {.count = 0};
    kb_arguments_text(&arguments, "prompt", options->prompt);
    kb_arguments_text(&arguments, "negative_prompt", options->negative_prompt);
    kb_arguments_text(&arguments, "engine", options->engine);
    kb_arguments_number(&arguments, "width", options->width);
    kb_arguments_number(&arguments, "height", options->height);
    kb_arguments_number(&arguments, "cfg_scale", options->cfg_scale);
    kb_arguments_text(&arguments, "clip_guidance_preset", options->clip_guidance_preset);
    kb_arguments_text(&arguments, "sampler", options->sampler);
    kb_arguments_number(&arguments, "samples", options->samples);
    kb_arguments_number(&arguments, "steps", options->steps);
    kb_arguments_text(&arguments, "style_preset", options->style_preset);
    kb_arguments_number(&arguments, "seed", options->seed);
    kb_arguments_text(&arguments, "organization", options->organization);
    kb_arguments_text(&arguments, "out", options->out);
    return make(http, "stability.text_to_image_v1", &arguments, settings, image, result);
}

int kb_stability_balance(kb_http *http, const kb_call_settings *settings, const char *fingerprint,
                         const char *organization, double *credits, kb_call_result *result)
{
    struct kb_arguments arguments = {.count = 0};
    kb_arguments_text(&arguments, "key", fingerprint);
    kb_arguments_text(&arguments, "organization", organization);
    int code = kb_call_run(http, "stability.balance", arguments.list, arguments.count, settings, result);
    struct kb_json *doc = parse(result->findings);
    *credits = 0;
    if (doc != NULL)
        kb_findings_read_number(doc, 0, "credits", credits);
    kb_json_free(doc);
    return code;
}

int kb_stability_account(kb_http *http, const kb_call_settings *settings, const char *fingerprint,
                         kb_call_result *result)
{
    struct kb_arguments arguments = {.count = 0};
    kb_arguments_text(&arguments, "key", fingerprint);
    return kb_call_run(http, "stability.account", arguments.list, arguments.count, settings, result);
}
