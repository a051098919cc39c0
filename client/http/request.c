#include "http/request.h"

#include "http/service_reader.h"
#include "http/service_url.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

__attribute__((format(printf, 2, 3))) static bool refuse(char **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (vasprintf(error, format, args) < 0)
        *error = NULL;
    va_end(args);
    return false;
}

static bool has_content(const kb_http_request *request)
{
    return request->body != NULL || request->part_count > 0;
}

static bool check_method(struct kb_order *order, char **error)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    const char *given = order->request->method;
    if (given == NULL)
        return true;
    for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
        if (strcmp(given, methods[i]) == 0)
            order->method = methods[i];
    if (order->method == NULL)
        return refuse(error, "method is none of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    if (has_content(order->request) && strcmp(given, "HEAD") == 0)
        return refuse(error, "a HEAD request has no body");
    return true;
}

static bool check_url(struct kb_order *order, char **error)
{
    const char *url = order->request->url;
    if (url == NULL)
        return refuse(error, "there is no url");
    if (kb_url_whole(url)) {
        order->url = url;
        return true;
    }
    if (!kb_url_path(url))
        return refuse(error, "bad url: neither http(s)://HOST[:PORT][/PATH][?QUERY] nor a path, in printable ASCII "
                             "with all else encoded, without user name and fragment");
    if (order->service->base_url == NULL)
        return refuse(error, "bad url: a path, and no base URL is known of service %s", order->service->name);
    return true;
}

static bool is_value(const char *text)
{
    for (; *text != '\0'; text++)
        if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7f)
            return false;
    return true;
}

static bool is_named(const kb_http_header *header, const char *name)
{
    return strcasecmp(header->name, name) == 0;
}

/* The key is keybroker's to give, and what frames the body is libcurl's: a wrong length would make the next request
 * on the connection part of this one. */
static bool is_reserved(const struct kb_order *order, const kb_http_header *header)
{
    return is_named(header, "Content-Length") || is_named(header, "Transfer-Encoding") ||
           is_named(header, order->service->key_header != NULL ? order->service->key_header : "Authorization") ||
           (order->request->part_count > 0 && is_named(header, "Content-Type"));
}

static bool check_headers(const struct kb_order *order, char **error)
{
    const kb_http_request *request = order->request;
    if (request->header_count > 0 && request->headers == NULL)
        return refuse(error, "headers are missing");
    for (size_t i = 0; i < request->header_count; i++) {
        const kb_http_header *header = &request->headers[i];
        if (header->name == NULL || !kb_service_is_token(header->name))
            return refuse(error, "a header's name is empty or holds a character it must not");
        if (is_reserved(order, header))
            return refuse(error, "the header %.60s is not the request's to set", header->name);
        if (header->value == NULL || !is_value(header->value))
            return refuse(error, "the header %.60s holds a control character or has no value", header->name);
    }
    return true;
}

static bool check_part(const kb_http_part *part, char **error)
{
    if (part->name == NULL || !is_value(part->name))
        return refuse(error, "a part has no name, or one with a control character");
    if ((part->data != NULL) == (part->file != NULL))
        return refuse(error, "part %.60s: either data or a file is needed", part->name);
    if (part->filename != NULL && !is_value(part->filename))
        return refuse(error, "part %.60s: its file name holds a control character", part->name);
    if (part->content_type != NULL && (part->content_type[0] == '\0' || !is_value(part->content_type)))
        return refuse(error, "part %.60s: its content type is empty or holds a control character", part->name);
    return true;
}

static bool check_content(const kb_http_request *request, char **error)
{
    if (request->body == NULL && request->body_len > 0)
        return refuse(error, "there is no body of that length");
    if (request->body != NULL && request->part_count > 0)
        return refuse(error, "both a body and parts");
    if (request->part_count > 0 && request->parts == NULL)
        return refuse(error, "parts are missing");
    for (size_t i = 0; i < request->part_count; i++)
        if (!check_part(&request->parts[i], error))
            return false;
    return true;
}

