#include "child.h"

#include "segment/os.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t kit_fork(int (*body)(void *arg), void *arg)
{
    const pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        abort();
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(99);
    _exit(body(arg));
}

int kit_wait(pid_t pid)
{
    const uint64_t until = kb_os_now() + KIT_LIMIT_MS;
    int status;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (kb_os_now() >= until) {
            kit_kill(pid, true);
            return -1;
        }
        kb_os_sleep(1);
    }
    return WIFSIGNALED(status) ? 100 + WTERMSIG(status) : WEXITSTATUS(status);
}

void kit_kill(pid_t pid, bool reap)
{
    siginfo_t info;
    kill(pid, SIGKILL);
    if (waitid(P_PID, (id_t)pid, &info, WEXITED | (reap ? 0 : WNOWAIT)) != 0)
        abort();
}

void kit_freeze(pid_t pid)
{
    siginfo_t info;
    kill(pid, SIGSTOP);
    if (waitid(P_PID, (id_t)pid, &info, WSTOPPED) != 0)
        abort();
}

void *kit_shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        abort();
    return memory;
}

bool kit_await(const _Atomic int *flag, int least)
{
    const uint64_t until = kb_os_now() + KIT_LIMIT_MS;
    while (atomic_load(flag) < least) {
        if (kb_os_now() >= until)
            return false;
        kb_os_sleep(1);
    }
    return true;
}

bool kit_own_shm(const char *size)
{
    char options[64];
    snprintf(options, sizeof options, "size=%s,mode=1777", size);
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", "/dev/shm", "tmpfs", 0, options) == 0;
}

int kit_stand_by(void *arg)
{
    atomic_store((_Atomic int *)arg, 1);
    kb_os_sleep(KIT_LIMIT_MS);
    return 98;
}
