/*
 * A worker killed or stopped inside a report, or inside the release of a trial.
 */
#include "tests/kit/stage.h"

static void report(struct stage *stage, kb_outcome outcome, int retry_after_ms, int status)
{
    stage->code = kb_report(stage->client, &stage->key, outcome, retry_after_ms, status);
    stage->has_trial = false;
}

static void report_ok(struct stage *stage)
{
    report(stage, KB_OUTCOME_OK, -1, 200);
}

static void report_auth(struct stage *stage)
{
    report(stage, KB_OUTCOME_AUTH, -1, 401);
}

static void report_rate(struct stage *stage)
{
    report(stage, KB_OUTCOME_RATE, 3600 * 1000, 429);
}

static void release(struct stage *stage)
{
    stage->code = kb_release(stage->client, &stage->key);
    stage->has_trial = false;
}

/* 0, or 1 where the key has moved on meanwhile. */
static void check_result(struct stage *stage, bool killed)
{
    const bool moved = stage->event == STAGE_FAIL || stage->event == STAGE_RESET || stage->event == STAGE_RELOAD;
    if (!killed && stage->code != 0 && !(stage->code == 1 && moved))
        books_wrong(&stage->books, "the report returned %d", stage->code);
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
        .name = "report ok",
        .start = {KB_AVAILABLE, 0},
        .before = stage_claim,
        .run = report_ok,
        .check = check_result,
        .killed = AVAILABLE,
        .ends = {AVAILABLE, AVAILABLE, FAILED(1), AVAILABLE, AVAILABLE},
    },
    {
        .name = "report auth",
        .start = {KB_AVAILABLE, 0},
        .before = stage_claim,
        .run = report_auth,
        .check = check_result,
        .killed = {{KB_AVAILABLE, 0}, {KB_FAILED, 1}},
        .ends = {FAILED(1), FAILED(1), FAILED(1), AVAILABLE, AVAILABLE},
    },
    {
        .name = "report rate, upstream naming the time",
        .start = {KB_AVAILABLE, 0},
        .before = stage_claim,
        .run = report_rate,
        .check = check_result,
        .killed = {{KB_AVAILABLE, 0}, {KB_COOLING, 1}},
        .ends = {{{KB_COOLING, 1}}, {{KB_COOLING, 1}}, {{KB_FAILED, 1}, {KB_FAILED, 2}}, AVAILABLE, AVAILABLE},
    },
    {
        .name = "report ok of a trial",
        .start = {KB_PROBATION, 1},
        .before = stage_claim,
        .run = report_ok,
        .check = check_result,
        .killed = {{KB_PROBATION, 1}, {KB_AVAILABLE, 0}},
        .ends = {AVAILABLE, AVAILABLE, {{KB_FAILED, 1}, {KB_FAILED, 2}}, AVAILABLE, AVAILABLE},
    },
    {
        .name = "report auth of a trial",
        .start = {KB_PROBATION, 1},
        .before = stage_claim,
        .run = report_auth,
        .check = check_result,
        .killed = {{KB_PROBATION, 1}, {KB_FAILED, 2}},
        .ends = {FAILED(2), FAILED(2), FAILED(2), AVAILABLE, AVAILABLE},
    },
    {
        .name = "report ok of a trial that is alone in its bitmap word",
        .keys = 65,
        .target = 64,
        .start = {KB_PROBATION, 1},
        .before = stage_claim,
        .run = report_ok,
        .check = check_result,
        .killed = {{KB_PROBATION, 1}, {KB_AVAILABLE, 0}},
        .ends = {AVAILABLE, AVAILABLE, {{KB_FAILED, 1}, {KB_FAILED, 2}}, AVAILABLE},
    },
    {
        .name = "report auth of a key that is alone in its bitmap word",
        .keys = 65,
        .target = 64,
        .start = {KB_AVAILABLE, 0},
        .before = stage_claim,
        .run = report_auth,
        .check = check_result,
        .killed = {{KB_AVAILABLE, 0}, {KB_FAILED, 1}},
        .ends = {FAILED(1), FAILED(1), FAILED(1), AVAILABLE},
    },
    {
        .name = "release of a trial",
        .start = {KB_PROBATION, 1},
        .before = stage_claim,
        .run = release,
        .check = check_result,
        .killed = OFFERED,
        .ends = {OFFERED, OFFERED, FAILED(2), AVAILABLE, AVAILABLE},
    },
};

int main(void)
{
    return stage_run(plays, sizeof plays / sizeof plays[0]);
}
