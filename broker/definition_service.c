#include "definition_service.h"

#include "http/service.h"
#include "http/service_url.h"

#include <string.h>

int kb_definition_read_service_name(struct kb_reader *r, int token, void *name)
{
    return kb_reader_name(r, token, name, KB_NAME_MAX + 1, kb_service_name_valid,
                          "a name must stand here: 1 to 64 characters out of A-Z a-z 0-9 _ - .");
}

int kb_definition_read_fallback(struct kb_reader *r, int token, void *fallback)
{
    struct kb_definition_fallback *out = fallback;
    struct kb_service_error error;
    out->named = true;
    if (kb_service_read_fallback(r->json, token, &out->bits, &error))
        return 0;
    return kb_reader_fail(r, error.token, error.what);
}

const struct kb_definition_service *kb_definitions_service(const struct kb_definitions *definitions, const char *name)
{
    for (unsigned i = 0; i < definitions->n_services; i++)
        if (strcmp(definitions->services[i].name, name) == 0)
            return &definitions->services[i];
    return NULL;
}

static bool is_open_to_all(const char *url)
{
    return url != NULL && kb_url_open_to_all(url);
}

static int read_service(struct kb_reader *r, int name_token, struct kb_definition_service *out)
{
    const int token = kb_json_value(r->json, name_token);
    struct kb_service_error error;
    if (kb_definition_read_service_name(r, name_token, out->name) != 0)
        return -1;
    if (kb_definitions_service(r->definitions, out->name) != NULL)
        return kb_reader_fail(r, name_token, "a service of this name stands above already");
    struct kb_service *service = kb_service_read(out->name, r->json, token, &error);
    if (service == NULL)
        return kb_reader_fail(r, error.token, error.what);
    out->open_to_all = is_open_to_all(service->base_url) || is_open_to_all(service->probe_url);
    kb_service_free(service);
    out->text = kb_json_raw(r->json, token, &out->len);
    out->line = kb_json_line(r->json, name_token);
    return 0;
}

int kb_definition_read_services(struct kb_reader *r, int token, void *unused)
{
    struct kb_definitions *definitions = r->definitions;
    (void)unused;
    if (kb_json_type(r->json, token) != KB_JSON_OBJECT)
        return kb_reader_fail(r, token, "an object must stand here");
    for (int at = kb_json_first(r->json, token); at >= 0; at = kb_json_next(r->json, at)) {
        if (definitions->n_services == KB_POOLS)
            return kb_reader_fail(r, at, "more than 64 services");
        if (read_service(r, at, &definitions->services[definitions->n_services]) != 0)
            return -1;
        definitions->n_services++;
    }
    return 0;
}
