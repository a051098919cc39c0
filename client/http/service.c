#include "http/service.h"

#include "http/service_reader.h"
#include "http/service_url.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A definition being read. */
struct draft {
    struct kb_service *service;
    struct kb_rule *rules; /* room for them */
    int prefix;            /* token of the key's "prefix"; -1: none */
};

static bool read_base_url(struct kb_service_reader *r, int token, void *target)
{
    static const char what[] = "a base URL must stand here: http:// or https://, a host, perhaps a port and a path; no "
                               "user name, query, fragment or space";
    struct draft *draft = target;
    char *url = (char *)(uintptr_t)kb_service_text(r, token, what);
    if (url == NULL || !kb_url_base(url))
        return kb_service_fail(r, token, what);
    for (size_t len = strlen(url); url[len - 1] == '/'; len--)
        url[len - 1] = '\0';
    draft->service->base_url = url;
    return true;
}

static bool read_key_header(struct kb_service_reader *r, int token, void *target)
{
    static const char what[] = "the name of a header must stand here, not Content-Length, Transfer-Encoding or Host";
    struct draft *draft = target;
    const char *name = kb_service_text(r, token, what);
    if (name == NULL || !kb_service_is_token(name) || strcasecmp(name, "Content-Length") == 0 ||
        strcasecmp(name, "Transfer-Encoding") == 0 || strcasecmp(name, "Host") == 0)
        return kb_service_fail(r, token, what);
    draft->service->key_header = name;
    draft->service->key_query = NULL;
    return true;
}

static bool read_key_prefix(struct kb_service_reader *r, int token, void *target)
{
    static const char what[] = "a text must stand here: what comes before the key, in printable ASCII";
    struct draft *draft = target;
    draft->prefix = token;
    draft->service->key_prefix = "";
    if (kb_json_equals(r->doc, token, ""))
        return true;
    const char *prefix = kb_service_text(r, token, what);
    for (const char *at = prefix; at != NULL && *at != '\0'; at++)
        if ((unsigned char)*at > '~')
            prefix = NULL;
    draft->service->key_prefix = prefix;
    return prefix != NULL || kb_service_fail(r, token, what);
}

static bool read_key_query(struct kb_service_reader *r, int token, void *target)
{
    static const char what[] = "the name of a query parameter must stand here, out of A-Z a-z 0-9 - . _ ~";
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    struct draft *draft = target;
    const char *name = kb_service_text(r, token, what);
    if (name == NULL || name[strspn(name, unreserved)] != '\0')
        return kb_service_fail(r, token, what);
    draft->service->key_query = name;
    draft->service->key_header = NULL;
    return true;
}

static bool read_key(struct kb_service_reader *r, int token, void *target)
{
    static const struct kb_service_member members[] = {
        {"header", read_key_header}, {"prefix", read_key_prefix}, {"query", read_key_query}};
    struct draft *draft = target;
    draft->service->key_prefix = "";
    if (!kb_service_members(r, token, members, sizeof members / sizeof *members,
                            "unknown member: what may stand here is \"header\", \"prefix\", \"query\"", draft))
        return false;
    const bool header = kb_json_member(r->doc, token, "header") >= 0;
    if (header == (kb_json_member(r->doc, token, "query") >= 0))
        return kb_service_fail(r, token, "a key goes into a \"header\" or into a \"query\" parameter: one of them");
    if (!header && draft->prefix >= 0)
        return kb_service_fail(r, draft->prefix, "a \"prefix\" needs a \"header\"");
    return true;
}

static bool read_probe_url(struct kb_service_reader *r, int token, void *target)
{
    static const char what[] = "a path below the base URL, or a URL, must stand here; no user name, fragment or space";
    struct draft *draft = target;
    const char *url = kb_service_text(r, token, what);
    if (url == NULL || !(kb_url_path(url) || kb_url_whole(url)))
        return kb_service_fail(r, token, what);
    draft->service->probe_url = url;
    draft->service->probe_credits = NULL;
    return true;
}

static bool read_probe_credits(struct kb_service_reader *r, int token, void *target)
{
    struct draft *draft = target;
    draft->service->probe_credits = kb_service_path(r, token);
    return draft->service->probe_credits != NULL;
}

static bool read_probe(struct kb_service_reader *r, int token, void *target)
{
    static const struct kb_service_member members[] = {{"url", read_probe_url}, {"credits", read_probe_credits}};
    static const char allowed[] = "unknown member: what may stand here is \"url\", \"credits\"";
    struct draft *draft = target;
    if (!kb_service_members(r, token, members, sizeof members / sizeof *members, allowed, draft))
        return false;
    return draft->service->probe_url != NULL || kb_service_fail(r, token, "a probe needs a \"url\"");
}

