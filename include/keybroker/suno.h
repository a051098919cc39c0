/*
 * keybroker/suno.h: music by Suno (api.sunoapi.org) with the keys of a pool.
 *
 *     char task[KB_TASK_SIZE];
 *     kb_suno_music song = {.title = "Rain", .description = "a slow song about rain"};
 *     kb_suno_state state;
 *     if (kb_suno_generate_music(http, NULL, &song, task, &result) == 0 && *task != '\0') …
 *     kb_call_result_clear(&result);
 *     kb_suno_wait(http, NULL, task, NULL, &state, &result);
 *     if (state.state == KB_SUNO_DONE) download(state.songs[0].audio_url);
 *     kb_suno_state_clear(&state);
 *     kb_call_result_clear(&result);
 *
 * Every function fills *result, which the caller frees with kb_call_result_clear, and returns as kb_call_run does;
 * `settings` may be NULL, the pool is then "suno". What they find is in the typed arguments, and as JSON text in
 * result->findings. By name they are the calls suno.generate_music, suno.generate_custom_music,
 * suno.check_music_generation_status, suno.wait and suno.get_account_info.
 *
 * A task handle is FINGERPRINT:TASKID, the fingerprint that of the key that started it. Asking for the task goes by
 * that very key, whatever its state but disabled, in any process and after restarts, while the pool has the key. A
 * handle is text that may be kept and passed on; it holds no secret.
 *
 * A failed task is no failed key. The outcome is then client if its content was refused, else transient, with an error;
 * the task's state is KB_SUNO_FAILED.
 *
 * Lengths are in characters (UTF-8 code points). Texts are UTF-8.
 */
#ifndef KEYBROKER_SUNO_H
#define KEYBROKER_SUNO_H

#include <keybroker/call.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What upstream is told to call back where no callback_url is given: it wants one even of those who poll. The name
 * belongs to nobody (RFC 2606). */
#define KB_SUNO_CALLBACK_URL "https://api.example.com/callback"
#define KB_SUNO_MODEL        "V4_5ALL" /* where none is given */

/* A song by description; upstream writes the lyrics. All zero but description is fine. */
typedef struct {
    const char *title;       /* NULL: none. Sent before the description: both have 500 characters together */
    const char *description; /* needed */
    const char *model;       /* V4, V4_5, V4_5PLUS, V4_5ALL, V5, V5_5; NULL: KB_SUNO_MODEL */
    int instrumental;        /* not 0: nobody sings */
    const char *callback_url;
} kb_suno_music;

/* Starts it. One task makes two songs. task (KB_TASK_SIZE bytes) is the handle, "" if none was started. */
KB_API int kb_suno_generate_music(kb_http *http, const kb_call_settings *settings, const kb_suno_music *music,
                                  char *task, kb_call_result *result);

/* A song in custom mode. Optional numbers: NULL means not given. */
typedef struct {
    const char *title;  /* needed; at most 80 characters (V4, V4_5ALL), else 100 */
    const char *style;  /* needed; at most 200 (V4), else 1000 */
    const char *prompt; /* the lyrics; needed unless instrumental; at most 3000 (V4), else 5000 */
    const char *model;
    int instrumental;
    const char *negative_tags;
    const char *vocal_gender;   /* m, f */
    const double *style_weight; /* 0 to 1 in steps of 0.01, like the next two */
    const double *weirdness_constraint;
    const double *audio_weight;
    const char *persona_id;
    const char *persona_model; /* style_persona, voice_persona (V5, V5_5 only); goes with a persona_id */
    const char *callback_url;
} kb_suno_custom_music;

KB_API int kb_suno_generate_custom_music(kb_http *http, const kb_call_settings *settings,
                                         const kb_suno_custom_music *music, char *task, kb_call_result *result);

typedef struct {
    const char *id, *title, *tags, *prompt, *model; /* NULL: not said, like the URLs */
    const char *audio_url, *stream_audio_url, *image_url;
    double duration; /* seconds, 0: not said */
} kb_suno_song;

typedef enum {
    KB_SUNO_UNKNOWN, /* not learnt */
    KB_SUNO_RUNNING, /* PENDING, TEXT_SUCCESS, FIRST_SUCCESS (songs may be there), and names not known */
    KB_SUNO_DONE,    /* SUCCESS; CALLBACK_EXCEPTION too if a song has its audio */
    KB_SUNO_FAILED   /* CREATE_TASK_FAILED, GENERATE_AUDIO_FAILED, SENSITIVE_WORD_ERROR, … */
} kb_suno_progress_state;

typedef struct {
    kb_suno_progress_state state;
    char status[64];           /* upstream's word for it, "" if not learnt */
    const char *error_message; /* of a failed task, NULL: none */
    kb_suno_song *songs;
    size_t song_count;
    void *memory; /* private */
} kb_suno_state;

/* How the task stands. Free *state with kb_suno_state_clear in any case. KB_EINVAL for a text that is no handle. */
KB_API int kb_suno_check_music_generation_status(kb_http *http, const kb_call_settings *settings, const char *task,
                                                 kb_suno_state *state, kb_call_result *result);

#define KB_SUNO_INTERVAL_MS     30000  /* between polls, where the options say 0: what upstream advises */
#define KB_SUNO_INTERVAL_MIN_MS 100    /* the least; upstream counts polls among a key's 20 requests per 10 s */
#define KB_SUNO_DEADLINE_MS     900000 /* of waiting, where the settings say 0 */

typedef struct {
    int interval_ms;
    /* Called after each answered poll; not 0: stop waiting. NULL: nobody is told. */
    int (*progress)(void *arg, const kb_suno_state *state);
    void *arg;
} kb_suno_wait_options;

/*
 * Asks until the task is done or failed, or settings->deadline_ms has passed. A poll that fails by network, upstream,
 * rate limit or a missing broker is tried again, at the earliest when upstream said; one that fails otherwise ends the
 * waiting. When the deadline comes first, the outcome is KB_OUTCOME_TRANSIENT with an error, and *state how the task
 * stood last. options may be NULL.
 */
KB_API int kb_suno_wait(kb_http *http, const kb_call_settings *settings, const char *task,
                        const kb_suno_wait_options *options, kb_suno_state *state, kb_call_result *result);

KB_API void kb_suno_state_clear(kb_suno_state *state);

/* The account of one key of the pool: the next one's, or with a fingerprint that key's. */
KB_API int kb_suno_get_account_info(kb_http *http, const kb_call_settings *settings, const char *fingerprint,
                                    double *credits, kb_call_result *result);

#ifdef __cplusplus
}
#endif

#endif
