#include "http/envelope.h"

#include "http/member.h"

#include <string.h>

enum { DEPTH_MAX = 5, ELEMENTS_MAX = 8, NAME_MAX_LEN = 80, TEXT_MAX = 4096, MEMBER_NAME_MAX = 32 };

struct reader {
    const struct kb_json *doc;
    struct kb_envelope *out;
    int members; /* of the body */
    bool rpc;    /* JSON-RPC: an id stands beside each error */
};

/* Lower case, letters and digits only. */
static void squash(const struct kb_json *doc, int token, char out[MEMBER_NAME_MAX])
{
    size_t len, n = 0;
    const char *raw = kb_json_raw(doc, token, &len);
    for (size_t i = 0; i < len && n + 1 < MEMBER_NAME_MAX; i++) {
        const char lower = (char)(raw[i] | 0x20);
        if ((lower >= 'a' && lower <= 'z') || (raw[i] >= '0' && raw[i] <= '9'))
            out[n++] = lower;
    }
    out[n] = '\0';
}

/* A string's characters; of one that is too long the beginning, as it is written. Returns their number. */
static size_t text_of(const struct kb_json *doc, int token, char out[TEXT_MAX])
{
    const ptrdiff_t decoded = kb_json_string(doc, token, out, TEXT_MAX);
    if (decoded >= 0)
        return (size_t)decoded;
    size_t len;
    const char *raw = kb_json_raw(doc, token, &len);
    len = len < TEXT_MAX ? len : TEXT_MAX;
    memcpy(out, raw, len);
    return len;
}

static void take_message(struct reader *r, const char *text, size_t len)
{
    struct kb_envelope *out = r->out;
    const size_t used = strlen(out->hint), room = sizeof out->hint - used - 1;
    const size_t taken = len + 1 < room ? len : 0;
    for (size_t i = 0; i < taken; i++)
        out->hint[used + i] = (char)(text[i] != '\0' && text[i] != '\n' ? text[i] : ' ');
    if (taken > 0)
        memcpy(out->hint + used + taken, "\n", 2);
    kb_words_add_sentence(&out->messages, text, len);
}

/* A problem's type is a URL (RFC 9457): its last step says what it is. */
static void take_name(struct reader *r, const char *text, size_t len)
{
    const char *slash = len > 0 && memchr(text, ':', len) ? memrchr(text, '/', len - 1) : NULL;
    if (slash != NULL) {
        len -= (size_t)(slash + 1 - text);
        text = slash + 1;
    }
    if (len <= NAME_MAX_LEN)
        kb_words_add_name(&r->out->names, text, len);
}

static bool is_one_of(const char *text, size_t len, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strlen(*list) == len && strncasecmp(text, *list, len) == 0)
            return true;
    return false;
}

static void take_text(struct reader *r, int token, enum kb_member kind, bool top)
{
    static const char *const bad[] = {"error", "err", "fail", "failed", "failure", "false", "nok", "notok", NULL};
    char text[TEXT_MAX];
    const size_t len = text_of(r->doc, token, text);
    const bool word = memchr(text, ' ', len) == NULL;
    if (len == 0)
        return;
    if (is_one_of(text, len, bad) && kind != KB_MEMBER_MESSAGE && kind != KB_MEMBER_NAME) {
        r->out->error = r->out->error || top || kind == KB_MEMBER_FAULT;
        return;
    }
    r->out->error = r->out->error || kind == KB_MEMBER_FAULT;
    if (kind == KB_MEMBER_NAME || kind == KB_MEMBER_CODE ||
        ((kind == KB_MEMBER_EITHER || kind == KB_MEMBER_FAULT) && word))
        take_name(r, text, len);
    else if (kind == KB_MEMBER_MESSAGE || kind == KB_MEMBER_EITHER || kind == KB_MEMBER_FAULT ||
             kind == KB_MEMBER_HOLDER)
        take_message(r, text, len);
}

/* The number of a code, or of a text that is one; -1 for none. */
static int number_of(const struct kb_json *doc, int token)
{
    size_t len;
    const char *raw = kb_json_raw(doc, token, &len);
    int number = 0;
    if (len == 0 || len > 9)
        return -1;
    for (size_t i = 0; i < len; i++) {
        if (raw[i] < '0' || raw[i] > '9')
            return -1;
        number = number * 10 + (raw[i] - '0');
    }
    return number;
}

static void take_code(struct reader *r, int token, const char *name)
{
    const int number = number_of(r->doc, token);
    if (number >= 400 && number < 600) {
        r->out->error = true;
        if (r->out->status == 0)
            r->out->status = number;
    } else if (number != 0 && name[0] == 'e') {
        r->out->error = true; /* errorcode and kin: any number but 0 */
    }
}

static void read_object(struct reader *r, int object, int depth);

/* What is inside a holder: members, or a list of texts and objects. */
static void read_inside(struct reader *r, int token, enum kb_member kind, int depth)
{
    if (kb_json_type(r->doc, token) == KB_JSON_OBJECT)
        read_object(r, token, depth + 1);
    int elements = 0;
    for (int at = kb_json_type(r->doc, token) == KB_JSON_ARRAY ? kb_json_first(r->doc, token) : -1;
         at >= 0 && elements < ELEMENTS_MAX; at = kb_json_next(r->doc, at), elements++) {
        if (kb_json_type(r->doc, at) == KB_JSON_OBJECT)
            read_object(r, at, depth + 1);
        else if (kb_json_type(r->doc, at) == KB_JSON_STRING)
            take_text(r, at, kind == KB_MEMBER_FAULT ? KB_MEMBER_FAULT : KB_MEMBER_MESSAGE, false);
    }
}

