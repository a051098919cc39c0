/*
 * suno_generate.c: starting a task: POST /api/v1/generate, in its two modes.
 */
#include "http/findings.h"
#include "http/suno.h"
#include "http/task.h"

#include <stdlib.h>
#include <string.h>

/* Choices of "model", and the masks of those whose limits differ. */
#define MODELS     "V4|V4_5|V4_5PLUS|V4_5ALL|V5|V5_5"
#define V4         (1u << 0)
#define V4_5ALL    (1u << 3)
#define NOT(model) (~(model))

enum { PROMPT_MAX = 500 }; /* characters, where upstream writes the lyrics */

#define MODEL                                                                                                          \
    {                                                                                                                  \
        .name = "model", .field = "model", .type = KB_PARAM_CHOICE, .choices = MODELS, .preset = KB_SUNO_MODEL,        \
        .help = "version of the model"                                                                                 \
    }
#define INSTRUMENTAL                                                                                                   \
    {                                                                                                                  \
        .name = "instrumental", .field = "instrumental", .type = KB_PARAM_BOOLEAN, .preset = "false",                  \
        .help = "without a voice"                                                                                      \
    }
#define CALLBACK                                                                                                       \
    {                                                                                                                  \
        .name = "callback_url", .field = "callBackUrl", .type = KB_PARAM_TEXT, .max = 2000,                            \
        .preset = KB_SUNO_CALLBACK_URL, .help = "URL upstream calls when songs are ready"                              \
    }

static const struct kb_param music_params[] = {
    {.name = "title", .type = KB_PARAM_TEXT, .max = PROMPT_MAX, .help = "what the song is called"},
    {.name = "description",
     .type = KB_PARAM_TEXT,
     .max = PROMPT_MAX,
     .required = KB_ALWAYS,
     .help = "what it is like; 500 characters at most, title included"},
    MODEL,
    INSTRUMENTAL,
    CALLBACK,
    {.name = NULL},
};

static const struct kb_param custom_params[] = {
    {.name = "title",
     .field = "title",
     .type = KB_PARAM_TEXT,
     .max = 80,
     .in = V4 | V4_5ALL,
     .required = KB_ALWAYS,
     .help = "what the song is called; 80 characters at most with V4 and V4_5ALL, else 100"},
    {.name = "title",
     .field = "title",
     .type = KB_PARAM_TEXT,
     .max = 100,
     .in = NOT(V4 | V4_5ALL),
     .required = KB_ALWAYS},
    {.name = "style",
     .field = "style",
     .type = KB_PARAM_TEXT,
     .max = 200,
     .in = V4,
     .required = KB_ALWAYS,
     .help = "styles or genres; 200 characters at most with V4, else 1000"},
    {.name = "style", .field = "style", .type = KB_PARAM_TEXT, .max = 1000, .in = NOT(V4), .required = KB_ALWAYS},
    {.name = "prompt",
     .field = "prompt",
     .type = KB_PARAM_TEXT,
     .max = 3000,
     .in = V4,
     .help = "the lyrics, needed unless instrumental; 3000 characters at most with V4, else 5000"},
    {.name = "prompt", .field = "prompt", .type = KB_PARAM_TEXT, .max = 5000, .in = NOT(V4)},
    MODEL,
    INSTRUMENTAL,
    {.name = "negative_tags", .field = "negativeTags", .type = KB_PARAM_TEXT, .help = "styles to keep away from"},
    {.name = "vocal_gender", .field = "vocalGender", .type = KB_PARAM_CHOICE, .choices = "m|f", .help = "of the voice"},
    {.name = "style_weight",
     .field = "styleWeight",
     .type = KB_PARAM_NUMBER,
     .max = 1,
     .step = 0.01,
     .help = "how closely to keep to the style"},
    {.name = "weirdness_constraint",
     .field = "weirdnessConstraint",
     .type = KB_PARAM_NUMBER,
     .max = 1,
     .step = 0.01,
     .help = "how far to stray"},
    {.name = "audio_weight",
     .field = "audioWeight",
     .type = KB_PARAM_NUMBER,
     .max = 1,
     .step = 0.01,
     .help = "how much given audio counts"},
    {.name = "persona_id",
     .field = "personaId",
     .type = KB_PARAM_TEXT,
     .max = 200,
     .help = "persona, or voice, to use"},
    {.name = "persona_model",
     .field = "personaModel",
     .type = KB_PARAM_CHOICE,
     .choices = "style_persona|voice_persona",
     .help = "what persona_id is; voice_persona with V5 and V5_5 only"},
    CALLBACK,
    {.name = NULL},
};

static bool check_callback(const struct kb_call_values *values, char *error)
{
    const char *url = kb_call_value(values, "callback_url");
    size_t scheme = strncmp(url, "https://", 8) == 0 ? 8 : strncmp(url, "http://", 7) == 0 ? 7 : 0;
    bool plain = url[strspn(url, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&'()*+,;="
                                 "%")] == '\0';
    if (scheme > 0 && url[scheme] != '\0' && url[scheme] != '/' && plain)
        return true;
    snprintf(error, KB_PARAM_ERROR_SIZE, "callback_url: is no http or https URL");
    return false;
}

