/*
 * word.h: the 64 bits that are the whole truth about a key.
 *
 *     bits   what
 *     3      state
 *     2      reason: the last failure's kind
 *     4      strikes: failures since the last success, stops at 15
 *     1      named: `until` was named by upstream
 *     33     until: FAILED, COOLING: when the cooldown ends, in ticks of 16 ms (lasts 4 years of uptime)
 *            PROBATION: the trial: {owner: worker slot + 1, 0 for none :11, taken: in 256 ms, wraps :22}
 *     21     epoch: wraps; to be fooled a process must sleep through an exact multiple of 2 M changes
 *
 * A change is one CAS of the word as it was read. Strikes, named and until may change within an
 * epoch, and a trial may be taken; a change of state and the end of a trial raise it. A report made
 * under another epoch than the word's changes no state.
 */
#ifndef KB_SEGMENT_WORD_H
#define KB_SEGMENT_WORD_H

#include <stdbool.h>
#include <stdint.h>

enum kb_state_of_key {
    KB_EMPTY, /* no key here */
    KB_AVAILABLE,
    KB_FAILED,    /* auth or quota: retried early when all keys have failed */
    KB_COOLING,   /* rate: its time is always waited for */
    KB_PROBATION, /* its time has come: one claim is its trial */
    KB_DISABLED,  /* by an operator; only an operator ends it */
    KB_STATES
};

enum kb_reason { KB_REASON_NONE, KB_REASON_AUTH, KB_REASON_QUOTA, KB_REASON_RATE };

enum { KB_TICK_MS = 16, KB_TRIAL_TICK_MS = 256, KB_STRIKES_MAX = 15 };

/* The word in parts; what a caller changes before it packs it again. */
struct kb_word {
    unsigned state, reason, strikes, named;
    uint64_t until; /* as packed: 33 bits */
    uint32_t epoch;
};

enum { KB_REASON_SHIFT = 3, KB_STRIKES_SHIFT = 5, KB_NAMED_SHIFT = 9, KB_UNTIL_SHIFT = 10, KB_EPOCH_SHIFT = 43 };
#define KB_UNTIL_MAX ((UINT64_C(1) << 33) - 1)
#define KB_EPOCH_MAX ((UINT32_C(1) << 21) - 1)
#define KB_TAKEN_MAX ((UINT32_C(1) << 22) - 1)

static inline unsigned kb_word_state(uint64_t word)
{
    return (unsigned)(word & 7);
}

static inline uint32_t kb_word_epoch(uint64_t word)
{
    return (uint32_t)(word >> KB_EPOCH_SHIFT);
}

static inline struct kb_word kb_word_unpack(uint64_t word)
{
    return (struct kb_word){
        .state = kb_word_state(word),
        .reason = (unsigned)(word >> KB_REASON_SHIFT) & 3,
        .strikes = (unsigned)(word >> KB_STRIKES_SHIFT) & 15,
        .named = (unsigned)(word >> KB_NAMED_SHIFT) & 1,
        .until = (word >> KB_UNTIL_SHIFT) & KB_UNTIL_MAX,
        .epoch = kb_word_epoch(word),
    };
}

static inline uint64_t kb_word_pack(struct kb_word w)
{
    return (uint64_t)(w.state & 7) | (uint64_t)(w.reason & 3) << KB_REASON_SHIFT |
           (uint64_t)(w.strikes & 15) << KB_STRIKES_SHIFT | (uint64_t)(w.named & 1) << KB_NAMED_SHIFT |
           (w.until & KB_UNTIL_MAX) << KB_UNTIL_SHIFT | (uint64_t)(w.epoch & KB_EPOCH_MAX) << KB_EPOCH_SHIFT;
}

/* The word after a change of state: the epoch goes up, the trial or time of the old state ends. */
static inline struct kb_word kb_word_enter(struct kb_word w, unsigned state)
{
    w.state = state;
    w.until = 0;
    w.named = 0;
    w.epoch = (w.epoch + 1) & KB_EPOCH_MAX;
    return w;
}

/* A clean word in STATE, one epoch on: no reason, no strikes. */
static inline uint64_t kb_word_fresh(uint64_t word, unsigned state)
{
    return kb_word_pack(kb_word_enter((struct kb_word){.epoch = kb_word_epoch(word)}, state));
}

/* Whether the rotation may hand the key out: what the key's bit says. */
static inline bool kb_word_claimable(uint64_t word)
{
    const unsigned state = kb_word_state(word);
    return state == KB_AVAILABLE || (state == KB_PROBATION && ((word >> KB_UNTIL_SHIFT) & KB_UNTIL_MAX) == 0);
}

/* Times: rounded up, so that a key never comes back early. */
static inline uint64_t kb_word_until(uint64_t ms)
{
    const uint64_t ticks = (ms + KB_TICK_MS - 1) / KB_TICK_MS;
    return ticks < KB_UNTIL_MAX ? ticks : KB_UNTIL_MAX;
}

static inline uint64_t kb_word_until_ms(uint64_t word)
{
    return ((word >> KB_UNTIL_SHIFT) & KB_UNTIL_MAX) * KB_TICK_MS;
}

/* A trial taken by worker slot OWNER at ms. */
static inline uint64_t kb_word_trial(unsigned owner, uint64_t ms)
{
    return (uint64_t)(owner + 1) << 22 | ((ms / KB_TRIAL_TICK_MS) & KB_TAKEN_MAX);
}

/* The worker slot that holds the trial; -1 when none is out. */
static inline int kb_word_trial_owner(uint64_t word)
{
    return (int)((word >> (KB_UNTIL_SHIFT + 22)) & 0x7ff) - 1;
}

/* How long the trial has been out at now_ms, a tick more or less. The packed time wraps after 12 days,
 * and the later half of that is taken for "not yet begun": now_ms may have been read before the word
 * was. So a trial that nobody looked at for 6 days can stay out for 6 more. */
static inline uint64_t kb_word_trial_age(uint64_t word, uint64_t now_ms)
{
    const uint32_t taken = (uint32_t)(word >> KB_UNTIL_SHIFT) & KB_TAKEN_MAX;
    const uint32_t ticks = ((uint32_t)(now_ms / KB_TRIAL_TICK_MS) - taken) & KB_TAKEN_MAX;
    return ticks <= KB_TAKEN_MAX / 2 ? (uint64_t)ticks * KB_TRIAL_TICK_MS : 0;
}

/* The word with its trial offered again. A new epoch, though the state stays: the one who had the trial
 * can no longer decide it, not even if it takes the next one within the same tick. */
static inline uint64_t kb_word_trial_offered(uint64_t word)
{
    return kb_word_pack(kb_word_enter(kb_word_unpack(word), KB_PROBATION));
}

#endif
