#include "broker.h"
#include "http/service.h"
#include "log.h"
#include "notify.h"
#include "publication.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* A descriptor below 3 that is closed would be given to something else and written to. */
static void fill_standard_descriptors(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

/* No core dumps, no ptrace by others; as many descriptors as there may be workers. */
static void harden(void)
{
    struct rlimit limit = {0, 0};
    setrlimit(RLIMIT_CORE, &limit);
    prctl(PR_SET_DUMPABLE, 0);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Where the pool's keys would be sent. */
static void print_service(const struct kb_config_pool *pool)
{
    char text[KB_SERVICE_MAX + 1];
    struct kb_service *service = kb_service_parse(text, kb_publication_make(pool, text));
    if (service == NULL)
        return; /* no memory: the rest is said all the same */
    printf("  at %s, key in ", service->base_url ? service->base_url : "no base URL");
    if (service->key_query)
        printf("query parameter %s\n", service->key_query);
    else
        printf("header %s: %sKEY\n", service->key_header, service->key_prefix);
    kb_service_free(service);
}

static int check(struct kb_broker *broker)
{
    struct kb_config config;
    struct kb_config_error error;
    if (!kb_broker_configure(broker, &config, &error)) {
        fprintf(stderr, "keybrokerd: %s:%u: %s\n", error.file ? error.file : "configuration", error.line,
                error.message);
        return 1;
    }
    for (unsigned p = 0; p < config.n_pools; p++) {
        const struct kb_config_pool *pool = &config.pools[p];
        printf("pool %s (service %s): %u keys\n", pool->name, pool->service, pool->n_keys);
        print_service(pool);
        for (unsigned i = 0; i < pool->n_keys; i++)
            printf("  %4u  %s  %s:%u\n", i, pool->keys[i].fingerprint, pool->keys[i].file, pool->keys[i].line);
    }
    kb_config_free(&config);
    return fflush(stdout) == 0 ? 0 : 1;
}

/* Workers can claim. A stdout that nobody reads is no reason to stop. */
static void say_ready(struct kb_broker *broker)
{
    kb_log(KB_LOG_INFO, "ready", "name", broker->options->name, "pid", kb_log_number(getpid()));
    if (puts("ready") == EOF || fflush(stdout) != 0)
        kb_log(KB_LOG_WARN, "stdout", "msg", strerror(errno));
    if (!kb_notify("READY=1"))
        kb_log(KB_LOG_WARN, "notify", "msg", "$NOTIFY_SOCKET does not take messages");
}

int main(int argc, char **argv)
{
    static struct kb_broker broker;
    struct kb_options options;
    fill_standard_descriptors();
    const int done = kb_options_parse(&options, argc, argv);
    if (done >= 0)
        return done;
    harden();
    broker.options = &options;
    if (kb_environment_take(&broker.environment) != 0) {
        kb_log(KB_LOG_ERROR, "start", "msg", "no memory for the environment");
        return 1;
    }
    if (options.check) {
        const int status = check(&broker);
        kb_environment_free(&broker.environment);
        return status;
    }
    if (options.snapshot)
        kb_log(KB_LOG_WARN, "snapshot", "msg", "this version writes none: a reboot forgets the keys' state");
    if (!kb_broker_start(&broker)) {
        kb_environment_free(&broker.environment);
        return 1;
    }
    say_ready(&broker);
    kb_broker_run(&broker);
    kb_notify("STOPPING=1");
    kb_doorbell_stop(&broker.doorbell);
    kb_reaper_close(&broker.reaper);
    kb_owner_end(&broker.owner);
    kb_environment_free(&broker.environment);
    kb_log(KB_LOG_INFO, "ended");
    return 0;
}
