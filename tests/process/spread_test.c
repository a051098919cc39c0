/*
 * The rotation is one for all processes: claims of keys that stay claimable differ by at most one, and
 * by one more for each process killed inside a claim.
 */
#include "segment/count.h"
#include "segment/os.h"
#include "segment/slot.h"
#include "segment/sweep.h"
#include "segment/worker.h"
#include "tests/kit/child.h"
#include "tests/kit/crew.h"
#include "tests/kit/kit.h"

#include <criterion/criterion.h>

enum { KEYS = 7, WORKERS = 8, MILLION = 1000000 };

static struct kit kit;

static void stop(void)
{
    kit_stop(&kit);
}

Test(spread, a_million_claims_of_eight_processes, .fini = stop, .timeout = 90)
{
    kb_client *client;
    uint64_t sum = 0;
    kit_start(&kit, KEYS);
    cr_assert_eq(kb_open(kit.name, &client), 0);
    struct crew *crew = crew_make(kit.name, "pool");
    crew->limit = MILLION / WORKERS + 1;
    crew->share = client;
    crew_hire(crew, WORKERS);
    cr_assert(crew_end(crew));
    cr_assert_eq(crew_failures(crew), 0);
    cr_assert_eq(crew_wrong(crew), 0);
    for (unsigned key = 0; key < KEYS; key++) {
        const struct kb_counts counts = kb_counts_of(kit.state, 0, key);
        cr_expect_eq(counts.claims, crew_claims(crew, key), "key %u", key);
        cr_expect_eq(counts.ok, crew_claims(crew, key), "key %u", key);
        sum += crew_claims(crew, key);
    }
    cr_expect_geq(sum, MILLION);
    cr_expect_eq(sum, WORKERS * crew->limit);
    cr_expect_leq(crew_spread(crew, 0, KEYS - 1), 1);
    cr_expect_null(kit_check(kit.state));
    kb_close(client);
    crew_free(crew);
}

Test(spread, within_one_and_k_after_k_kills, .fini = stop, .timeout = 90)
{
    enum { KILLS = 60 };
    uint64_t seed = 1;
    kit_start(&kit, KEYS);
    struct crew *crew = crew_make(kit.name, "pool");
    crew_hire(crew, WORKERS);
    cr_assert(crew_progress(crew, 100));
    for (unsigned killed = 0; killed < KILLS; killed++) {
        const struct timespec moment = {.tv_nsec = (long)(kit_random(&seed) % 2000000)};
        nanosleep(&moment, NULL);
        crew_kill(crew, killed); /* the longest in service */
        crew_hire(crew, 1);
    }
    cr_assert(crew_progress(crew, 100), "those who live go on");
    cr_assert(crew_end(crew));
    cr_expect_eq(crew_failures(crew), 0);
    cr_expect_eq(crew_wrong(crew), 0);
    cr_expect_leq(crew_spread(crew, 0, KEYS - 1), 1 + KILLS);
    uint64_t turns = atomic_load(&kit.state->pools[0].rotation.cursor) >> 16, claims = crew_code(crew, 0);
    cr_expect_leq(claims, turns);
    cr_expect_leq(turns - claims, KILLS, "%llu turns led to no claim", (unsigned long long)(turns - claims));
    cr_expect_null(kit_check(kit.state));
    crew_free(crew);
}

/*
 * Keys fail and return under load. The first keys are failed one after another; phase[key] is odd from
 * after the failing kb_report has returned until before anything brings the key back. A worker reads it
 * before and after its claim: if both are the same odd number, the key was out during the whole claim.
 */
enum { FICKLE = 3, ROUNDS = 240 };

static _Atomic uint64_t *phase;

static void before_claim(void *arg, uint64_t words[64])
{
    (void)arg;
    for (unsigned key = 0; key < FICKLE; key++)
        words[key] = atomic_load(&phase[key]);
}

static bool not_out(void *arg, const uint64_t words[64], int number, const kb_key *key)
{
    (void)arg, (void)key;
    return number >= FICKLE || words[number] % 2 == 0 || atomic_load(&phase[number]) != words[number];
}

static bool await_available(unsigned key)
{
    const uint64_t until = kb_os_now() + KIT_LIMIT_MS;
    while (kit_state(&kit, key) != KB_AVAILABLE) {
        if (kb_os_now() >= until)
            return false;
        kb_os_sleep(1);
    }
    return true;
}

static void fail(kb_client *client, unsigned key)
{
    char fingerprint[KB_FINGERPRINT_LEN + 1];
    kb_key claimed;
    kb_slot_fingerprint(&kit.state->slots[0][key], fingerprint);
    cr_assert_eq(kb_claim_key(client, "pool", fingerprint, &claimed), 0);
    cr_assert_eq(kb_report(client, &claimed, KB_OUTCOME_AUTH, -1, 401), 0);
    atomic_fetch_add(&phase[key], 1);
}

/* By an operator, or after its cooldown, on trial. */
static void bring_back(unsigned key, bool reset)
{
    atomic_fetch_add(&phase[key], 1);
    if (reset) {
        const uint64_t word = kit_word(&kit, key);
        cr_assert(kb_slot_change(kit.state, 0, key, word, kb_word_fresh(word, KB_AVAILABLE)));
    } else {
        kit_age(&kit, key);
    }
    cr_assert(await_available(key), "key %u does not come back", key);
}

Test(spread, holds_and_failed_keys_are_passed_over_while_keys_fail_and_return, .fini = stop, .timeout = 90)
{
    kb_client *client;
    phase = kit_shared(FICKLE * sizeof *phase);
    kit_start(&kit, KEYS);
    cr_assert_eq(kb_open(kit.name, &client), 0);
    struct crew *crew = crew_make(kit.name, "pool");
    crew->before = before_claim;
    crew->look = not_out;
    crew_hire(crew, WORKERS);
    cr_assert(crew_progress(crew, 100));
    for (unsigned round = 0; round < ROUNDS; round++) {
        fail(client, round % FICKLE);
        if (round % 4 == 0)
            cr_assert(crew_progress(crew, 20));
        bring_back(round % FICKLE, round % 2);
    }
    while (crew_code(crew, 0) < MILLION)
        cr_assert(crew_progress(crew, 1000));
    cr_assert(crew_end(crew));
    cr_expect_eq(crew_failures(crew), 0);
    cr_expect_eq(crew_wrong(crew), 0, "%llu claims of a key that was out", (unsigned long long)crew_wrong(crew));
    cr_expect_leq(crew_spread(crew, FICKLE, KEYS - 1), 1);
    for (unsigned key = 0; key < FICKLE; key++)
        cr_expect_eq(kb_counts_of(kit.state, 0, key).failed, ROUNDS / FICKLE, "key %u", key);
    cr_expect_null(kit_check(kit.state));
    kb_close(client);
    crew_free(crew);
}
