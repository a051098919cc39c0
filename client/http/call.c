#include "http/call.h"

#include "http/stability.h"
#include "http/suno.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { CALLS = 13 };

static const struct kb_call_spec *const calls[CALLS] = {
    &kb_suno_generate_music_call,  &kb_suno_generate_custom_music_call,
    &kb_suno_status_call,          &kb_suno_wait_call,
    &kb_suno_account_call,         &kb_stability_text_to_image_call,
    &kb_stability_edit_image_call, &kb_stability_replace_background_call,
    &kb_stability_result_call,     &kb_stability_wait_call,
    &kb_stability_v1_call,         &kb_stability_balance_call,
    &kb_stability_account_call,
};

const struct kb_call_spec *kb_call_at(size_t i)
{
    return i < CALLS ? calls[i] : NULL;
}

const struct kb_call_spec *kb_call_find(const char *name)
{
    for (size_t i = 0; name != NULL && i < CALLS; i++)
        if (strcmp(calls[i]->name, name) == 0)
            return calls[i];
    return NULL;
}

void kb_call_fail(kb_call_result *result, kb_outcome outcome, const char *format, ...)
{
    char text[512];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    free(result->answer.error);
    result->answer.error = strdup(text);
    result->answer.outcome = outcome;
}

static int refuse(kb_call_result *result, const char *what)
{
    kb_call_fail(result, KB_OUTCOME_CLIENT, "%s", what);
    return KB_EINVAL;
}

int kb_call_run(kb_http *http, const char *name, const kb_call_arg *args, size_t arg_count,
                const kb_call_settings *settings, kb_call_result *result)
{
    static const kb_call_settings none;
    const struct kb_call_spec *spec = kb_call_find(name);
    struct kb_call_values values;
    char error[KB_PARAM_ERROR_SIZE];
    if (result == NULL)
        return KB_EINVAL;
    *result = (kb_call_result){.answer.retry_after_ms = -1};
    if (spec == NULL)
        return refuse(result, "no such call");
    if (args == NULL && arg_count > 0)
        return refuse(result, "no arguments");
    if (!kb_call_check(spec, args, arg_count, &values, error))
        return refuse(result, error);
    settings = settings != NULL ? settings : &none;
    if (settings->deadline_ms < 0 || settings->timeout_ms < 0 || settings->wait_ms < -1)
        return refuse(result, "a time is negative");
    if (http == NULL)
        return refuse(result, "no handle");
    return spec->run(http, &values, settings, result);
}

static void wipe(void *memory, size_t len)
{
    if (memory != NULL)
        explicit_bzero(memory, len);
    free(memory);
}

void kb_call_result_clear(kb_call_result *result)
{
    if (result == NULL)
        return;
    kb_http_answer_clear(&result->answer);
    wipe(result->findings, result->findings != NULL ? strlen(result->findings) : 0);
    wipe(result->data, result->data_len);
    result->findings = NULL;
    result->data = NULL;
    result->data_len = 0;
}

int kb_call_perform(kb_http *http, const struct kb_call_values *values, const kb_call_settings *settings,
                    kb_http_request *request, kb_call_result *result)
{
    size_t own = request->header_count, added = settings->headers != NULL ? settings->header_count : 0;
    kb_http_header *headers = calloc(own + added + 1, sizeof(*headers));
    if (headers == NULL) {
        kb_call_fail(result, KB_OUTCOME_CLIENT, "memory is short");
        return KB_ENOMEM;
    }
    if (own > 0)
        memcpy(headers, request->headers, own * sizeof(*headers));
    if (added > 0)
        memcpy(headers + own, settings->headers, added * sizeof(*headers));
    request->headers = headers;
    request->header_count = own + added;
    request->pool = settings->pool != NULL ? settings->pool : values->spec->service;
    request->wait_ms = settings->wait_ms;
    request->timeout_ms = settings->timeout_ms != 0 ? settings->timeout_ms : request->timeout_ms;
    request->deadline_ms = settings->deadline_ms;
    request->fallback = settings->fallback;
    request->no_fallback = settings->no_fallback;
    kb_http_answer_clear(&result->answer);
    int code = kb_http_perform(http, request, &result->answer);
    free(headers);
    request->headers = NULL;
    request->header_count = 0;
    return code;
}
