#include "keyctl/access.h"
#include "keyctl/command.h"
#include "keyctl/keyref.h"
#include "keyctl/keystate.h"
#include "keyctl/print.h"
#include "keyctl/table.h"
#include "segment/count.h"
#include "segment/os.h"
#include "segment/slot.h"
#include "survey.h"

#include <inttypes.h>
#include <stdio.h>

enum { TRIES = 3 };

/* A key as it is shown. */
struct row {
    struct kb_keyref key;
    uint64_t word;
    struct kb_counts counts;
    int last_status;   /* 0: none */
    int64_t failed_at; /* unix milliseconds; 0: never */
};

/* All of one key: should the slot be given to another one meanwhile, it is read again. */
static bool read_row(struct kb_state *state, unsigned pool, unsigned index, struct row *out)
{
    const struct kb_slot *slot = &state->slots[pool][index];
    for (int tries = 0; tries < TRIES; tries++) {
        if (!kb_keyref_read(state, pool, index, &out->key, &out->word))
            return false;
        out->counts = kb_counts_of(state, pool, index);
        out->last_status = atomic_load_explicit(&slot->last_status, memory_order_relaxed);
        out->failed_at = atomic_load_explicit(&slot->failed_at, memory_order_acquire);
        if (kb_word_epoch(atomic_load(&slot->word)) == kb_word_epoch(out->word))
            break;
    }
    return true;
}

static void failed_ago(int64_t failed_at, char out[KB_DURATION_MAX])
{
    const int64_t now = kb_os_unix_ms();
    if (failed_at <= 0)
        snprintf(out, KB_DURATION_MAX, "-");
    else
        kb_ctl_duration(out, failed_at < now ? (uint64_t)(now - failed_at) : 0);
}

static void add_row(struct kb_table *table, const struct row *row)
{
    char retry[KB_DURATION_MAX], ago[KB_DURATION_MAX];
    const char *reason = kb_ctl_reason_name(row->word);
    kb_ctl_retry_text(row->word, retry);
    failed_ago(row->failed_at, ago);
    kb_table_add(table, "%u", row->key.index);
    kb_table_add(table, "%s", row->key.fingerprint);
    kb_table_add(table, "%s", kb_ctl_state_name(row->word));
    kb_table_add(table, "%s", kb_word_state(row->word) == KB_AVAILABLE ? "-" : reason);
    kb_table_add(table, "%s", retry);
    kb_table_add(table, "%" PRIu64, row->counts.claims);
    kb_table_add(table, "%" PRIu64, row->counts.ok);
    kb_table_add(table, "%" PRIu64, row->counts.failed);
    if (row->last_status)
        kb_table_add(table, "%d", row->last_status);
    else
        kb_table_add(table, "-");
    kb_table_add(table, "%s", ago);
}

static bool print_pool(struct kb_state *state, const struct kb_ctl_pool *pool)
{
    static const char *const headings[] = {"#",      "fingerprint", "state",  "reason", "retry",
                                           "claims", "ok",          "failed", "last",   "failed ago"};
    struct kb_table table = {.columns = sizeof headings / sizeof *headings, .right = 0x3f1};
    kb_pool_status status;
    struct row row;
    kb_pool_survey(state, pool->number, &status);
    printf("\n%s  %u key%s: %u available, %u failed, next %u\n", pool->name, status.total, status.total == 1 ? "" : "s",
           status.available, status.failed, status.current_index);
    for (unsigned i = 0; i < table.columns; i++)
        kb_table_add(&table, "%s", headings[i]);
    const unsigned span = kb_slot_span(state, pool->number);
    for (unsigned index = 0; index < span; index++)
        if (read_row(state, pool->number, index, &row))
            add_row(&table, &row);
    return kb_table_print(&table);
}

static int print_text(const struct kb_ctl_options *told, struct kb_state *state, const struct kb_ctl_pools *pools)
{
    int pid;
    const bool lives = kb_ctl_broker_lives(&state->header, &pid);
    printf("broker %s  pid %d %s  generation %" PRIu64 "\n", told->name, pid, lives ? "alive" : "dead",
           atomic_load(&state->header.generation));
    for (unsigned i = 0; i < pools->count; i++)
        if (!print_pool(state, &pools->at[i]))
            return kb_ctl_fail_code(told->name, KB_ENOMEM);
    return KB_EXIT_DONE;
}

