#include "http/service_reader.h"

#include <string.h>

enum { STATUS_MIN = 100, STATUS_MAX = 599 };

static bool is_digits(const char *text, size_t n)
{
    return strspn(text, "0123456789") >= n;
}

static int number3(const char *text)
{
    return (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
}

/* "4xx" or "400-499"; leaves both as they are if it is neither. */
static void parse_range(const char *text, int *min, int *max)
{
    const size_t len = strlen(text);
    if (len == 3 && is_digits(text, 1) && strcmp(text + 1, "xx") == 0) {
        *min = (text[0] - '0') * 100;
        *max = *min + 99;
    } else if (len == 7 && is_digits(text, 3) && text[3] == '-' && is_digits(text + 4, 3)) {
        *min = number3(text);
        *max = number3(text + 4);
    }
}

static bool read_status(struct kb_service_reader *r, int token, void *target)
{
    struct kb_rule *rule = target;
    char text[8];
    int64_t number;
    int min = 0, max = 0;
    const ptrdiff_t len = kb_json_string(r->doc, token, text, sizeof text);
    if (kb_json_integer(r->doc, token, &number) && number >= STATUS_MIN && number <= STATUS_MAX)
        min = max = (int)number;
    else if (len >= 0 && strlen(text) == (size_t)len)
        parse_range(text, &min, &max);
    rule->status_min = min;
    rule->status_max = max;
    if (min >= STATUS_MIN && min <= max && max <= STATUS_MAX)
        return true;
    return kb_service_fail(r, token, "a status must stand here: 100 to 599, \"4xx\" or \"400-499\"");
}

static bool read_field(struct kb_service_reader *r, int token, void *target)
{
    struct kb_rule *rule = target;
    rule->field = kb_service_path(r, token);
    return rule->field != NULL;
}

static bool read_header(struct kb_service_reader *r, int token, void *target)
{
    static const char what[] = "the name of a header must stand here";
    struct kb_rule *rule = target;
    rule->header = kb_service_text(r, token, what);
    if (rule->header != NULL && !kb_service_is_token(rule->header))
        return kb_service_fail(r, token, what);
    return rule->header != NULL;
}

static bool read_is(struct kb_service_reader *r, int token, void *target)
{
    struct kb_rule *rule = target;
    rule->is = kb_service_texts(r, token, true,
                                "a text, a number, a boolean or a list of them must stand here; a text is not empty "
                                "and has no '|' and no control character");
    return rule->is != NULL;
}

static const char phrases[] = "a text or a list of texts must stand here, none of them empty or with a '|' or a "
                              "control character";

static bool read_has(struct kb_service_reader *r, int token, void *target)
{
    struct kb_rule *rule = target;
    rule->has = kb_service_texts(r, token, false, phrases);
    return rule->has != NULL;
}

static bool read_message(struct kb_service_reader *r, int token, void *target)
{
    struct kb_rule *rule = target;
    rule->message = kb_service_texts(r, token, false, phrases);
    return rule->message != NULL;
}

static bool read_outcome(struct kb_service_reader *r, int token, void *target)
{
    struct kb_rule *rule = target;
    for (kb_outcome outcome = KB_OUTCOME_OK; outcome <= KB_OUTCOME_CLIENT; outcome++)
        if (kb_json_equals(r->doc, token, kb_outcome_name(outcome))) {
            rule->outcome = outcome;
            return true;
        }
    return kb_service_fail(r, token,
                           "an outcome must stand here: \"ok\", \"auth\", \"quota\", \"rate\", \"transient\" or "
                           "\"client\"");
}

static bool read_wait_ms(struct kb_service_reader *r, int token, void *target)
{
    struct kb_rule *rule = target;
    int64_t ms;
    _Static_assert(KB_HTTP_WAIT_MAX_MS == 2073600000, "what the message says");
    if (!kb_json_integer(r->doc, token, &ms) || ms < 0 || ms > (int64_t)KB_HTTP_WAIT_MAX_MS)
        return kb_service_fail(r, token, "milliseconds must stand here: 0 to 2073600000, which is 24 days");
    rule->wait_ms = (int)ms;
    return true;
}

static bool read_wait_field(struct kb_service_reader *r, int token, void *target)
{
    struct kb_rule *rule = target;
    rule->wait_field = kb_service_path(r, token);
    return rule->wait_field != NULL;
}

static const struct kb_service_member members[] = {
    {"status", read_status},   {"field", read_field},     {"header", read_header},
    {"is", read_is},           {"has", read_has},         {"message", read_message},
    {"outcome", read_outcome}, {"wait_ms", read_wait_ms}, {"wait_field", read_wait_field},
};

static const char allowed[] =
    "unknown member: what may stand here is \"status\", \"field\", \"header\", \"is\", \"has\", \"message\", "
    "\"outcome\", \"wait_ms\", \"wait_field\"";

static bool read_rule(struct kb_service_reader *r, int token, struct kb_rule *rule)
{
    *rule = (struct kb_rule){.outcome = KB_OUTCOME_OK};
    if (!kb_service_members(r, token, members, sizeof members / sizeof *members, allowed, rule))
        return false;
    if (kb_json_member(r->doc, token, "outcome") < 0)
        return kb_service_fail(r, token, "this rule needs the member \"outcome\"");
    if (rule->status_min == 0 && rule->field == NULL && rule->header == NULL && rule->message == NULL)
        return kb_service_fail(r, token,
                               "this rule needs a condition: \"status\", \"field\", \"header\" or \"message\"");
    if (rule->field != NULL && rule->header != NULL)
        return kb_service_fail(r, token, "a rule has \"field\" or \"header\", not both");
    if (rule->is != NULL && rule->has != NULL)
        return kb_service_fail(r, token, "a rule has \"is\" or \"has\", not both");
    if ((rule->is != NULL || rule->has != NULL) && rule->field == NULL && rule->header == NULL)
        return kb_service_fail(r, token, "\"is\" and \"has\" need a \"field\" or a \"header\"");
    return true;
}

bool kb_service_read_rules(struct kb_service_reader *r, int token, struct kb_rule *out)
{
    for (int at = kb_json_first(r->doc, token); at >= 0; at = kb_json_next(r->doc, at))
        if (!read_rule(r, at, out++))
            return false;
    return true;
}
