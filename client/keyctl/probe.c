#include "http/number.h"
#include "http/service.h"
#include "keyctl/access.h"
#include "keyctl/command.h"
#include "keyctl/print.h"
#include "keyctl/verdict.h"
#include "segment/slot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#define CREDITS_MAX 1e15 /* what kb_number_write writes */

/* What a pool's keys are probed with. */
struct probe {
    const struct kb_ctl_options *told;
    const struct kb_service *service;
    kb_client *client;
    kb_http *http;
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
    const bool found =
        token >= 0 && kb_number_read(raw, len, credits) && *credits<CREDITS_MAX && * credits> - CREDITS_MAX;
    kb_json_free(doc);
    return found;
}

/* The request was reported as good; that the account is empty is known to nobody but its reader. */
static void report_empty(const struct probe *probe, struct kb_ctl_verdict *verdict)
{
    kb_key key;
    verdict->outcome = KB_OUTCOME_QUOTA;
    snprintf(verdict->why, sizeof verdict->why, "no credits are left");
    if (kb_claim_key(probe->client, probe->told->words[0], verdict->key.fingerprint, &key) == 0)
        kb_report(probe->client, &key, KB_OUTCOME_QUOTA, -1, verdict->status);
    kb_key_clear(&key);
}

static void read_answer(const struct probe *probe, const kb_http_answer *answer, struct kb_ctl_verdict *verdict)
{
    double credits;
    verdict->probed = true;
    verdict->outcome = answer->outcome;
    verdict->status = answer->status;
    verdict->retry_after_ms = answer->retry_after_ms;
    kb_ctl_plain(verdict->why, answer->error != NULL ? answer->error : answer->rule, sizeof verdict->why);
    if (answer->outcome == KB_OUTCOME_OK && read_credits(probe->service, answer, &credits)) {
        kb_number_write(verdict->credits, credits);
        if (credits <= 0)
            report_empty(probe, verdict);
    }
}

/* 0, or an exit code with the reason told: no other key would fare better. */
static int probe_key(const struct probe *probe, struct kb_ctl_verdict *verdict)
{
    const kb_http_request request = {.pool = probe->told->words[0],
                                     .url = probe->service->probe_url,
                                     .timeout_ms = probe->told->timeout_ms,
                                     .fingerprint = verdict->key.fingerprint};
    kb_http_answer answer;
    int exit_code = KB_EXIT_DONE;
    const int code = kb_http_perform(probe->http, &request, &answer);
    if (answer.attempts > 0)
        read_answer(probe, &answer, verdict);
    else if (code == KB_EINVAL)
        exit_code = kb_ctl_fail(KB_EXIT_FAILED, "the probe of this pool's service cannot be sent: %s",
                                answer.error != NULL ? answer.error : kb_strerror(code));
    else if (code != KB_EKEY) /* that one was disabled or removed in the meantime */
        exit_code = kb_ctl_fail_code(probe->told->name, code);
    kb_http_answer_clear(&answer);
    return exit_code;
}

/* Probes the keys one after the other, `one` alone if it is there, and shows them. */
static int probe_keys(const struct probe *probe, struct kb_state *state, unsigned pool, const struct kb_keyref *one)
{
    const unsigned first = one ? one->index : 0, end = one ? one->index + 1 : kb_slot_span(state, pool);
    struct kb_ctl_verdicts verdicts = {.at = calloc(end - first + 1, sizeof *verdicts.at)};
    int code = KB_EXIT_DONE;
    if (verdicts.at == NULL)
        return kb_ctl_fail_code(probe->told->name, KB_ENOMEM);
    for (unsigned index = first; code == KB_EXIT_DONE && index < end; index++) {
        struct kb_ctl_verdict *verdict = &verdicts.at[verdicts.count];
        struct kb_keyref after;
        if (!kb_keyref_read(state, pool, index, &verdict->key, &verdict->word))
            continue;
        verdicts.count++;
        if (kb_word_state(verdict->word) == KB_DISABLED)
            continue;
        code = probe_key(probe, verdict);
        kb_keyref_read(state, pool, index, &after, &verdict->word);
    }
    if (code == KB_EXIT_DONE)
        code = kb_ctl_verdicts_tell(probe->told, probe->service->name, &verdicts);
    free(verdicts.at);
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
    struct kb_keyref key, *one = NULL;
    if (told->timeout_ms == 0)
        return kb_ctl_fail(KB_EXIT_USAGE, "--timeout wants milliseconds, more than 0");
    /* Secrets are here from the first request on: no core dump, no debugger. */
    prctl(PR_SET_DUMPABLE, 0);
    int code = kb_ctl_open(told, &segment);
    if (code)
        return code;
    code = kb_ctl_pools_select(segment->state, told->words[0], &pools);
    if (code == 0 && told->words[1] != NULL) {
        code = kb_keyref_choose(segment->state, &pools.at[0], told->words[1], &key);
        one = &key;
    }
    if (code == 0) {
        code = kb_open(told->name, &probe.client);
        code = code ? kb_ctl_fail_code(told->name, code) : probe_pool(&probe, segment->state, pools.at[0].number, one);
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
