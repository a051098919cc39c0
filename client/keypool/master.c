#include "keypool/master.h"

#include "keypool/clock.h"
#include "keypool/job.h"
#include "keypool/ledger.h"
#include "keypool/lines.h"
#include "keypool/seat.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define PENDING_MAX ((size_t)1 << 20) /* bytes of results unwritten before new work waits for them */
#define DEATHS_MAX  64                /* workers in a row that died before one answered */
#define GIVE_UP_MS  2000              /* for the output's reader, after the second signal */

enum { SIGNALS, INPUT, OUTPUT, SEATS }; /* places in the poll set */

struct master {
    const struct kb_settings *settings;
    struct kb_seat seats[KB_WORKERS_MAX];
    struct kb_lines lines;
    struct kb_ledger ledger;
    int signals;         /* signalfd */
    int signal;          /* the first one taken, 0: none */
    int64_t give_up_ms;  /* when to stop waiting for the output's reader, 0: never */
    const char *stopped; /* why no more jobs are begun, NULL: they are */
    int deaths;          /* of workers since the last result */
};

/* Takes the next job's line; lines that are too long to be one are answered on the way. */
static bool next_job(struct master *master, const char **line, size_t *len)
{
    enum kb_line found;
    while ((found = kb_lines_next(&master->lines, line, len)) != KB_LINE_NONE) {
        master->ledger.progress.read++;
        master->ledger.progress.bytes_taken = master->lines.taken;
        if (found == KB_LINE_WHOLE)
            return true;
        struct kb_result result = {.line = master->lines.number,
                                   .outcome = kb_outcome_name(KB_OUTCOME_CLIENT),
                                   .error = "the line is longer than 16 MiB"};
        kb_ledger_answer(&master->ledger, &result, "", 0);
    }
    return false;
}

/* No more jobs are begun; what was read is reported. */
static void stop(struct master *master, const char *why)
{
    const char *line;
    size_t len;
    if (master->stopped != NULL)
        return;
    master->stopped = why;
    while (next_job(master, &line, &len))
        kb_ledger_not_started(&master->ledger, master->lines.number, line, len, why);
}

static void stop_failed(struct master *master, const char *why)
{
    master->ledger.failed = true;
    stop(master, why);
}

static void replace(struct master *master, const struct kb_seat *seat)
{
    if (++master->deaths > DEATHS_MAX) {
        kb_ledger_complain(&master->ledger, "%d workers in a row have died: giving up", DEATHS_MAX);
        stop_failed(master, "workers die");
        return;
    }
    int error = kb_seat_start(master->seats, (int)(seat - master->seats), master->settings);
    if (error != 0) {
        kb_ledger_complain(&master->ledger, "cannot start a worker: %s", strerror(error));
        stop_failed(master, "no worker could be started");
    }
}

/* A worker has died: its job may have been carried out, so it is reported and not tried again. */
static void lose(struct master *master, struct kb_seat *seat)
{
    int pid = (int)seat->pid;
    int status = kb_seat_bury(seat);
    int cause = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (seat->busy) {
        struct kb_result result = {.line = seat->job.head.line,
                                   .outcome = kb_outcome_name(KB_OUTCOME_TRANSIENT),
                                   .ms = kb_clock_ms() - seat->begun_ms,
                                   .ambiguous = true,
                                   .error = "the worker died"};
        kb_ledger_answer(&master->ledger, &result, seat->job.payload, seat->job.head.size);
    }
    seat->busy = false;
    kb_frame_clear(&seat->job);
    if (master->stopped != NULL)
        return;
    kb_ledger_complain(&master->ledger, "worker %d died (signal %d) and is replaced", pid, cause);
    replace(master, seat);
}

static void send_job(struct master *master, struct kb_seat *seat)
{
    if (kb_frame_send(&seat->job, seat->fd) == KB_FRAME_BROKEN)
        lose(master, seat);
}

