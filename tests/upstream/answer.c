#include "answer.h"

#include <stdlib.h>

#include "admin.h"
#include "request.h"
#include "response.h"
#include "scripted.h"
#include "standing.h"

static enum MHD_Result answer_script(struct kb_upstream *upstream, struct MHD_Connection *connection,
                                     const struct kb_upstream_request *request)
{
    const struct kb_upstream_script *script = request->script;
    const bool ok = script->status >= 200 && script->status < 300 && script->cut == UINT64_MAX;
    kb_upstream_keys_answered(upstream->keys, request->key, ok);
    return kb_upstream_answer_script(upstream, connection, script, kb_upstream_secret(upstream, connection));
}

static enum MHD_Result answer(struct kb_upstream *upstream, struct MHD_Connection *connection, const char *url,
                              const char *method, const struct kb_upstream_request *request)
{
    if (request->admin)
        return kb_upstream_answer_admin(upstream, connection, url + 7, method, request);
    kb_upstream_log_add(upstream, connection, method, url, request);
    kb_upstream_delay(upstream, upstream->delay_ms);
    if (request->key < 0)
        return kb_upstream_answer_json(connection, MHD_HTTP_UNAUTHORIZED,
                                       KB_UPSTREAM_ERROR_BODY("authentication_error", "no such key"));
    if (request->script)
        return answer_script(upstream, connection, request);
    return kb_upstream_answer_state(upstream, connection, url, request);
}

enum MHD_Result kb_upstream_handle(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                                   const char *version, const char *upload, size_t *upload_size, void **context)
{
    struct kb_upstream *upstream = cls;
    struct kb_upstream_request *request = *context;
    (void)version;
    if (!request) {
        *context = kb_upstream_request_begin(upstream, connection, url);
        return *context ? MHD_YES : MHD_NO;
    }
    if (*upload_size > 0) {
        const bool taken = kb_upstream_request_read(request, upload, *upload_size);
        *upload_size = 0;
        return taken ? MHD_YES : MHD_NO;
    }
    return answer(upstream, connection, url, method, request);
}

void kb_upstream_completed(void *cls, struct MHD_Connection *connection, void **context,
                           enum MHD_RequestTerminationCode how)
{
    (void)cls;
    (void)connection;
    (void)how;
    kb_upstream_request_free(*context);
    *context = NULL;
}

void kb_upstream_connection(void *cls, struct MHD_Connection *connection, void **context,
                            enum MHD_ConnectionNotificationCode how)
{
    (void)cls;
    (void)connection;
    if (how == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = calloc(1, sizeof(bool));
    } else {
        free(*context);
        *context = NULL;
    }
}
