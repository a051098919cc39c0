#include "http/number.h"
#include "http/service.h"
#include "keyctl/access.h"
#include "keyctl/command.h"
#include "keyctl/keyref.h"
#include "keyctl/keystate.h"
#include "keyctl/table.h"
#include "segment/slot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

/* What a pool's keys are probed with. */
struct probe {
    const struct kb_ctl_options *told;
    const struct kb_service *service;
    kb_client *client;
    kb_http *http;
};

/* A key and what came of its probe. */
struct row {
    struct kb_keyref key;
    bool probed;
    kb_outcome outcome;
    int status, retry_after_ms;
    char credits[KB_NUMBER_SIZE]; /* "": not told */
    char why[256];                /* what went wrong, or which rule decided */
    uint64_t word;                /* afterwards */
};

struct rows {
    struct row *at;
    unsigned count;
};

/* The number of credits in an answer; false: it names none. */
static bool read_credits(const struct kb_service *service, const kb_http_answer *answer, double *credits)
{
    struct kb_json_error error;
    if (service->probe_credits == NULL || answer->body == NULL)
        return false;
    struct kb_json *doc = kb_json_parse(answer->body, answer->body_len, &error);
    size_t len = 0;
    const int token = doc != NULL ? kb_rule_find(doc, service->probe_credits) : -1;
    const char *raw = kb_json_raw(doc, token, &len);
    const bool found = token >= 0 && kb_number_read(raw, len, credits);
    kb_json_free(doc);
    return found;
}

/* The request was reported as good; that the account is empty is known to nobody but its reader. */
static void report_empty(const struct probe *probe, struct row *row)
{
    kb_key key;
    row->outcome = KB_OUTCOME_QUOTA;
    snprintf(row->why, sizeof row->why, "no credits are left");
    if (kb_claim_key(probe->client, probe->told->words[0], row->key.fingerprint, &key) == 0)
        kb_report(probe->client, &key, KB_OUTCOME_QUOTA, -1, row->status);
    kb_key_clear(&key);
}

static void read_answer(const struct probe *probe, const kb_http_answer *answer, struct row *row)
{
    double credits;
    row->probed = true;
    row->outcome = answer->outcome;
    row->status = answer->status;
    row->retry_after_ms = answer->retry_after_ms;
    snprintf(row->why, sizeof row->why, "%s", answer->error != NULL ? answer->error : answer->rule);
    if (answer->outcome == KB_OUTCOME_OK && read_credits(probe->service, answer, &credits)) {
        kb_number_write(row->credits, credits);
        if (credits <= 0)
            report_empty(probe, row);
    }
}

/* 0, or an exit code with the reason told: no other key would fare better. */
static int probe_key(const struct probe *probe, struct row *row)
{
    const kb_http_request request = {.pool = probe->told->words[0],
                                     .url = probe->service->probe_url,
                                     .timeout_ms = probe->told->timeout_ms,
                                     .fingerprint = row->key.fingerprint};
    kb_http_answer answer;
    int exit_code = KB_EXIT_DONE;
    const int code = kb_http_perform(probe->http, &request, &answer);
    if (answer.attempts > 0)
        read_answer(probe, &answer, row);
    else if (code == KB_EINVAL)
        exit_code = kb_ctl_fail(KB_EXIT_FAILED, "the probe of this pool's service cannot be sent: %s",
                                answer.error != NULL ? answer.error : kb_strerror(code));
    else if (code != KB_EKEY) /* that one was disabled or removed in the meantime */
        exit_code = kb_ctl_fail_code(probe->told->name, code);
    kb_http_answer_clear(&answer);
    return exit_code;
}

static void add_row(struct kb_table *table, const struct row *row)
{
    char retry[KB_DURATION_MAX];
    kb_ctl_retry_text(row->word, retry);
    kb_table_add(table, "%u", row->key.index);
    kb_table_add(table, "%s", row->key.fingerprint);
    kb_table_add(table, row->probed && row->status ? "%d" : "-", row->status);
    kb_table_add(table, "%s", row->probed ? kb_outcome_name(row->outcome) : "not probed");
    kb_table_add(table, "%s", *row->credits ? row->credits : "-");
    kb_table_add(table, "%s", kb_ctl_state_name(row->word));
    kb_table_add(table, "%s", retry);
}

