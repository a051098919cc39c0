/*
 * stability_v1.c: images from text by the older interface: POST /v1/generation/ENGINE/text-to-image.
 */
#include "http/stability.h"

#include <stdlib.h>
#include <string.h>

enum { ENGINE_MAX = 100 };

static const struct kb_param params[] = {
    {.name = "prompt", .type = KB_PARAM_TEXT, .max = 2000, .required = KB_ALWAYS, .help = "what to show"},
    {.name = "negative_prompt", .type = KB_PARAM_TEXT, .max = 2000, .help = "what not to show: a prompt of weight -1"},
    {.name = "engine",
     .type = KB_PARAM_TEXT,
     .max = ENGINE_MAX,
     .preset = "stable-diffusion-xl-1024-v1-0",
     .help = "id of the engine"},
    {.name = "width",
     .field = "width",
     .type = KB_PARAM_INTEGER,
     .min = 128,
     .max = 8192,
     .step = 64,
     .help = "pixels, a multiple of 64"},
    {.name = "height",
     .field = "height",
     .type = KB_PARAM_INTEGER,
     .min = 128,
     .max = 8192,
     .step = 64,
     .help = "pixels, a multiple of 64"},
    {.name = "cfg_scale",
     .field = "cfg_scale",
     .type = KB_PARAM_NUMBER,
     .max = 35,
     .help = "how strictly to keep to the prompt"},
    {.name = "clip_guidance_preset",
     .field = "clip_guidance_preset",
     .type = KB_PARAM_CHOICE,
     .choices = "FAST_BLUE|FAST_GREEN|NONE|SIMPLE|SLOW|SLOWER|SLOWEST",
     .help = "guidance by CLIP"},
    {.name = "sampler",
     .field = "sampler",
     .type = KB_PARAM_CHOICE,
     .choices = "DDIM|DDPM|K_DPMPP_2M|K_DPMPP_2S_ANCESTRAL|K_DPM_2|K_DPM_2_ANCESTRAL|K_EULER|K_EULER_ANCESTRAL|K_HEUN|"
                "K_LMS",
     .help = "else upstream's choice"},
    {.name = "samples",
     .field = "samples",
     .type = KB_PARAM_INTEGER,
     .min = 1,
     .max = 10,
     .help = "images to make; above 1 the files are out-1, out-2, … before the name's last dot"},
    {.name = "seed", .field = "seed", .type = KB_PARAM_INTEGER, .max = 4294967295, .help = "0: a random one"},
    {.name = "steps", .field = "steps", .type = KB_PARAM_INTEGER, .min = 10, .max = 150, .help = "of diffusion"},
    {.name = "style_preset",
     .field = "style_preset",
     .type = KB_PARAM_CHOICE,
     .choices = KB_STABILITY_STYLES,
     .help = "style to lean to"},
    {.name = "organization", .type = KB_PARAM_TEXT, .max = 200, .help = "who pays; else the key's default one"},
    {.name = "out", .type = KB_PARAM_OUT, .help = "file for the image; without it the answer has it in base64"},
    {.name = NULL},
};

static unsigned samples_of(const struct kb_call_values *values)
{
    const char *text = kb_call_value(values, "samples");
    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : 1;
}

