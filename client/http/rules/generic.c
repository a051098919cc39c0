#include "http/rules/generic.h"

#include "http/rules/vocabulary.h"

#include <stdio.h>
#include <string.h>

/* A case before the judge. */
struct hearing {
    const struct kb_rule_subject *subject;
    const struct kb_envelope *envelope;
    int status;
    char *rule;
};

enum { RULE_MAX = 64 };

static bool found(const struct hearing *hearing, const struct kb_words *words, const char *what, const char *phrases)
{
    size_t len;
    const char *phrase = kb_words_find(words, phrases, &len);
    if (phrase == NULL)
        return false;
    snprintf(hearing->rule, RULE_MAX, "generic: status %d, %s \"%.*s\"", hearing->status, what,
             len < 30 ? (int)len : 30, phrase);
    return true;
}

static bool named(const struct hearing *hearing, const char *phrases)
{
    return found(hearing, &hearing->envelope->names, "code", phrases);
}

static bool said(const struct hearing *hearing, const char *phrases)
{
    return found(hearing, &hearing->envelope->messages, "message", phrases);
}

static kb_outcome by_status(const struct hearing *hearing, kb_outcome outcome)
{
    snprintf(hearing->rule, RULE_MAX, "generic: status %d", hearing->status);
    return outcome;
}

/* A limit on a day or a month is quota, on less it is rate. What it is on may stand in quotation marks. */
static kb_outcome by_period(const struct hearing *hearing, kb_outcome otherwise)
{
    struct kb_words words = {.len = 0};
    size_t len;
    kb_words_add_name(&words, hearing->envelope->hint, strlen(hearing->envelope->hint));
    const bool instant = kb_words_find(&words, kb_messages_instant, &len) != NULL;
    const bool period = kb_words_find(&words, kb_messages_period, &len) != NULL;
    if (instant == period)
        return otherwise;
    return instant ? KB_OUTCOME_RATE : KB_OUTCOME_QUOTA;
}

/* Quota, rate or the caller's fault, by the code first: a message may mention billing in a rate limit's answer. */
static bool judge_names(const struct hearing *hearing, kb_outcome *out)
{
    if (named(hearing, kb_names_quota))
        *out = by_period(hearing, KB_OUTCOME_QUOTA);
    else if (named(hearing, kb_names_rate))
        *out = KB_OUTCOME_RATE;
    else if (named(hearing, kb_names_blame))
        *out = KB_OUTCOME_CLIENT;
    else
        return false;
    return true;
}

static bool judge_messages(const struct hearing *hearing, kb_outcome *out)
{
    *out = KB_OUTCOME_CLIENT;
    if (said(hearing, kb_messages_request))
        return true;
    if (said(hearing, kb_messages_quota))
        *out = by_period(hearing, KB_OUTCOME_QUOTA);
    else if (said(hearing, kb_messages_rate))
        *out = by_period(hearing, KB_OUTCOME_RATE);
    else
        return said(hearing, kb_messages_blame);
    return true;
}

static bool is_zero(const char *text)
{
    return text != NULL && *text == '0' && text[1] == '\0';
}

/* 401 and 403: the key's, unless something says that it is its credits, its rate, or not its fault at all. */
static kb_outcome judge_refusal(const struct hearing *hearing)
{
    const kb_http_evidence *evidence = hearing->subject->evidence;
    kb_outcome outcome;
    if (judge_names(hearing, &outcome))
        return outcome;
    if (named(hearing, kb_names_key))
        return KB_OUTCOME_AUTH;
    if (judge_messages(hearing, &outcome))
        return outcome;
    if (hearing->status == 403 && hearing->envelope->input) {
        snprintf(hearing->rule, RULE_MAX, "generic: status 403, a parameter is named");
        return KB_OUTCOME_CLIENT;
    }
    if (hearing->status == 403 && is_zero(kb_rule_header(evidence, "x-ratelimit-remaining"))) {
        snprintf(hearing->rule, RULE_MAX, "generic: status 403, x-ratelimit-remaining 0");
        return KB_OUTCOME_RATE;
    }
    if (kb_rule_header(evidence, "cf-mitigated") != NULL) {
        snprintf(hearing->rule, RULE_MAX, "generic: status %d, cf-mitigated", hearing->status);
        return KB_OUTCOME_CLIENT;
    }
    return by_status(hearing, KB_OUTCOME_AUTH);
}

