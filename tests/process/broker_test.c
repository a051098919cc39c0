/*
 * The real broker, killed, ended, replaced and reloaded under eight workers that never stop claiming.
 */
#include "segment/identity.h"
#include "segment/os.h"
#include "segment/slot.h"
#include "tests/kit/child.h"
#include "tests/kit/crew.h"
#include "tests/kit/kit.h"
#include "tests/kit/program.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <unistd.h>

enum { KEYS = 7, WORKERS = 8, SOME = 200 };

static struct program program;
static struct crew *crew;

static void start(void)
{
    if (!program_there())
        cr_skip_test("keybrokerd is not built here");
    program_make(&program, (1u << KEYS) - 1);
    cr_assert(program_start(&program, false));
    crew = crew_make(program.name, "suno");
}

static void stop(void)
{
    program_clean(&program);
}

static void sleep_moment(uint64_t *seed, uint64_t most_us)
{
    const struct timespec moment = {.tv_nsec = (long)(kit_random(seed) % most_us) * 1000};
    nanosleep(&moment, NULL);
}

/* The broker's state, seen as the kit's. */
static struct kit view_of(const struct kb_segment *segment)
{
    cr_assert_not_null(segment);
    return (struct kit){.state = segment->state};
}

static void fail_first_key(void)
{
    char fingerprint[KB_FINGERPRINT_LEN + 1];
    struct kb_segment *segment = program_map(&program);
    kb_client *client;
    kb_key key;
    cr_assert_not_null(segment);
    kb_slot_fingerprint(&segment->state->slots[0][0], fingerprint);
    cr_assert_eq(kb_open(program.name, &client), 0);
    cr_assert_eq(kb_claim_key(client, "suno", fingerprint, &key), 0);
    cr_assert_eq(kb_report(client, &key, KB_OUTCOME_AUTH, -1, 401), 0);
    kb_close(client);
    program_unmap(segment);
}

/* The crew's whole work was good, and keys first .. last had the same share of it. */
static void check_crew(unsigned first, unsigned last)
{
    cr_expect(crew_end(crew));
    cr_expect_eq(crew_failures(crew), 0, "%llu claims failed", (unsigned long long)crew_failures(crew));
    cr_expect_eq(crew_wrong(crew), 0);
    cr_expect_leq(crew_spread(crew, first, last), 1);
}

Test(broker, killed_and_restarted_twenty_times_fails_no_claim_and_forgets_nothing, .init = start, .fini = stop,
     .timeout = 90)
{
    uint64_t seed = 2;
    struct kb_segment *segment = program_map(&program);
    struct kit view = view_of(segment);
    crew_hire(crew, WORKERS);
    cr_assert(crew_progress(crew, SOME));
    fail_first_key();
    const uint64_t failed = kit_word(&view, 0);
    cr_assert_eq(kb_word_state(failed), KB_FAILED);
    for (int restart = 0; restart < 20; restart++) {
        kit_kill(program.pid, true);
        cr_assert(crew_progress(crew, SOME), "workers go on without a broker");
        if (restart % 4 == 0) { /* killed somewhere on its way */
            program_launch(&program, false);
            sleep_moment(&seed, 8000);
            kit_kill(program.pid, true);
        }
        cr_assert(program_start(&program, false));
        cr_assert(crew_progress(crew, SOME));
    }
    check_crew(1, KEYS - 1);
    cr_expect_eq(kit_word(&view, 0), failed);
    cr_expect_null(kit_check(segment->state));
    program_unmap(segment);
}

