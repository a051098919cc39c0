#include "publication.h"

#include "http/service.h"

#include <assert.h>
#include <stdio.h>

/* ,"fallback":["auth","quota","rate"] and the like */
static void write_fallback(const struct kb_config_pool *pool, char *out, size_t size)
{
    size_t len = 0;
    const char *before = ",\"fallback\":[";
    for (kb_outcome outcome = KB_OUTCOME_OK; outcome <= KB_OUTCOME_CLIENT; outcome++)
        if (pool->fallback & KB_FALLBACK(outcome)) {
            len += (size_t)snprintf(out + len, size - len, "%s\"%s\"", before, kb_outcome_name(outcome));
            before = ",";
        }
    (void)snprintf(out + len, size - len, "%s]", len > 0 ? "" : before);
}

size_t kb_publication_make(const struct kb_config_pool *pool, char out[KB_SERVICE_MAX + 1])
{
    enum { FALLBACK_MAX = 50, MEMBERS_MAX = 50, SIZE = KB_SERVICE_MAX + 1 };
    _Static_assert(KB_SERVICE_DEFINITION_MAX + KB_NAME_MAX + FALLBACK_MAX + MEMBERS_MAX <= KB_SERVICE_MAX,
                   "the longest definition fits");
    char fallback[FALLBACK_MAX] = "";
    if (pool->fallback_named)
        write_fallback(pool, fallback, sizeof fallback);
    const int len = snprintf(out, SIZE, "{\"service\":\"%s\"%s%s%s}", pool->service, fallback,
                             pool->definition ? ",\"definition\":" : "", pool->definition ? pool->definition : "");
    assert(len > 0 && len < SIZE);
    return (size_t)len;
}