static bool check_settings(struct kb_order *order, char **error)
{
    const kb_http_request *request = order->request;
    if (request->timeout_ms < 0 || request->wait_ms < -1 || request->deadline_ms < 0)
        return refuse(error, "a time is negative");
    if ((request->fallback & ~KB_FALLBACK_ALL) != 0)
        return refuse(error, "fallback is for outcomes that fail the key only");
    order->fallback = request->fallback != 0 ? request->fallback : order->service->fallback;
    if (request->no_fallback)
        order->fallback = 0;
    const size_t len = request->out != NULL ? strlen(request->out) : 1;
    if (len == 0 || len >= PATH_MAX || (request->out != NULL && request->out[len - 1] == '/'))
        return refuse(error, "out names no file");
    return true;
}

static bool has_header(const kb_http_request *request, const char *name, size_t name_len)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (strlen(request->headers[i].name) == name_len && strncasecmp(request->headers[i].name, name, name_len) == 0)
            return true;
    return false;
}

/* Lays out lines for libcurl, whose list is in `nodes` and whose text at `text`; both NULL: only counts. */
struct layout {
    struct curl_slist *nodes;
    char *text;
    size_t count, size;
};

static void lay(struct layout *layout, const char *name, const char *value)
{
    /* libcurl takes "name:" as the wish to leave a header out, "name;" as an empty one. */
    const char *between = value == NULL ? "" : *value != '\0' ? ": " : ";";
    const size_t size = strlen(name) + strlen(between) + (value != NULL ? strlen(value) : 0) + 1;
    if (layout->nodes != NULL) {
        struct curl_slist *node = &layout->nodes[layout->count];
        *node = (struct curl_slist){.data = layout->text + layout->size};
        snprintf(node->data, size, "%s%s%s", name, between, value != NULL ? value : "");
        if (layout->count > 0)
            node[-1].next = node;
    }
    layout->count++;
    layout->size += size;
}

/* The service's headers, the request's, and what keeps libcurl from adding its own. */
static void lay_headers(struct layout *layout, const struct kb_order *order)
{
    static const char *const unwanted[] = {"Content-Type:", "Expect:"};
    const kb_http_request *request = order->request;
    for (const char *const *line = order->service->headers; line != NULL && *line != NULL; line++)
        if (!has_header(request, *line, strcspn(*line, ":")))
            lay(layout, *line, NULL);
    const bool carries = has_content(request) || (order->method != NULL && order->method[0] == 'P');
    for (size_t i = request->part_count > 0; carries && i < sizeof(unwanted) / sizeof(*unwanted); i++)
        if (!has_header(request, unwanted[i], strlen(unwanted[i]) - 1))
            lay(layout, unwanted[i], NULL);
    for (size_t i = 0; i < request->header_count; i++)
        lay(layout, request->headers[i].name, request->headers[i].value);
}

/* The list of headers, and the URL, in one piece of memory. */
static bool lay_out(struct kb_order *order, char **error)
{
    struct layout counted = {.nodes = NULL};
    lay_headers(&counted, order);
    const size_t url_size = order->url == NULL ? strlen(order->service->base_url) + strlen(order->request->url) + 1 : 0;
    const size_t nodes_size = counted.count * sizeof(struct curl_slist);
    order->memory_size = nodes_size + counted.size + url_size;
    if (order->memory_size == 0)
        return true;
    order->memory = malloc(order->memory_size);
    if (order->memory == NULL)
        return refuse(error, "memory is short");
    char *text = (char *)order->memory + nodes_size;
    struct layout layout = {.nodes = order->memory, .text = text};
    if (counted.count > 0) {
        lay_headers(&layout, order);
        order->headers = layout.nodes;
    }
    if (url_size > 0) {
        snprintf(text + counted.size, url_size, "%s%s", order->service->base_url, order->request->url);
        order->url = text + counted.size;
    }
    return true;
}

bool kb_order_fill(struct kb_order *order, const kb_http_request *request, const struct kb_service *service,
                   char **error)
{
    *order = (struct kb_order){.request = request, .service = service};
    return check_method(order, error) && check_url(order, error) && check_headers(order, error) &&
           check_content(request, error) && check_settings(order, error) && lay_out(order, error);
}

void kb_order_clear(struct kb_order *order)
{
    if (order->memory != NULL)
        explicit_bzero(order->memory, order->memory_size);
    free(order->memory);
    order->memory = NULL;
}