Test(broker, ended_in_order_and_back_lets_workers_wait_or_know, .init = start, .fini = stop, .timeout = 90)
{
    struct crew *patient = crew_make(program.name, "suno");
    patient->timeout_ms = KIT_LIMIT_MS;
    crew_hire(crew, WORKERS / 2);
    crew_hire(patient, WORKERS / 2);
    for (int round = 0; round < 5; round++) {
        cr_assert(crew_progress(crew, SOME));
        cr_assert(crew_progress(patient, SOME));
        const uint64_t told = crew_code(crew, KB_ENOBROKER);
        kill(program.pid, SIGTERM);
        cr_assert_eq(kit_wait(program.pid), 0);
        program.pid = 0;
        cr_assert_null(program_map(&program), "the segment is gone");
        const uint64_t until = kb_os_now() + KIT_LIMIT_MS;
        while (crew_code(crew, KB_ENOBROKER) == told && kb_os_now() < until)
            kb_os_sleep(1);
        cr_assert_gt(crew_code(crew, KB_ENOBROKER), told);
        cr_assert(program_start(&program, false));
    }
    cr_assert(crew_progress(crew, SOME));
    cr_assert(crew_progress(patient, SOME));
    cr_expect(crew_end(crew));
    cr_expect(crew_end(patient));
    cr_expect_eq(crew_failures(crew), crew_code(crew, KB_ENOBROKER), "no other error");
    cr_expect_eq(crew_failures(patient), 0, "who may wait is never told");
    cr_expect_eq(crew_wrong(crew) + crew_wrong(patient), 0);
}

/* Waits until the broker that was replaced is gone; killed only where it stood inside the guard. */
static void await_end(pid_t old, bool may_be_killed)
{
    const int status = kit_wait(old);
    cr_expect(status == 0 || (may_be_killed && status == 100 + SIGKILL), "it ended with %d", status);
}

static void check_in_charge(const struct kb_segment *segment)
{
    const struct kb_header *header = &segment->state->header;
    cr_expect_eq(kb_identity_pid(atomic_load(&header->broker)), program.pid);
    cr_expect_eq(atomic_load(&header->ended), 0);
    struct kb_segment *now = program_map(&program);
    cr_assert_not_null(now, "the name still stands for the segment");
    cr_expect_eq(now->instance, segment->instance);
    program_unmap(now);
}

Test(broker, replaced_while_it_runs_fails_no_claim, .init = start, .fini = stop, .timeout = 90)
{
    struct kb_segment *segment = program_map(&program);
    cr_assert_not_null(segment);
    crew_hire(crew, WORKERS);
    for (int round = 0; round < 8; round++) {
        const pid_t old = program.pid;
        cr_assert(crew_progress(crew, SOME));
        cr_assert(program_start(&program, true));
        await_end(old, false);
        check_in_charge(segment);
    }
    cr_assert(crew_progress(crew, SOME));
    check_crew(0, KEYS - 1);
    cr_expect_null(kit_check(segment->state));
    program_unmap(segment);
}

/* Stopped at rest, or in the middle of a reload. */
Test(broker, replaced_while_it_is_stopped_and_continued_later_harms_nothing, .init = start, .fini = stop, .timeout = 90)
{
    uint64_t seed = 3;
    struct kb_segment *segment = program_map(&program);
    cr_assert_not_null(segment);
    crew_hire(crew, WORKERS);
    for (int round = 0; round < 12; round++) {
        const pid_t old = program.pid;
        cr_assert(crew_progress(crew, SOME));
        if (round % 2) {
            kill(old, SIGHUP);
            sleep_moment(&seed, 1000);
        }
        kit_freeze(old);
        cr_assert(crew_progress(crew, SOME), "workers go on beside a stopped broker");
        cr_assert(program_start(&program, true));
        cr_assert(crew_progress(crew, SOME));
        kill(old, SIGCONT);
        await_end(old, true);
        check_in_charge(segment);
    }
    cr_assert(crew_progress(crew, SOME));
    check_crew(0, KEYS - 1);
    cr_expect_null(kit_check(segment->state));
    program_unmap(segment);
}

/*
 * Reloads. `allowed` is {version:32, keys:32}: the old and the new keys from before the broker is told
 * until the generation has gone up, then the new ones. A worker reads it before and after its claim; what
 * it got must be one of those allowed in between.
 */
static _Atomic uint64_t *allowed;

static void before_claim(void *arg, uint64_t words[64])
{
    (void)arg;
    words[0] = atomic_load(allowed);
}

static bool is_allowed(void *arg, const uint64_t words[64], int number, const kb_key *key)
{
    const uint64_t then = words[0], now = atomic_load(allowed);
    (void)arg, (void)key;
    return (now >> 32) - (then >> 32) > 1 || ((then | now) >> number & 1 && number < 32);
}

