#include "http/judge.h"

#include "http/rules/generic.h"
#include "http/rules/rules.h"
#include "http/wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Errors are short: what is longer is a result, and is not read for every answer. */
enum { EXAMINED_MAX = 1 << 20 };

/* Headers in which gateways name an error: Mashery, AWS (behind it may stand ":http://…"), Azure. */
static const char *const name_headers[] = {"x-mashery-error-code", "x-amzn-errortype", "x-ms-error-code",
                                           "x-error-code"};

static void add_names(struct kb_envelope *envelope, const kb_http_evidence *evidence)
{
    for (size_t i = 0; i < sizeof name_headers / sizeof *name_headers; i++) {
        const char *value = kb_rule_header(evidence, name_headers[i]);
        if (value != NULL)
            kb_words_add_name(&envelope->names, value, strcspn(value, ":"));
    }
}

/* A number that stands for an HTTP status, as rules with as_status have it. */
static int status_at(const struct kb_json *doc, int token)
{
    size_t len;
    const char *raw = kb_json_raw(doc, token, &len);
    char text[8];
    if (len == 0 || len >= sizeof text)
        return 0;
    memcpy(text, raw, len);
    text[len] = '\0';
    const long status = text[strspn(text, "0123456789")] == '\0' ? strtol(text, NULL, 10) : 0;
    return status >= 100 && status < 600 ? (int)status : 0;
}

static double rule_wait(const struct kb_rule *rule, const struct kb_rule_subject *subject, int64_t now)
{
    size_t len;
    const int token = rule->wait_field != NULL ? kb_rule_find(subject->doc, rule->wait_field) : -1;
    const char *raw = kb_json_raw(subject->doc, token, &len);
    const double wait = token >= 0 ? kb_wait_parse(raw, len, now, true) : -1;
    if (wait >= 0)
        return wait;
    const double named = kb_wait_named(subject, rule->outcome, now);
    return named < 0 && rule->wait_ms > 0 ? rule->wait_ms : named;
}

/* Decides by the first rule of a list that holds. */
static bool judge_by(const struct kb_rule *list, size_t n, const char *whose, const struct kb_rule_subject *subject,
                     kb_http_verdict *verdict, double *wait, int64_t now)
{
    for (size_t i = 0; i < n; i++) {
        const struct kb_rule *rule = &list[i];
        int token;
        if (!kb_rule_holds(rule, subject, &token))
            continue;
        const int status = rule->as_status ? status_at(subject->doc, token) : 0;
        if (rule->as_status && status == 0)
            continue;
        if (rule->as_status) {
            verdict->outcome = kb_generic_judge(subject, status, verdict->rule);
            *wait = kb_wait_named(subject, verdict->outcome, now);
            return true;
        }
        verdict->outcome = rule->outcome;
        snprintf(verdict->rule, sizeof verdict->rule, "%.16s: rule %u%s%.16s", whose, (unsigned)i + 1,
                 rule->field != NULL ? ", " : "", rule->field != NULL ? rule->field : "");
        *wait = rule_wait(rule, subject, now);
        return true;
    }
    return false;
}

static void set_wait(kb_http_verdict *verdict, double wait)
{
    verdict->wait_ms = -1;
    if (wait >= 0 && wait <= KB_HTTP_WAIT_MAX_MS) {
        verdict->wait_ms = (int)(wait + 0.5);
    } else if (wait > KB_HTTP_WAIT_MAX_MS) {
        verdict->wait_ms = KB_HTTP_WAIT_MAX_MS;
        verdict->clamped = 1;
    }
}

static void judge_subject(const struct kb_service *service, const struct kb_rule_subject *subject,
                          kb_http_verdict *verdict)
{
    const int64_t now = subject->evidence->now != 0 ? subject->evidence->now : (int64_t)time(NULL);
    const struct kb_rules *table = kb_rules_of(service->name);
    double wait = -1;
    if (!judge_by(service->rules, service->n_rules, "configuration", subject, verdict, &wait, now) &&
        (table == NULL || !judge_by(table->list, table->n, table->service, subject, verdict, &wait, now))) {
        verdict->outcome = kb_generic_judge(subject, subject->evidence->status, verdict->rule);
        wait = kb_wait_named(subject, verdict->outcome, now);
    }
    set_wait(verdict, wait);
}

void kb_judge(const struct kb_service *service, const kb_http_evidence *evidence, kb_http_verdict *verdict)
{
    struct kb_json_error error;
    struct kb_envelope envelope;
    const bool readable = evidence->body != NULL && evidence->body_len > 0 && evidence->body_len <= EXAMINED_MAX;
    struct kb_json *doc = readable ? kb_json_parse(evidence->body, evidence->body_len, &error) : NULL;
    *verdict = (kb_http_verdict){.wait_ms = -1};
    kb_envelope_read(&envelope, doc);
    /* A refusal may be explained in plain words; elsewhere such a text may be anything. */
    if (doc == NULL && readable && (evidence->status == 401 || evidence->status == 403 || evidence->status == 429))
        kb_envelope_read_text(&envelope, evidence->body, evidence->body_len);
    add_names(&envelope, evidence);
    const struct kb_rule_subject subject = {.evidence = evidence, .doc = doc, .envelope = &envelope};
    judge_subject(service, &subject, verdict);
    kb_json_free(doc);
}

void kb_http_judge(const char *service, const kb_http_evidence *evidence, kb_http_verdict *verdict)
{
    struct kb_service named = *kb_service_builtin(service);
    if (service != NULL)
        named.name = service;
    kb_judge(&named, evidence, verdict);
}
