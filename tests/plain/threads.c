/*
 * One handle used by many threads, everything at once, while the keys are reloaded. A plain program, for
 * ThreadSanitizer and valgrind. With VALGRIND in the environment it does less.
 *
 * The handle is made to work in the broker's own mapping of the segments, so that a checker that goes by
 * addresses sees what the broker writes and what workers read as the same memory.
 */
#include "client.h"
#include "segment/count.h"
#include "segment/os.h"
#include "segment/slot.h"
#include "segment/sweep.h"
#include "tests/kit/kit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reloads begin with key 0, 1 or 2: the numbers 2 .. 9 are always there, each in its slot. */
enum { THREADS = 8, KEYS = 10, FIRSTS = 3, STEADY = FIRSTS - 1, NUMBERS = KEYS + FIRSTS };
enum { HOUR_MS = 3600 * 1000 };

static struct kit kit;
static kb_client *client;
static long rounds;
static _Atomic int finished;
static _Atomic uint64_t torn, refused; /* claims with no whole secret; results that no rule allows */

/* What this process was handed and reported, by the secret's number. */
static struct tally {
    _Atomic uint64_t claims, ok, failed, other;
} tallies[NUMBERS];
static _Atomic uint64_t executions;

static void expect(bool good)
{
    if (!good)
        atomic_fetch_add(&refused, 1);
}

/* Whose secret it is; NULL if it is not whole. */
static struct tally *tally_of(const kb_key *key)
{
    const int number = kit_secret_number(key->secret, key->secret_len);
    if (number >= 0 && number < NUMBERS)
        return &tallies[number];
    atomic_fetch_add(&torn, 1);
    return NULL;
}

static kb_outcome random_outcome(uint64_t *seed)
{
    const uint64_t pick = kit_random(seed) % 16;
    return pick < KB_OUTCOME_CLIENT ? (kb_outcome)(pick + 1) : KB_OUTCOME_OK;
}

static void note(struct tally *tally, kb_outcome outcome)
{
    const bool failure = outcome == KB_OUTCOME_AUTH || outcome == KB_OUTCOME_QUOTA || outcome == KB_OUTCOME_RATE;
    atomic_fetch_add(outcome == KB_OUTCOME_OK ? &tally->ok : failure ? &tally->failed : &tally->other, 1);
}

/* Reports or releases what was claimed. */
static void finish(const kb_key *key, uint64_t *seed)
{
    struct tally *tally = tally_of(key);
    if (!tally)
        return;
    atomic_fetch_add(&tally->claims, 1);
    if (kit_random(seed) % 16 == 0) {
        expect(kb_release(client, key) >= 0);
        return;
    }
    const kb_outcome outcome = random_outcome(seed);
    expect(kb_report(client, key, outcome, kit_random(seed) % 4 == 0 ? 50 : -1, 200 + (int)outcome) >= 0);
    note(tally, outcome);
}

static void claim(uint64_t *seed)
{
    kb_key key;
    const int code = kb_claim(client, "pool", 0, &key);
    expect(code == 0 || code == KB_EEXHAUSTED);
    if (code == 0)
        finish(&key, seed);
    kb_key_clear(&key);
}

static void claim_by_name(uint64_t *seed)
{
    char fingerprint[KB_FINGERPRINT_LEN + 1];
    kb_key key;
    kb_slot_fingerprint(&kit.state->slots[0][kit_random(seed) % KEYS], fingerprint);
    const int code = kb_claim_key(client, "pool", fingerprint, &key);
    expect(code == 0 || code == KB_EKEY);
    if (code == 0)
        finish(&key, seed);
    kb_key_clear(&key);
}

static kb_outcome call(const kb_key *key, void *arg, int *retry_after_ms, int *status)
{
    struct tally *tally = tally_of(key);
    const kb_outcome outcome = random_outcome(arg);
    if (tally) {
        atomic_fetch_add(&tally->claims, 1);
        note(tally, outcome);
    }
    *retry_after_ms = -1;
    *status = 500;
    return outcome;
}

static void execute(uint64_t *seed)
{
    const int code = kb_execute(client, "pool", 0, call, seed, NULL);
    expect(code == 0 || code == KB_EEXHAUSTED);
    atomic_fetch_add(&executions, 1);
}

