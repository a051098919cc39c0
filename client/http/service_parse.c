#include "http/service_reader.h"

#include <string.h>

/* Tokens of what the broker published; -1: not there. */
struct published {
    int service, fallback, definition;
};

static bool note_service(struct kb_service_reader *r, int token, void *target)
{
    (void)r;
    ((struct published *)target)->service = token;
    return true;
}

static bool note_fallback(struct kb_service_reader *r, int token, void *target)
{
    (void)r;
    ((struct published *)target)->fallback = token;
    return true;
}

static bool note_definition(struct kb_service_reader *r, int token, void *target)
{
    (void)r;
    ((struct published *)target)->definition = token;
    return true;
}

static struct kb_service *read_published(const struct kb_json *doc)
{
    static const struct kb_service_member members[] = {
        {"service", note_service}, {"fallback", note_fallback}, {"definition", note_definition}};
    struct published at = {-1, -1, -1};
    struct kb_service_error error;
    struct kb_service_reader r = {.doc = doc, .error = &error};
    unsigned fallback = KB_FALLBACK_ALL;
    char name[KB_NAME_MAX + 1];
    if (!kb_service_members(&r, 0, members, sizeof members / sizeof *members, "unknown member", &at))
        return NULL;
    const ptrdiff_t len = kb_json_string(doc, at.service, name, sizeof name);
    if (len < 0 || strlen(name) != (size_t)len || !kb_service_name_valid(name))
        return NULL;
    if (at.fallback >= 0 && !kb_service_read_fallback(doc, at.fallback, &fallback, &error))
        return NULL;
    struct kb_service *service =
        at.definition >= 0 ? kb_service_read(name, doc, at.definition, &error) : kb_service_copy(name);
    if (service != NULL)
        service->fallback = fallback;
    return service;
}

struct kb_service *kb_service_parse(const char *text, size_t len)
{
    struct kb_json_error error;
    struct kb_json *doc = len <= KB_SERVICE_MAX ? kb_json_parse(text, len, &error) : NULL;
    struct kb_service *service = doc != NULL ? read_published(doc) : NULL;
    kb_json_free(doc);
    return service;
}