static void allow(uint32_t keys)
{
    atomic_store(allowed, ((atomic_load(allowed) >> 32) + 1) << 32 | keys);
}

static bool await_generation(const struct kb_segment *segment, uint64_t generation)
{
    const uint64_t until = kb_os_now() + KIT_LIMIT_MS;
    while (atomic_load(&segment->state->header.generation) < generation) {
        if (kb_os_now() >= until)
            return false;
        kb_os_sleep(1);
    }
    return true;
}

Test(broker, reloads_hand_out_whole_secrets_of_the_keys_there_are, .init = start, .fini = stop, .timeout = 90)
{
    uint64_t seed = 4;
    uint32_t keys = (1u << KEYS) - 1;
    struct kb_segment *segment = program_map(&program);
    struct kit view = view_of(segment);
    allowed = kit_shared(sizeof *allowed);
    allow(keys);
    crew->before = before_claim;
    crew->look = is_allowed;
    crew->timeout_ms = KIT_LIMIT_MS; /* all keys may change at once: for a moment there is none */
    crew_hire(crew, WORKERS);
    for (unsigned round = 0; round < 60; round++) {
        const uint32_t next = (uint32_t)(kit_random(&seed) & kit_random(&seed)) | 1u << (round % 32);
        const uint64_t generation = atomic_load(&segment->state->header.generation);
        program_keys(&program, next, round);
        allow(keys | next);
        kill(program.pid, SIGHUP);
        cr_assert(await_generation(segment, generation + 1));
        allow(next);
        keys = next;
        cr_assert(crew_progress(crew, 20));
        unsigned held = 0;
        for (unsigned key = 0; key < 32; key++)
            held += kit_state(&view, key) == KB_AVAILABLE;
        cr_assert_eq(held, (unsigned)__builtin_popcount(keys));
    }
    cr_expect(crew_end(crew));
    cr_expect_eq(crew_failures(crew), 0);
    cr_expect_eq(crew_wrong(crew), 0, "%llu claims of keys that were not there", (unsigned long long)crew_wrong(crew));
    cr_expect_null(kit_check(segment->state));
    program_unmap(segment);
}

static int take_trial(void *arg)
{
    kb_client *client;
    kb_key key = {.index = 1};
    if (kb_open(program.name, &client) != 0)
        return 1;
    for (int turn = 0; turn < KEYS && key.index != 0; turn++)
        if (kb_claim(client, "suno", 0, &key) != 0)
            return 2;
    return key.index == 0 ? kit_stand_by(arg) : 3;
}

static bool await_offer(struct kit *view, pid_t worker)
{
    const uint64_t until = kb_os_now() + KIT_LIMIT_MS;
    while (kb_os_now() < until) {
        bool named = false;
        for (unsigned slot = 0; slot < KB_WORKERS; slot++)
            named |= kb_identity_pid(atomic_load(&view->state->workers[slot].identity)) == worker;
        if (!named && kb_word_claimable(kit_word(view, 0)))
            return true;
        kb_os_sleep(1);
    }
    return false;
}

Test(broker, frees_a_killed_workers_trial_and_slot_without_any_claim, .init = start, .fini = stop, .timeout = 90)
{
    struct kb_segment *segment = program_map(&program);
    struct kit view = view_of(segment);
    _Atomic int *ready = kit_shared(sizeof *ready);
    kit_put(&view, 0, KB_FAILED);
    for (int round = 0; round < 8; round++) {
        if (round == 0)
            kit_age(&view, 0);
        atomic_store(ready, 0);
        const pid_t worker = kit_fork(take_trial, ready);
        cr_assert(kit_await(ready, 1), "round %d", round);
        cr_assert_eq(kit_state(&view, 0), KB_PROBATION);
        cr_assert_not(kb_word_claimable(kit_word(&view, 0)));
        kit_kill(worker, round % 2);
        cr_assert(await_offer(&view, worker), "round %d", round);
        if (round % 2 == 0)
            kit_kill(worker, true);
    }
    cr_expect_null(kit_check(segment->state));
    program_unmap(segment);
}