/* 429: the rate, unless it is the credits, a request that will never fit, or upstream itself that has too much to do.
 */
static kb_outcome judge_too_many(const struct hearing *hearing)
{
    if (named(hearing, kb_names_quota))
        return by_period(hearing, KB_OUTCOME_QUOTA);
    if (named(hearing, kb_names_overload))
        return KB_OUTCOME_TRANSIENT;
    if (said(hearing, kb_messages_request))
        return KB_OUTCOME_CLIENT;
    const bool rate_named = named(hearing, kb_names_rate);
    if (said(hearing, rate_named ? kb_messages_empty : kb_messages_quota))
        return by_period(hearing, KB_OUTCOME_QUOTA);
    if (!said(hearing, kb_messages_rate) && said(hearing, kb_messages_overload))
        return KB_OUTCOME_TRANSIENT;
    /* A code that says "rate limit" is taken at its word; throttling may be for the rest of the day. */
    const bool plain = rate_named && named(hearing, kb_names_rate_limit);
    return by_status(hearing, plain ? KB_OUTCOME_RATE : by_period(hearing, KB_OUTCOME_RATE));
}

/* "style_preset: …" and "* contents[0].text: …" name a member of the request, "authorization: …" does not. */
static bool names_member(const char *line)
{
    static const char *const keys[] = {"error", "authorization", "auth",  "api_key", "apikey",       "api-key",
                                       "key",   "x-api-key",     "token", "message", "unauthorized", "exception"};
    line += strspn(line, "-* \t");
    const size_t len = strcspn(line, " \t\n:");
    if (len == 0 || line[len] != ':')
        return false;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strlen(keys[i]) == len && strncasecmp(line, keys[i], len) == 0)
            return false;
    return true;
}

static bool begins_with_member(const struct kb_envelope *envelope)
{
    for (const char *line = envelope->hint; *line != '\0'; line += strcspn(line, "\n") + 1)
        if (names_member(line))
            return true;
    return false;
}

/* The request's fault, as its status says, unless a code or, with nothing to the contrary, the message is clear. */
static kb_outcome judge_request(const struct hearing *hearing)
{
    const struct kb_envelope *envelope = hearing->envelope;
    kb_outcome outcome;
    if (judge_names(hearing, &outcome))
        return outcome;
    if (named(hearing, kb_names_key))
        return KB_OUTCOME_AUTH;
    if (!envelope->input && !begins_with_member(envelope) && !named(hearing, kb_names_request)) {
        if (said(hearing, kb_messages_request))
            return KB_OUTCOME_CLIENT;
        if (said(hearing, kb_messages_quota))
            return by_period(hearing, KB_OUTCOME_QUOTA);
        if (named(hearing, kb_names_auth) || said(hearing, kb_messages_key))
            return KB_OUTCOME_AUTH;
    }
    if (hearing->status != 404 && (named(hearing, kb_names_overload) || named(hearing, kb_names_trouble)))
        return KB_OUTCOME_TRANSIENT;
    return by_status(hearing, KB_OUTCOME_CLIENT);
}

/* Nothing was found: the key may have been, if the words are about it. */
static kb_outcome judge_absence(const struct hearing *hearing)
{
    if (named(hearing, kb_names_key) || (!hearing->envelope->input && said(hearing, kb_messages_key)))
        return KB_OUTCOME_AUTH;
    return by_status(hearing, KB_OUTCOME_CLIENT);
}

