/*
 * A process killed or stopped while its worker slot is taken, given up, or taken from a dead one.
 */
#include "segment/worker.h"
#include "tests/kit/peer.h"

static void nothing(struct stage *stage)
{
    (void)stage;
}

static void open_own(struct stage *stage)
{
    stage->code = kb_open(stage->kit.name, &stage->own);
}

static void open_and_claim(struct stage *stage)
{
    kb_client *inherited = stage->client;
    open_own(stage);
    stage->client = stage->own;
    stage_claim(stage);
    stage->client = inherited;
}

static void close_own(struct stage *stage)
{
    kb_close(stage->own);
    stage->has_trial = false;
}

static void check_open(struct stage *stage, bool killed)
{
    if (!killed && stage->code != 0)
        books_wrong(&stage->books, "kb_open: %s", kb_strerror(stage->code));
}

static void check_closed(struct stage *stage, bool killed)
{
    if (!killed && peer_slot(stage, stage->victim) >= 0)
        books_wrong(&stage->books, "the slot is not free after kb_close");
}

static void reap(struct stage *stage)
{
    kb_worker_reap(stage->kit.state, stage->dead_slot, stage->dead_identity);
}

/* While one who reaps stands still, another does the same, and a new worker takes the slot and the trial. */
static kb_client *newcomer;
static kb_key trial;

static void reuse(struct stage *stage)
{
    reap(stage);
    if (kb_open(stage->kit.name, &newcomer) != 0 || kb_claim(newcomer, "pool", 0, &trial) != 0)
        books_wrong(&stage->books, "the newcomer cannot claim");
    books_look(&stage->books);
    for (unsigned turn = 0; turn < stage->books.keys && trial.index != stage->books.target; turn++) {
        stage->books.claims++;
        kb_claim(newcomer, "pool", 0, &trial);
        books_look(&stage->books);
    }
}

/* What the newcomer has got it keeps. */
static void check_reuse(struct stage *stage, bool killed)
{
    if (killed)
        return;
    if (trial.index != stage->books.target || kit_word(&stage->kit, stage->books.target) != trial.kb_word)
        books_wrong(&stage->books, "the newcomer lost its trial");
    const uint64_t identity = atomic_load(&stage->kit.state->workers[stage->dead_slot].identity);
    unsigned lanes = 0;
    for (unsigned lane = 0; lane < KB_OWNED_LANES; lane++)
        lanes += atomic_load(&stage->kit.state->header.lane_owner[lane]) == (identity << 16 | (stage->dead_slot + 1));
    if (identity == 0 || lanes != 1)
        books_wrong(&stage->books, "the newcomer lost its slot or its lane");
    if (kb_report(newcomer, &trial, KB_OUTCOME_OK, -1, 200) != 0)
        books_wrong(&stage->books, "the newcomer cannot report its trial");
    kb_close(newcomer);
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

static const struct stage_play plays[] = {
    {
        .name = "open",
        .start = {KB_AVAILABLE, 0},
        .before = nothing,
        .run = open_own,
        .after = close_own,
        .check = check_open,
        .killed = AVAILABLE,
        .ends = {AVAILABLE, AVAILABLE, {{KB_EMPTY, 0}}, {{KB_EMPTY, 0}}, AVAILABLE},
    },
    {
        .name = "close with a trial",
        .start = {KB_PROBATION, 1},
        .before = open_and_claim,
        .run = close_own,
        .check = check_closed,
        .killed = OFFERED,
        .ends = {OFFERED, OFFERED, {{KB_FAILED, 2}}, AVAILABLE, AVAILABLE},
    },
    {
        .name = "reaping a dead worker with a trial",
        .start = {KB_PROBATION, 1},
        .set = peer_leave_trial,
        .before = nothing,
        .run = reap,
        .meanwhile = reuse,
        .check = check_reuse,
        .killed = OFFERED,
    },
};

int main(void)
{
    return stage_run(plays, sizeof plays / sizeof plays[0]);
}
