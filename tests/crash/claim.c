/*
 * A worker killed or stopped inside a claim.
 */
#include "segment/slot.h"
#include "tests/kit/peer.h"

static void claim_by_name(struct stage *stage)
{
    char fingerprint[KB_FINGERPRINT_LEN + 1];
    kb_slot_fingerprint(&stage->kit.state->slots[0][stage->books.target], fingerprint);
    stage->code = kb_claim_key(stage->client, "pool", fingerprint, &stage->key);
}

/* A failure reported before the secret was copied must be noticed: the key's word is looked at last. */
static void check_claim(struct stage *stage, bool killed)
{
    if (killed || stage->code != 0)
        return;
    peer_secret(stage, &stage->key);
    if (stage->event == STAGE_FAIL && stage->key.index == stage->books.target && !stage->copied)
        books_wrong(&stage->books, "a claim returned a key that had failed before its secret was read");
}

static void check_claim_by_name(struct stage *stage, bool killed)
{
    if (!killed && stage->code == 0)
        peer_secret(stage, &stage->key);
    else if (!killed && !(stage->code == KB_EKEY && stage->event == STAGE_RELOAD))
        books_wrong(&stage->books, "kb_claim_key: %s", kb_strerror(stage->code));
}

#define AVAILABLE                                                                                                      \
    {                                                                                                                  \
        {                                                                                                              \
            KB_AVAILABLE, 0                                                                                            \
        }                                                                                                              \
    }

static const struct stage_play plays[] = {
    {
        .name = "claim",
        .start = {KB_AVAILABLE, 0},
        .before = stage_attach,
        .run = stage_claim,
        .after = stage_release,
        .check = check_claim,
        .killed = AVAILABLE,
        .ends = {AVAILABLE, AVAILABLE, {{KB_FAILED, 1}}, AVAILABLE, AVAILABLE},
    },
    {
        .name = "claim of a trial",
        .start = {KB_PROBATION, 1},
        .before = stage_attach,
        .run = stage_claim,
        .after = stage_release,
        .check = check_claim,
        .killed = {{KB_PROBATION, 1}},
        .ends = {{{KB_PROBATION, 1}}, {{KB_PROBATION, 1}}, {{KB_FAILED, 2}}, AVAILABLE, AVAILABLE},
    },
    {
        .name = "claim of a trial that is alone in its bitmap word",
        .keys = 65,
        .target = 64,
        .start = {KB_PROBATION, 1},
        .before = stage_attach,
        .run = stage_claim,
        .after = stage_release,
        .check = check_claim,
        .killed = {{KB_PROBATION, 1}},
        .ends = {{{KB_PROBATION, 1}}, {{KB_PROBATION, 1}}, {{KB_FAILED, 2}}, AVAILABLE},
    },
    {
        .name = "claim by fingerprint",
        .start = {KB_FAILED, 1},
        .before = stage_attach,
        .run = claim_by_name,
        .check = check_claim_by_name,
        .killed = {{KB_FAILED, 1}},
        .ends = {{{KB_FAILED, 1}}, {{KB_FAILED, 1}}, {{KB_FAILED, 1}}, AVAILABLE, AVAILABLE},
    },
};

int main(void)
{
    return stage_run(plays, sizeof plays / sizeof plays[0]);
}
