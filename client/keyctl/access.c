#include "keyctl/access.h"

#include "keyctl/command.h"
#include "segment/identity.h"

#include <stdarg.h>
#include <stdio.h>

int kb_ctl_fail(int exit_code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("keyctl: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return exit_code;
}

int kb_ctl_fail_code(const char *name, int code)
{
    switch (code) {
    case KB_ENOBROKER:
        return kb_ctl_fail(KB_EXIT_NO_BROKER, "no broker \"%s\": it does not run and has left nothing", name);
    case KB_EPERM:
        return kb_ctl_fail(KB_EXIT_FAILED,
                           "not allowed to use the shared memory of broker \"%s\": it is another user's whose group "
                           "this user is not in, or it is open to the world",
                           name);
    case KB_EPOOL:
        return kb_ctl_fail(KB_EXIT_UNKNOWN, "broker \"%s\" has no such pool", name);
    default:
        return kb_ctl_fail(KB_EXIT_FAILED, "broker \"%s\": %s", name, kb_strerror(code));
    }
}

int kb_ctl_open(const struct kb_ctl_options *told, struct kb_segment **out)
{
    const int code = kb_segment_open(told->name, KB_USE_STATE, out);
    return code ? kb_ctl_fail_code(told->name, code) : 0;
}

bool kb_ctl_broker_lives(const struct kb_header *header, int *pid)
{
    const uint64_t broker = atomic_load(&header->broker);
    *pid = kb_identity_pid(broker);
    return broker != 0 && !kb_identity_dead(broker);
}
