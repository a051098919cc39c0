#include "ambush.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static struct {
    char *start;
    size_t size;
    int protection;
    void (*strike)(void *arg);
    void *arg;
    volatile sig_atomic_t struck;
    struct sigaction before;
} ambush;

static void open_up(void)
{
    if (mprotect(ambush.start, ambush.size, ambush.protection) != 0)
        abort();
}

static void on_fault(int signal_number, siginfo_t *info, void *context)
{
    const char *at = info->si_addr;
    (void)context;
    if (ambush.struck || at < ambush.start || at >= ambush.start + ambush.size) {
        signal(signal_number, SIG_DFL); /* a fault of the code under test: let it end there */
        return;
    }
    ambush.struck = 1;
    open_up();
    ambush.strike(ambush.arg);
}

void kit_ambush(const void *start, size_t size, bool writable, void (*strike)(void *arg), void *arg)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t from = (uintptr_t)start / page * page, to = ((uintptr_t)start + size + page - 1) / page * page;
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
    ambush.start = (char *)from;
    ambush.size = to - from;
    ambush.protection = PROT_READ | (writable ? PROT_WRITE : 0);
    ambush.strike = strike;
    ambush.arg = arg;
    ambush.struck = 0;
    if (sigaction(SIGSEGV, &action, &ambush.before) != 0 || mprotect(ambush.start, ambush.size, PROT_NONE) != 0)
        abort();
}

bool kit_ambush_end(void)
{
    open_up();
    sigaction(SIGSEGV, &ambush.before, NULL);
    return ambush.struck;
}
