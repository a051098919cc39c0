#include "keybroker.h"

const char *kb_strerror(int code)
{
    switch (code) {
    case KB_OK:
        return "success";
    case 1:
        return "the key's state had moved on";
    case KB_ENOBROKER:
        return "no broker of that name";
    case KB_EPOOL:
        return "no such pool";
    case KB_EKEY:
        return "no such key, or it is disabled";
    case KB_EEXHAUSTED:
        return "no key could be claimed in time";
    case KB_EVERSION:
        return "the segment was made by a keybroker of another layout";
    case KB_EFULL:
        return "every worker slot is held by a living process";
    case KB_ECORRUPT:
        return "the segment is damaged";
    case KB_EPERM:
        return "not allowed to use the segment, or it belongs to somebody else";
    case KB_EINVAL:
        return "invalid argument";
    case KB_ENOMEM:
        return "out of memory, address space or file descriptors";
    case KB_ESYSTEM:
        return "a system call failed";
    case KB_EBUSY:
        return "the segment's guard is held by a process that does not move";
    default:
        return "unknown error";
    }
}

const char *kb_outcome_name(kb_outcome outcome)
{
    switch (outcome) {
    case KB_OUTCOME_OK:
        return "ok";
    case KB_OUTCOME_AUTH:
        return "auth";
    case KB_OUTCOME_QUOTA:
        return "quota";
    case KB_OUTCOME_RATE:
        return "rate";
    case KB_OUTCOME_TRANSIENT:
        return "transient";
    case KB_OUTCOME_CLIENT:
        return "client";
    }
    return "unknown";
}

const char *kb_version(void)
{
    return KB_VERSION;
}

int kb_version_number(void)
{
    return KB_VERSION_NUMBER;
}
