#include "keypool/seat.h"

#include "keybroker/suno.h"
#include "keypool/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CLOSE_TRIES     200
#define KEYS_MAX        4096 /* of a pool */
#define CLOSE_STEP_NS   5000000L
#define CALL_TIMEOUT_MS 180000 /* the longest a call has of its own: images (keybroker/call.h) */

/* What a worker inherits and must not hold: the master's ends, so that its death shows in every
 * socket, and the output, so that its reader sees the end. */
static void drop_inherited(const struct kb_seat *seats, int count)
{
    for (int i = 0; i < count; i++)
        if (seats[i].fd >= 0)
            (void)close(seats[i].fd);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        _exit(1);
    (void)dup2(null, STDIN_FILENO);
    (void)dup2(null, STDOUT_FILENO);
    (void)close(null);
}

int kb_seat_start(struct kb_seat *seats, int index, const struct kb_settings *settings)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return errno;
    pid_t master = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(ends[0]);
        drop_inherited(seats, settings->workers);
        kb_worker_run(ends[1], master, settings);
    }
    int error = pid < 0 ? errno : 0;
    (void)close(ends[1]);
    if (error == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0)
        error = errno;
    seats[index] = (struct kb_seat){.pid = pid, .fd = ends[0]};
    if (error != 0)
        (void)kb_seat_bury(&seats[index]);
    return error;
}

static int reap(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

int kb_seat_bury(struct kb_seat *seat)
{
    int status = 0;
    (void)close(seat->fd);
    seat->fd = -1;
    kb_frame_clear(&seat->result);
    if (seat->pid > 0) {
        (void)kill(seat->pid, SIGKILL);
        status = reap(seat->pid);
    }
    seat->pid = 0;
    return status;
}

int64_t kb_seat_deadline(const struct kb_settings *settings, bool call, int64_t now_ms)
{
    kb_pool_status status;
    int64_t keys = kb_status(settings->client, settings->pool, &status) == 0 ? status.total : KEYS_MAX;
    int64_t requests_ms = keys * settings->timeout_ms;
    if (call)
        requests_ms = keys * (settings->call_timeout_ms > 0 ? settings->call_timeout_ms : CALL_TIMEOUT_MS);
    if (call && requests_ms < KB_SUNO_DEADLINE_MS)
        requests_ms = KB_SUNO_DEADLINE_MS;
    return now_ms + settings->wait_ms + requests_ms + KB_SEAT_SLACK_MS;
}

/* The number of workers still there. */
static int reap_ended(struct kb_seat *seats, int count)
{
    int left = 0;
    for (int i = 0; i < count; i++) {
        if (seats[i].pid > 0 && waitpid(seats[i].pid, NULL, WNOHANG) != 0)
            seats[i].pid = 0;
        left += seats[i].pid > 0;
    }
    return left;
}

void kb_seat_close_all(struct kb_seat *seats, int count)
{
    for (int i = 0; i < count; i++) {
        if (seats[i].fd >= 0)
            (void)close(seats[i].fd);
        seats[i].fd = -1;
        kb_frame_clear(&seats[i].job);
        kb_frame_clear(&seats[i].result);
    }
    for (int tries = 0; reap_ended(seats, count) > 0 && tries < CLOSE_TRIES; tries++)
        (void)nanosleep(&(struct timespec){.tv_nsec = CLOSE_STEP_NS}, NULL);
    for (int i = 0; i < count; i++) {
        if (seats[i].pid <= 0)
            continue;
        (void)kill(seats[i].pid, SIGKILL);
        (void)reap(seats[i].pid);
        seats[i].pid = 0;
    }
}
