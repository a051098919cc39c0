/*
 * suno.h: the calls of Suno. Shapes and limits are those of the published document of api.sunoapi.org
 * (tests/upstream/openapi/suno.yml).
 */
#ifndef KB_HTTP_SUNO_H
#define KB_HTTP_SUNO_H

#include "http/call.h"
#include "keybroker/suno.h"

extern const struct kb_call_spec kb_suno_generate_music_call, kb_suno_generate_custom_music_call; /* suno_generate.c */
extern const struct kb_call_spec kb_suno_status_call;                                             /* suno_status.c */
extern const struct kb_call_spec kb_suno_wait_call;                                               /* suno_wait.c */
extern const struct kb_call_spec kb_suno_account_call;                                            /* suno_account.c */

#define KB_SUNO_BODY_MAX ((uint64_t)4 << 20) /* bytes of an answer */

/*
 * Asks once how the task of argument "task" stands. Findings, only if that was learnt:
 * {"task":…,"state":"running"|"done"|"failed","status":…,"songs":[…]}, with "error_message" of a failed task.
 */
int kb_suno_ask(kb_http *http, const struct kb_call_values *values, const kb_call_settings *settings,
                kb_call_result *result);
/* Whether there is a whole answer of status 2xx, to be read whatever its outcome: of a task that failed, that is the
 * task's, and what is no JSON is transient. */
bool kb_suno_answered(const kb_call_result *result);
/* Reads such an answer to the task with this handle. */
void kb_suno_read_state(const char *task, kb_call_result *result);
/* The check of the argument "task". */
bool kb_suno_check_task(const struct kb_call_values *values, char *error);

/* Reads findings, which may be NULL. False if memory is short: *state then knows nothing. */
bool kb_suno_state_read(const char *findings, kb_suno_state *state);

#endif
