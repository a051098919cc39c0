#include "keypool/master.h"

#include "keypool/clock.h"
#include "keypool/job.h"
#include "keypool/ledger.h"
#include "keypool/lines.h"
#include "keypool/seat.h"
#include "keypool/signals.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/param.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PENDING_MAX ((size_t)1 << 20)   /* bytes of results unwritten before new work waits for them */
#define DEATHS_MAX  64                  /* workers in a row that died before one answered */
#define DRAIN_MAX   ((uint64_t)1 << 20) /* bytes read of a pipe or terminal after a stop */
#define GIVE_UP_MS  2000                /* for the output's reader, after the second signal */

#define DIED         "the worker died"
#define OVERSLEPT_MS 1000 /* beyond poll's time: the master itself was stopped */

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
    uint64_t read_until; /* bytes of input that are read at most, once stopped */
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

/* No more jobs are begun. A file is read on to its end, of other input what is there: all of that is reported. */
static void stop(struct master *master, const char *why)
{
    struct stat stat;
    if (master->stopped != NULL)
        return;
    master->stopped = why;
    bool is_file = fstat(master->lines.fd, &stat) == 0 && S_ISREG(stat.st_mode);
    master->read_until = is_file ? UINT64_MAX : kb_lines_bytes(&master->lines) + DRAIN_MAX;
}

/* Reports what was read since the stop: at most one read's worth, a half line at the end of it all. */
static void refuse_jobs(struct master *master)
{
    const char *line;
    size_t len;
    while (next_job(master, &line, &len))
        kb_ledger_not_started(&master->ledger, master->lines.number, line, len, master->stopped);
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
static void lose(struct master *master, struct kb_seat *seat, const char *why)
{
    pid_t pid = seat->pid;
    int status = kb_seat_bury(seat);
    int cause = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (seat->busy)
        kb_ledger_lost(&master->ledger, &seat->job, pid, kb_clock_ms() - seat->begun_ms, why);
    seat->busy = false;
    kb_frame_clear(&seat->job);
    if (master->stopped != NULL)
        return;
    kb_ledger_complain(&master->ledger, "worker %d died (signal %d) and is replaced", (int)pid, cause);
    replace(master, seat);
}

static void send_job(struct master *master, struct kb_seat *seat)
{
    if (kb_frame_send(&seat->job, seat->fd) == KB_FRAME_BROKEN)
        lose(master, seat, DIED);
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
        seat->deadline_ms = kb_seat_deadline(master->settings, kb_job_maybe_call(line, len), seat->begun_ms);
        send_job(master, seat);
    }
}

static void take_result(struct master *master, struct kb_seat *seat)
{
    enum kb_frame_progress progress = kb_frame_receive(&seat->result, seat->fd);
    if (progress == KB_FRAME_BROKEN)
        lose(master, seat, DIED);
    seat->deadline_ms = MAX(seat->deadline_ms, kb_clock_ms() + KB_SEAT_SLACK_MS);
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
    int number = kb_signals_take(master->signals);
    if (number == 0)
        return;
    if (master->signal == 0) {
        master->signal = number;
        kb_ledger_complain(&master->ledger, "ending: jobs in flight are finished first; a second signal kills them");
        stop(master, "interrupted before it was started");
        return;
    }
    master->lines.at_end = true;
    /* Their sockets break, and so each job in flight is reported. */
    for (int i = 0; i < master->settings->workers; i++)
        if (master->seats[i].pid > 0)
            (void)kill(master->seats[i].pid, SIGKILL);
    master->give_up_ms = master->give_up_ms == 0 ? kb_clock_ms() + GIVE_UP_MS : kb_clock_ms();
}

static void take_input(struct master *master)
{
    int error = kb_lines_read(&master->lines);
    if (master->stopped != NULL && kb_lines_bytes(&master->lines) >= master->read_until)
        master->lines.at_end = true;
    if (error == 0)
        return;
    master->lines.at_end = true;
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
    int64_t until = master->give_up_ms != 0 ? master->give_up_ms : INT64_MAX;
    for (int i = 0; i < master->settings->workers; i++)
        if (master->seats[i].busy)
            until = MIN(until, master->seats[i].deadline_ms);
    int64_t longest = master->ledger.progress.shown ? KB_PROGRESS_INTERVAL_MS : INT_MAX;
    int64_t left = until - kb_clock_ms();
    return (int)MIN(MAX(left, 0), longest);
}

/* Kills workers that hang or were stopped. While results wait for the output's reader, workers may be waiting too. */
static void end_late(struct master *master, bool waiting, int64_t asleep_ms)
{
    int64_t now_ms = kb_clock_ms();
    for (int i = 0; i < master->settings->workers; i++) {
        struct kb_seat *seat = &master->seats[i];
        seat->deadline_ms += asleep_ms;
        if (seat->busy && waiting)
            seat->deadline_ms = MAX(seat->deadline_ms, now_ms + KB_SEAT_SLACK_MS);
        else if (seat->busy && now_ms >= seat->deadline_ms)
            lose(master, seat, "the worker hung and was killed");
    }
}

/* Waits for whatever comes next and deals with it. */
static void wait_and_serve(struct master *master)
{
    struct pollfd set[SEATS + KB_WORKERS_MAX];
    bool room = kb_output_pending(&master->ledger.output) <= PENDING_MAX;
    bool wanted = room && !master->lines.at_end && (master->stopped != NULL || has_idle(master));
    bool draining = wanted && master->stopped != NULL;
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
    int timeout_ms = draining ? 0 : poll_timeout(master);
    int64_t begun_ms = kb_clock_ms();
    if (poll(set, count, timeout_ms) < 0)
        return;
    /* Stopped by job control, as its workers were with it: that time is not theirs. */
    int64_t gone_ms = kb_clock_ms() - begun_ms;
    int64_t asleep_ms = gone_ms > (int64_t)timeout_ms + OVERSLEPT_MS ? gone_ms : 0;
    if (set[SIGNALS].revents != 0)
        take_signal(master);
    if (set[INPUT].revents != 0 && !master->lines.at_end)
        take_input(master);
    else if (draining)
        master->lines.at_end = true;
    if (set[OUTPUT].revents != 0)
        give_output(master, set[OUTPUT].revents);
    for (int i = 0; i < master->settings->workers; i++) {
        struct kb_seat *seat = &master->seats[i];
        if (set[SEATS + i].revents & (POLLIN | POLLHUP | POLLERR))
            take_result(master, seat);
        else if (set[SEATS + i].revents & POLLOUT)
            send_job(master, seat);
    }
    end_late(master, !room, asleep_ms);
}

static bool is_finished(const struct master *master)
{
    if (master->give_up_ms != 0 && kb_clock_ms() >= master->give_up_ms)
        return true;
    for (int i = 0; i < master->settings->workers; i++)
        if (master->seats[i].busy)
            return false;
    bool all_read = master->lines.at_end && master->lines.begin == master->lines.end;
    return all_read && kb_output_pending(&master->ledger.output) == 0;
}

static void run(struct master *master)
{
    for (;;) {
        hand_over(master);
        if (master->stopped != NULL)
            refuse_jobs(master);
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
            lose(master, &master->seats[i], DIED);
    if (master->stopped != NULL)
        kb_ledger_complain(&master->ledger, "lines read: %" PRIu64, master->lines.number);
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
                            .signals = kb_signals_open()};
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
