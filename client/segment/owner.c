#include "segment/owner.h"

#include "segment/guard.h"
#include "segment/identity.h"
#include "segment/object.h"
#include "segment/os.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK_KEYS = 128, /* keys that fill whole pages of every array */ ROUNDS = 100 };

int kb_owner_refuse(struct kb_owner_error *error, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return code;
}

void kb_owner_abandon(struct kb_owner *o)
{
    if (o->segment.state)
        munmap(o->segment.state, sizeof *o->segment.state);
    if (o->segment.secrets)
        munmap(o->segment.secrets, sizeof *o->segment.secrets);
    if (o->state_fd >= 0)
        close(o->state_fd);
    if (o->secrets_fd >= 0)
        close(o->secrets_fd);
    o->segment.state = NULL;
    o->segment.secrets = NULL;
    o->state_fd = o->secrets_fd = KB_NO_FD;
}

static void *map_object(int fd, size_t size)
{
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size != (off_t)size)
        return NULL;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

bool kb_owner_map(struct kb_owner *o)
{
    if (!o->segment.state)
        o->segment.state = map_object(o->state_fd, sizeof *o->segment.state);
    if (!o->segment.secrets)
        o->segment.secrets = map_object(o->secrets_fd, sizeof *o->segment.secrets);
    if (o->segment.secrets)
        kb_os_no_dump(o->segment.secrets, sizeof *o->segment.secrets);
    return o->segment.state && o->segment.secrets;
}

static void show_broker(struct kb_header *header, uint64_t identity)
{
    atomic_store(&header->broker, identity);
    atomic_store(&header->broker_pid, (uint64_t)kb_identity_pid(identity));
}

/* Secrets that stand without a state are a living broker's whose state was removed by hand, or left. */
static int clear_away_secrets(struct kb_owner *o, struct kb_owner_error *error)
{
    o->secrets_fd = kb_object_open(o->name, "secrets");
    if (o->secrets_fd < 0)
        return 0;
    if (!kb_object_lock_alone(o->secrets_fd))
        return kb_owner_refuse(error, KB_EBUSY, "the secrets of \"%s\" are held by a broker whose state was removed",
                               o->name);
    kb_owner_discard(o);
    kb_object_unlink(o->name, "secrets");
    if (o->segment.secrets)
        munmap(o->segment.secrets, sizeof *o->segment.secrets);
    o->segment.secrets = NULL;
    close(o->secrets_fd);
    o->secrets_fd = KB_NO_FD;
    return 0;
}

/* A fresh pair, filled and published. The state object is locked by us already and empty. */
static int make(struct kb_owner *o, gid_t group, struct kb_owner_error *error)
{
    o->secrets_fd = kb_object_create(o->name, "secrets", 0640, group);
    if (o->secrets_fd < 0 || kb_object_mode(o->state_fd, 0660, group) != 0)
        return kb_owner_refuse(error, errno == EPERM ? KB_EPERM : KB_ESYSTEM,
                               "cannot make the shared memory of \"%s\": %s", o->name, strerror(errno));
    if (ftruncate(o->state_fd, sizeof(struct kb_state)) != 0 ||
        ftruncate(o->secrets_fd, sizeof(struct kb_secrets)) != 0)
        return kb_owner_refuse(error, KB_ENOMEM, "cannot size the shared memory of \"%s\": %s", o->name,
                               strerror(errno));
    int code = kb_os_allocate(o->state_fd, 0, offsetof(struct kb_state, slots));
    if (code == 0)
        code = kb_os_allocate(o->secrets_fd, 0, offsetof(struct kb_secrets, secrets));
    if (code)
        return kb_owner_refuse(error, KB_ENOMEM, "cannot allocate the shared memory of \"%s\": %s", o->name,
                               strerror(code));
    if (!kb_owner_map(o))
        return kb_owner_refuse(error, KB_ENOMEM, "cannot map the shared memory of \"%s\": %s", o->name,
                               strerror(errno));
    struct kb_header *header = &o->segment.state->header;
    struct kb_secrets_header *secrets = &o->segment.secrets->header;
    if (!kb_guard_init(header))
        return kb_owner_refuse(error, KB_ESYSTEM, "no semaphores between processes here: %s", strerror(errno));
    header->layout = secrets->layout = KB_LAYOUT;
    header->instance = secrets->instance = o->segment.instance = kb_os_random();
    for (unsigned pool = 0; pool < KB_POOLS; pool++) {
        atomic_init(&o->segment.state->pools[pool].rotation.cursor, KB_KEYS - 1); /* the first turn is key 0's */
        atomic_init(&o->segment.state->pools[pool].rotation.next_due, ~UINT64_C(0) << 16);
    }
    atomic_store(&secrets->broker, o->self);
    show_broker(header, o->self);
    atomic_store_explicit(&secrets->magic, KB_MAGIC, memory_order_release);
    atomic_store_explicit(&header->magic, KB_MAGIC, memory_order_release);
    return 0;
}