static int print_text(const struct probe *probe, const struct rows *rows)
{
    static const char *const headings[] = {"#", "fingerprint", "status", "outcome", "credits", "state", "retry"};
    struct kb_table table = {.columns = sizeof headings / sizeof *headings, .right = 0x15};
    for (unsigned i = 0; i < table.columns; i++)
        kb_table_add(&table, "%s", headings[i]);
    for (unsigned i = 0; i < rows->count; i++)
        add_row(&table, &rows->at[i]);
    if (!kb_table_print(&table))
        return kb_ctl_fail_code(probe->told->name, KB_ENOMEM);
    for (unsigned i = 0; i < rows->count; i++)
        if (rows->at[i].probed && rows->at[i].outcome != KB_OUTCOME_OK)
            kb_ctl_fail(0, "key %u: %s (%s)", rows->at[i].key.index, kb_outcome_name(rows->at[i].outcome),
                        rows->at[i].why);
    return KB_EXIT_DONE;
}

static void json_probed(const struct row *row)
{
    printf(",\"status\":%d,\"outcome\":\"%s\",\"credits\":%s", row->status, kb_outcome_name(row->outcome),
           *row->credits ? row->credits : "null");
    if (row->retry_after_ms >= 0)
        printf(",\"retry_after_ms\":%d", row->retry_after_ms);
    else
        printf(",\"retry_after_ms\":null");
    printf(",\"why\":");
    kb_ctl_json(row->why);
}

static int print_json(const struct probe *probe, const struct rows *rows)
{
    printf("{\"name\":");
    kb_ctl_json(probe->told->name);
    printf(",\"pool\":");
    kb_ctl_json(probe->told->words[0]);
    printf(",\"service\":");
    kb_ctl_json(probe->service->name);
    printf(",\"keys\":[");
    for (unsigned i = 0; i < rows->count; i++) {
        const struct row *row = &rows->at[i];
        uint64_t ms;
        printf("%s{\"index\":%u,\"fingerprint\":\"%s\",\"probed\":%s", i ? "," : "", row->key.index,
               row->key.fingerprint, row->probed ? "true" : "false");
        if (row->probed)
            json_probed(row);
        printf(",\"state\":\"%s\",\"reason\":\"%s\",\"retry_in_ms\":", kb_ctl_state_name(row->word),
               kb_ctl_reason_name(row->word));
        if (kb_ctl_retry_of(row->word, &ms))
            printf("%" PRIu64 "}", ms);
        else
            printf("null}");
    }
    printf("]}\n");
    return KB_EXIT_DONE;
}

static int judge(const struct rows *rows)
{
    unsigned probed = 0, good = 0;
    for (unsigned i = 0; i < rows->count; i++) {
        probed += rows->at[i].probed;
        good += rows->at[i].probed && rows->at[i].outcome == KB_OUTCOME_OK;
    }
    if (probed == 0)
        return kb_ctl_fail(KB_EXIT_FAILED, "no key was probed: all are disabled, or there is none");
    return good == probed ? KB_EXIT_DONE : KB_EXIT_FAILED;
}

/* Probes the keys one after the other, `one` alone if it is there, and shows them. */
static int probe_keys(const struct probe *probe, struct kb_state *state, unsigned pool, const struct kb_keyref *one)
{
    const unsigned first = one ? one->index : 0, end = one ? one->index + 1 : kb_slot_span(state, pool);
    struct rows rows = {.at = calloc(end - first + 1, sizeof *rows.at)};
    int code = rows.at != NULL ? KB_EXIT_DONE : kb_ctl_fail_code(probe->told->name, KB_ENOMEM);
    for (unsigned index = first; code == KB_EXIT_DONE && index < end; index++) {
        struct row *row = &rows.at[rows.count];
        struct kb_keyref after;
        if (!kb_keyref_read(state, pool, index, &row->key, &row->word))
            continue;
        rows.count++;
        if (kb_word_state(row->word) == KB_DISABLED)
            continue;
        code = probe_key(probe, row);
        kb_keyref_read(state, pool, index, &after, &row->word);
    }
    if (code == KB_EXIT_DONE)
        code = (probe->told->json ? print_json : print_text)(probe, &rows);
    if (code == KB_EXIT_DONE)
        code = judge(&rows);
    free(rows.at);
    return code;
}

