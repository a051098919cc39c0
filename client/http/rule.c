#include "http/rule.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { VALUE_MAX = 256, STEP_MAX = 64 };

const char *kb_rule_header(const kb_http_evidence *evidence, const char *name)
{
    for (size_t i = 0; i < evidence->header_count; i++)
        if (strcasecmp(evidence->headers[i].name, name) == 0)
            return evidence->headers[i].value;
    return NULL;
}

/* The member or element of this name, -1 for none. */
static int step_into(const struct kb_json *doc, int token, const char *step)
{
    if (kb_json_type(doc, token) == KB_JSON_OBJECT)
        return kb_json_member(doc, token, step);
    if (kb_json_type(doc, token) != KB_JSON_ARRAY || step[strspn(step, "0123456789")] != '\0')
        return -1;
    long left = strlen(step) < 7 ? strtol(step, NULL, 10) : -1;
    int at = left >= 0 ? kb_json_first(doc, token) : -1;
    for (; at >= 0 && left > 0; left--)
        at = kb_json_next(doc, at);
    return at;
}

static int find_from(const struct kb_json *doc, int token, const char *path)
{
    char step[STEP_MAX];
    if (*path == '\0')
        return kb_json_type(doc, token) == KB_JSON_NULL ? -1 : token;
    const size_t len = strcspn(path, ".");
    const char *rest = path + len + (path[len] == '.');
    if (token < 0 || len >= sizeof step)
        return -1;
    memcpy(step, path, len);
    step[len] = '\0';
    if (strcmp(step, "*") != 0)
        return find_from(doc, step_into(doc, token, step), rest);
    const bool object = kb_json_type(doc, token) == KB_JSON_OBJECT;
    for (int at = kb_json_first(doc, token); at >= 0; at = kb_json_next(doc, at)) {
        const int found = find_from(doc, object ? kb_json_value(doc, at) : at, rest);
        if (found >= 0)
            return found;
    }
    return -1;
}

int kb_rule_find(const struct kb_json *doc, const char *path)
{
    return doc != NULL ? find_from(doc, 0, path) : -1;
}

static bool is_listed(const char *list, const char *text)
{
    const size_t len = strlen(text);
    for (;; list++) {
        const size_t item = strcspn(list, "|");
        if (item == len && strncasecmp(list, text, len) == 0)
            return true;
        list += item;
        if (*list == '\0')
            return false;
    }
}

/* The value has the wanted text. */
static bool fits(const struct kb_rule *rule, const char *text)
{
    struct kb_words words = {.len = 0};
    size_t len;
    if (rule->is != NULL && !is_listed(rule->is, text))
        return false;
    if (rule->has == NULL)
        return true;
    kb_words_add_name(&words, text, strlen(text));
    return kb_words_find(&words, rule->has, &len) != NULL;
}

static bool field_fits(const struct kb_rule *rule, const struct kb_json *doc, int token)
{
    char text[VALUE_MAX];
    size_t len;
    const char *raw = kb_json_raw(doc, token, &len);
    const enum kb_json_type type = kb_json_type(doc, token);
    if (token < 0)
        return false;
    if (rule->is == NULL && rule->has == NULL)
        return true;
    if (type == KB_JSON_OBJECT || type == KB_JSON_ARRAY)
        return false;
    if (type == KB_JSON_STRING) {
        if (kb_json_string(doc, token, text, sizeof text) < 0)
            return false;
    } else {
        if (len >= sizeof text)
            return false;
        memcpy(text, raw, len);
        text[len] = '\0';
    }
    return fits(rule, text);
}

bool kb_rule_holds(const struct kb_rule *rule, const struct kb_rule_subject *subject, int *token)
{
    const int status = subject->evidence->status;
    size_t len;
    *token = -1;
    if (rule->status_max != 0 && (status < rule->status_min || status > rule->status_max))
        return false;
    if (rule->no_json && subject->doc != NULL)
        return false;
    if (rule->field != NULL) {
        *token = kb_rule_find(subject->doc, rule->field);
        if (!field_fits(rule, subject->doc, *token))
            return false;
    }
    if (rule->header != NULL) {
        const char *value = kb_rule_header(subject->evidence, rule->header);
        if (value == NULL || !fits(rule, value))
            return false;
    }
    return rule->message == NULL || kb_words_find(&subject->envelope->messages, rule->message, &len) != NULL;
}