/* 5xx: upstream's, unless a code says otherwise; a message may be about upstream's own upstream. */
static kb_outcome judge_trouble(const struct hearing *hearing)
{
    kb_outcome outcome;
    if (hearing->status < 502 && judge_names(hearing, &outcome))
        return outcome;
    if (hearing->status < 502 && named(hearing, kb_names_key))
        return KB_OUTCOME_AUTH;
    if (hearing->status == 500 && said(hearing, kb_messages_empty))
        return KB_OUTCOME_QUOTA;
    if (hearing->status == 500 && !named(hearing, kb_names_trouble) && named(hearing, kb_names_request))
        return KB_OUTCOME_CLIENT;
    return by_status(hearing, KB_OUTCOME_TRANSIENT);
}

static kb_outcome judge_status(const struct hearing *hearing);

/* An answer of good standing whose body is an error and nothing else. */
static kb_outcome judge_success(const struct hearing *hearing)
{
    const struct kb_envelope *envelope = hearing->envelope;
    kb_outcome outcome;
    if (!envelope->error || !envelope->alone)
        return by_status(hearing, KB_OUTCOME_OK);
    if (envelope->status != 0) {
        struct hearing inner = *hearing;
        inner.status = envelope->status;
        return judge_status(&inner);
    }
    if (judge_names(hearing, &outcome))
        return outcome;
    if (said(hearing, kb_messages_request))
        return KB_OUTCOME_CLIENT;
    const bool about_key =
        named(hearing, kb_names_key) || named(hearing, kb_names_auth) || said(hearing, kb_messages_key);
    if (judge_messages(hearing, &outcome))
        return about_key && outcome == KB_OUTCOME_CLIENT ? KB_OUTCOME_AUTH : outcome;
    if (about_key)
        return KB_OUTCOME_AUTH;
    if (named(hearing, kb_names_overload) || named(hearing, kb_names_trouble) || said(hearing, kb_messages_overload))
        return KB_OUTCOME_TRANSIENT;
    return by_status(hearing, KB_OUTCOME_CLIENT);
}

/* Some say 400 or 500 to all and put the status that they mean into the body. */
static bool means_another(const struct hearing *hearing)
{
    const int meant = hearing->envelope->status;
    return (hearing->status == 400 || hearing->status == 500) &&
           (meant == 401 || meant == 402 || meant == 403 || meant == 429);
}

static kb_outcome judge_status(const struct hearing *hearing)
{
    const int status = hearing->status;
    if (status >= 200 && status < 300)
        return judge_success(hearing);
    if (means_another(hearing)) {
        struct hearing inner = *hearing;
        inner.status = hearing->envelope->status;
        return judge_status(&inner);
    }
    switch (status) {
    case 401:
    case 403:
        return judge_refusal(hearing);
    case 402:
        return by_status(hearing, KB_OUTCOME_QUOTA);
    case 420: /* Twitter's and its kin's */
    case 429:
        return judge_too_many(hearing);
    case 408:
    case 425:
    case 499: /* nginx: the client closed the connection, which was a gateway */
        return by_status(hearing, KB_OUTCOME_TRANSIENT);
    case 404:
    case 410:
        return judge_absence(hearing);
    case 405:
    case 406:
    case 411:
    case 413:
    case 414:
    case 415:
    case 416:
    case 431:
        return by_status(hearing, KB_OUTCOME_CLIENT);
    case 529: /* Anthropic: overloaded */
        return by_status(hearing, KB_OUTCOME_TRANSIENT);
    case 304: /* what the caller has is still good */
        return by_status(hearing, KB_OUTCOME_OK);
    default:
        if (status >= 400 && status < 500)
            return judge_request(hearing);
        if (status >= 500)
            return judge_trouble(hearing);
        return by_status(hearing, status >= 300 ? KB_OUTCOME_CLIENT : KB_OUTCOME_TRANSIENT);
    }
}

kb_outcome kb_generic_judge(const struct kb_rule_subject *subject, int status, char rule[RULE_MAX])
{
    const struct hearing hearing = {.subject = subject, .envelope = subject->envelope, .status = status, .rule = rule};
    return judge_status(&hearing);
}
