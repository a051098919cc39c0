#include "segment/word.h"

#include "tests/kit/kit.h"

#include <criterion/criterion.h>
#include <string.h>

enum { ROUNDS = 100000 };

static uint64_t seed = 1;

static struct kb_word random_parts(void)
{
    const uint64_t a = kit_random(&seed), b = kit_random(&seed);
    return (struct kb_word){
        .state = (unsigned)a & 7,
        .reason = (unsigned)(a >> 3) & 3,
        .strikes = (unsigned)(a >> 5) & 15,
        .named = (unsigned)(a >> 9) & 1,
        .until = b & KB_UNTIL_MAX,
        .epoch = (uint32_t)(a >> 32) & KB_EPOCH_MAX,
    };
}

static bool same(struct kb_word a, struct kb_word b)
{
    return a.state == b.state && a.reason == b.reason && a.strikes == b.strikes && a.named == b.named &&
           a.until == b.until && a.epoch == b.epoch;
}

Test(word, parts_survive_packing)
{
    for (int i = 0; i < ROUNDS; i++) {
        const struct kb_word w = random_parts();
        cr_assert(same(kb_word_unpack(kb_word_pack(w)), w));
    }
}

Test(word, every_word_is_its_parts_and_nothing_else)
{
    static const uint64_t extremes[] = {0, 1, ~UINT64_C(0), UINT64_C(1) << 63, ~UINT64_C(0) >> 1};
    for (size_t i = 0; i < sizeof extremes / sizeof *extremes; i++)
        cr_assert_eq(kb_word_pack(kb_word_unpack(extremes[i])), extremes[i]);
    for (int i = 0; i < ROUNDS; i++) {
        const uint64_t word = kit_random(&seed);
        cr_assert_eq(kb_word_pack(kb_word_unpack(word)), word);
    }
}

Test(word, a_part_that_is_too_large_stays_out_of_its_neighbours)
{
    const struct kb_word too_large[] = {
        {.state = ~0u}, {.reason = ~0u}, {.strikes = ~0u}, {.named = ~0u}, {.until = ~UINT64_C(0)}, {.epoch = ~0u},
    };
    uint64_t all = 0;
    for (size_t i = 0; i < sizeof too_large / sizeof *too_large; i++) {
        const uint64_t word = kb_word_pack(too_large[i]);
        cr_assert_eq(all & word, 0, "part %zu overlaps an earlier one", i);
        all |= word;
    }
    cr_assert_eq(all, ~UINT64_C(0), "the parts do not fill the word");
}

Test(word, only_an_available_key_and_one_whose_trial_is_offered_are_claimable)
{
    for (unsigned state = 0; state < 8; state++)
        for (int i = 0; i < 1000; i++) {
            struct kb_word w = random_parts();
            w.state = state;
            w.until = i % 2 ? 0 : w.until | 1;
            const bool expected = state == KB_AVAILABLE || (state == KB_PROBATION && w.until == 0);
            cr_assert_eq(kb_word_claimable(kb_word_pack(w)), expected, "state %u, until %llu", state,
                         (unsigned long long)w.until);
        }
}

Test(word, entering_a_state_raises_the_epoch_and_ends_the_time_of_the_old_one)
{
    for (int i = 0; i < ROUNDS; i++) {
        const struct kb_word before = random_parts();
        const struct kb_word after = kb_word_enter(before, KB_COOLING);
        cr_assert_eq(after.state, KB_COOLING);
        cr_assert_eq(after.epoch, (before.epoch + 1) % (KB_EPOCH_MAX + 1));
        cr_assert_eq(after.until, 0);
        cr_assert_eq(after.named, 0);
        cr_assert_eq(after.strikes, before.strikes);
        cr_assert_eq(after.reason, before.reason);
    }
}

Test(word, the_epoch_wraps_to_0_and_touches_nothing_else)
{
    struct kb_word w = {.state = KB_AVAILABLE, .strikes = 15, .epoch = KB_EPOCH_MAX};
    w = kb_word_unpack(kb_word_pack(kb_word_enter(w, KB_FAILED)));
    cr_assert(same(w, (struct kb_word){.state = KB_FAILED, .strikes = 15, .epoch = 0}));
    cr_assert_eq(kb_word_fresh(~UINT64_C(0), KB_AVAILABLE), KB_AVAILABLE);
}

Test(word, a_fresh_word_keeps_only_the_epoch_and_raises_it)
{
    for (int i = 0; i < ROUNDS; i++) {
        const struct kb_word before = random_parts();
        const struct kb_word after = kb_word_unpack(kb_word_fresh(kb_word_pack(before), KB_AVAILABLE));
        cr_assert(same(after, (struct kb_word){.state = KB_AVAILABLE, .epoch = (before.epoch + 1) & KB_EPOCH_MAX}));
    }
}

