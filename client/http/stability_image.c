/*
 * stability_image.c: a form sent, and an image that comes back.
 */
#include "http/base64.h"
#include "http/outfile.h"
#include "http/stability.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PART_OVERHEAD = 512 }; /* bytes of a part besides its content, at most */

bool kb_stability_check_size(const struct kb_call_values *values, char *error)
{
    uint64_t sum = 0;
    for (size_t i = 0; values->spec->params[i].name != NULL; i++) {
        const struct kb_param *param = &values->spec->params[i];
        struct stat stat_of;
        if (values->text[i] == NULL || param->field == NULL)
            continue;
        sum += PART_OVERHEAD;
        if (param->type != KB_PARAM_FILE)
            sum += strlen(values->text[i]);
        else if (stat(values->text[i], &stat_of) == 0)
            sum += (uint64_t)stat_of.st_size;
        if (sum > KB_STABILITY_UPLOAD_MAX) {
            snprintf(error, KB_PARAM_ERROR_SIZE, "%s: makes the request larger than 10 MiB", param->name);
            return false;
        }
    }
    return true;
}

static void write_reason(struct kb_findings *findings, const char *reason)
{
    kb_findings_text(findings, "finish_reason", reason);
    kb_findings_bool(findings, "filtered", strcmp(reason, "CONTENT_FILTERED") == 0);
}

void kb_stability_write_making(struct kb_findings *findings, const struct kb_json *doc, int object,
                               const char *reason_member)
{
    char reason[sizeof(((kb_stability_image *)0)->finish_reason)];
    int64_t seed;
    int seed_token = kb_json_member(doc, object, "seed");
    if (kb_json_integer(doc, seed_token, &seed))
        kb_findings_copy(findings, "seed", doc, seed_token);
    kb_findings_read_text(doc, object, reason_member, reason, sizeof(reason));
    write_reason(findings, reason);
}

unsigned char *kb_stability_decode(const struct kb_json *doc, int object, const char *name, size_t *len)
{
    size_t raw_len;
    int token = kb_json_member(doc, object, name);
    if (kb_json_type(doc, token) != KB_JSON_STRING)
        return NULL;
    kb_json_raw(doc, token, &raw_len);
    char *text = malloc(raw_len + KB_BASE64_SIZE(0));
    ptrdiff_t text_len = text != NULL ? kb_json_string(doc, token, text, raw_len + 1) : -1;
    if (text_len > 0 && kb_base64_decode(text, (size_t)text_len, (unsigned char *)text, len))
        return (unsigned char *)text;
    free(text);
    return NULL;
}

static bool is_type(const kb_http_answer *answer, const char *type)
{
    const char *value = kb_http_answer_header(answer, "content-type");
    return value != NULL && strncasecmp(value, type, strlen(type)) == 0;
}

void kb_stability_read_file(const struct kb_call_values *values, kb_call_result *result)
{
    const char *out = kb_call_value(values, "out");
    const char *seed = kb_http_answer_header(&result->answer, "seed");
    const char *reason = kb_http_answer_header(&result->answer, "finish-reason");
    struct kb_findings findings;
    if (!result->answer.in_file || !is_type(&result->answer, "image/")) {
        if (result->answer.in_file)
            unlink(out);
        result->answer.in_file = 0;
        kb_findings_lacking(result, true, "image");
        return;
    }
    kb_findings_begin(&findings);
    kb_findings_text(&findings, "file", out);
    if (seed != NULL && *seed != '\0' && strlen(seed) <= 10 && seed[strspn(seed, "0123456789")] == '\0')
        kb_findings_number(&findings, "seed", (double)strtoul(seed, NULL, 10));
    write_reason(&findings, reason != NULL ? reason : "");
    kb_findings_end(&findings, result);
}

bool kb_stability_write_file(const char *path, const unsigned char *data, size_t len, kb_call_result *result)
{
    struct kb_outfile file = KB_OUTFILE_CLOSED;
    int error = kb_outfile_open(&file, path);
    if (error == 0)
        error = kb_outfile_write(&file, (const char *)data, len);
    if (error == 0)
        error = kb_outfile_commit(&file);
    kb_outfile_abandon(&file);
    if (error != 0)
        kb_call_fail(result, KB_OUTCOME_CLIENT, "%s: cannot be written: %s", path, strerrordesc_np(error));
    return error == 0;
}

void kb_stability_read_json(const char *task, const char *out, kb_call_result *result)
{
    struct kb_findings findings;
    struct kb_json *doc = kb_findings_answer(result, true);
    size_t len;
    if (doc == NULL)
        return;
    unsigned char *data = kb_stability_decode(doc, 0, "image", &len);
    if (data == NULL)
        kb_findings_lacking(result, true, "image in base64");
    if (data != NULL && (out == NULL || kb_stability_write_file(out, data, len, result))) {
        kb_findings_begin(&findings);
        if (task != NULL) {
            kb_findings_text(&findings, "task", task);
            kb_findings_text(&findings, "state", "done");
        }
        if (out != NULL)
            kb_findings_text(&findings, "file", out);
        else
            kb_findings_number(&findings, "bytes", (double)len);
        kb_stability_write_making(&findings, doc, 0, "finish_reason");
        kb_findings_end(&findings, result);
    }
    if (data != NULL && out == NULL) {
        result->data = data;
        result->data_len = len;
    } else {
        free(data);
    }
    kb_json_free(doc);
}

int kb_stability_form(kb_http *http, const struct kb_call_values *values, const kb_call_settings *settings,
                      const char *path, kb_call_result *result)
{
    kb_http_part parts[KB_CALL_PARAMS_MAX];
    const char *out = kb_call_value(values, "out");
    const kb_http_header accept = {"Accept", out != NULL ? "image/*" : "application/json"};
    kb_http_request request = {.url = path,
                               .headers = &accept,
                               .header_count = 1,
                               .parts = parts,
                               .part_count = kb_call_parts(values, parts),
                               .out = out,
                               .timeout_ms = KB_STABILITY_TIMEOUT_MS};
    int code = kb_call_perform(http, values, settings, &request, result);
    if (code != 0 || result->answer.outcome != KB_OUTCOME_OK)
        return code;
    if (out != NULL)
        kb_stability_read_file(values, result);
    else
        kb_stability_read_json(NULL, NULL, result);
    return code;
}
