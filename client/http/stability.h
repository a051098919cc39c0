/*
 * stability.h: the calls of Stability AI. Shapes and limits are those of the published documents of api.stability.ai
 * (tests/upstream/openapi/stability-v2beta.json and stability-v1.json).
 */
#ifndef KB_HTTP_STABILITY_H
#define KB_HTTP_STABILITY_H

#include "http/call.h"
#include "http/findings.h"
#include "keybroker/stability.h"

extern const struct kb_call_spec kb_stability_text_to_image_call;                      /* stability_generate.c */
extern const struct kb_call_spec kb_stability_edit_image_call;                         /* stability_edit.c */
extern const struct kb_call_spec kb_stability_v1_call;                                 /* stability_v1.c */
extern const struct kb_call_spec kb_stability_balance_call, kb_stability_account_call; /* stability_account.c */

extern const struct kb_call_spec kb_stability_replace_background_call;             /* stability_relight.c */
extern const struct kb_call_spec kb_stability_result_call, kb_stability_wait_call; /* stability_result.c */

#define KB_STABILITY_UPLOAD_MAX ((uint64_t)10 << 20) /* bytes of a request */
#define KB_STABILITY_TIMEOUT_MS 180000               /* images take their time */

#define KB_STABILITY_STYLES                                                                                            \
    "enhance|anime|photographic|digital-art|comic-book|fantasy-art|line-art|analog-film|neon-punk|isometric|low-poly|" \
    "origami|modeling-compound|cinematic|3d-model|pixel-art|tile-texture"

/* Adds up what the values make of a form; false fills error if it is too much. */
bool kb_stability_check_size(const struct kb_call_values *values, char *error);

/* The check of an argument "organization", which becomes a header. */
bool kb_stability_check_organization(const struct kb_call_values *values, char *error);

/* Posts the values as a form to path, and sees to the image that comes back: in the file "out", or result->data.
 * Findings: {"file":…,"seed":…,"finish_reason":…,"filtered":…}, "bytes" in place of "file" for one in memory. */
int kb_stability_form(kb_http *http, const struct kb_call_values *values, const kb_call_settings *settings,
                      const char *path, kb_call_result *result);

/* After an answer of outcome ok whose image went to the file: writes the findings. */
void kb_stability_read_file(const struct kb_call_values *values, kb_call_result *result);
/* After an answer of outcome ok that holds the image in JSON: writes it to the file `out`, or to result->data if out is
 * NULL, and writes the findings, with "task" and "state" if it was a job's. */
void kb_stability_read_json(const char *task, const char *out, kb_call_result *result);
/* False if the file cannot be written: the call has then failed. */
bool kb_stability_write_file(const char *path, const unsigned char *data, size_t len, kb_call_result *result);
/* Decodes the base64 in member `name` of object. NULL: there is none, or memory is short. */
unsigned char *kb_stability_decode(const struct kb_json *doc, int object, const char *name, size_t *len);
/* Members "seed", "finish_reason", "filtered" as an object of the answer has them. */
void kb_stability_write_making(struct kb_findings *findings, const struct kb_json *doc, int object,
                               const char *reason_member);

#endif
