/*
 * claim_bench: claim + report ok on 8 keys with a 64-byte secret copied out, for keybroker and for what
 * bounds it from below and above, over 1 to 16 processes. Interleaved rounds in random order, workers
 * pinned; every figure is the median of paired ratios to the two-line limit of the same round.
 *
 *     claim_bench [SECONDS_PER_SLICE [ROUNDS]]
 */
#include "parts/contender.h"
#include "tests/kit/kit.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS_MAX = 16, ROUNDS_MAX = 51, BATCH = 64 };

/* One slice's race, shared with its workers. */
struct race {
    _Atomic int ready;
    _Atomic int go; /* 1: run, 2: stop */
    struct {
        _Alignas(64) uint64_t operations;
    } worker[WORKERS_MAX];
};

static void pin(unsigned worker)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(worker % (unsigned)sysconf(_SC_NPROCESSORS_ONLN), &set);
    sched_setaffinity(0, sizeof set, &set);
}

static void work(struct race *race, const struct contender *contender, unsigned worker)
{
    uint64_t operations = 0;
    pin(worker);
    contender->enter();
    atomic_fetch_add(&race->ready, 1);
    while (atomic_load(&race->go) == 0)
        sched_yield();
    while (atomic_load_explicit(&race->go, memory_order_relaxed) == 1) {
        contender->batch(BATCH);
        operations += BATCH;
    }
    race->worker[worker].operations = operations;
    contender->leave();
    _exit(0);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void sleep_for(double seconds)
{
    const struct timespec t = {.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&t, NULL);
}

/* Operations a second of all workers together. */
static double slice(struct race *race, const struct contender *contender, unsigned workers, double seconds)
{
    uint64_t operations = 0;
    memset(race, 0, sizeof *race);
    for (unsigned i = 0; i < workers; i++)
        if (fork() == 0)
            work(race, contender, i);
    for (int tries = 0; atomic_load(&race->ready) < (int)workers && tries < 10000; tries++)
        sleep_for(0.0005);
    const double start = now();
    atomic_store(&race->go, 1);
    sleep_for(seconds);
    atomic_store(&race->go, 2);
    const double took = now() - start;
    while (wait(NULL) > 0)
        continue;
    for (unsigned i = 0; i < workers; i++)
        operations += race->worker[i].operations;
    return (double)operations / took;
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

static void row(const char *name, unsigned workers, double *speeds, double *ratios, unsigned rounds)
{
    qsort(speeds, rounds, sizeof *speeds, by_value);
    qsort(ratios, rounds, sizeof *ratios, by_value);
    printf("%-22s %9u %12.0f %10.3f   %.3f to %.3f\n", name, workers, speeds[rounds / 2], ratios[rounds / 2], ratios[0],
           ratios[rounds - 1]);
}

static void run(struct race *race, unsigned workers, double seconds, unsigned rounds)
{
    static double speed[CONTENDERS][ROUNDS_MAX], ratio[CONTENDERS][ROUNDS_MAX];
    unsigned order[CONTENDERS];
    for (unsigned i = 0; i < CONTENDERS; i++)
        order[i] = i;
    for (unsigned round = 0; round < rounds; round++) {
        shuffle(order, CONTENDERS);
        for (unsigned i = 0; i < CONTENDERS; i++)
            speed[order[i]][round] = slice(race, &contenders[order[i]], workers, seconds);
        for (unsigned i = 0; i < CONTENDERS; i++)
            ratio[i][round] = speed[i][round] / speed[TWO_LINE_LIMIT][round];
    }
    for (unsigned i = 0; i < CONTENDERS; i++)
        row(contenders[i].name, workers, speed[i], ratio[i], rounds);
}

int main(int argc, char **argv)
{
    static const unsigned workers[] = {1, 2, 8, 16};
    const double seconds = argc > 1 ? atof(argv[1]) : 0.1;
    const unsigned rounds = argc > 2 ? (unsigned)atoi(argv[2]) : 7;
    struct race *race = mmap(NULL, sizeof *race, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (race == MAP_FAILED || seconds <= 0 || seconds > 10 || rounds < 1 || rounds > ROUNDS_MAX)
        return 2;
    srand(1);
    contenders_start();
    printf("claim + report ok, %d keys, 64-byte secret; %ld cores, %u rounds of %.2f s\n", CONTENDER_KEYS,
           sysconf(_SC_NPROCESSORS_ONLN), rounds, seconds);
    printf("%-22s %9s %12s %10s   %s\n", "contender", "processes", "ops/s", "to limit", "spread");
    for (unsigned i = 0; i < sizeof workers / sizeof *workers; i++)
        run(race, workers[i], seconds, rounds);
    contenders_stop();
    return 0;
}