static uint64_t cooling_until(uint64_t ms)
{
    return kb_word_pack((struct kb_word){.state = KB_COOLING, .until = kb_word_until(ms)});
}

Test(word, a_cooldown_is_rounded_up_and_by_less_than_a_tick)
{
    const uint64_t longest = UINT64_C(4) * 365 * 24 * 3600 * 1000; /* what the layout promises */
    for (uint64_t ms = 0; ms < 1000; ms++)
        cr_assert(kb_word_until_ms(cooling_until(ms)) >= ms && kb_word_until_ms(cooling_until(ms)) < ms + KB_TICK_MS);
    for (int i = 0; i < ROUNDS; i++) {
        const uint64_t ms = kit_random(&seed) % longest, until = kb_word_until_ms(cooling_until(ms));
        cr_assert(until >= ms && until < ms + KB_TICK_MS, "%llu became %llu", (unsigned long long)ms,
                  (unsigned long long)until);
    }
}

Test(word, a_time_beyond_what_fits_is_the_last_that_fits)
{
    cr_assert_eq(kb_word_until(KB_UNTIL_MAX * KB_TICK_MS + 1), KB_UNTIL_MAX);
    cr_assert_eq(kb_word_until(UINT64_C(1) << 62), KB_UNTIL_MAX);
}

static uint64_t on_trial(unsigned owner, uint64_t taken_ms)
{
    return kb_word_pack((struct kb_word){.state = KB_PROBATION,
                                         .reason = KB_REASON_AUTH,
                                         .strikes = 9,
                                         .until = kb_word_trial(owner, taken_ms),
                                         .epoch = KB_EPOCH_MAX});
}

Test(word, a_trial_names_its_owner_from_the_first_slot_to_the_last)
{
    const unsigned owners[] = {0, 1, 511, 512, 1022, 1023};
    for (size_t i = 0; i < sizeof owners / sizeof *owners; i++)
        for (uint64_t ms = 0; ms < UINT64_C(1) << 40; ms = ms * 3 + 1) {
            const uint64_t word = on_trial(owners[i], ms);
            const struct kb_word w = kb_word_unpack(word);
            cr_assert_eq(kb_word_trial_owner(word), (int)owners[i]);
            cr_assert_not(kb_word_claimable(word));
            cr_assert(w.state == KB_PROBATION && w.reason == KB_REASON_AUTH && w.strikes == 9 && w.named == 0 &&
                      w.epoch == KB_EPOCH_MAX);
        }
    cr_assert_eq(kb_word_trial_owner(kb_word_pack((struct kb_word){.state = KB_PROBATION})), -1);
}

Test(word, a_trial_is_as_old_as_it_is_give_or_take_a_tick)
{
    const uint64_t half = UINT64_C(6) * 24 * 3600 * 1000;
    for (int i = 0; i < ROUNDS; i++) {
        const uint64_t taken = kit_random(&seed) >> 20, out = kit_random(&seed) % half;
        const uint64_t age = kb_word_trial_age(on_trial(3, taken), taken + out);
        cr_assert(age + KB_TRIAL_TICK_MS > out && age < out + KB_TRIAL_TICK_MS, "out for %llu, said to be %llu",
                  (unsigned long long)out, (unsigned long long)age);
    }
}

Test(word, the_age_of_a_trial_counts_on_where_the_packed_time_wraps)
{
    const uint64_t wrap = (UINT64_C(1) << 22) * KB_TRIAL_TICK_MS;
    for (uint64_t before = 0; before < 200000; before += 1000) {
        const uint64_t age = kb_word_trial_age(on_trial(0, wrap - before), wrap - before + 120000);
        cr_assert(age + KB_TRIAL_TICK_MS > 120000 && age < 120000 + KB_TRIAL_TICK_MS);
    }
}

Test(word, a_trial_seen_from_before_it_was_taken_is_new)
{
    for (uint64_t back = KB_TRIAL_TICK_MS; back < 60000; back += 100)
        cr_assert_eq(kb_word_trial_age(on_trial(7, 1000000), 1000000 - back), 0);
    /* the clock began near 0 */
    cr_assert_eq(kb_word_trial_age(on_trial(7, 1000), 0), 0);
}

Test(word, offering_a_trial_again_ends_the_claim_of_the_one_who_had_it)
{
    const uint64_t word = on_trial(1023, 123456789), offered = kb_word_trial_offered(word);
    cr_assert(kb_word_claimable(offered));
    cr_assert_neq(kb_word_epoch(offered), kb_word_epoch(word));
    cr_assert(same(kb_word_unpack(offered),
                   (struct kb_word){.state = KB_PROBATION, .reason = KB_REASON_AUTH, .strikes = 9, .epoch = 0}));
}
