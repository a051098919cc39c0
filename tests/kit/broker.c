#include "broker.h"

#include "segment/mapping.h"
#include "segment/object.h"
#include "segment/os.h"
#include "segment/slot.h"
#include "tests/kit/child.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *broker_path(void)
{
    static char path[512];
    const char *folder = getenv("KB_BUILD");
    if (!folder)
        folder = getenv("BUILD");
    snprintf(path, sizeof path, "%s/keybrokerd", folder ? folder : "build");
    return path;
}

bool broker_there(void)
{
    return access(broker_path(), X_OK) == 0;
}

static void file_in(const struct broker *broker, const char *file, char out[96])
{
    snprintf(out, 96, "%s/%s", broker->folder, file);
}

static void write_file(const struct broker *broker, const char *name, const char *text)
{
    char path[96];
    file_in(broker, name, path);
    FILE *file = fopen(path, "we");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        abort();
}

struct launch {
    const struct broker *broker;
    bool config;
    int out;
};

static int run(void *arg)
{
    const struct launch *launch = arg;
    char env[96], config[96], log[96];
    file_in(launch->broker, "env", env);
    file_in(launch->broker, "config.json", config);
    file_in(launch->broker, "log", log);
    const int log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    unsetenv("SUNO_API_KEY"); /* pools the test did not ask for */
    unsetenv("STABILITY_KEY");
    if (log_fd < 0 || dup2(log_fd, STDERR_FILENO) < 0 || dup2(launch->out, STDOUT_FILENO) < 0)
        return 99;
    execl(broker_path(), "keybrokerd", "-n", launch->broker->name, "-e", env, launch->config ? "-c" : NULL, config,
          (char *)NULL);
    return 99;
}

static void show_log(const struct broker *broker)
{
    char path[96], line[512];
    file_in(broker, "log", path);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        fprintf(stderr, "# %s", line);
    if (file)
        fclose(file);
}

static bool await_ready(int out)
{
    char text[8] = "";
    size_t length = 0;
    ssize_t n = 1;
    struct pollfd wait = {.fd = out, .events = POLLIN};
    while (n > 0 && length < 6 && poll(&wait, 1, KIT_LIMIT_MS) > 0) {
        n = read(out, text + length, 6 - length);
        length += n > 0 ? (size_t)n : 0;
    }
    return strcmp(text, "ready\n") == 0;
}

bool broker_start(struct broker *broker, const char *env, const char *config)
{
    static unsigned number;
    int out[2];
    *broker = (struct broker){.pid = 0};
    snprintf(broker->name, sizeof broker->name, "kbtest-%d-b%u", (int)getpid(), number++);
    snprintf(broker->folder, sizeof broker->folder, "/tmp/kbtest.XXXXXX");
    if (!mkdtemp(broker->folder) || pipe2(out, O_CLOEXEC) != 0)
        abort();
    write_file(broker, "env", env);
    if (config)
        write_file(broker, "config.json", config);
    struct launch launch = {broker, config != NULL, out[1]};
    broker->pid = kit_fork(run, &launch);
    close(out[1]);
    const bool ready = await_ready(out[0]);
    close(out[0]);
    if (!ready)
        show_log(broker);
    return ready;
}

static struct kb_segment *map(const struct broker *broker)
{
    struct kb_segment *segment;
    if (kb_segment_open(broker->name, KB_USE_STATE, &segment) != 0)
        abort();
    return segment;
}

bool broker_reload(const struct broker *broker, const char *config)
{
    struct kb_segment *segment = map(broker);
    const uint64_t generation = atomic_load(&segment->state->header.generation);
    const uint64_t until = kb_os_now() + KIT_LIMIT_MS;
    bool done = false;
    write_file(broker, "config.json", config);
    kill(broker->pid, SIGHUP);
    while (!done && kb_os_now() < until) {
        kb_os_sleep(1);
        done = atomic_load(&segment->state->header.generation) > generation;
    }
    kb_segment_close(segment);
    if (!done)
        show_log(broker);
    return done;
}

void broker_clean(struct broker *broker)
{
    if (!*broker->name)
        return;
    if (broker->pid > 0)
        kit_kill(broker->pid, true);
    kb_object_unlink(broker->name, "state");
    kb_object_unlink(broker->name, "secrets");
    DIR *folder = opendir(broker->folder);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder)
        closedir(folder);
    rmdir(broker->folder);
    *broker->name = 0;
}

struct broker_key broker_key(const struct broker *broker, unsigned pool, const char *fingerprint)
{
    static const char *const states[KB_STATES] = {
        [KB_EMPTY] = "empty",     [KB_AVAILABLE] = "available", [KB_FAILED] = "failed",
        [KB_COOLING] = "cooling", [KB_PROBATION] = "probation", [KB_DISABLED] = "disabled"};
    static const char *const reasons[] = {
        [KB_REASON_NONE] = "none", [KB_REASON_AUTH] = "auth", [KB_REASON_QUOTA] = "quota", [KB_REASON_RATE] = "rate"};
    struct kb_segment *segment = map(broker);
    struct broker_key key = {.state = "unknown", .reason = "none"};
    const int slot = kb_slot_find(segment->state, pool, fingerprint);
    if (slot >= 0) {
        const uint64_t word = atomic_load(&segment->state->slots[pool][slot].word);
        const uint64_t until = kb_word_until_ms(word), now = kb_os_now();
        const unsigned state = kb_word_state(word);
        key.state = state < KB_STATES ? states[state] : "corrupt";
        key.reason = reasons[kb_word_unpack(word).reason];
        key.retry_ms = (state == KB_FAILED || state == KB_COOLING) && until > now ? (long)(until - now) : 0;
    }
    kb_segment_close(segment);
    return key;
}

void broker_reset(const struct broker *broker, unsigned pool)
{
    struct kb_segment *segment = map(broker);
    const unsigned span = kb_slot_span(segment->state, pool);
    for (unsigned key = 0; key < span; key++) {
        const uint64_t word = atomic_load(&segment->state->slots[pool][key].word);
        if (kb_word_state(word) != KB_EMPTY)
            kb_slot_change(segment->state, pool, key, word, kb_word_fresh(word, KB_AVAILABLE));
    }
    kb_segment_close(segment);
}
