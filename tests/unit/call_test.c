/*
 * The table of calls, and the one check that all arguments go through. No request is made: what is right gets as far
 * as the missing handle.
 */
#include "tests/unit/adapter_server.h"

static void begin_call(void)
{
    strcpy(scratch, "/tmp/call_test.XXXXXX");
    cr_assert_not_null(mkdtemp(scratch));
}

static void end_call(void)
{
    kb_call_result_clear(&result);
    remove_scratch();
}

TestSuite(call, .init = begin_call, .fini = end_call, .timeout = 60);

/* Never a request, never a handle. */
static void passes(int code)
{
    cr_assert_eq(code, KB_EINVAL);
    cr_assert_str_eq(result.answer.error, "no handle");
}

static const char *letters(size_t count)
{
    static char text[2 * 10001 + 1];
    for (size_t i = 0; i < count; i++)
        memcpy(text + 2 * i, "\xc3\xa9", 2); /* é: a character is no byte */
    text[2 * count] = '\0';
    return text;
}

Test(call, the_table_is_in_order)
{
    for (size_t i = 0; kb_call_at(i) != NULL; i++) {
        const struct kb_call_spec *spec = kb_call_at(i);
        cr_assert_eq(kb_call_find(spec->name), spec);
        cr_assert(strncmp(spec->name, spec->service, strlen(spec->service)) == 0);
        size_t lines = 0;
        const struct kb_param *before = NULL;
        for (const struct kb_param *param = spec->params; param->name != NULL; before = param++, lines++) {
            bool further = before != NULL && strcmp(before->name, param->name) == 0;
            cr_assert(further == (kb_call_param(spec, param->name) != param), "%s %s", spec->name, param->name);
            cr_assert(further == (param->help == NULL), "%s %s", spec->name, param->name);
            cr_assert(!further || (before->in & param->in) == 0, "%s %s", spec->name, param->name);
            cr_assert((param->type == KB_PARAM_CHOICE) == (param->choices != NULL));
        }
        cr_assert_lt(lines, KB_CALL_PARAMS_MAX);
        if (spec->variant != NULL)
            cr_assert_not_null(kb_call_param(spec, spec->variant)->choices);
    }
    cr_assert_null(kb_call_find("suno"));
    cr_assert_null(kb_call_find(NULL));
}

Test(call, names_are_checked)
{
    refused(RUN("suno.dance", {"title", "x"}), "no such call");
    refused(RUN("suno.generate_music", {"titel", "x"}), "titel: suno.generate_music has no such argument");
    refused(RUN("suno.generate_music", {"title", "x"}, {"title", "y"}), "title: is given twice");
    refused(RUN("suno.generate_custom_music", {"negative_tags", "x"}, {"negative-tags", "y"}), "negative-tags: ");
    refused(RUN("suno.generate_music", {"title", NULL}), "argument 1 has no name or no text");
    refused(RUN("suno.generate_music", {"title", "x"}), "description: is missing");
    refused(RUN("suno.generate_music", {"description", ""}), "description: is empty");
    refused(RUN("suno.generate_music", {"description", "\xc3("}), "description: is no UTF-8");
    passes(RUN("suno.generate_music", {"description", "x"}));
    kb_call_settings settings = {.deadline_ms = -1};
    kb_call_result_clear(&result);
    refused(kb_call_run(NULL, "suno.get_account_info", NULL, 0, &settings, &result), "a time is negative");
}

Test(call, music_has_500_characters_in_all)
{
    passes(RUN("suno.generate_music", {"description", letters(500)}));
    refused(RUN("suno.generate_music", {"description", letters(501)}), "description: has 501 characters, at most 500");
    passes(RUN("suno.generate_music", {"title", "ab"}, {"description", letters(496)}));
    refused(RUN("suno.generate_music", {"title", "ab"}, {"description", letters(497)}),
            "description: has with the title 501");
    refused(RUN("suno.generate_music", {"description", "x"}, {"style", "x"}), "style: ");
    refused(RUN("suno.generate_music", {"description", "x"}, {"instrumental", "yes"}), "instrumental: is neither");
    refused(RUN("suno.generate_music", {"description", "x"}, {"callback_url", "me"}), "callback_url: ");
    refused(RUN("suno.generate_music", {"description", "x"}, {"callback_url", "http:///x"}), "callback_url: ");
    refused(RUN("suno.generate_music", {"description", "x"}, {"callback_url", "http://a b"}), "callback_url: ");
}