static void note(void *arg, const char *text)
{
    (void)arg;
    kb_ctl_fail(0, "%s", text);
}

/* Sets up what the pool's service says, and probes. */
static int probe_pool(struct probe *probe, struct kb_state *state, unsigned pool, const struct kb_keyref *one)
{
    const char *name = probe->told->name;
    char text[KB_SERVICE_MAX + 1];
    int code = kb_pool_service(probe->client, probe->told->words[0], text, sizeof text, NULL);
    if (code < 0)
        return kb_ctl_fail_code(name, code);
    struct kb_service *service = kb_service_parse(text, (size_t)code);
    if (service == NULL)
        return kb_ctl_fail(KB_EXIT_FAILED, "what broker \"%s\" says of this pool's service cannot be read", name);
    probe->service = service;
    code = service->probe_url != NULL ? kb_http_open(probe->client, &probe->http) : 0;
    if (service->probe_url == NULL) {
        code = kb_ctl_fail(KB_EXIT_FAILED,
                           "no cheap request of service %s is known: give its \"probe\" in the configuration, as\n"
                           "  \"services\": {\"%s\": {\"probe\": {\"url\": \"/v1/me\"}}}",
                           service->name, service->name);
    } else if (code) {
        code = kb_ctl_fail_code(name, code);
    } else {
        kb_http_on_note(probe->http, note, NULL);
        code = probe_keys(probe, state, pool, one);
    }
    kb_http_close(probe->http);
    kb_service_free(service);
    return code;
}

static int run(const struct kb_ctl_options *told)
{
    struct probe probe = {.told = told};
    struct kb_segment *segment;
    struct kb_ctl_pools pools;
    struct kb_keyref key;
    if (told->timeout_ms == 0)
        return kb_ctl_fail(KB_EXIT_USAGE, "--timeout wants milliseconds, more than 0");
    /* Secrets are here from the first request on: no core dump, no debugger. */
    prctl(PR_SET_DUMPABLE, 0);
    int code = kb_ctl_open(told, &segment);
    if (code)
        return code;
    code = kb_ctl_pools_select(segment->state, told->words[0], &pools);
    if (code == 0 && told->words[1] != NULL)
        code = kb_keyref_choose(segment->state, &pools.at[0], told->words[1], &key);
    if (code == 0) {
        code = kb_open(told->name, &probe.client);
        code = code ? kb_ctl_fail_code(told->name, code)
                    : probe_pool(&probe, segment->state, pools.at[0].number, told->words[1] != NULL ? &key : NULL);
        kb_close(probe.client);
    }
    kb_segment_close(segment);
    return code;
}

const struct kb_command kb_command_probe = {
    .name = "probe",
    .synopsis = "POOL [KEY]",
    .summary = "tries each key with one cheap request",
    .help = "Sends one cheap authenticated request of the pool's service with KEY, or with every key that is not\n"
            "disabled, one after the other, and shows what came back: the HTTP status, the outcome as keyctl\n"
            "classify tells it, the credits left where the service tells them, and how the key stands afterwards.\n"
            "No credits left is quota, not ok.\n"
            "\n"
            "The outcomes are reported as those of any call, so a bad key leaves the rotation here. A good answer\n"
            "does not bring one back before its time: keyctl reset does. Needs no turn of a key, and no living\n"
            "broker. The request is the \"probe\" of the service, built in or in the configuration.\n"
            "\n"
            "  --timeout MS  of each request, in milliseconds (default: 10000)\n"
            "\n"
            "With --json, \"why\" tells which rule decided, or what went wrong on the way.\n"
            "\n"
            "Exit codes: 0 every key probed is good; 1 one is not, or could not be probed, or no request is known;\n"
            "2 usage, 3 no broker, 4 no such pool or key.\n",
    .least_words = 1,
    .most_words = 2,
    .takes = KB_TAKES_NAME | KB_TAKES_JSON | KB_TAKES_TIMEOUT,
    .run = run,
};
