/*
 * suno_status.c: how a task stands: GET /api/v1/generate/record-info.
 */
#include "http/findings.h"
#include "http/suno.h"
#include "http/task.h"

#include <string.h>

static const struct kb_param params[] = {
    {.name = "task",
     .type = KB_PARAM_TEXT,
     .max = KB_TASK_SIZE - 1,
     .required = KB_ALWAYS,
     .help = "what generate_music said: KEY:ID"},
    {.name = NULL},
};

bool kb_suno_check_task(const struct kb_call_values *values, char *error)
{
    struct kb_task task;
    if (kb_task_parse(kb_call_value(values, "task"), &task))
        return true;
    snprintf(error, KB_PARAM_ERROR_SIZE, "task: is no handle of a task (the key's fingerprint, a colon, the id)");
    return false;
}

/* Names of a song's members, upstream's and those of the findings. */
static const struct {
    const char *field, *name;
} song_members[] = {
    {"id", "id"},
    {"title", "title"},
    {"tags", "tags"},
    {"prompt", "prompt"},
    {"modelName", "model"},
    {"audioUrl", "audio_url"},
    {"streamAudioUrl", "stream_audio_url"},
    {"imageUrl", "image_url"},
    {"duration", "duration"},
};

static void write_song(struct kb_findings *findings, const struct kb_json *doc, int song)
{
    kb_findings_open(findings, NULL, "{");
    for (size_t i = 0; i < sizeof(song_members) / sizeof(*song_members); i++)
        kb_findings_copy(findings, song_members[i].name, doc, kb_json_member(doc, song, song_members[i].field));
    kb_findings_close(findings, "}");
}

/* Upstream gives "" for what is not there yet. */
static bool has_audio(const struct kb_json *doc, int songs)
{
    for (int song = kb_json_first(doc, songs); song >= 0; song = kb_json_next(doc, song)) {
        int url = kb_json_type(doc, song) == KB_JSON_OBJECT ? kb_json_member(doc, song, "audioUrl") : -1;
        if (kb_json_type(doc, url) == KB_JSON_STRING && !kb_json_equals(doc, url, ""))
            return true;
    }
    return false;
}

static bool ends_in(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* A failed callback is the caller's loss, not the task's, if there are songs: the callback may have been a
 * placeholder. */
static const char *state_of(const char *status, bool audio)
{
    if (strcmp(status, "SUCCESS") == 0 || (strcmp(status, "CALLBACK_EXCEPTION") == 0 && audio))
        return "done";
    bool failed = ends_in(status, "_FAILED") || ends_in(status, "_ERROR") || ends_in(status, "_EXCEPTION");
    return failed ? "failed" : "running";
}

/* The poll went well in any case; of a task that failed the outcome is whose fault that is. */
static void judge_state(const char *state, const char *status, kb_call_result *result)
{
    if (strcmp(state, "failed") != 0)
        result->answer.outcome = KB_OUTCOME_OK;
    else if (result->answer.outcome == KB_OUTCOME_CLIENT)
        kb_call_fail(result, KB_OUTCOME_CLIENT, "the task has failed: %s", status);
    else
        kb_call_fail(result, KB_OUTCOME_TRANSIENT, "the task has failed: %s", status);
}

static void write_state(const char *task, const struct kb_json *doc, int data, const char *status,
                        kb_call_result *result)
{
    struct kb_findings findings;
    int response = kb_json_member(doc, data, "response");
    int songs = kb_json_type(doc, response) == KB_JSON_OBJECT ? kb_json_member(doc, response, "sunoData") : -1;
    songs = kb_json_type(doc, songs) == KB_JSON_ARRAY ? songs : -1;
    const char *state = state_of(status, has_audio(doc, songs));
    kb_findings_begin(&findings);
    kb_findings_text(&findings, "task", task);
    kb_findings_text(&findings, "state", state);
    kb_findings_text(&findings, "status", status);
    kb_findings_copy(&findings, "error_code", doc, kb_json_member(doc, data, "errorCode"));
    kb_findings_copy(&findings, "error_message", doc, kb_json_member(doc, data, "errorMessage"));
    kb_findings_open(&findings, "songs", "[");
    for (int song = kb_json_first(doc, songs); song >= 0; song = kb_json_next(doc, song))
        if (kb_json_type(doc, song) == KB_JSON_OBJECT)
            write_song(&findings, doc, song);
    kb_findings_close(&findings, "]");
    judge_state(state, status, result);
    kb_findings_end(&findings, result);
}

bool kb_suno_answered(const kb_call_result *result)
{
    return result->answer.status / 100 == 2 && result->answer.error == NULL;
}

void kb_suno_read_state(const char *task, kb_call_result *result)
{
    char status[sizeof(((kb_suno_state *)0)->status)];
    struct kb_json *doc = kb_findings_answer(result, false);
    if (doc == NULL)
        return;
    int data = kb_json_member(doc, 0, "data");
    if (kb_json_type(doc, data) == KB_JSON_OBJECT && kb_findings_read_text(doc, data, "status", status, sizeof(status)))
        write_state(task, doc, data, status, result);
    else if (result->answer.outcome == KB_OUTCOME_OK)
        kb_findings_lacking(result, false, "status of the task");
    kb_json_free(doc);
}

int kb_suno_ask(kb_http *http, const struct kb_call_values *values, const kb_call_settings *settings,
                kb_call_result *result)
{
    struct kb_task task;
    char id[3 * KB_TASK_ID_MAX + 4], url[sizeof(id) + 64];
    const char *handle = kb_call_value(values, "task");
    if (!kb_task_parse(handle, &task))
        return KB_EINVAL;
    kb_task_escape(task.id, id, sizeof(id));
    snprintf(url, sizeof(url), "/api/v1/generate/record-info?taskId=%s", id);
    kb_http_request request = {.url = url, .fingerprint = task.fingerprint, .body_max = KB_SUNO_BODY_MAX};
    int code = kb_call_perform(http, values, settings, &request, result);
    if (code == 0 && kb_suno_answered(result))
        kb_suno_read_state(handle, result);
    return code;
}

const struct kb_call_spec kb_suno_status_call = {
    .name = "suno.check_music_generation_status",
    .service = "suno",
    .summary = "how a task stands, asked with the key that started it",
    .params = params,
    .check = kb_suno_check_task,
    .run = kb_suno_ask,
};
