#include "segment/guard.h"
#include "segment/identity.h"
#include "segment/object.h"
#include "segment/owner.h"
#include "segment/secret.h"
#include "segment/slot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Order matters: first no new claim succeeds, then no claim caught copying does, then the secrets go. */
static void empty_all(struct kb_segment *segment)
{
    struct kb_state *state = segment->state;
    atomic_store(&state->header.ended, 1);
    for (unsigned pool = 0; pool < KB_POOLS; pool++) {
        const unsigned span = kb_slot_span(state, pool);
        for (unsigned key = 0; key < span; key++) {
            uint64_t word = atomic_load(&state->slots[pool][key].word);
            while (!kb_slot_change(state, pool, key, word, kb_word_fresh(word, KB_EMPTY)))
                word = atomic_load(&state->slots[pool][key].word);
            kb_secret_wipe(segment->secrets, pool, key);
        }
    }
}

void kb_owner_end(struct kb_owner *o)
{
    struct kb_header *header = &o->segment.state->header;
    /* Both waits are bounded; if either lock cannot be had its holder is stuck, and the secrets go anyway. */
    kb_object_lock(o->state_fd, KB_OWNER_LIMIT_MS);
    const bool guarded = kb_guard_enter(header, KB_GUARD_LIMIT_MS) == 0;
    if (kb_owner_in_charge(o)) {
        empty_all(&o->segment);
        if (kb_object_is(o->state_fd, o->name, "state"))
            kb_object_unlink(o->name, "state");
        if (kb_object_is(o->secrets_fd, o->name, "secrets"))
            kb_object_unlink(o->name, "secrets");
    }
    if (guarded)
        kb_guard_leave(header);
    kb_owner_abandon(o);
}

int kb_owner_purge(const char *name, struct kb_owner_error *error)
{
    struct kb_owner o = {.state_fd = KB_NO_FD, .secrets_fd = KB_NO_FD, .self = kb_identity_self()};
    struct kb_header header;
    memset(&header, 0, sizeof header);
    snprintf(o.name, sizeof o.name, "%s", name);
    o.state_fd = kb_object_open(name, "state");
    o.secrets_fd = kb_object_open(name, "secrets");
    int code = 0;
    if (o.state_fd < 0 && o.secrets_fd < 0)
        code = errno == ENOENT
                   ? kb_owner_refuse(error, KB_ENOBROKER, "there is nothing of \"%s\"", name)
                   : kb_owner_refuse(error, KB_EPERM, "cannot open what there is of \"%s\": %s", name, strerror(errno));
    else if (o.state_fd >= 0 && !kb_object_lock(o.state_fd, KB_OWNER_LIMIT_MS))
        code = kb_owner_refuse(error, KB_EBUSY, "a broker \"%s\" is starting or ending", name);
    else if (o.secrets_fd >= 0 && !kb_object_lock_alone(o.secrets_fd))
        code = kb_owner_refuse(error, KB_EBUSY, "broker \"%s\" lives: end it first", name);
    if (code == 0 && o.state_fd >= 0 && kb_owner_look(&o, &header) == KB_USABLE && kb_owner_map(&o))
        empty_all(&o.segment);
    if (code == 0 && ((o.state_fd >= 0 && kb_object_unlink(name, "state") != 0) ||
                      (o.secrets_fd >= 0 && kb_object_unlink(name, "secrets") != 0)))
        code = kb_owner_refuse(error, KB_EPERM, "cannot remove what there is of \"%s\": %s", name, strerror(errno));
    kb_owner_abandon(&o);
    return code;
}
