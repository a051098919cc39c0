/*
 * suno_state.c: a task's state as keybroker/suno.h gives it, read from findings.
 */
#include "http/findings.h"
#include "http/suno.h"

#include <stdlib.h>
#include <string.h>

/* Where decoded texts go: no larger in all than the findings they are from. */
struct texts {
    char *next, *end;
};

static const char *text(const struct kb_json *doc, int object, const char *name, struct texts *texts)
{
    char *start = texts->next;
    if (!kb_findings_read_text(doc, object, name, start, (size_t)(texts->end - start)))
        return NULL;
    texts->next += strlen(start) + 1;
    return start;
}

static void read_song(const struct kb_json *doc, int object, struct texts *texts, kb_suno_song *song)
{
    song->id = text(doc, object, "id", texts);
    song->title = text(doc, object, "title", texts);
    song->tags = text(doc, object, "tags", texts);
    song->prompt = text(doc, object, "prompt", texts);
    song->model = text(doc, object, "model", texts);
    song->audio_url = text(doc, object, "audio_url", texts);
    song->stream_audio_url = text(doc, object, "stream_audio_url", texts);
    song->image_url = text(doc, object, "image_url", texts);
    if (!kb_findings_read_number(doc, object, "duration", &song->duration))
        song->duration = 0;
}

static kb_suno_progress_state named(const char *name)
{
    return strcmp(name, "done") == 0      ? KB_SUNO_DONE
           : strcmp(name, "failed") == 0  ? KB_SUNO_FAILED
           : strcmp(name, "running") == 0 ? KB_SUNO_RUNNING
                                          : KB_SUNO_UNKNOWN;
}

static void read_state(const struct kb_json *doc, struct texts *texts, kb_suno_state *state)
{
    char name[16];
    int songs = kb_json_member(doc, 0, "songs");
    kb_findings_read_text(doc, 0, "state", name, sizeof(name));
    state->state = named(name);
    kb_findings_read_text(doc, 0, "status", state->status, sizeof(state->status));
    state->error_message = text(doc, 0, "error_message", texts);
    for (int song = kb_json_first(doc, songs); song >= 0; song = kb_json_next(doc, song))
        read_song(doc, song, texts, &state->songs[state->song_count++]);
}

bool kb_suno_state_read(const char *findings, kb_suno_state *state)
{
    struct kb_json_error error;
    *state = (kb_suno_state){.state = KB_SUNO_UNKNOWN};
    if (findings == NULL)
        return true;
    size_t len = strlen(findings);
    struct kb_json *doc = kb_json_parse(findings, len, &error);
    unsigned songs = doc != NULL ? kb_json_size(doc, kb_json_member(doc, 0, "songs")) : 0;
    state->memory = malloc(len + 1);
    state->songs = calloc(songs + 1, sizeof(*state->songs));
    bool whole = doc != NULL && state->memory != NULL && state->songs != NULL;
    if (whole) {
        struct texts texts = {state->memory, (char *)state->memory + len + 1};
        read_state(doc, &texts, state);
    } else {
        kb_suno_state_clear(state);
    }
    kb_json_free(doc);
    return whole;
}

void kb_suno_state_clear(kb_suno_state *state)
{
    if (state == NULL)
        return;
    free(state->songs);
    free(state->memory);
    *state = (kb_suno_state){.state = KB_SUNO_UNKNOWN};
}
