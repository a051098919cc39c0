/*
 * A process killed or stopped inside a sweep.
 */
#include "segment/sweep.h"
#include "segment/os.h"
#include "segment/slot.h"
#include "tests/kit/peer.h"

static struct kb_rotation *rotation(struct stage *stage)
{
    return &stage->kit.state->pools[0].rotation;
}

static void sweep(struct stage *stage)
{
    kb_sweep(stage->kit.state, 0, kb_os_now());
}

/* The target's time has passed, and nobody has noticed. */
static void pass_time(struct stage *stage)
{
    struct kb_word w = kb_word_unpack(kit_word(&stage->kit, stage->books.target));
    w.until = 1;
    atomic_store(&stage->kit.state->slots[0][stage->books.target].word, kb_word_pack(w));
}

/* The bits of the target, which is alone in its word, are lost. */
static void lose_bits(struct stage *stage)
{
    const unsigned word = stage->books.target / 64;
    atomic_store(&rotation(stage)->bits[word], 0);
    atomic_fetch_and(&rotation(stage)->summary, ~(UINT64_C(1) << word));
}

/* Bits are set though the target cannot be claimed. */
static void forge_bits(struct stage *stage)
{
    const unsigned word = stage->books.target / 64;
    atomic_store(&rotation(stage)->bits[word], UINT64_C(1) << (stage->books.target % 64));
    atomic_fetch_or(&rotation(stage)->summary, UINT64_C(1) << word);
}

#define AVAILABLE                                                                                                      \
    {                                                                                                                  \
        {                                                                                                              \
            KB_AVAILABLE, 0                                                                                            \
        }                                                                                                              \
    }
#define OFFERED                                                                                                        \
    {                                                                                                                  \
        {                                                                                                              \
            KB_PROBATION, 1                                                                                            \
        }                                                                                                              \
    }
#define FAILED(n)                                                                                                      \
    {                                                                                                                  \
        {                                                                                                              \
            KB_FAILED, n                                                                                               \
        }                                                                                                              \
    }

static const struct stage_play plays[] = {
    {
        .name = "sweep of a cooldown that is over",
        .start = {KB_FAILED, 1},
        .set = pass_time,
        .before = stage_attach,
        .run = sweep,
        .killed = {{KB_FAILED, 1}, {KB_PROBATION, 1}},
        .ends =
            {OFFERED, OFFERED, {{KB_EMPTY, 0}}, /* a due key that fails again may be retried */ AVAILABLE, AVAILABLE},
    },
    {
        .name = "sweep of a dead worker's trial",
        .start = {KB_PROBATION, 1},
        .set = peer_leave_trial,
        .before = stage_attach,
        .run = sweep,
        .killed = OFFERED,
        .ends = {OFFERED, OFFERED, FAILED(2), AVAILABLE, AVAILABLE},
    },
    {
        .name = "sweep of a key whose bits were lost",
        .keys = 65,
        .target = 64,
        .start = {KB_AVAILABLE, 0},
        .set = lose_bits,
        .before = stage_attach,
        .run = sweep,
        .killed = AVAILABLE,
        .ends = {AVAILABLE, AVAILABLE, FAILED(1), AVAILABLE},
    },
    {
        .name = "sweep of a key whose bits are wrong",
        .keys = 65,
        .target = 64,
        .start = {KB_FAILED, 1},
        .set = forge_bits,
        .before = stage_attach,
        .run = sweep,
        .killed = FAILED(1),
        .ends = {FAILED(1), FAILED(1), FAILED(1), AVAILABLE},
    },
};

int main(void)
{
    return stage_run(plays, sizeof plays / sizeof plays[0]);
}