#define CUSTOM "suno.generate_custom_music"

Test(call, custom_music_needs_title_style_and_prompt)
{
    refused(RUN(CUSTOM, {"title", "x"}, {"prompt", "x"}), "style: is missing");
    refused(RUN(CUSTOM, {"style", "x"}, {"prompt", "x"}), "title: is missing");
    refused(RUN(CUSTOM, {"style", "x"}, {"title", "x"}), "prompt: is missing");
    refused(RUN(CUSTOM, {"style", "x"}, {"title", "x"}, {"instrumental", "false"}), "prompt: is missing");
    passes(RUN(CUSTOM, {"style", "x"}, {"title", "x"}, {"instrumental", "true"}));
}

Test(call, limits_of_custom_music_go_by_the_model)
{
    static const struct {
        const char *model;
        size_t title, style, prompt;
    } limits[] = {{"V4", 80, 200, 3000},       {"V4_5", 100, 1000, 5000}, {"V4_5PLUS", 100, 1000, 5000},
                  {"V4_5ALL", 80, 1000, 5000}, {"V5", 100, 1000, 5000},   {"V5_5", 100, 1000, 5000}};
    for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
        kb_call_arg model = {"model", limits[i].model}, title = {"title", "x"}, style = {"style", "x"},
                    prompt = {"prompt", "x"};
        passes(RUN(CUSTOM, model, style, prompt, {"title", letters(limits[i].title)}));
        refused(RUN(CUSTOM, model, style, prompt, {"title", letters(limits[i].title + 1)}), "title: has ");
        passes(RUN(CUSTOM, model, title, prompt, {"style", letters(limits[i].style)}));
        refused(RUN(CUSTOM, model, title, prompt, {"style", letters(limits[i].style + 1)}), "style: has ");
        passes(RUN(CUSTOM, model, title, style, {"prompt", letters(limits[i].prompt)}));
        refused(RUN(CUSTOM, model, title, style, {"prompt", letters(limits[i].prompt + 1)}), "prompt: has ");
    }
    refused(RUN(CUSTOM, {"model", "V3"}), "model: is none of V4|");
}

Test(call, options_of_custom_music)
{
    kb_call_arg title = {"title", "x"}, style = {"style", "x"}, prompt = {"prompt", "x"};
    passes(RUN(CUSTOM, title, style, prompt, {"style_weight", "0.07"}));
    refused(RUN(CUSTOM, title, style, prompt, {"style_weight", "0.655"}), "style_weight: is no multiple of 0.01");
    refused(RUN(CUSTOM, title, style, prompt, {"style_weight", "1.01"}), "style_weight: is not from 0 to 1");
    refused(RUN(CUSTOM, title, style, prompt, {"audio_weight", "-0.1"}), "audio_weight: ");
    refused(RUN(CUSTOM, title, style, prompt, {"audio_weight", "much"}), "audio_weight: is no number");
    refused(RUN(CUSTOM, title, style, prompt, {"audio_weight", "nan"}), "audio_weight: is no number");
    refused(RUN(CUSTOM, title, style, prompt, {"vocal_gender", "x"}), "vocal_gender: ");
    refused(RUN(CUSTOM, title, style, prompt, {"persona_model", "style_persona"}), "persona_model: needs");
    passes(RUN(CUSTOM, title, style, prompt, {"persona_id", "x"}, {"persona_model", "style_persona"}));
    refused(RUN(CUSTOM, title, style, prompt, {"persona_id", "x"}, {"persona_model", "voice_persona"}),
            "persona_model: voice_persona");
}

#define TEXT_TO_IMAGE "stability.text_to_image"