static bool holds_nothing(const struct kb_json *doc, int token)
{
    size_t len;
    (void)kb_json_raw(doc, token, &len);
    switch (kb_json_type(doc, token)) {
    case KB_JSON_NULL:
        return true;
    case KB_JSON_STRING:
        return len == 0;
    case KB_JSON_ARRAY:
    case KB_JSON_OBJECT:
        return kb_json_size(doc, token) == 0;
    default:
        return false;
    }
}

static void read_scalar(struct reader *r, int token, enum kb_member kind, const char *name, bool top)
{
    const enum kb_json_type type = kb_json_type(r->doc, token);
    bool truth = true;
    if (kind == KB_MEMBER_WAIT || kind == KB_MEMBER_WAIT_MS) {
        r->out->wait = token;
        r->out->wait_in_ms = kind == KB_MEMBER_WAIT_MS;
    } else if (kind == KB_MEMBER_FLAG) {
        (void)kb_json_bool(r->doc, token, &truth);
        r->out->error = r->out->error || !truth;
    } else if (kind == KB_MEMBER_INPUT || kind == KB_MEMBER_PLACE) {
        r->out->input = r->out->input || kind == KB_MEMBER_INPUT || kb_json_equals(r->doc, token, "parameter");
    } else if (type == KB_JSON_STRING && !(kind == KB_MEMBER_CODE && number_of(r->doc, token) >= 0)) {
        take_text(r, token, kind, top);
    } else if (kind == KB_MEMBER_CODE) {
        take_code(r, token, name);
    } else if (kind == KB_MEMBER_FAULT && kb_json_bool(r->doc, token, &truth)) {
        r->out->error = r->out->error || truth;
    }
}

static void read_member(struct reader *r, int name_token, int depth)
{
    const int value = kb_json_value(r->doc, name_token);
    const bool top = depth == 0;
    char name[MEMBER_NAME_MAX];
    squash(r->doc, name_token, name);
    enum kb_member kind = kb_member_kind(name);
    if (top && r->rpc && strcmp(name, "id") == 0)
        kind = KB_MEMBER_NEUTRAL;
    if (kind == KB_MEMBER_LONE)
        kind = top && r->members == 1 ? KB_MEMBER_FAULT : KB_MEMBER_OTHER;
    if (holds_nothing(r->doc, value))
        return;
    const bool inside = kb_json_size(r->doc, value) > 0;
    r->out->error = r->out->error || (kind == KB_MEMBER_FAULT && inside);
    /* google.rpc.Status and others call the whole envelope "status"; "code" may be one too. */
    if (inside && kind == KB_MEMBER_INPUT)
        r->out->input = true;
    else if (inside && (kind == KB_MEMBER_FAULT || kind == KB_MEMBER_HOLDER || kind == KB_MEMBER_CODE ||
                        (kind == KB_MEMBER_EITHER && name[0] != 'r')))
        read_inside(r, value, kind, depth);
    else if (inside && kind == KB_MEMBER_OTHER && !top && strcmp(name, "data") == 0)
        read_inside(r, value, KB_MEMBER_HOLDER, depth);
    else if (inside || kind == KB_MEMBER_OTHER)
        r->out->alone = r->out->alone && !top;
    else
        read_scalar(r, value, kind, name, top);
}

static void read_object(struct reader *r, int object, int depth)
{
    if (depth > DEPTH_MAX)
        return;
    for (int at = kb_json_first(r->doc, object); at >= 0; at = kb_json_next(r->doc, at))
        read_member(r, at, depth);
}

void kb_envelope_read(struct kb_envelope *out, const struct kb_json *doc)
{
    /* Its texts are long, and end where they begin: most answers have nothing to put there. */
    out->names.len = out->messages.len = 0;
    out->names.text[0] = out->messages.text[0] = out->hint[0] = '\0';
    out->status = 0;
    out->error = out->input = out->wait_in_ms = false;
    out->wait = -1;
    out->alone = true;
    if (doc == NULL)
        return;
    /* Some send it as a list of one. */
    const int root = kb_json_type(doc, 0) == KB_JSON_ARRAY && kb_json_size(doc, 0) == 1 ? 1 : 0;
    struct reader r = {.doc = doc,
                       .out = out,
                       .members = (int)kb_json_size(doc, root),
                       .rpc = kb_json_member(doc, root, "jsonrpc") >= 0};
    if (kb_json_type(doc, root) == KB_JSON_OBJECT)
        read_object(&r, root, 0);
    else if (kb_json_type(doc, root) == KB_JSON_STRING)
        take_text(&r, root, KB_MEMBER_MESSAGE, true);
    else
        out->alone = false;
}

void kb_envelope_read_text(struct kb_envelope *out, const char *text, size_t len)
{
    while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
        len--;
    if (len == 0 || len > 256 || memchr(text, '<', len) != NULL || memchr(text, '{', len) != NULL)
        return;
    struct reader r = {.out = out};
    take_message(&r, text, len);
}