/* Leaves nothing half-made behind. */
static int make_or_unmake(struct kb_owner *o, gid_t group, struct kb_owner_error *error)
{
    int code = clear_away_secrets(o, error);
    if (code == 0 && (code = make(o, group, error)) != 0)
        kb_object_unlink(o->name, "secrets");
    if (code)
        kb_object_unlink(o->name, "state");
    return code;
}

static const char *const set_aside[] = {
    [KB_USABLE] = NULL,
    [KB_LEFT_HALF_MADE] = NULL,
    [KB_ENDED] = NULL,
    [KB_OTHER_LAYOUT] = "it was made by a keybroker of another layout",
    [KB_DAMAGED] = "it is damaged",
};

enum kb_finding kb_owner_look(struct kb_owner *o, struct kb_header *header)
{
    struct stat state, secrets;
    if (fstat(o->state_fd, &state) != 0 || state.st_size < (off_t)sizeof *header)
        return state.st_size == 0 ? KB_LEFT_HALF_MADE : KB_DAMAGED;
    if (pread(o->state_fd, header, sizeof *header, 0) != (ssize_t)sizeof *header)
        return KB_DAMAGED;
    if (atomic_load(&header->magic) != KB_MAGIC)
        return atomic_load(&header->magic) == 0 ? KB_LEFT_HALF_MADE : KB_DAMAGED;
    if (header->layout != KB_LAYOUT)
        return KB_OTHER_LAYOUT;
    if (atomic_load(&header->ended))
        return KB_ENDED;
    if (state.st_size != (off_t)sizeof(struct kb_state) || o->secrets_fd < 0 || fstat(o->secrets_fd, &secrets) != 0 ||
        secrets.st_size != (off_t)sizeof(struct kb_secrets))
        return KB_DAMAGED;
    return KB_USABLE;
}

static int adopt(struct kb_owner *o, gid_t group, struct kb_owner_error *error)
{
    if (kb_object_mode(o->state_fd, 0660, group) != 0 || kb_object_mode(o->secrets_fd, 0640, group) != 0)
        return kb_owner_refuse(error, KB_EPERM, "cannot set the rights on the shared memory of \"%s\": %s", o->name,
                               strerror(errno));
    if (!kb_owner_map(o))
        return kb_owner_refuse(error, KB_ENOMEM, "cannot map the shared memory of \"%s\": %s", o->name,
                               strerror(errno));
    struct kb_header *header = &o->segment.state->header;
    if (atomic_load(&o->segment.secrets->header.magic) != KB_MAGIC ||
        o->segment.secrets->header.instance != header->instance)
        return KB_ECORRUPT;
    o->segment.instance = header->instance;
    o->adopted = true;
    o->before = atomic_exchange(&o->segment.secrets->header.broker, o->self);
    show_broker(header, o->self);
    return 0;
}

static int held(const struct kb_owner *o, struct kb_header *header, struct kb_owner_error *error)
{
    return kb_owner_refuse(error, KB_EBUSY, "broker \"%s\" is run by process %llu already (--replace takes over)",
                           o->name, (unsigned long long)atomic_load(&header->broker_pid));
}

/* One round with the state object open and locked. KB_ENOBROKER: the name is free by now, go round. */
static int take_over(struct kb_owner *o, gid_t group, bool replace, struct kb_owner_error *error)
{
    struct kb_header header;
    struct stat st;
    memset(&header, 0, sizeof header);
    if (fstat(o->state_fd, &st) != 0 || st.st_uid != geteuid())
        return kb_owner_refuse(error, KB_EPERM, "the shared memory of \"%s\" belongs to user %u, not to this one (%u)",
                               o->name, (unsigned)st.st_uid, (unsigned)geteuid());
    o->secrets_fd = kb_object_open(o->name, "secrets");
    const enum kb_finding found = kb_owner_look(o, &header);
    o->before_lives = o->secrets_fd >= 0 && !kb_object_lock_alone(o->secrets_fd);
    if (o->before_lives && !(replace && found == KB_USABLE)) {
        if (found == KB_OTHER_LAYOUT)
            return kb_owner_refuse(error, KB_EVERSION,
                                   "broker \"%s\" of another layout is run by process %llu: end it first", o->name,
                                   (unsigned long long)atomic_load(&header.broker_pid));
        return held(o, &header, error);
    }
    const int code = found == KB_USABLE ? adopt(o, group, error) : KB_ECORRUPT;
    if (code != KB_ECORRUPT)
        return code;
    if (o->before_lives)
        return held(o, &header, error); /* these secrets are in use, whatever the state says */
    /* Nobody's, and no use: workers that still map it find it empty, and the name is freed. */
    o->set_aside = found == KB_USABLE ? set_aside[KB_DAMAGED] : set_aside[found];
    kb_owner_discard(o);
    kb_object_unlink(o->name, "secrets"); /* first: with the state's name goes the lock on starting */
    kb_object_unlink(o->name, "state");
    return KB_ENOBROKER;
}

