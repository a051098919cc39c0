/*
 * exec.c: CMD with a claimed key in its environment.
 *
 * The secret is in this process from the claim to the fork, in the child from the fork until CMD
 * begins, and from then on in CMD's environment alone.
 */
#include "keyctl/access.h"
#include "keyctl/command.h"
#include "keyctl/pools.h"
#include "keyctl/print.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What shells say of a command that cannot be run or is not there, and of one that a signal ended. */
enum { EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127, EXIT_SIGNAL = 128 };

static const int forwarded[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

/* While CMD runs, signals wait to be taken one by one. CMD begins with what keyctl began with. */
struct signals {
    sigset_t taken, mask_before;
    struct sigaction child_before;
};

static void take_signals(struct signals *s)
{
    const struct sigaction by_default = {.sa_handler = SIG_DFL};
    sigemptyset(&s->taken);
    sigaddset(&s->taken, SIGCHLD);
    for (size_t i = 0; i < sizeof forwarded / sizeof *forwarded; i++)
        sigaddset(&s->taken, forwarded[i]);
    sigprocmask(SIG_BLOCK, &s->taken, &s->mask_before);
    sigaction(SIGCHLD, &by_default, &s->child_before); /* ignored, it would take CMD's status along */
}

static void give_back_signals(const struct signals *s)
{
    sigaction(SIGCHLD, &s->child_before, NULL);
    sigprocmask(SIG_SETMASK, &s->mask_before, NULL);
}

/* The child becomes CMD, or sends errno through the pipe, which CMD does not inherit. The client is the
 * parent's: it is not touched here. */
static _Noreturn void become_cmd(char **cmd, const char *variable, const kb_key *key, int pipe_end)
{
    char assignment[KB_ENV_MAX + 1 + sizeof key->secret];
    snprintf(assignment, sizeof assignment, "%s=%s", variable, key->secret);
    int error = ENOMEM;
    if (putenv(assignment) == 0) { /* as it stands, without a copy on the heap */
        execvp(cmd[0], cmd);
        error = errno;
    }
    explicit_bzero(assignment, sizeof assignment);
    while (write(pipe_end, &error, sizeof error) < 0 && errno == EINTR)
        continue;
    _exit(EXIT_CANNOT_RUN);
}

/* What the child sent: 0 if it became CMD, which closes the pipe. */
static int read_error(int pipe_end)
{
    int error = 0;
    while (read(pipe_end, &error, sizeof error) < 0 && errno == EINTR)
        continue;
    return error;
}

/* Starts CMD and wipes the key, once the child has its copy. 0 or an errno; *child is -1 if there is none. */
static int start(char **cmd, const char *variable, kb_key *key, const struct signals *signals, pid_t *child)
{
    int ends[2];
    *child = -1;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return errno;
    *child = fork();
    int error = errno;
    if (*child == 0) {
        give_back_signals(signals);
        become_cmd(cmd, variable, key, ends[1]);
    }
    kb_key_clear(key);
    close(ends[1]);
    if (*child > 0)
        error = read_error(ends[0]);
    close(ends[0]);
    return error;
}

/* Waits for CMD's end and passes on what it is sent meanwhile. What a terminal sends, CMD has got too. */
static int await_end(pid_t child, const struct signals *signals)
{
    int status = KB_EXIT_FAILED << 8;
    while (waitpid(child, &status, WNOHANG) == 0) {
        siginfo_t info;
        const int number = sigwaitinfo(&signals->taken, &info);
        const bool by_process = number > 0 && info.si_code <= 0;
        if (by_process && number != SIGCHLD)
            kill(child, number);
    }
    return status;
}

static int refuse_claim(const struct kb_ctl_options *told, int code, int wait_ms)
{
    char wait[KB_DURATION_MAX];
    if (code != KB_EEXHAUSTED)
        return kb_ctl_fail_code(told->name, code);
    if (wait_ms < 0)
        return kb_ctl_fail(KB_EXIT_NO_KEY, "no key available, and none is due to come back");
    kb_ctl_duration(wait, (uint64_t)wait_ms + 999);
    return kb_ctl_fail(KB_EXIT_NO_KEY, "no key available: look again in %s", wait);
}

static int refuse_start(char **cmd, pid_t child, int error)
{
    if (child < 0)
        return kb_ctl_fail(KB_EXIT_FAILED, "cannot start a process: %s", strerror(error));
    waitpid(child, NULL, 0);
    return kb_ctl_fail(error == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN, "cannot run %s: %s", cmd[0],
                       strerror(error));
}

static int claim_and_run(const struct kb_ctl_options *told, kb_client *client, const char *variable)
{
    kb_key key;
    struct signals signals;
    pid_t child = -1;
    int error = 0;
    /* As long as the secret is here: no core dump, no debugger. execve ends it for CMD. */
    const int dumpable = prctl(PR_GET_DUMPABLE);
    prctl(PR_SET_DUMPABLE, 0);
    const int code = kb_claim(client, told->words[0], told->timeout_ms, &key);
    if (code == 0) {
        take_signals(&signals);
        error = start(told->cmd, variable, &key, &signals, &child);
    }
    kb_key_clear(&key);
    prctl(PR_SET_DUMPABLE, dumpable);
    if (code)
        return refuse_claim(told, code, key.wait_ms);
    if (error) {
        kb_release(client, &key);
        return refuse_start(told->cmd, child, error);
    }
    const int status = await_end(child, &signals);
    const bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    kb_report(client, &key, well ? KB_OUTCOME_OK : KB_OUTCOME_TRANSIENT, -1, 0);
    return WIFSIGNALED(status) ? EXIT_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The variable CMD finds the key in; 0 or an exit code. */
static int find_variable(const struct kb_ctl_options *told, char out[KB_ENV_MAX + 1])
{
    struct kb_segment *segment;
    struct kb_ctl_pools pools;
    int code = kb_ctl_open(told, &segment);
    if (code)
        return code;
    code = kb_ctl_pools_select(segment->state, told->words[0], &pools);
    if (code == 0 && told->env)
        strcpy(out, told->env);
    else if (code == 0)
        kb_ctl_pool_env(segment->state, pools.at[0].number, out);
    kb_segment_close(segment);
    return code;
}

static int run(const struct kb_ctl_options *told)
{
    char variable[KB_ENV_MAX + 1];
    kb_client *client;
    int code = find_variable(told, variable);
    if (code)
        return code;
    code = kb_open(told->name, &client);
    if (code)
        return kb_ctl_fail_code(told->name, code);
    code = claim_and_run(told, client, variable);
    kb_close(client);
    return code;
}

const struct kb_command kb_command_exec = {
    .name = "exec",
    .synopsis = "POOL [OPTION...] -- CMD...",
    .summary = "runs CMD with a claimed key in its environment",
    .help = "Claims the next key of POOL and runs CMD with the key in its environment. An exit status of 0 is\n"
            "reported as a good call; any other says nothing about the key. SIGINT, SIGTERM, SIGHUP, SIGQUIT,\n"
            "SIGUSR1 and SIGUSR2 are passed on to CMD. Works without a living broker.\n"
            "\n"
            "  --env VAR     the variable for the key (default: the pool's own, as SUNO_API_KEY)\n"
            "  --timeout MS  how long to wait for a key, in milliseconds (default: 10000)\n"
            "\n"
            "Exit codes: CMD's own; 128 + signal if a signal ended it; 126 it cannot be run, 127 it is not\n"
            "there. Before that: 1 failed, 2 usage, 3 no broker, 4 no such pool, 5 no key available.\n",
    .least_words = 1,
    .most_words = 1,
    .takes = KB_TAKES_NAME | KB_TAKES_CMD | KB_TAKES_TIMEOUT,
    .run = run,
};
