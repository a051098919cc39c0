#include "config.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct kb_config_pool pools[KB_POOLS];
static struct kb_config_key keys[KIT_CONFIG_KEYS];
static char texts[KIT_CONFIG_KEYS][80];
static unsigned used;
static struct kb_config config = {.pools = pools};

void kit_config_begin(void)
{
    config.n_pools = used = 0;
}

void kit_config_pool(const char *name, const char *service)
{
    assert(config.n_pools < KB_POOLS);
    struct kb_config_pool *pool = &pools[config.n_pools++];
    *pool = (struct kb_config_pool){.keys = &keys[used]};
    (void)snprintf(pool->name, sizeof pool->name, "%s", name);
    (void)snprintf(pool->service, sizeof pool->service, "%s", service);
    (void)snprintf(pool->env, sizeof pool->env, "KIT_KEYS");
}

void kit_config_add_secret(const char *secret, size_t length)
{
    assert(config.n_pools > 0 && used < KIT_CONFIG_KEYS);
    keys[used++] = kit_config_key(secret, length);
    pools[config.n_pools - 1].n_keys++;
}

void kit_config_add(unsigned number)
{
    assert(used < KIT_CONFIG_KEYS);
    char *text = texts[used];
    (void)snprintf(text, sizeof texts[0], "%s", kit_secret(number));
    kit_config_add_secret(text, strlen(text));
}

int kit_config_apply(struct kit *kit, struct kb_keys_change *change)
{
    return kit_apply(kit, &config, change);
}

int kit_config_keys(struct kit *kit, struct kb_keys_change *change, int first, ...)
{
    va_list numbers;
    kit_config_begin();
    kit_config_pool("pool", "generic");
    va_start(numbers, first);
    for (int number = first; number != KIT_END; number = va_arg(numbers, int))
        kit_config_add((unsigned)number);
    va_end(numbers);
    return kit_config_apply(kit, change);
}
