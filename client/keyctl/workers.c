#include "keyctl/access.h"
#include "keyctl/command.h"
#include "keyctl/pools.h"
#include "keyctl/print.h"
#include "keyctl/table.h"
#include "segment/identity.h"
#include "segment/slot.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

struct row {
    unsigned slot, trials;
    int pid;
    const char *life;  /* alive, dead, or foreign: of another pid namespace, so it cannot be told */
    uint64_t attached; /* unix seconds; 0: not told yet, or beyond any clock */
};

/* How many trials each worker slot holds, over all pools. */
static void count_trials(struct kb_state *state, unsigned trials[KB_WORKERS])
{
    struct kb_ctl_pools pools;
    kb_ctl_pools_select(state, NULL, &pools);
    for (unsigned i = 0; i < pools.count; i++) {
        const unsigned pool = pools.at[i].number, span = kb_slot_span(state, pool);
        for (unsigned key = 0; key < span; key++) {
            const uint64_t word = atomic_load(&state->slots[pool][key].word);
            const int owner = kb_word_trial_owner(word);
            if (kb_word_state(word) == KB_PROBATION && owner >= 0 && owner < KB_WORKERS)
                trials[owner]++;
        }
    }
}

static bool read_row(struct kb_state *state, unsigned slot, uint64_t self, struct row *out)
{
    static const uint64_t latest = UINT64_C(253402300799); /* the last second of the year 9999 */
    const uint64_t identity = atomic_load(&state->workers[slot].identity);
    const uint64_t attached = atomic_load(&state->workers[slot].attached_unix);
    out->slot = slot;
    out->pid = kb_identity_pid(identity);
    out->attached = attached <= latest ? attached : 0;
    if (!kb_identity_near(identity, self))
        out->life = "foreign";
    else
        out->life = kb_identity_dead(identity) ? "dead" : "alive";
    return identity != 0;
}

static void add_row(struct kb_table *table, const struct row *row)
{
    const time_t seconds = (time_t)row->attached;
    char since[KB_CELL_MAX] = "-";
    struct tm local;
    if (seconds != 0 && localtime_r(&seconds, &local))
        strftime(since, sizeof since, "%F %T", &local);
    kb_table_add(table, "%u", row->slot);
    kb_table_add(table, "%d", row->pid);
    kb_table_add(table, "%s", row->life);
    kb_table_add(table, "%s", since);
    kb_table_add(table, "%u", row->trials);
}

static void json_row(const struct row *row)
{
    printf("{\"slot\":%u,\"pid\":%d,\"state\":\"%s\",\"attached_at\":", row->slot, row->pid, row->life);
    if (row->attached)
        printf("%" PRIu64 "000", row->attached);
    else
        fputs("null", stdout);
    printf(",\"trials\":%u}", row->trials);
}

static int print_text(const struct kb_ctl_options *told, const struct row *rows, unsigned count)
{
    static const char *const headings[] = {"slot", "pid", "state", "attached", "trials"};
    struct kb_table table = {.columns = sizeof headings / sizeof *headings, .right = 0x13};
    printf("%u worker%s\n", count, count == 1 ? "" : "s");
    for (unsigned i = 0; count > 0 && i < table.columns; i++)
        kb_table_add(&table, "%s", headings[i]);
    for (unsigned i = 0; i < count; i++)
        add_row(&table, &rows[i]);
    return kb_table_print(&table) ? KB_EXIT_DONE : kb_ctl_fail_code(told->name, KB_ENOMEM);
}

static int print_json(const struct kb_ctl_options *told, const struct row *rows, unsigned count)
{
    printf("{\"name\":");
    kb_ctl_json(told->name);
    printf(",\"workers\":[");
    for (unsigned i = 0; i < count; i++) {
        fputs(i ? "," : "", stdout);
        json_row(&rows[i]);
    }
    printf("]}\n");
    return KB_EXIT_DONE;
}

static int run(const struct kb_ctl_options *told)
{
    struct kb_segment *segment;
    struct row rows[KB_WORKERS];
    unsigned trials[KB_WORKERS] = {0}, count = 0;
    const int code = kb_ctl_open(told, &segment);
    if (code)
        return code;
    const uint64_t self = kb_identity_self();
    count_trials(segment->state, trials);
    for (unsigned slot = 0; slot < KB_WORKERS; slot++)
        if (read_row(segment->state, slot, self, &rows[count]))
            rows[count++].trials = trials[slot];
    kb_segment_close(segment);
    return (told->json ? print_json : print_text)(told, rows, count);
}

const struct kb_command kb_command_workers = {
    .name = "workers",
    .synopsis = "",
    .summary = "shows the processes that use the broker",
    .help = "Shows every process that has attached itself: its slot, its process id, whether it is alive, since\n"
            "when it is attached, and how many keys it has on trial. A dead one's slot is given to the next that\n"
            "needs it; a foreign one lives in another pid namespace, where its life cannot be told from here.\n"
            "Works without a living broker.\n"
            "\n"
            "Exit codes: 0 shown, 1 failed, 2 usage, 3 no broker.\n",
    .takes = KB_TAKES_NAME | KB_TAKES_JSON,
    .run = run,
};