Test(call, images_from_text)
{
    kb_call_arg prompt = {"prompt", "x"};
    passes(RUN(TEXT_TO_IMAGE, {"prompt", letters(10000)}));
    refused(RUN(TEXT_TO_IMAGE, {"prompt", letters(10001)}), "prompt: has 10001");
    refused(RUN(TEXT_TO_IMAGE, {"model", "core"}), "prompt: is missing");
    refused(RUN(TEXT_TO_IMAGE, prompt, {"aspect_ratio", "4:3"}), "aspect_ratio: is none of");
    refused(RUN(TEXT_TO_IMAGE, prompt, {"output_format", "gif"}), "output_format: ");
    refused(RUN(TEXT_TO_IMAGE, prompt, {"style_preset", "3d"}), "style_preset: ");
    passes(RUN(TEXT_TO_IMAGE, prompt, {"seed", "4294967294"}));
    refused(RUN(TEXT_TO_IMAGE, prompt, {"seed", "4294967295"}), "seed: is not from 0 to 4294967294");
    refused(RUN(TEXT_TO_IMAGE, prompt, {"seed", "1.5"}), "seed: is no whole number");
    refused(RUN(TEXT_TO_IMAGE, prompt, {"seed", "1e3"}), "seed: is no whole number");
    refused(RUN(TEXT_TO_IMAGE, prompt, {"seed", "-1"}), "seed: ");
    refused(RUN(TEXT_TO_IMAGE, prompt, {"cfg_scale", "5"}), "cfg_scale: does not go with model core");
    refused(RUN(TEXT_TO_IMAGE, prompt, {"model", "sd3"}, {"cfg_scale", "11"}), "cfg_scale: is not from 1 to 10");
    refused(RUN(TEXT_TO_IMAGE, prompt, {"mode", "text-to-image"}), "mode: does not go with model core");
}

Test(call, images_from_images)
{
    kb_call_arg prompt = {"prompt", "x"}, image = {"image", make_file("a.png", 10)}, strength = {"strength", "0.5"},
                sd3 = {"model", "sd3.5-large"}, ultra = {"model", "ultra"}, mode = {"mode", "image-to-image"};
    refused(RUN(TEXT_TO_IMAGE, prompt, image), "image: does not go with model core");
    passes(RUN(TEXT_TO_IMAGE, prompt, ultra, image, strength));
    refused(RUN(TEXT_TO_IMAGE, prompt, ultra, image), "strength: is missing");
    refused(RUN(TEXT_TO_IMAGE, prompt, ultra, strength), "strength: goes with an image only");
    passes(RUN(TEXT_TO_IMAGE, prompt, sd3, image, strength, mode));
    refused(RUN(TEXT_TO_IMAGE, prompt, sd3, image, strength), "image: goes with mode image-to-image only");
    refused(RUN(TEXT_TO_IMAGE, prompt, sd3, strength, mode), "image: is missing");
    refused(RUN(TEXT_TO_IMAGE, prompt, sd3, image, mode), "strength: is missing");
    refused(RUN(TEXT_TO_IMAGE, prompt, sd3, image, strength, mode, {"aspect_ratio", "1:1"}), "aspect_ratio: does not");
    refused(RUN(TEXT_TO_IMAGE, prompt, ultra, image, {"strength", "1.1"}), "strength: is not from 0 to 1");
}

#define EDIT "stability.edit_image"

Test(call, files_are_looked_at)
{
    kb_call_arg erase = {"operation", "erase"};
    passes(RUN(EDIT, erase, {"image", make_file("a.png", 10)}));
    refused(RUN(EDIT, erase, {"image", in_scratch("none.png")}), "image: cannot be read: No such file");
    refused(RUN(EDIT, erase, {"image", scratch}), "image: is no regular file");
    refused(RUN(EDIT, erase, {"image", "/dev/zero"}), "image: is no regular file");
    refused(RUN(EDIT, erase, {"image", make_file("empty.png", 0)}), "image: is an empty file");
    const char *fifo = in_scratch("fifo");
    cr_assert_eq(mkfifo(fifo, 0600), 0);
    refused(RUN(EDIT, erase, {"image", fifo}), "image: is no regular file");
    refused(RUN(EDIT, erase, {"image", make_file("big.png", (10 << 20) + 1)}), "image: makes the request larger");
    kb_call_arg image = {"image", make_file("half.png", 6 << 20)};
    refused(RUN(EDIT, erase, image, {"mask", make_file("mask.png", 6 << 20)}), "mask: makes the request larger");
    kb_call_arg good = {"image", make_file("a.png", 10)};
    passes(RUN(EDIT, erase, good, {"out", in_scratch("out.png")}));
    refused(RUN(EDIT, erase, good, {"out", scratch}), "out: is no regular file");
    refused(RUN(EDIT, erase, good, {"out", in_scratch("no/out.png")}), "out: its folder cannot be written");
    refused(RUN(EDIT, erase, good, {"out", ""}), "out: is empty");
}