static void json_number(bool known, int64_t number)
{
    if (known)
        printf("%" PRId64, number);
    else
        fputs("null", stdout);
}

static void json_row(const struct row *row)
{
    uint64_t ms;
    const bool timed = kb_ctl_retry_of(row->word, &ms);
    printf("{\"index\":%u,\"fingerprint\":\"%s\",\"state\":\"%s\",\"reason\":\"%s\",\"retry_in_ms\":", row->key.index,
           row->key.fingerprint, kb_ctl_state_name(row->word), kb_ctl_reason_name(row->word));
    json_number(timed, (int64_t)ms);
    printf(",\"claims\":%" PRIu64 ",\"ok\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"last_status\":%d,\"failed_at\":",
           row->counts.claims, row->counts.ok, row->counts.failed, row->last_status);
    json_number(row->failed_at > 0, row->failed_at);
    putchar('}');
}

static void json_pool(struct kb_state *state, const struct kb_ctl_pool *pool)
{
    kb_pool_status status;
    struct row row;
    const char *comma = "";
    kb_pool_survey(state, pool->number, &status);
    printf("{\"name\":");
    kb_ctl_json(pool->name);
    printf(",\"total\":%u,\"failed\":%u,\"available\":%u,\"current_index\":%u,\"keys\":[", status.total, status.failed,
           status.available, status.current_index);
    const unsigned span = kb_slot_span(state, pool->number);
    for (unsigned index = 0; index < span; index++)
        if (read_row(state, pool->number, index, &row)) {
            fputs(comma, stdout);
            json_row(&row);
            comma = ",";
        }
    printf("]}");
}

static int print_json(const struct kb_ctl_options *told, struct kb_state *state, const struct kb_ctl_pools *pools)
{
    int pid;
    const bool lives = kb_ctl_broker_lives(&state->header, &pid);
    printf("{\"name\":");
    kb_ctl_json(told->name);
    printf(",\"generation\":%" PRIu64 ",\"broker\":{\"pid\":%d,\"alive\":%s},\"pools\":[",
           atomic_load(&state->header.generation), pid, lives ? "true" : "false");
    for (unsigned i = 0; i < pools->count; i++) {
        fputs(i ? "," : "", stdout);
        json_pool(state, &pools->at[i]);
    }
    printf("]}\n");
    return KB_EXIT_DONE;
}

static int run(const struct kb_ctl_options *told)
{
    struct kb_segment *segment;
    struct kb_ctl_pools pools;
    int code = kb_ctl_open(told, &segment);
    if (code)
        return code;
    code = kb_ctl_pools_select(segment->state, told->words[0], &pools);
    if (code == 0)
        code = (told->json ? print_json : print_text)(told, segment->state, &pools);
    kb_segment_close(segment);
    return code;
}

const struct kb_command kb_command_status = {
    .name = "status",
    .synopsis = "[POOL]",
    .summary = "shows the broker, its pools and their keys",
    .help = "Shows the broker, and of POOL or of every pool each key: its index and fingerprint, its state\n"
            "(available, failed, cooling, probation, disabled), why it failed, when it is retried, how often\n"
            "it was claimed, how many calls went well or failed because of the key, the last HTTP status\n"
            "reported, and when it last failed. Works without a living broker.\n"
            "\n"
            "With --json, times are milliseconds: retry_in_ms is 0 for a key that can be claimed now and null\n"
            "where no time is known (disabled, or on trial); failed_at counts from 1970, null for never;\n"
            "last_status is 0 where none was reported.\n"
            "\n"
            "Exit codes: 0 shown, 1 failed, 2 usage, 3 no broker, 4 no such pool.\n",
    .most_words = 1,
    .takes = KB_TAKES_NAME | KB_TAKES_JSON,
    .run = run,
};
