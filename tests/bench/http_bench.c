/*
 * http_bench: a request through kb_http_perform against bare libcurl, each in a process of its own with a connection to
 * the same server, kept alive. Interleaved batches in random order, askers on one core and their server on another;
 * every figure is the median of paired ratios of time per request to bare libcurl's of the same round.
 *
 *     http_bench [SECONDS_OF_EACH_PER_ROUND [ROUNDS]]
 */
#include "parts/asker.h"
#include "parts/responder.h"
#include "tests/kit/child.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS_MAX = 101, BATCH = 16, BATCHES_MAX = 20000 };

/* What an asker's process is told: a batch, or its end. */
enum { END, BEGIN };

/* An asker and the process it runs in. */
static struct seat {
    const struct asker *asker;
    pid_t pid;
    int fd; /* an order goes out, for a batch a double comes back */
} seats[ASKERS];

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void shuffle(unsigned *order, unsigned n)
{
    for (unsigned i = n; i > 1; i--) {
        const unsigned j = (unsigned)rand() % i, t = order[i - 1];
        order[i - 1] = order[j];
        order[j] = t;
    }
}

static void row(const char *name, double *times, double *ratios, unsigned rounds)
{
    qsort(times, rounds, sizeof *times, by_value);
    qsort(ratios, rounds, sizeof *ratios, by_value);
    printf("%-22s %10.2f %10.3f   %.3f to %.3f\n", name, times[rounds / 2] * 1e6, ratios[rounds / 2], ratios[0],
           ratios[rounds - 1]);
}

static void move(int fd, void *bytes, size_t len, bool out)
{
    if ((out ? write(fd, bytes, len) : read(fd, bytes, len)) != (ssize_t)len)
        exit(1);
}

/* Seconds per request. */
static double batch_of(const struct asker *asker)
{
    asker->ask(); /* this process has just come back to its core */
    const double start = now();
    for (unsigned i = 0; i < BATCH; i++)
        asker->ask();
    return (now() - start) / BATCH;
}

/* An asker's process: a batch for each order, until it is another one. */
static int serve(void *arg)
{
    const struct seat *seat = arg;
    char order;
    seat->asker->enter();
    while (read(seat->fd, &order, 1) == 1 && order == BEGIN) {
        double took = batch_of(seat->asker);
        move(seat->fd, &took, sizeof took, true);
    }
    seat->asker->leave();
    return 0;
}

static void seat_all(void)
{
    for (unsigned i = 0; i < ASKERS; i++) {
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
            exit(1);
        seats[i] = (struct seat){.asker = &askers[i], .fd = ends[1]};
        seats[i].pid = kit_fork(serve, &seats[i]);
        close(ends[1]);
        seats[i].fd = ends[0];
    }
}

static void dismiss_all(void)
{
    char order = END;
    for (unsigned i = 0; i < ASKERS; i++) {
        move(seats[i].fd, &order, 1, true);
        kit_wait(seats[i].pid);
        close(seats[i].fd);
    }
}

static double batch(unsigned asker)
{
    char order = BEGIN;
    double took;
    move(seats[asker].fd, &order, 1, true);
    move(seats[asker].fd, &took, sizeof took, false);
    return took;
}

/* Batches of all askers in turn, each turn in another order, for so long: the median batch of each. One that was held
 * up by something else on this machine counts as one, however long that took. */
static void round_of(double seconds, double median[ASKERS])
{
    static double took[ASKERS][BATCHES_MAX];
    unsigned order[ASKERS], turns = 0;
    const double start = now();
    for (unsigned i = 0; i < ASKERS; i++)
        order[i] = i;
    do {
        shuffle(order, ASKERS);
        for (unsigned i = 0; i < ASKERS; i++)
            took[order[i]][turns] = batch(order[i]);
        turns++;
    } while (turns < BATCHES_MAX && now() - start < ASKERS * seconds);
    for (unsigned i = 0; i < ASKERS; i++) {
        qsort(took[i], turns, sizeof took[i][0], by_value);
        median[i] = took[i][turns / 2];
    }
}

static void run(double seconds, unsigned rounds)
{
    static double times[ASKERS][ROUNDS_MAX], ratio[ASKERS][ROUNDS_MAX];
    double median[ASKERS];
    round_of(seconds, median); /* to warm up */
    for (unsigned round = 0; round < rounds; round++) {
        round_of(seconds, median);
        for (unsigned i = 0; i < ASKERS; i++) {
            times[i][round] = median[i];
            ratio[i][round] = median[i] / median[BARE_CURL];
        }
    }
    for (unsigned i = 0; i < ASKERS; i++)
        row(askers[i].name, times[i], ratio[i], rounds);
}

int main(int argc, char **argv)
{
    const double seconds = argc > 1 ? atof(argv[1]) : 0.2;
    const unsigned rounds = argc > 2 ? (unsigned)atoi(argv[2]) : 11;
    struct responder responder;
    cpu_set_t set;
    if (seconds <= 0 || seconds > 10 || rounds < 1 || rounds > ROUNDS_MAX)
        return 2;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    responder_start(&responder);
    askers_start(responder.port);
    sched_setaffinity(0, sizeof set, &set);
    seat_all();
    srand(1);
    printf("one GET on a kept connection to 127.0.0.1, answer in JSON; %u rounds of %.2f s each\n", rounds, seconds);
    printf("%-22s %10s %10s   %s\n", "asker", "us/request", "to bare", "spread");
    run(seconds, rounds);
    dismiss_all();
    askers_stop();
    responder_stop(&responder);
    return 0;
}
