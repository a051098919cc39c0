#include "keyctl/verdict.h"

#include "keyctl/access.h"
#include "keyctl/command.h"
#include "keyctl/keystate.h"
#include "keyctl/table.h"

#include <inttypes.h>
#include <stdio.h>

static void add_row(struct kb_table *table, const struct kb_ctl_verdict *verdict)
{
    char retry[KB_DURATION_MAX];
    kb_ctl_retry_text(verdict->word, retry);
    kb_table_add(table, "%u", verdict->key.index);
    kb_table_add(table, "%s", verdict->key.fingerprint);
    kb_table_add(table, verdict->probed && verdict->status ? "%d" : "-", verdict->status);
    kb_table_add(table, "%s", verdict->probed ? kb_outcome_name(verdict->outcome) : "not probed");
    kb_table_add(table, "%s", *verdict->credits ? verdict->credits : "-");
    kb_table_add(table, "%s", kb_ctl_state_name(verdict->word));
    kb_table_add(table, "%s", retry);
}

static int print_text(const struct kb_ctl_options *told, const struct kb_ctl_verdicts *verdicts)
{
    static const char *const headings[] = {"#", "fingerprint", "status", "outcome", "credits", "state", "retry"};
    struct kb_table table = {.columns = sizeof headings / sizeof *headings, .right = 0x15};
    for (unsigned i = 0; i < table.columns; i++)
        kb_table_add(&table, "%s", headings[i]);
    for (unsigned i = 0; i < verdicts->count; i++)
        add_row(&table, &verdicts->at[i]);
    if (!kb_table_print(&table))
        return kb_ctl_fail_code(told->name, KB_ENOMEM);
    for (unsigned i = 0; i < verdicts->count; i++)
        if (verdicts->at[i].probed && verdicts->at[i].outcome != KB_OUTCOME_OK)
            kb_ctl_fail(0, "key %u: %s (%s)", verdicts->at[i].key.index, kb_outcome_name(verdicts->at[i].outcome),
                        verdicts->at[i].why);
    return KB_EXIT_DONE;
}

static void json_probed(const struct kb_ctl_verdict *verdict)
{
    printf(",\"status\":%d,\"outcome\":\"%s\",\"credits\":%s", verdict->status, kb_outcome_name(verdict->outcome),
           *verdict->credits ? verdict->credits : "null");
    if (verdict->retry_after_ms >= 0)
        printf(",\"retry_after_ms\":%d", verdict->retry_after_ms);
    else
        printf(",\"retry_after_ms\":null");
    printf(",\"why\":");
    kb_ctl_json(verdict->why);
}

static int print_json(const struct kb_ctl_options *told, const char *service, const struct kb_ctl_verdicts *verdicts)
{
    printf("{\"name\":");
    kb_ctl_json(told->name);
    printf(",\"pool\":");
    kb_ctl_json(told->words[0]);
    printf(",\"service\":");
    kb_ctl_json(service);
    printf(",\"keys\":[");
    for (unsigned i = 0; i < verdicts->count; i++) {
        const struct kb_ctl_verdict *verdict = &verdicts->at[i];
        uint64_t ms;
        printf("%s{\"index\":%u,\"fingerprint\":\"%s\",\"probed\":%s", i ? "," : "", verdict->key.index,
               verdict->key.fingerprint, verdict->probed ? "true" : "false");
        if (verdict->probed)
            json_probed(verdict);
        printf(",\"state\":\"%s\",\"reason\":\"%s\",\"retry_in_ms\":", kb_ctl_state_name(verdict->word),
               kb_ctl_reason_name(verdict->word));
        if (kb_ctl_retry_of(verdict->word, &ms))
            printf("%" PRIu64 "}", ms);
        else
            printf("null}");
    }
    printf("]}\n");
    return KB_EXIT_DONE;
}

static int judge(const struct kb_ctl_verdicts *verdicts)
{
    unsigned probed = 0, good = 0;
    for (unsigned i = 0; i < verdicts->count; i++) {
        probed += verdicts->at[i].probed;
        good += verdicts->at[i].probed && verdicts->at[i].outcome == KB_OUTCOME_OK;
    }
    if (probed == 0)
        return kb_ctl_fail(KB_EXIT_FAILED, "no key was probed: all are disabled, or there is none");
    return good == probed ? KB_EXIT_DONE : KB_EXIT_FAILED;
}

int kb_ctl_verdicts_tell(const struct kb_ctl_options *told, const char *service, const struct kb_ctl_verdicts *verdicts)
{
    const int code = told->json ? print_json(told, service, verdicts) : print_text(told, verdicts);
    return code == KB_EXIT_DONE ? judge(verdicts) : code;
}
