/* A JSON file and an env file, split at the first NUL byte of the input: what loads keeps every limit. */
#include "broker/publication.h"
#include "http/service.h"
#include "segment/mapping.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct memory_file {
    int fd;
    char path[32];
};

static void open_file(struct memory_file *file)
{
    file->fd = memfd_create("config_fuzz", MFD_CLOEXEC);
    assert(file->fd >= 0);
    (void)snprintf(file->path, sizeof file->path, "/proc/self/fd/%d", file->fd);
}

static void fill_file(const struct memory_file *file, const uint8_t *data, size_t size)
{
    assert(ftruncate(file->fd, 0) == 0);
    assert(pwrite(file->fd, data, size, 0) == (ssize_t)size);
}

static void check_key(const struct kb_config_key *key)
{
    assert(key->len >= 1 && key->len <= KB_SECRET_MAX && strlen(key->secret) == key->len);
    assert(strlen(key->fingerprint) == KB_FINGERPRINT_LEN && key->line >= 1);
    for (size_t i = 0; i < key->len; i++)
        assert((unsigned char)key->secret[i] > 0x20 && key->secret[i] != 0x7F && key->secret[i] != ',');
}

/* What is published can be read. */
static void check_publication(const struct kb_config_pool *pool)
{
    char text[KB_SERVICE_MAX + 1];
    const size_t len = kb_publication_make(pool, text);
    assert(len <= KB_SERVICE_MAX && text[len] == '\0');
    struct kb_service *service = kb_service_parse(text, len);
    assert(service != NULL && strcmp(service->name, pool->service) == 0);
    assert(service->fallback == (pool->fallback_named ? pool->fallback : KB_FALLBACK_ALL));
    kb_service_free(service);
}

static void check_pool(const struct kb_config_pool *pool)
{
    assert(kb_name_valid(pool->name) && kb_service_name_valid(pool->service) && pool->env[0] != '\0');
    check_publication(pool);
    assert(pool->n_keys <= KB_KEYS && pool->line >= 1);
    for (unsigned i = 0; i < pool->n_keys; i++)
        check_key(&pool->keys[i]);
}

static void count(void *arg, const char *file, unsigned line, const char *message)
{
    unsigned *warnings = arg;
    (void)file;
    (void)line;
    assert(message[0] != '\0');
    ++*warnings;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct memory_file json = {.fd = -1}, env = {.fd = -1};
    if (json.fd < 0) {
        open_file(&json);
        open_file(&env);
    }
    const uint8_t *nul = size > 0 ? memchr(data, '\0', size) : NULL;
    size_t json_size = nul != NULL ? (size_t)(nul - data) : size;
    fill_file(&json, data, json_size);
    if (nul != NULL)
        fill_file(&env, nul + 1, size - json_size - 1);
    const char *env_files[] = {env.path};
    const struct kb_config_sources sources = {
        .env_files = env_files, .n_env_files = nul != NULL, .json_file = json.path};
    struct kb_config config;
    struct kb_config_error error;
    unsigned warnings = 0;
    int rc = kb_config_load(&config, &sources, count, &warnings, &error);
    assert(rc == 0 || (rc == -1 && error.message[0] != '\0' && config.n_pools == 0));
    assert(config.n_pools <= KB_POOLS && warnings <= KB_CONFIG_WARNINGS_MAX + 4);
    for (unsigned i = 0; i < config.n_pools; i++)
        check_pool(&config.pools[i]);
    kb_config_free(&config);
    return 0;
}