static bool is_idle(const struct kb_seat *seat)
{
    return seat->fd >= 0 && !seat->busy;
}

static bool has_idle(const struct master *master)
{
    for (int i = 0; i < master->settings->workers; i++)
        if (is_idle(&master->seats[i]))
            return true;
    return false;
}

static void hand_over(struct master *master)
{
    for (int i = 0; i < master->settings->workers; i++) {
        struct kb_seat *seat = &master->seats[i];
        const char *line;
        size_t len;
        if (!is_idle(seat) || master->stopped != NULL || kb_output_pending(&master->ledger.output) > PENDING_MAX)
            continue;
        if (!next_job(master, &line, &len))
            return;
        if (!kb_frame_fill(&seat->job, KB_FRAME_JOB, master->lines.number, line, len)) {
            kb_ledger_not_started(&master->ledger, master->lines.number, line, len, "memory is short");
            continue;
        }
        seat->busy = true;
        seat->begun_ms = kb_clock_ms();
        send_job(master, seat);
    }
}

static void take_result(struct master *master, struct kb_seat *seat)
{
    enum kb_frame_progress progress = kb_frame_receive(&seat->result, seat->fd);
    if (progress == KB_FRAME_BROKEN)
        lose(master, seat);
    if (progress != KB_FRAME_WHOLE)
        return;
    assert(seat->busy && seat->result.head.line == seat->job.head.line);
    kb_ledger_enter(&master->ledger, &seat->result);
    kb_frame_clear(&seat->job);
    kb_frame_clear(&seat->result);
    seat->busy = false;
    master->deaths = 0;
}

