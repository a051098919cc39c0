/*
 * suno_api.c: keybroker/suno.h over the calls by name.
 */
#include "http/arguments.h"
#include "http/findings.h"
#include "http/suno.h"

#include <stdlib.h>
#include <string.h>

/* Runs the call and reads one text or number from its findings. */
static int run(kb_http *http, const char *name, const struct kb_arguments *arguments, const kb_call_settings *settings,
               kb_call_result *result)
{
    return kb_call_run(http, name, arguments->list, arguments->count, settings, result);
}

static struct kb_json *parse(const char *findings)
{
    struct kb_json_error error;
    return findings != NULL ? kb_json_parse(findings, strlen(findings), &error) : NULL;
}

static int start(kb_http *http, const char *name, const struct kb_arguments *arguments,
                 const kb_call_settings *settings, char *task, kb_call_result *result)
{
    int code = run(http, name, arguments, settings, result);
    struct kb_json *doc = parse(result->findings);
    *task = '\0';
    if (doc != NULL)
        kb_findings_read_text(doc, 0, "task", task, KB_TASK_SIZE);
    kb_json_free(doc);
    return code;
}

int kb_suno_generate_music(kb_http *http, const kb_call_settings *settings, const kb_suno_music *music, char *task,
                           kb_call_result *result)
{
    struct kb_arguments arguments = {.count = 0};
    kb_arguments_text(&arguments, "title", music->title);
    kb_arguments_text(&arguments, "description", music->description);
    kb_arguments_text(&arguments, "model", music->model);
    kb_arguments_flag(&arguments, "instrumental", music->instrumental);
    kb_arguments_text(&arguments, "callback_url", music->callback_url);
    return start(http, "suno.generate_music", &arguments, settings, task, result);
}

int kb_suno_generate_custom_music(kb_http *http, const kb_call_settings *settings, const kb_suno_custom_music *music,
                                  char *task, kb_call_result *result)
{
    struct kb_arguments arguments = {.count = 0};
    kb_arguments_text(&arguments, "title", music->title);
    kb_arguments_text(&arguments, "style", music->style);
    kb_arguments_text(&arguments, "prompt", music->prompt);
    kb_arguments_text(&arguments, "model", music->model);
    kb_arguments_flag(&arguments, "instrumental", music->instrumental);
    kb_arguments_text(&arguments, "negative_tags", music->negative_tags);
    kb_arguments_text(&arguments, "vocal_gender", music->vocal_gender);
    kb_arguments_number(&arguments, "style_weight", music->style_weight);
    kb_arguments_number(&arguments, "weirdness_constraint", music->weirdness_constraint);
    kb_arguments_number(&arguments, "audio_weight", music->audio_weight);
    kb_arguments_text(&arguments, "persona_id", music->persona_id);
    kb_arguments_text(&arguments, "persona_model", music->persona_model);
    kb_arguments_text(&arguments, "callback_url", music->callback_url);
    return start(http, "suno.generate_custom_music", &arguments, settings, task, result);
}

int kb_suno_check_music_generation_status(kb_http *http, const kb_call_settings *settings, const char *task,
                                          kb_suno_state *state, kb_call_result *result)
{
    struct kb_arguments arguments = {.count = 0};
    kb_arguments_text(&arguments, "task", task);
    int code = run(http, "suno.check_music_generation_status", &arguments, settings, result);
    return kb_suno_state_read(result->findings, state) ? code : KB_ENOMEM;
}

static int tell(void *arg, const char *findings)
{
    const kb_suno_wait_options *options = arg;
    kb_suno_state state;
    int stop = kb_suno_state_read(findings, &state) ? options->progress(options->arg, &state) : 0;
    kb_suno_state_clear(&state);
    return stop;
}

int kb_suno_wait(kb_http *http, const kb_call_settings *settings, const char *task, const kb_suno_wait_options *options,
                 kb_suno_state *state, kb_call_result *result)
{
    kb_call_settings own = settings != NULL ? *settings : (kb_call_settings){0};
    struct kb_arguments arguments = {.count = 0};
    double interval = options != NULL ? options->interval_ms : 0;
    kb_arguments_text(&arguments, "task", task);
    kb_arguments_number(&arguments, "interval_ms", interval != 0 ? &interval : NULL);
    if (options != NULL && options->progress != NULL) {
        own.progress = tell;
        own.progress_arg = (void *)options;
    }
    int code = run(http, "suno.wait", &arguments, &own, result);
    return kb_suno_state_read(result->findings, state) ? code : KB_ENOMEM;
}

int kb_suno_get_account_info(kb_http *http, const kb_call_settings *settings, const char *fingerprint, double *credits,
                             kb_call_result *result)
{
    struct kb_arguments arguments = {.count = 0};
    kb_arguments_text(&arguments, "key", fingerprint);
    int code = run(http, "suno.get_account_info", &arguments, settings, result);
    struct kb_json *doc = parse(result->findings);
    *credits = 0;
    if (doc != NULL)
        kb_findings_read_number(doc, 0, "credits", credits);
    kb_json_free(doc);
    return code;
}
