#include "admin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "response.h"

#define SIZE_MAX_BYTES (UINT64_C(1) << 40)
#define DELAY_MAX_MS   60000

/* Answers with text this owns; NULL closes the connection. */
static enum MHD_Result answer_text(struct MHD_Connection *connection, char *text)
{
    enum MHD_Result result =
        text ? kb_upstream_queue(connection, MHD_HTTP_OK, kb_upstream_json_response(text)) : MHD_NO;
    free(text);
    return result;
}

static enum MHD_Result set_state(struct kb_upstream *upstream, struct MHD_Connection *connection, const char *name)
{
    const char *word = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "state");
    enum kb_upstream_state state;
    if (!word || !kb_upstream_state_parse(word, &state))
        return kb_upstream_answer_json(connection, MHD_HTTP_BAD_REQUEST,
                                       KB_UPSTREAM_ERROR_BODY("bad_request", "no such state"));
    if (!kb_upstream_keys_set(upstream->keys, name, state))
        return kb_upstream_answer_json(connection, MHD_HTTP_NOT_FOUND,
                                       KB_UPSTREAM_ERROR_BODY("not_found", "no such key"));
    return kb_upstream_answer_json(connection, MHD_HTTP_OK, "{\"key\":\"%s\",\"state\":\"%s\"}\n", name,
                                   kb_upstream_state_name(state));
}

static bool set_number(const char *text, uint64_t max, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && !errno && *out <= max;
}

static bool set_text(const char *text, char **out)
{
    free(*out);
    *out = strdup(text);
    return *out != NULL;
}

static bool add_header(struct kb_upstream_script *script, const char *text)
{
    const char *colon = strchr(text, ':');
    if (!colon || colon == text || script->header_count == KB_UPSTREAM_HEADERS_MAX)
        return false;
    char **name = &script->headers[script->header_count].name, **value = &script->headers[script->header_count].value;
    *name = strndup(text, (size_t)(colon - text));
    *value = strdup(colon + 1 + strspn(colon + 1, " "));
    script->header_count++;
    return *name && *value;
}

/* A script while its arguments are read. */
struct reading {
    struct kb_upstream_script script;
    const char *wrong; /* the argument that cannot be; NULL: none */
};

static bool read_argument(struct kb_upstream_script *script, const char *name, const char *value)
{
    uint64_t number = 0;
    if (strcmp(name, "path") == 0)
        return set_text(value, &script->path);
    if (strcmp(name, "key") == 0)
        return set_text(value, &script->key);
    if (strcmp(name, "type") == 0)
        return set_text(value, &script->type);
    if (strcmp(name, "header") == 0)
        return add_header(script, value);
    if (strcmp(name, "cut") == 0)
        return set_number(value, SIZE_MAX_BYTES, &script->cut);
    if (strcmp(name, "size") == 0)
        return set_number(value, SIZE_MAX_BYTES, &script->size);
    if (!set_number(value, DELAY_MAX_MS, &number))
        return false;
    if (strcmp(name, "times") == 0)
        script->times = number ? number : UINT64_MAX;
    else if (strcmp(name, "gzip") == 0)
        script->gzip = number != 0;
    else if (strcmp(name, "delay_ms") == 0)
        script->delay_ms = (int)number;
    else if (strcmp(name, "stall_ms") == 0)
        script->stall_ms = (int)number;
    else if (strcmp(name, "status") == 0 && (number == 0 || (number >= 200 && number <= 999)))
        script->status = (unsigned)number;
    else
        return false;
    return true;
}

static enum MHD_Result take_argument(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct reading *reading = cls;
    (void)kind;
    if (!read_argument(&reading->script, name, value ? value : ""))
        reading->wrong = name;
    return reading->wrong ? MHD_NO : MHD_YES;
}

static enum MHD_Result add_script(struct kb_upstream *upstream, struct MHD_Connection *connection,
                                  const struct kb_upstream_request *request)
{
    struct reading reading = {.script = {.times = 1, .status = 200, .cut = UINT64_MAX}};
    if (!set_text("application/json", &reading.script.type))
        return MHD_NO;
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_argument, &reading);
    if (!reading.wrong && request->body_len > 0) {
        reading.script.body = malloc(request->body_len);
        if (reading.script.body) {
            memcpy(reading.script.body, request->body, request->body_len);
            reading.script.body_len = request->body_len;
        } else {
            reading.wrong = "body";
        }
    }
    if (reading.wrong) {
        kb_upstream_script_clear(&reading.script);
        return kb_upstream_answer_json(connection, MHD_HTTP_BAD_REQUEST, "{\"error\":\"bad argument: %.32s\"}\n",
                                       reading.wrong);
    }
    if (!kb_upstream_scripts_add(upstream->scripts, &reading.script))
        return kb_upstream_answer_json(connection, MHD_HTTP_INSUFFICIENT_STORAGE, "{\"error\":\"too many answers\"}\n");
    return kb_upstream_answer_json(connection, MHD_HTTP_OK, "{\"scripted\":true}\n");
}

enum MHD_Result kb_upstream_answer_admin(struct kb_upstream *upstream, struct MHD_Connection *connection,
                                         const char *path, const char *method,
                                         const struct kb_upstream_request *request)
{
    const bool get = strcmp(method, MHD_HTTP_METHOD_GET) == 0, post = strcmp(method, MHD_HTTP_METHOD_POST) == 0;
    if (get && strcmp(path, "stats") == 0)
        return answer_text(connection, kb_upstream_keys_stats(upstream->keys));
    if (get && strcmp(path, "log") == 0)
        return answer_text(connection, kb_upstream_log_text(upstream->log));
    if (post && strncmp(path, "key/", 4) == 0)
        return set_state(upstream, connection, path + 4);
    if (post && strcmp(path, "answer") == 0)
        return add_script(upstream, connection, request);
    if (strcmp(method, MHD_HTTP_METHOD_DELETE) == 0 && strcmp(path, "answer") == 0) {
        kb_upstream_scripts_clear(upstream->scripts);
        return kb_upstream_answer_json(connection, MHD_HTTP_OK, "{\"scripted\":false}\n");
    }
    return kb_upstream_answer_json(connection, MHD_HTTP_NOT_FOUND,
                                   KB_UPSTREAM_ERROR_BODY("not_found", "no such admin request"));
}