static bool check_music(const struct kb_call_values *values, char *error)
{
    const char *title = kb_call_value(values, "title");
    long count = kb_param_characters(kb_call_value(values, "description"));
    if (title != NULL)
        count += kb_param_characters(title) + 2;
    if (count <= PROMPT_MAX)
        return check_callback(values, error);
    snprintf(error, KB_PARAM_ERROR_SIZE, "description: has with the title %ld characters, at most %d are allowed",
             count, PROMPT_MAX);
    return false;
}

static const char *wrong_persona(const struct kb_call_values *values)
{
    const char *kind = kb_call_value(values, "persona_model"), *model = kb_call_value(values, "model");
    if (kind == NULL)
        return NULL;
    if (kb_call_value(values, "persona_id") == NULL)
        return "persona_model: needs a persona_id";
    if (strcmp(kind, "voice_persona") == 0 && strcmp(model, "V5") != 0 && strcmp(model, "V5_5") != 0)
        return "persona_model: voice_persona goes with model V5 and V5_5 only";
    return NULL;
}

static bool check_custom(const struct kb_call_values *values, char *error)
{
    const char *wrong = wrong_persona(values);
    if (kb_call_value(values, "prompt") == NULL && !kb_call_true(values, "instrumental"))
        wrong = "prompt: is missing, it is needed unless the song is instrumental";
    if (wrong == NULL)
        return check_callback(values, error);
    snprintf(error, KB_PARAM_ERROR_SIZE, "%s", wrong);
    return false;
}

/* The handle of the task that was started, or the failure to find one. */
static void read_task(kb_call_result *result)
{
    struct kb_task task;
    struct kb_findings findings;
    char id[KB_TASK_ID_MAX + 1], text[KB_TASK_SIZE];
    struct kb_json *doc = kb_findings_answer(result, true);
    if (doc == NULL)
        return;
    if (result->answer.outcome != KB_OUTCOME_OK) {
        kb_json_free(doc);
        return;
    }
    if (kb_findings_read_text(doc, kb_json_member(doc, 0, "data"), "taskId", id, sizeof(id)) &&
        kb_task_make(result->answer.fingerprint, id, &task)) {
        kb_task_write(&task, text);
        kb_findings_begin(&findings);
        kb_findings_text(&findings, "task", text);
        kb_findings_end(&findings, result);
    } else {
        kb_findings_lacking(result, true, "task id");
    }
    kb_json_free(doc);
}

static int start(kb_http *http, const struct kb_call_values *values, const kb_call_settings *settings, const char *body,
                 kb_call_result *result)
{
    const kb_http_header type = {"Content-Type", "application/json"};
    kb_http_request request = {.url = "/api/v1/generate",
                               .headers = &type,
                               .header_count = 1,
                               .body = body,
                               .body_len = strlen(body),
                               .body_max = KB_SUNO_BODY_MAX};
    int code = kb_call_perform(http, values, settings, &request, result);
    if (code == 0 && kb_suno_answered(result))
        read_task(result);
    return code;
}

/* title: description */
static void write_prompt(FILE *out, const struct kb_call_values *values)
{
    char prompt[4 * PROMPT_MAX + 1];
    const char *title = kb_call_value(values, "title"), *description = kb_call_value(values, "description");
    snprintf(prompt, sizeof(prompt), "%s%s%s", title != NULL ? title : "", title != NULL ? ": " : "", description);
    kb_json_write_string(out, prompt, strlen(prompt));
}

/* NULL if memory is short. */
static char *write_body(const struct kb_call_values *values, bool custom)
{
    char *body = NULL;
    size_t len;
    FILE *out = open_memstream(&body, &len);
    if (out == NULL)
        return NULL;
    fprintf(out, "{\"customMode\":%s,", custom ? "true" : "false");
    kb_call_write_fields(out, values);
    if (!custom) {
        fputs(",\"prompt\":", out);
        write_prompt(out, values);
    }
    fputc('}', out);
    if (fclose(out) == 0)
        return body;
    free(body);
    return NULL;
}

static int generate(kb_http *http, const struct kb_call_values *values, const kb_call_settings *settings, bool custom,
                    kb_call_result *result)
{
    char *body = write_body(values, custom);
    if (body == NULL) {
        kb_call_fail(result, KB_OUTCOME_CLIENT, "memory is short");
        return KB_ENOMEM;
    }
    int code = start(http, values, settings, body, result);
    free(body);
    return code;
}

static int run_music(kb_http *http, const struct kb_call_values *values, const kb_call_settings *settings,
                     kb_call_result *result)
{
    return generate(http, values, settings, false, result);
}

static int run_custom(kb_http *http, const struct kb_call_values *values, const kb_call_settings *settings,
                      kb_call_result *result)
{
    return generate(http, values, settings, true, result);
}

const struct kb_call_spec kb_suno_generate_music_call = {
    .name = "suno.generate_music",
    .service = "suno",
    .summary = "start a song by title and description",
    .params = music_params,
    .check = check_music,
    .run = run_music,
};

const struct kb_call_spec kb_suno_generate_custom_music_call = {
    .name = "suno.generate_custom_music",
    .service = "suno",
    .summary = "start a song with lyrics, style and title of one's own",
    .params = custom_params,
    .variant = "model",
    .check = check_custom,
    .run = run_custom,
};