static bool check(const struct kb_call_values *values, char *error)
{
    const char *engine = kb_call_value(values, "engine"), *out = kb_call_value(values, "out");
    bool segment =
        engine[strspn(engine, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")] == '\0' &&
        strcmp(engine, ".") != 0 && strcmp(engine, "..") != 0;
    const char *wrong = !segment                                ? "engine: is no id of an engine"
                        : samples_of(values) > 1 && out == NULL ? "out: is missing, several samples need it"
                                                                : NULL;
    if (wrong == NULL)
        return kb_stability_check_organization(values, error);
    snprintf(error, KB_PARAM_ERROR_SIZE, "%s", wrong);
    return false;
}

static void write_prompt(FILE *out, const char *text, int weight)
{
    fputs("{\"text\":", out);
    kb_json_write_string(out, text, strlen(text));
    fprintf(out, ",\"weight\":%d}", weight);
}

/* NULL if memory is short. */
static char *write_body(const struct kb_call_values *values)
{
    char *body = NULL;
    size_t len;
    const char *negative = kb_call_value(values, "negative_prompt");
    FILE *out = open_memstream(&body, &len);
    if (out == NULL)
        return NULL;
    fputc('{', out);
    if (kb_call_write_fields(out, values) > 0)
        fputc(',', out);
    fputs("\"text_prompts\":[", out);
    write_prompt(out, kb_call_value(values, "prompt"), 1);
    if (negative != NULL) {
        fputc(',', out);
        write_prompt(out, negative, -1);
    }
    fputs("]}", out);
    if (fclose(out) == 0)
        return body;
    free(body);
    return NULL;
}

/* out-NUMBER.png for out.png. */
static void sample_path(const char *out, unsigned number, char *path, size_t size)
{
    const char *slash = strrchr(out, '/'), *dot = strrchr(out, '.');
    const char *base = slash != NULL ? slash + 1 : out;
    int stem = (int)(dot != NULL && dot > base ? (size_t)(dot - out) : strlen(out));
    snprintf(path, size, "%.*s-%u%s", stem, out, number, out + stem);
}

/* One image of the answer: to its file, or to result->data; and its findings. */
static bool read_artifact(const struct kb_json *doc, int artifact, const char *path, struct kb_findings *findings,
                          kb_call_result *result)
{
    size_t len;
    unsigned char *data =
        kb_json_type(doc, artifact) == KB_JSON_OBJECT ? kb_stability_decode(doc, artifact, "base64", &len) : NULL;
    bool failed = data == NULL || kb_json_equals(doc, kb_json_member(doc, artifact, "finishReason"), "ERROR");
    if (failed) {
        kb_findings_lacking(result, true, "image, or one that upstream failed to finish");
        free(data);
        return false;
    }
    if (path != NULL) {
        bool written = kb_stability_write_file(path, data, len, result);
        free(data);
        if (!written)
            return false;
        kb_findings_text(findings, "file", path);
    } else {
        result->data = data;
        result->data_len = len;
        kb_findings_number(findings, "bytes", (double)len);
    }
    kb_stability_write_making(findings, doc, artifact, "finishReason");
    return true;
}

/* Several images: as many as there are. */
static bool read_several(const struct kb_json *doc, int list, const char *out, struct kb_findings *findings,
                         kb_call_result *result)
{
    char path[4096 + 16];
    unsigned number = 0;
    bool whole = kb_json_size(doc, list) > 0;
    kb_findings_open(findings, "images", "[");
    for (int one = kb_json_first(doc, list); whole && one >= 0; one = kb_json_next(doc, one)) {
        sample_path(out, ++number, path, sizeof(path));
        kb_findings_open(findings, NULL, "{");
        whole = read_artifact(doc, one, path, findings, result);
        kb_findings_close(findings, "}");
    }
    kb_findings_close(findings, "]");
    return whole;
}

static void read_answer(const struct kb_call_values *values, kb_call_result *result)
{
    struct kb_findings findings;
    struct kb_json *doc = kb_findings_answer(result, true);
    if (doc == NULL)
        return;
    int list = kb_json_member(doc, 0, "artifacts");
    list = kb_json_type(doc, list) == KB_JSON_ARRAY ? list : -1;
    if (kb_json_size(doc, list) == 0) {
        kb_findings_lacking(result, true, "list of images");
    } else {
        kb_findings_begin(&findings);
        if (samples_of(values) > 1)
            read_several(doc, list, kb_call_value(values, "out"), &findings, result);
        else
            read_artifact(doc, kb_json_first(doc, list), NULL, &findings, result);
        kb_findings_end(&findings, result);
    }
    kb_json_free(doc);
}

static int ask(kb_http *http, const struct kb_call_values *values, const kb_call_settings *settings, const char *body,
               kb_call_result *result)
{
    char path[ENGINE_MAX + 64];
    const char *organization = kb_call_value(values, "organization");
    const char *out = samples_of(values) == 1 ? kb_call_value(values, "out") : NULL;
    kb_http_header headers[3] = {{"Content-Type", "application/json"},
                                 {"Accept", out != NULL ? "image/png" : "application/json"},
                                 {"Organization", organization}};
    snprintf(path, sizeof(path), "/v1/generation/%s/text-to-image", kb_call_value(values, "engine"));
    kb_http_request request = {.url = path,
                               .headers = headers,
                               .header_count = organization != NULL ? 3 : 2,
                               .body = body,
                               .body_len = strlen(body),
                               .out = out,
                               .timeout_ms = KB_STABILITY_TIMEOUT_MS};
    int code = kb_call_perform(http, values, settings, &request, result);
    if (code != 0 || result->answer.outcome != KB_OUTCOME_OK)
        return code;
    if (out != NULL)
        kb_stability_read_file(values, result);
    else
        read_answer(values, result);
    return code;
}

static int run(kb_http *http, const struct kb_call_values *values, const kb_call_settings *settings,
               kb_call_result *result)
{
    char *body = write_body(values);
    if (body == NULL) {
        kb_call_fail(result, KB_OUTCOME_CLIENT, "memory is short");
        return KB_ENOMEM;
    }
    int code = ask(http, values, settings, body, result);
    free(body);
    return code;
}

const struct kb_call_spec kb_stability_v1_call = {
    .name = "stability.text_to_image_v1",
    .service = "stability",
    .summary = "an image from a text, by the engines of version 1",
    .params = params,
    .check = check,
    .run = run,
};