static bool read_rules(struct kb_service_reader *r, int token, void *target)
{
    struct draft *draft = target;
    if (kb_json_type(r->doc, token) != KB_JSON_ARRAY || kb_json_size(r->doc, token) > KB_SERVICE_RULES_MAX)
        return kb_service_fail(r, token, "a list of at most 100 rules must stand here");
    draft->service->rules = draft->rules;
    draft->service->n_rules = kb_json_size(r->doc, token);
    return kb_service_read_rules(r, token, draft->rules);
}

static bool read_definition(struct kb_service_reader *r, int token, struct draft *draft)
{
    static const struct kb_service_member members[] = {
        {"base_url", read_base_url}, {"key", read_key}, {"probe", read_probe}, {"rules", read_rules}};
    static const char allowed[] = "unknown member: what may stand here is \"base_url\", \"key\", \"probe\", \"rules\"";
    size_t len;
    kb_json_raw(r->doc, token, &len);
    if (len > KB_SERVICE_DEFINITION_MAX)
        return kb_service_fail(r, token, "this definition is longer than 16000 bytes, spaces included");
    return kb_service_members(r, token, members, sizeof members / sizeof *members, allowed, draft);
}

bool kb_service_name_valid(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.";
    const size_t len = strnlen(name, KB_NAME_MAX + 1);
    return len > 0 && len <= KB_NAME_MAX && strspn(name, allowed) == len;
}

/* One block: the service, its rules, its name, its texts. */
static struct kb_service *new_service(const char *name, size_t rules, size_t room, struct draft *draft,
                                      struct kb_service_reader *r)
{
    _Static_assert(sizeof(struct kb_service) % alignof(struct kb_rule) == 0, "rules stand behind the service");
    const size_t name_size = strlen(name) + 1;
    const size_t fixed = sizeof(struct kb_service) + rules * sizeof(struct kb_rule);
    char *block = calloc(1, fixed + name_size + room);
    if (block == NULL)
        return NULL;
    struct kb_service *service = (struct kb_service *)(void *)block;
    *service = *kb_service_builtin(name);
    service->memory = block;
    service->name = memcpy(block + fixed, name, name_size);
    r->texts = block + fixed + name_size;
    r->texts_end = r->texts + room;
    *draft = (struct draft){.service = service, .rules = (struct kb_rule *)(void *)(service + 1), .prefix = -1};
    return service;
}

struct kb_service *kb_service_copy(const char *name)
{
    struct kb_service_reader r;
    struct draft draft;
    return new_service(name, 0, 0, &draft, &r);
}

struct kb_service *kb_service_read(const char *name, const struct kb_json *doc, int token,
                                   struct kb_service_error *error)
{
    struct kb_service_reader r = {.doc = doc, .error = error};
    struct draft draft;
    size_t len;
    kb_json_raw(doc, token, &len);
    assert(kb_service_name_valid(name));
    len = len < KB_SERVICE_DEFINITION_MAX ? len : KB_SERVICE_DEFINITION_MAX;
    struct kb_service *service = new_service(name, KB_SERVICE_RULES_MAX, KB_SERVICE_TEXT_ROOM(len), &draft, &r);
    if (service == NULL) {
        kb_service_fail(&r, token, "out of memory");
        return NULL;
    }
    if (read_definition(&r, token, &draft))
        return service;
    kb_service_free(service);
    return NULL;
}

bool kb_service_read_fallback(const struct kb_json *doc, int token, unsigned *out, struct kb_service_error *error)
{
    static const char what[] = "a list of outcomes must stand here: \"auth\", \"quota\", \"rate\", each once at most";
    static const kb_outcome outcomes[] = {KB_OUTCOME_AUTH, KB_OUTCOME_QUOTA, KB_OUTCOME_RATE};
    struct kb_service_reader r = {.doc = doc, .error = error};
    if (kb_json_type(doc, token) != KB_JSON_ARRAY)
        return kb_service_fail(&r, token, what);
    *out = 0;
    for (int at = kb_json_first(doc, token); at >= 0; at = kb_json_next(doc, at)) {
        unsigned bit = 0;
        for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++)
            if (kb_json_equals(doc, at, kb_outcome_name(outcomes[i])))
                bit = KB_FALLBACK(outcomes[i]);
        if (bit == 0 || *out & bit)
            return kb_service_fail(&r, at, what);
        *out |= bit;
    }
    return true;
}

void kb_service_free(struct kb_service *service)
{
    if (service != NULL)
        free(service->memory);
}
