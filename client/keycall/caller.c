#include "keycall/caller.h"

#include "http/outfile.h"
#include "keycall/options.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/* A terminal sends its signals to both processes: the parent takes them. */
static _Noreturn void become_caller(pid_t parent, const sigset_t *mask, kb_caller_make *make, void *arg)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(KB_CALL_EXIT_FAILED);
    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++)
        (void)signal(ending[i], SIG_IGN);
    (void)sigprocmask(SIG_SETMASK, mask, NULL);
    int code = make(arg);
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == KB_CALL_EXIT_OK)
        code = kb_call_refuse(KB_CALL_EXIT_FAILED, "cannot write to stdout");
    _exit(code);
}

/* Waits for the child to end or a signal to come. Returns the signal, 0: the child has ended. */
static int await_end(pid_t child, const sigset_t *taken, int *status)
{
    while (waitpid(child, status, WNOHANG) == 0) {
        const int number = sigwaitinfo(taken, NULL);
        if (number > 0 && number != SIGCHLD)
            return number;
    }
    return 0;
}

static int interrupt(pid_t child, int number, const char *out)
{
    int status;
    (void)kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (out != NULL)
        kb_outfile_sweep(out, child);
    return kb_call_refuse(KB_CALL_EXIT_SIGNAL + number, "interrupted; if it was sent, it may have been carried out, "
                                                        "and billed");
}

int kb_caller_run(kb_caller_make *make, void *arg, const char *out)
{
    const pid_t parent = getpid();
    sigset_t taken, before;
    int status = 0;
    (void)signal(SIGCHLD, SIG_DFL); /* ignored, it would take the child's status along */
    sigemptyset(&taken);
    sigaddset(&taken, SIGCHLD);
    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++)
        sigaddset(&taken, ending[i]);
    (void)sigprocmask(SIG_BLOCK, &taken, &before);
    const pid_t child = fork();
    if (child == 0)
        become_caller(parent, &before, make, arg);
    if (child < 0)
        return kb_call_refuse(KB_CALL_EXIT_FAILED, "cannot start a process: %s", strerror(errno));
    const int number = await_end(child, &taken, &status);
    if (number != 0)
        return interrupt(child, number, out);
    if (out != NULL && !WIFEXITED(status))
        kb_outfile_sweep(out, child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : KB_CALL_EXIT_SIGNAL + WTERMSIG(status);
}
