/* Any text as a service's definition and as what a broker published: what is read keeps every rule of service.h. */
#include "http/service.h"
#include "http/service_reader.h"
#include "http/service_url.h"

#include <assert.h>
#include <string.h>

static void check_text(const char *text)
{
    for (const char *at = text; at != NULL && *at != '\0'; at++)
        assert((unsigned char)*at >= ' ' && *at != 0x7f);
    assert(text == NULL || text[0] != '\0');
}

static void check_rule(const struct kb_rule *rule)
{
    assert(rule->status_min <= rule->status_max && rule->status_max <= 599);
    assert(rule->status_min == 0 ? rule->status_max == 0 : rule->status_min >= 100);
    assert(rule->status_min || rule->field || rule->header || rule->message);
    assert(!(rule->field && rule->header) && !(rule->is && rule->has) && !rule->as_status);
    assert(rule->header == NULL || kb_service_is_token(rule->header));
    assert(rule->outcome <= KB_OUTCOME_CLIENT && rule->wait_ms >= 0 && rule->wait_ms <= KB_HTTP_WAIT_MAX_MS);
    check_text(rule->field);
    check_text(rule->is);
    check_text(rule->has);
    check_text(rule->message);
    check_text(rule->wait_field);
}

static void check_service(const struct kb_service *service)
{
    assert(kb_service_name_valid(service->name));
    assert((service->key_header == NULL) != (service->key_query == NULL) && service->key_prefix != NULL);
    assert(service->base_url == NULL || kb_url_base(service->base_url));
    assert(service->probe_url == NULL || kb_url_path(service->probe_url) || kb_url_whole(service->probe_url));
    assert(service->n_rules <= KB_SERVICE_RULES_MAX && (service->fallback & ~KB_FALLBACK_ALL) == 0);
    check_text(service->key_header);
    check_text(service->key_query);
    check_text(service->probe_credits);
    for (size_t i = 0; i < service->n_rules; i++)
        check_rule(&service->rules[i]);
}

static void read_definition(const char *text, size_t size)
{
    struct kb_json_error syntax;
    struct kb_service_error error = {-2, NULL};
    struct kb_json *doc = kb_json_parse(text, size, &syntax);
    if (doc == NULL)
        return;
    struct kb_service *service = kb_service_read("openweather", doc, 0, &error);
    assert((service == NULL) == (error.what != NULL));
    if (service != NULL)
        check_service(service);
    kb_json_free(doc);
    kb_service_free(service);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kb_service *service = kb_service_parse((const char *)data, size);
    if (service != NULL)
        check_service(service);
    kb_service_free(service);
    read_definition((const char *)data, size);
    return 0;
}