static void take_signal(struct master *master)
{
    struct signalfd_siginfo info;
    if (read(master->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return;
    if (master->signal == 0) {
        master->signal = (int)info.ssi_signo;
        kb_ledger_complain(&master->ledger, "ending: jobs in flight are finished first; a second signal kills them");
        stop(master, "interrupted before it was started");
        return;
    }
    /* Their sockets break, and so each job in flight is reported. */
    for (int i = 0; i < master->settings->workers; i++)
        if (master->seats[i].pid > 0)
            (void)kill(master->seats[i].pid, SIGKILL);
    master->give_up_ms = master->give_up_ms == 0 ? kb_clock_ms() + GIVE_UP_MS : kb_clock_ms();
}

static void take_input(struct master *master)
{
    int error = kb_lines_read(&master->lines);
    if (error == 0)
        return;
    kb_ledger_complain(&master->ledger, "cannot read the jobs: %s", strerror(error));
    stop_failed(master, "the input could not be read");
}

static void give_output(struct master *master, short events)
{
    if (events & POLLOUT)
        kb_output_write(&master->ledger.output);
    else if (events != 0)
        kb_output_fail(&master->ledger.output, EPIPE);
}

static int poll_timeout(const struct master *master)
{
    int64_t left = master->give_up_ms - kb_clock_ms();
    if (master->give_up_ms != 0)
        return left > 0 ? (int)left : 0;
    /* The wait ends with a result: a worker's time is bounded by its waits for keys and its requests' timeouts. */
    return master->ledger.progress.shown ? KB_PROGRESS_INTERVAL_MS : -1;
}

/* Waits for whatever comes next and deals with it. */
static void wait_and_serve(struct master *master)
{
    struct pollfd set[SEATS + KB_WORKERS_MAX];
    bool room = kb_output_pending(&master->ledger.output) <= PENDING_MAX;
    bool wanted = room && master->stopped == NULL && !master->lines.at_end && has_idle(master);
    short writing = kb_output_pending(&master->ledger.output) > 0 ? POLLOUT : 0;
    set[SIGNALS] = (struct pollfd){.fd = master->signals, .events = POLLIN};
    set[INPUT] = (struct pollfd){.fd = wanted ? master->lines.fd : -1, .events = POLLIN};
    set[OUTPUT] =
        (struct pollfd){.fd = master->ledger.output.error == 0 ? master->ledger.output.fd : -1, .events = writing};
    for (int i = 0; i < master->settings->workers; i++) {
        const struct kb_seat *seat = &master->seats[i];
        bool sending = seat->busy && seat->job.done < sizeof(seat->job.head) + seat->job.head.size;
        short events = (short)((room ? POLLIN : 0) | (sending ? POLLOUT : 0));
        set[SEATS + i] = (struct pollfd){.fd = events != 0 ? seat->fd : -1, .events = events};
    }
    nfds_t count = SEATS + (nfds_t)master->settings->workers;
    if (poll(set, count, poll_timeout(master)) <= 0)
        return;
    if (set[SIGNALS].revents != 0)
        take_signal(master);
    if (set[INPUT].revents != 0 && master->stopped == NULL)
        take_input(master);
    if (set[OUTPUT].revents != 0)
        give_output(master, set[OUTPUT].revents);
    for (int i = 0; i < master->settings->workers; i++) {
        struct kb_seat *seat = &master->seats[i];
        if (set[SEATS + i].revents & (POLLIN | POLLHUP | POLLERR))
            take_result(master, seat);
        else if (set[SEATS + i].revents & POLLOUT)
            send_job(master, seat);
    }
}

static bool is_finished(const struct master *master)
{
    if (master->give_up_ms != 0 && kb_clock_ms() >= master->give_up_ms)
        return true;
    for (int i = 0; i < master->settings->workers; i++)
        if (master->seats[i].busy)
            return false;
    bool all_read = master->lines.at_end && master->lines.begin == master->lines.end;
    return (master->stopped != NULL || all_read) && kb_output_pending(&master->ledger.output) == 0;
}

/* The signals are blocked from here on in, and left so for the workers to ignore before they unblock them. */
static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void run(struct master *master)
{
    for (;;) {
        hand_over(master);
        if (is_finished(master))
            return;
        kb_progress_draw(&master->ledger.progress, kb_clock_ms());
        wait_and_serve(master);
        if (master->ledger.output.error != 0)
            stop_failed(master, "the output could not be written");
    }
}

static int finish(struct master *master)
{
    struct kb_output *output = &master->ledger.output;
    for (int i = 0; i < master->settings->workers; i++)
        if (master->seats[i].busy) /* after giving up */
            lose(master, &master->seats[i]);
    if (kb_output_pending(output) > 0)
        kb_output_fail(output, ECANCELED);
    kb_progress_hide(&master->ledger.progress);
    kb_seat_close_all(master->seats, master->settings->workers);
    if (output->error != 0)
        kb_ledger_complain(&master->ledger, "standard output: %s; results not written: %" PRIu64,
                           strerror(output->error), output->lost);
    bool failed = master->ledger.failed || output->error != 0;
    kb_output_clear(output);
    kb_lines_clear(&master->lines);
    (void)close(master->signals);
    return master->signal != 0 ? 128 + master->signal : failed;
}

int kb_master_run(const struct kb_settings *settings)
{
    struct master master = {.settings = settings,
                            .lines = {.fd = STDIN_FILENO, .line_max = KB_JOB_LINE_MAX},
                            .ledger = {.output = {.fd = STDOUT_FILENO}},
                            .signals = open_signals()};
    kb_progress_begin(&master.ledger.progress, STDIN_FILENO, kb_clock_ms());
    for (int i = 0; i < KB_WORKERS_MAX; i++)
        master.seats[i].fd = -1;
    int error = master.signals < 0 ? errno : 0;
    for (int i = 0; i < settings->workers && error == 0; i++)
        error = kb_seat_start(master.seats, i, settings);
    if (error != 0) {
        kb_ledger_complain(&master.ledger, "cannot start the workers: %s", strerror(error));
        stop_failed(&master, "no worker could be started");
    }
    run(&master);
    return finish(&master);
}
