#include "broker.h"

#include "keys.h"
#include "log.h"
#include "notify.h"
#include "segment/guard.h"
#include "segment/identity.h"
#include "segment/os.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void log_warning(void *arg, const char *file, unsigned line, const char *message)
{
    char place[300];
    (void)arg;
    snprintf(place, sizeof place, "%s:%u", file ? file : "", line);
    kb_log(KB_LOG_WARN, "configuration", "at", place, "msg", message);
}

bool kb_broker_configure(struct kb_broker *broker, struct kb_config *config, struct kb_config_error *error)
{
    const struct kb_options *options = broker->options;
    const struct kb_config_sources sources = {
        .env_files = options->env_files,
        .n_env_files = options->n_env_files,
        .json_file = options->config,
        .environment = &broker->environment,
    };
    return kb_config_load(config, &sources, log_warning, NULL, error) == 0;
}

static const char *describe(const struct kb_config_error *error, char *text, size_t size)
{
    if (error->file)
        snprintf(text, size, "%s:%u: %s", error->file, error->line, error->message);
    else
        snprintf(text, size, "%s", error->message);
    return text;
}

/* Brings the configuration into the segment and frees it. On failure *why says it in words. */
static bool bring_in(struct kb_broker *broker, struct kb_config *config, char *why, size_t size)
{
    struct kb_keys_change change;
    struct kb_owner_error error = {""};
    const int code = kb_keys_apply(&broker->owner, config, &change, &error);
    const unsigned pools = config->n_pools;
    kb_config_free(config);
    if (code) {
        snprintf(why, size, "%s", error.text);
        return false;
    }
    kb_log(KB_LOG_INFO, "keys", "pools", kb_log_number(pools), "added", kb_log_number(change.added), "removed",
           kb_log_number(change.removed), "kept", kb_log_number(change.kept), "rewritten",
           kb_log_number(change.rewritten));
    if (!change.locked && !broker->lock_warned) {
        kb_log(KB_LOG_WARN, "mlock", "msg", "not allowed to lock all secrets in memory: they may be swapped to disk");
        broker->lock_warned = true;
    }
    return true;
}

/* With --replace, a predecessor that is stopped inside the guard would keep it for ever. It is of no
 * use any more: it is killed, and the guard is a dead one's. */
static void evict(struct kb_owner *owner)
{
    struct kb_header *header = &owner->segment.state->header;
    if (!owner->before_lives)
        return;
    if (kb_guard_enter(header, KB_GUARD_LIMIT_MS) == 0) {
        kb_guard_leave(header);
        return;
    }
    const uint64_t holder = kb_guard_owner(header);
    const int pid = kb_identity_pid(holder);
    if (holder == owner->before && kb_identity_of(pid) == holder && kill(pid, SIGKILL) == 0)
        kb_log(KB_LOG_WARN, "killed", "pid", kb_log_number(pid), "msg",
               "the broker that was replaced stood still inside the guard");
}

/* The predecessor goes by itself once it sees that it is not in charge; it is told, in case it sleeps. */
static void dismiss(const struct kb_owner *owner)
{
    const int pid = kb_identity_pid(owner->before);
    if (owner->before_lives && kb_identity_of(pid) == owner->before)
        kill(pid, SIGTERM);
}

static void log_takeover(const struct kb_owner *owner)
{
    if (owner->set_aside)
        kb_log(KB_LOG_WARN, "set_aside", "msg", "the shared memory that was there could not be used", "why",
               owner->set_aside);
    if (owner->adopted)
        kb_log(KB_LOG_INFO, owner->before_lives ? "replaced" : "adopted", "before",
               kb_log_number(kb_identity_pid(owner->before)));
}

static bool open_signals(struct kb_broker *broker)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    broker->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return broker->signals >= 0;
}

/* After a start that failed: what was made just now goes, what others were using stays, and with it a
 * predecessor that lives. */
static void let_go(struct kb_owner *owner)
{
    if (owner->adopted)
        kb_owner_hand_back(owner);
    else
        kb_owner_end(owner);
}

/* Owns the segments and brings the configuration in. On failure *why says it in words. */
static bool take_charge(struct kb_broker *broker, struct kb_config *config, char *why, size_t size)
{
    const struct kb_options *options = broker->options;
    struct kb_owner_error error = {""};
    if (kb_owner_start(options->name, options->group, options->replace, &broker->owner, &error) != 0) {
        snprintf(why, size, "%s", error.text);
        kb_config_free(config);
        return false;
    }
    log_takeover(&broker->owner);
    evict(&broker->owner);
    if (!bring_in(broker, config, why, size)) {
        let_go(&broker->owner);
        return false;
    }
    return true;
}

bool kb_broker_start(struct kb_broker *broker)
{
    struct kb_config config;
    struct kb_config_error config_error;
    char why[600];
    /* A configuration that cannot be read must not cost what is held: read it before taking anything. */
    if (!kb_broker_configure(broker, &config, &config_error)) {
        kb_log(KB_LOG_ERROR, "configuration", "msg", describe(&config_error, why, sizeof why));
        return false;
    }
    if (!open_signals(broker)) {
        kb_log(KB_LOG_ERROR, "start", "msg", "no descriptor for signals");
        kb_config_free(&config);
        return false;
    }
    if (!take_charge(broker, &config, why, sizeof why)) {
        kb_log(KB_LOG_ERROR, "start", "msg", why);
        return false;
    }
    struct kb_state *state = broker->owner.segment.state;
    if (!kb_doorbell_start(&broker->doorbell, state)) {
        kb_log(KB_LOG_ERROR, "start", "msg", "no thread or descriptor for the doorbell");
        let_go(&broker->owner);
        return false;
    }
    kb_reaper_init(&broker->reaper, state);
    atomic_store(&state->header.started_unix, (uint64_t)(kb_os_unix_ms() / 1000));
    dismiss(&broker->owner);
    return true;
}

void kb_broker_reload(struct kb_broker *broker)
{
    struct kb_header *header = &broker->owner.segment.state->header;
    const uint32_t asked = atomic_load(&header->reload_asked);
    if (!kb_owner_in_charge(&broker->owner))
        return; /* the one who is in charge answers */
    char why[600] = "";
    kb_notify("RELOADING=1");
    struct kb_config config;
    struct kb_config_error error;
    bool done = kb_broker_configure(broker, &config, &error);
    if (!done)
        describe(&error, why, sizeof why);
    else
        done = bring_in(broker, &config, why, sizeof why);
    if (!done)
        kb_log(KB_LOG_ERROR, "reload", "msg", why, "keys", "the old ones are kept");
    why[sizeof header->reload_text - 1] = 0;
    memcpy(header->reload_text, why, sizeof header->reload_text);
    atomic_store(&header->reload_failed, !done);
    /* Last: whoever sees it finds the answer. A death before it lets them wait out their 5 s. */
    atomic_store(&header->reload_done, asked);
    kb_notify("READY=1");
}
