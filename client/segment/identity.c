#include "segment/identity.h"

#include "segment/os.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

enum { PID_BITS = 22, START_BITS = 26, NAMESPACE_SHIFT = PID_BITS + START_BITS };
#define PID_MASK   ((UINT64_C(1) << PID_BITS) - 1)
#define START_MASK ((UINT64_C(1) << START_BITS) - 1)

/* 16 bits of the namespace's number; 0 stays "cannot tell". */
static uint64_t namespace_bits(void)
{
    const uint64_t number = kb_os_pid_namespace(), bits = (number ^ number >> 16 ^ number >> 32) & 0xffff;
    return number && bits == 0 ? 1 : bits;
}

/* The start time as stored: never 0 when known. It wraps after a week; a pid used again at the very
 * same tick of another week is taken for the same process, which keeps a slot and loses nothing. */
static uint64_t start_bits(int pid)
{
    struct kb_os_process process;
    return kb_os_process(pid, &process) ? (process.start & START_MASK) | 1 : 0;
}

uint64_t kb_identity_of(int pid)
{
    if (pid <= 0 || (uint64_t)pid > PID_MASK || (kill(pid, 0) != 0 && errno == ESRCH))
        return 0;
    return (uint64_t)pid | start_bits(pid) << PID_BITS | namespace_bits() << NAMESPACE_SHIFT;
}

uint64_t kb_identity_self(void)
{
    return kb_identity_of((int)getpid());
}

int kb_identity_pid(uint64_t identity)
{
    return (int)(identity & PID_MASK);
}

bool kb_identity_near(uint64_t identity, uint64_t self)
{
    return identity >> NAMESPACE_SHIFT != 0 && identity >> NAMESPACE_SHIFT == self >> NAMESPACE_SHIFT;
}

bool kb_identity_dead(uint64_t identity)
{
    const int pid = kb_identity_pid(identity);
    struct kb_os_process process;
    if (pid == 0 || identity >> NAMESPACE_SHIFT == 0 || identity >> NAMESPACE_SHIFT != namespace_bits())
        return false;
    if (kill(pid, 0) != 0 && errno == ESRCH)
        return true;
    const uint64_t start = (identity >> PID_BITS) & START_MASK;
    if (start == 0 || !kb_os_process(pid, &process))
        return false;
    return process.dead || ((process.start & START_MASK) | 1) != start;
}