static int open_locked(struct kb_owner *o, bool *fresh, struct kb_owner_error *error)
{
    *fresh = false;
    o->state_fd = kb_object_open(o->name, "state");
    if (o->state_fd < 0 && errno == ENOENT) {
        o->state_fd = kb_object_create(o->name, "state", 0600, (gid_t)-1);
        *fresh = o->state_fd >= 0;
        if (!*fresh && errno == EEXIST)
            return KB_ENOBROKER;
    }
    if (o->state_fd < 0)
        return kb_owner_refuse(error, errno == EACCES || errno == EPERM ? KB_EPERM : KB_ESYSTEM,
                               "cannot open the shared memory of \"%s\": %s", o->name, strerror(errno));
    if (!kb_object_lock(o->state_fd, KB_OWNER_LIMIT_MS))
        return kb_owner_refuse(error, KB_EBUSY, "another broker \"%s\" is starting or ending and does not move",
                               o->name);
    return kb_object_is(o->state_fd, o->name, "state") ? 0 : KB_ENOBROKER;
}

int kb_owner_start(const char *name, gid_t group, bool replace, struct kb_owner *out, struct kb_owner_error *error)
{
    const char *aside = NULL;
    for (int round = 0; round < ROUNDS; round++) {
        bool fresh;
        *out = (struct kb_owner){.state_fd = KB_NO_FD, .secrets_fd = KB_NO_FD, .self = kb_identity_self()};
        snprintf(out->name, sizeof out->name, "%s", name);
        int code = open_locked(out, &fresh, error);
        if (code == 0)
            code = fresh ? make_or_unmake(out, group, error) : take_over(out, group, replace, error);
        if (code == 0) {
            out->set_aside = aside;
            kb_object_share(out->secrets_fd);
            kb_object_unlock(out->state_fd);
            return 0;
        }
        aside = out->set_aside ? out->set_aside : aside;
        kb_owner_abandon(out);
        if (code != KB_ENOBROKER)
            return code;
    }
    return kb_owner_refuse(error, KB_EBUSY, "brokers \"%s\" keep starting and ending", name);
}

bool kb_owner_in_charge(struct kb_owner *owner)
{
    return atomic_load(&owner->segment.secrets->header.broker) == owner->self;
}

void kb_owner_hand_back(struct kb_owner *owner)
{
    uint64_t self = owner->self;
    if (owner->before_lives &&
        atomic_compare_exchange_strong(&owner->segment.secrets->header.broker, &self, owner->before))
        show_broker(&owner->segment.state->header, owner->before);
    kb_owner_abandon(owner);
}

int kb_owner_enter(struct kb_owner *owner)
{
    struct kb_header *header = &owner->segment.state->header;
    const int code = kb_guard_enter(header, KB_GUARD_LIMIT_MS);
    if (code)
        return code;
    if (kb_owner_in_charge(owner))
        return 0;
    kb_guard_leave(header);
    return KB_EPERM;
}

void kb_owner_leave(struct kb_owner *owner)
{
    kb_guard_leave(&owner->segment.state->header);
}

int kb_owner_allocate(struct kb_owner *o, unsigned pool, unsigned keys)
{
    const uint64_t count = ((uint64_t)keys + BLOCK_KEYS - 1) / BLOCK_KEYS * BLOCK_KEYS;
    const uint64_t first = (uint64_t)pool * KB_KEYS;
    if (keys == 0)
        return 0;
    int code = kb_os_allocate(o->state_fd, offsetof(struct kb_state, slots) + first * sizeof(struct kb_slot),
                              count * sizeof(struct kb_slot));
    for (unsigned lane = 0; code == 0 && lane < KB_LANES; lane++) {
        const uint64_t at = (uint64_t)lane * KB_POOLS * KB_KEYS + first;
        code = kb_os_allocate(o->state_fd, offsetof(struct kb_state, lanes) + at * sizeof(struct kb_count),
                              count * sizeof(struct kb_count));
    }
    if (code == 0)
        code = kb_os_allocate(o->secrets_fd, offsetof(struct kb_secrets, secrets) + first * sizeof(struct kb_secret),
                              count * sizeof(struct kb_secret));
    return code;
}

int kb_owner_allocate_long(struct kb_owner *o, unsigned pool, unsigned key)
{
    const uint64_t at = ((uint64_t)pool * KB_KEYS + key) * KB_SECRET_MAX;
    return kb_os_allocate(o->secrets_fd, offsetof(struct kb_secrets, longs) + at, KB_SECRET_MAX);
}

int kb_owner_allocate_service(struct kb_owner *o, unsigned pool)
{
    const uint64_t at = offsetof(struct kb_secrets, services) + (uint64_t)pool * sizeof(struct kb_service_text);
    return kb_os_allocate(o->secrets_fd, at, sizeof(struct kb_service_text));
}