Test(call, operations_take_what_is_theirs)
{
    kb_call_arg image = {"image", make_file("a.png", 10)}, prompt = {"prompt", "x"};
    refused(RUN(EDIT, image, prompt), "operation: is missing");
    refused(RUN(EDIT, image, {"operation", "bless"}), "operation: is none of inpaint|");
    refused(RUN(EDIT, prompt, {"operation", "inpaint"}), "image: is missing");
    refused(RUN(EDIT, image, {"operation", "inpaint"}), "prompt: is missing, it is needed with operation inpaint");
    refused(RUN(EDIT, image, prompt, {"operation", "search-and-replace"}), "search_prompt: is missing");
    refused(RUN(EDIT, image, prompt, {"operation", "search-and-recolor"}), "select_prompt: is missing");
    refused(RUN(EDIT, image, prompt, {"operation", "erase"}), "prompt: does not go with operation erase");
    refused(RUN(EDIT, image, {"operation", "remove-background"}, {"output_format", "jpeg"}), "output_format: ");
    refused(RUN(EDIT, image, {"operation", "remove-background"}, {"seed", "1"}), "seed: does not go");
    passes(RUN(EDIT, image, prompt, {"operation", "inpaint"}, {"grow_mask", "100"}));
    refused(RUN(EDIT, image, prompt, {"operation", "inpaint"}, {"grow_mask", "101"}),
            "grow_mask: is not from 0 to 100");
    refused(RUN(EDIT, image, {"operation", "erase"}, {"grow_mask", "21"}), "grow_mask: is not from 0 to 20");
    refused(RUN(EDIT, image, {"operation", "outpaint"}), "left, right, up or down: ");
    refused(RUN(EDIT, image, {"operation", "outpaint"}, {"left", "0"}, {"up", "0"}), "left, right, up or down: ");
    refused(RUN(EDIT, image, {"operation", "outpaint"}, {"left", "2001"}), "left: is not from 0 to 2000");
    passes(RUN(EDIT, image, {"operation", "outpaint"}, {"down", "2000"}));
    refused(RUN(EDIT, image, {"operation", "outpaint"}, {"down", "1"}, {"creativity", "0.6"}), "creativity: ");
}

#define V1 "stability.text_to_image_v1"

Test(call, jobs_of_stability)
{
    kb_call_arg image = {"subject_image", make_file("a.png", 10)};
    refused(RUN("stability.replace_background", image), "background_prompt: is missing");
    refused(RUN("stability.replace_background", {"background_prompt", "x"}), "subject_image: is missing");
    passes(RUN("stability.replace_background", image, {"background_reference", image.text}));
    refused(RUN("stability.replace_background", image, {"background_prompt", "x"}, {"light_source_strength", "2"}),
            "light_source_strength: ");
    refused(RUN("stability.check_result", {"task", "k0123456789ab:"}), "task: is no handle");
    refused(RUN("stability.wait", {"task", "k0123456789ab:x"}, {"interval_ms", "99"}), "interval_ms: is not from 100");
}

Test(call, images_by_version_1)
{
    kb_call_arg prompt = {"prompt", "x"};
    passes(RUN(V1, prompt));
    refused(RUN(V1, {"prompt", letters(2001)}), "prompt: has 2001");
    refused(RUN(V1, prompt, {"width", "500"}), "width: is no multiple of 64");
    refused(RUN(V1, prompt, {"height", "64"}), "height: is not from 128");
    refused(RUN(V1, prompt, {"samples", "11"}), "samples: is not from 1 to 10");
    refused(RUN(V1, prompt, {"samples", "2"}), "out: is missing");
    refused(RUN(V1, prompt, {"steps", "9"}), "steps: ");
    refused(RUN(V1, prompt, {"sampler", "k_euler"}), "sampler: ");
    refused(RUN(V1, prompt, {"engine", "a/b"}), "engine: is no id");
    refused(RUN(V1, prompt, {"engine", ".."}), "engine: is no id");
    refused(RUN(V1, prompt, {"engine", "a%2fb"}), "engine: is no id");
    refused(RUN(V1, prompt, {"organization", "a\nb"}), "organization: is no plain text");
    refused(RUN("stability.balance", {"organization", "\xc3\xa9"}), "organization: ");
    refused(RUN("stability.balance", {"key", "0"}), "key: is no fingerprint");
    refused(RUN("stability.account", {"organization", "x"}), "organization: stability.account has no such");
}
