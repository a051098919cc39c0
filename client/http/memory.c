#include "http/memory.h"

#include <curl/curl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void wipe_and_free(void *memory)
{
    if (memory != NULL)
        explicit_bzero(memory, malloc_usable_size(memory));
    free(memory);
}

/* realloc would free what it moves from unwiped. */
static void *resize(void *memory, size_t size)
{
    const size_t held = memory != NULL ? malloc_usable_size(memory) : 0;
    if (size == 0) {
        wipe_and_free(memory);
        return NULL;
    }
    if (size <= held)
        return memory;
    void *resized = malloc(size);
    if (resized == NULL)
        return NULL;
    if (memory != NULL)
        memcpy(resized, memory, held);
    wipe_and_free(memory);
    return resized;
}

static bool initialised;

static void init(void)
{
    initialised = curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wipe_and_free, resize, strdup, calloc) == CURLE_OK;
}

bool kb_memory_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, init);
    return initialised;
}
