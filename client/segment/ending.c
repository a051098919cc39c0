#include "segment/guard.h"
#include "segment/identity.h"
#include "segment/object.h"
#include "segment/owner.h"
#include "segment/secret.h"
#include "segment/slot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void wipe_secrets(struct kb_secrets *secrets)
{
    for (unsigned pool = 0; pool < KB_POOLS; pool++) {
        const unsigned span = kb_secret_span(secrets, pool);
        for (unsigned key = 0; key < span; key++)
            kb_secret_wipe(secrets, pool, key);
    }
}

static void empty_pool(struct kb_state *state, unsigned pool, unsigned span)
{
    for (unsigned key = 0; key < span; key++)
        kb_slot_empty(state, pool, key);
}

/* Order matters: first no new claim succeeds, then no claim caught copying does, then the secrets go. */
void kb_owner_empty(struct kb_segment *segment)
{
    atomic_store(&segment->state->header.ended, 1);
    for (unsigned pool = 0; pool < KB_POOLS; pool++)
        empty_pool(segment->state, pool,
                   segment->secrets ? kb_secret_span(segment->secrets, pool) : kb_slot_span(segment->state, pool));
    if (segment->secrets)
        wipe_secrets(segment->secrets);
}

void kb_owner_discard(struct kb_owner *o)
{
    struct kb_header header;
    const uint32_t one = 1;
    const enum kb_finding found = o->state_fd >= 0 ? kb_owner_look(o, &header) : KB_LEFT_HALF_MADE;
    kb_owner_map(o);
    struct kb_secrets *secrets = o->segment.secrets;
    const bool ours = secrets && atomic_load(&secrets->header.magic) == KB_MAGIC && secrets->header.layout == KB_LAYOUT;
    if (!ours)
        o->segment.secrets = NULL; /* not to be understood, so not to be written */
    /* Handles that are open look at their keys' words, not at `ended`, as long as claims succeed. */
    if (o->segment.state && found != KB_OTHER_LAYOUT)
        kb_owner_empty(&o->segment);
    else if (ours)
        wipe_secrets(secrets);
    if (found == KB_OTHER_LAYOUT) {
        /* If it fails its workers are not told; the name is freed all the same. */
        const ssize_t told = pwrite(o->state_fd, &one, sizeof one, offsetof(struct kb_header, ended));
        (void)told;
    }
    o->segment.secrets = secrets;
}

/* Only what these descriptors are; the state last: with its name goes the lock that keeps others from
 * starting. 0, or -1 and errno. */
static int unlink_both(const struct kb_owner *o)
{
    if (o->secrets_fd >= 0 && kb_object_is(o->secrets_fd, o->name, "secrets") &&
        kb_object_unlink(o->name, "secrets") != 0)
        return -1;
    if (o->state_fd >= 0 && kb_object_is(o->state_fd, o->name, "state") && kb_object_unlink(o->name, "state") != 0)
        return -1;
    return 0;
}

void kb_owner_end(struct kb_owner *o)
{
    struct kb_header *header = &o->segment.state->header;
    /* Both waits are bounded; if either lock cannot be had its holder is stuck, and the secrets go anyway. */
    kb_object_lock(o->state_fd, KB_OWNER_LIMIT_MS);
    const bool guarded = kb_guard_enter(header, KB_GUARD_LIMIT_MS) == 0;
    if (kb_owner_in_charge(o)) {
        kb_owner_empty(&o->segment);
        unlink_both(o); /* a failure leaves names of what is ended and empty: the next broker frees them */
    }
    if (guarded)
        kb_guard_leave(header);
    kb_owner_abandon(o);
}

/* 0; KB_ENOBROKER: there is neither object; KB_EPERM: there is one that cannot be opened. */
static int open_both(struct kb_owner *o, struct kb_owner_error *error)
{
    o->state_fd = kb_object_open(o->name, "state");
    const int state_error = o->state_fd < 0 ? errno : 0;
    o->secrets_fd = kb_object_open(o->name, "secrets");
    const int secrets_error = o->secrets_fd < 0 ? errno : 0;
    if (state_error == ENOENT && secrets_error == ENOENT)
        return kb_owner_refuse(error, KB_ENOBROKER, "there is nothing of \"%s\"", o->name);
    const int bad = state_error && state_error != ENOENT ? state_error : secrets_error;
    if (bad && bad != ENOENT)
        return kb_owner_refuse(error, KB_EPERM, "cannot open what there is of \"%s\": %s", o->name, strerror(bad));
    return 0;
}

/* Nobody starts, ends or lives. */
static int lock_both(struct kb_owner *o, struct kb_owner_error *error)
{
    if (o->state_fd >= 0 && !kb_object_lock(o->state_fd, KB_OWNER_LIMIT_MS))
        return kb_owner_refuse(error, KB_EBUSY, "a broker \"%s\" is starting or ending", o->name);
    if (o->secrets_fd >= 0 && !kb_object_lock_alone(o->secrets_fd))
        return kb_owner_refuse(error, KB_EBUSY, "broker \"%s\" lives: end it first", o->name);
    if (o->state_fd >= 0 && !kb_object_is(o->state_fd, o->name, "state"))
        return kb_owner_refuse(error, KB_EBUSY, "another broker \"%s\" has just started", o->name);
    return 0;
}

int kb_owner_purge(const char *name, struct kb_owner_error *error)
{
    struct kb_owner o = {.state_fd = KB_NO_FD, .secrets_fd = KB_NO_FD, .self = kb_identity_self()};
    snprintf(o.name, sizeof o.name, "%s", name);
    int code = open_both(&o, error);
    if (code == 0)
        code = lock_both(&o, error);
    if (code == 0) {
        kb_owner_discard(&o);
        if (unlink_both(&o) != 0)
            code = kb_owner_refuse(error, KB_EPERM, "cannot remove what there is of \"%s\": %s", name, strerror(errno));
    }
    kb_owner_abandon(&o);
    return code;
}
