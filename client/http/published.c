#include "http/published.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { POLL_MS = 20 };

struct kb_reading {
    struct kb_reading *next;
    char pool[KB_NAME_MAX + 1];
    uint64_t stamp;
    const struct kb_service *service;
};

static struct kb_reading *newest(struct kb_published *published, const char *pool)
{
    struct kb_reading *reading = atomic_load_explicit(&published->readings, memory_order_acquire);
    while (reading != NULL && strcmp(reading->pool, pool) != 0)
        reading = reading->next;
    return reading;
}

static void tell_unreadable(struct kb_published *published, const char *pool)
{
    char text[KB_NAME_MAX + 100];
    snprintf(text, sizeof(text), "%s: what the broker says of its service cannot be read; taken as built in", pool);
    if (published->note != NULL)
        published->note(published->note_arg, text);
}

/* Two threads may read the same text at once: either reading is as good. */
static struct kb_reading *add(struct kb_published *published, const char *pool, uint64_t stamp, const char *text,
                              size_t len)
{
    struct kb_reading *reading = calloc(1, sizeof(*reading));
    if (reading == NULL)
        return NULL;
    snprintf(reading->pool, sizeof(reading->pool), "%s", pool);
    reading->stamp = stamp;
    reading->service = len > 0 ? kb_service_parse(text, len) : NULL;
    if (reading->service == NULL) {
        if (len > 0)
            tell_unreadable(published, pool);
        reading->service = kb_service_builtin(pool);
    }
    reading->next = atomic_load_explicit(&published->readings, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&published->readings, &reading->next, reading, memory_order_release,
                                                  memory_order_relaxed))
        ;
    return reading;
}

static int read_text(struct kb_published *published, const char *pool, const struct kb_service **service)
{
    char *text = malloc(KB_SERVICE_MAX + 1);
    uint64_t stamp = 0;
    if (text == NULL)
        return KB_ENOMEM;
    const int len = kb_pool_service(published->client, pool, text, KB_SERVICE_MAX + 1, &stamp);
    const struct kb_reading *reading = len >= 0 ? add(published, pool, stamp, text, (size_t)len) : NULL;
    free(text);
    if (len >= 0 && reading != NULL)
        *service = reading->service;
    return len < 0 ? len : reading == NULL ? KB_ENOMEM : 0;
}

static bool is_without_broker(int code)
{
    return code == KB_ENOBROKER || code == KB_EPERM;
}

static int look_up(struct kb_published *published, const char *pool, const struct kb_service **service)
{
    uint64_t stamp = 0;
    const struct kb_reading *reading = newest(published, pool);
    int code = kb_pool_service(published->client, pool, NULL, 0, &stamp);
    if (code == KB_EBUSY || (code >= 0 && (reading == NULL || reading->stamp != stamp)))
        code = read_text(published, pool, service);
    else if (code >= 0)
        *service = reading->service;
    /* A broker that has ended, or was killed in mid-change, leaves what is known of the pool. */
    if (reading != NULL && (is_without_broker(code) || code == KB_EBUSY)) {
        *service = reading->service;
        code = 0;
    }
    return code < 0 ? code : 0;
}

int kb_published_service(struct kb_published *published, const char *pool, int *wait_ms,
                         const struct kb_service **service)
{
    for (;;) {
        const int code = look_up(published, pool, service);
        if (!is_without_broker(code) || *wait_ms == 0)
            return code;
        const int pause_ms = *wait_ms > 0 && *wait_ms < POLL_MS ? *wait_ms : POLL_MS;
        struct timespec left = {.tv_nsec = pause_ms * 1000000L};
        while (nanosleep(&left, &left) != 0)
            ;
        if (*wait_ms > 0)
            *wait_ms -= pause_ms;
    }
}

void kb_published_close(struct kb_published *published)
{
    struct kb_reading *reading = atomic_load(&published->readings);
    while (reading != NULL) {
        struct kb_reading *next = reading->next;
        if (reading->service->memory != NULL)
            kb_service_free((struct kb_service *)reading->service);
        free(reading);
        reading = next;
    }
}
