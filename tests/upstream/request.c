#include "request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *bearer(struct MHD_Connection *connection)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
    if (!value || strncasecmp(value, "Bearer ", 7) != 0)
        return NULL;
    return value + 7 + strspn(value + 7, " ");
}

const char *kb_upstream_secret(const struct kb_upstream *upstream, struct MHD_Connection *connection)
{
    const char *secret = NULL;
    if (upstream->key_header)
        secret = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, upstream->key_header);
    if (!secret && upstream->key_query)
        secret = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, upstream->key_query);
    return secret ? secret : bearer(connection);
}

/* MHD tells of a part in pieces, the first at offset 0. */
static enum MHD_Result note_part(void *cls, enum MHD_ValueKind kind, const char *name, const char *filename,
                                 const char *type, const char *coding, const char *data, uint64_t offset, size_t size)
{
    struct kb_upstream_request *request = cls;
    (void)kind, (void)filename, (void)type, (void)coding, (void)data, (void)size;
    if (offset == 0 && name && request->part_count < KB_UPSTREAM_PARTS_MAX) {
        char *copy = strdup(name);
        if (copy)
            request->parts[request->part_count++] = copy;
    }
    return MHD_YES;
}

static void begin_multipart(struct kb_upstream_request *request, struct MHD_Connection *connection)
{
    const char *type = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);
    if (type && strncasecmp(type, "multipart/form-data", 19) == 0)
        request->multipart = MHD_create_post_processor(connection, 4096, note_part, request);
}

/* Counts the connection with its first request. MHD keeps our mark with the connection. */
static void mark_connection(struct kb_upstream *upstream, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    bool *marked = info ? info->socket_context : NULL;
    if (marked && !*marked) {
        *marked = true;
        kb_upstream_keys_connected(upstream->keys);
    }
}

struct kb_upstream_request *kb_upstream_request_begin(struct kb_upstream *upstream, struct MHD_Connection *connection,
                                                      const char *url)
{
    struct kb_upstream_request *request = calloc(1, sizeof *request);
    if (!request)
        return NULL;
    request->admin = strncmp(url, "/admin/", 7) == 0;
    request->key = -1;
    if (request->admin)
        return request;
    mark_connection(upstream, connection);
    request->key = kb_upstream_keys_arrive(upstream->keys, kb_upstream_secret(upstream, connection), &request->state);
    if (request->key >= 0)
        request->script =
            kb_upstream_scripts_take(upstream->scripts, kb_upstream_keys_name(upstream->keys, request->key), url);
    begin_multipart(request, connection);
    return request;
}

bool kb_upstream_request_read(struct kb_upstream_request *request, const char *bytes, size_t len)
{
    request->body_bytes += len;
    if (request->multipart)
        MHD_post_process(request->multipart, bytes, len);
    if (!request->admin)
        return true;
    if (len > KB_UPSTREAM_ADMIN_BODY_MAX - request->body_len)
        return false;
    char *longer = realloc(request->body, request->body_len + len);
    if (!longer)
        return false;
    memcpy(longer + request->body_len, bytes, len);
    request->body = longer;
    request->body_len += len;
    return true;
}

void kb_upstream_request_free(struct kb_upstream_request *request)
{
    if (!request)
        return;
    if (request->multipart)
        MHD_destroy_post_processor(request->multipart);
    for (unsigned i = 0; i < request->part_count; i++)
        free(request->parts[i]);
    free(request->body);
    free(request);
}