static void look(void)
{
    kb_pool_status status;
    /* In a reload the new keys come before the old ones go. */
    expect(kb_status(client, "pool", &status) == 0 && status.total <= NUMBERS &&
           status.available + status.failed == status.total);
}

/* An operator's reset of one key. */
static void reset(uint64_t *seed)
{
    const unsigned key = (unsigned)(kit_random(seed) % KEYS);
    const uint64_t word = kit_word(&kit, key);
    if (kb_word_state(word) != KB_EMPTY)
        kb_slot_change(kit.state, 0, key, word, kb_word_fresh(word, KB_AVAILABLE));
}

static void *work(void *arg)
{
    uint64_t seed = (uint64_t)(uintptr_t)arg;
    for (long round = 0; round < rounds; round++) {
        switch (kit_random(&seed) % 16) {
        case 0:
            claim_by_name(&seed);
            break;
        case 1:
            execute(&seed);
            break;
        case 2:
            look();
            break;
        case 3:
            reset(&seed);
            break;
        case 4: /* as seen in two hours: cooldowns end, trials are taken away */
            kb_sweep(kit.state, 0, kb_os_now() + (kit_random(&seed) % 2) * 2 * HOUR_MS);
            break;
        default:
            claim(&seed);
        }
    }
    atomic_fetch_add(&finished, 1);
    return NULL;
}

static void *reload(void *arg)
{
    unsigned first = 0;
    (void)arg;
    while (atomic_load(&finished) < THREADS) {
        expect(kit_reload(&kit, ++first % FIRSTS, KEYS) == 0);
        kb_os_sleep(1);
    }
    return NULL;
}

static void run(void)
{
    pthread_t thread[THREADS], reloader;
    bool started = pthread_create(&reloader, NULL, reload, NULL) == 0;
    for (uintptr_t i = 0; i < THREADS; i++)
        started &= pthread_create(&thread[i], NULL, work, (void *)(i + 1)) == 0;
    if (!started) {
        fputs("threads: cannot start a thread\n", stderr);
        exit(1);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    pthread_join(reloader, NULL);
}

static int passed, failed;

static void check(bool good, const char *what)
{
    *(good ? &passed : &failed) += 1;
    printf("%s threads: %s\n", good ? "ok" : "not ok", what);
}

/* The keys that were there all the time were counted exactly; kb_execute also claims keys that it gives back. */
static bool counts_add_up(void)
{
    for (unsigned key = STEADY; key < KEYS; key++) {
        const struct kb_counts counts = kb_counts_of(kit.state, 0, key);
        const struct tally *mine = &tallies[key];
        if (counts.ok != mine->ok || counts.failed != mine->failed || counts.other != mine->other ||
            counts.claims < mine->claims || counts.claims > mine->claims + executions * KEYS)
            return false;
    }
    return true;
}

static uint64_t least_claimed(void)
{
    uint64_t least = UINT64_MAX;
    for (unsigned key = STEADY; key < KEYS; key++)
        least = tallies[key].claims < least ? tallies[key].claims : least;
    return least;
}

int main(void)
{
    rounds = getenv("VALGRIND") ? 5000 : 200000;
    kit_start(&kit, KEYS);
    if (kb_open(kit.name, &client) != 0) {
        fputs("threads: cannot open the segment\n", stderr);
        return 1;
    }
    struct kb_segment *segment = atomic_load(&client->segment);
    const struct kb_segment own = *segment;
    segment->state = kit.owner.segment.state;
    segment->secrets = kit.owner.segment.secrets;
    run();
    check(torn == 0, "every secret handed out was whole");
    check(refused == 0, "no call returned what it must not");
    check(counts_add_up(), "every report was counted, and every claim");
    check(least_claimed() > (uint64_t)rounds / 100, "all keys were used");
    const char *wrong = kit_check(kit.state);
    check(wrong == NULL, wrong ? wrong : "words, bits and trials agree at the end");
    segment->state = own.state;
    segment->secrets = own.secrets;
    kb_close(client);
    kit_stop(&kit);
    printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
