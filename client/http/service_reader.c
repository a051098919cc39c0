#include "http/service_reader.h"

#include <string.h>

bool kb_service_fail(struct kb_service_reader *r, int token, const char *what)
{
    *r->error = (struct kb_service_error){.token = token, .what = what};
    return false;
}

static const struct kb_service_member *find(const struct kb_service_reader *r, int name,
                                            const struct kb_service_member *members, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (kb_json_equals(r->doc, name, members[i].name))
            return &members[i];
    return NULL;
}

bool kb_service_members(struct kb_service_reader *r, int object, const struct kb_service_member *members, size_t n,
                        const char *allowed, void *target)
{
    if (kb_json_type(r->doc, object) != KB_JSON_OBJECT)
        return kb_service_fail(r, object, "an object must stand here");
    for (int at = kb_json_first(r->doc, object); at >= 0; at = kb_json_next(r->doc, at)) {
        const struct kb_service_member *member = find(r, at, members, n);
        const int value = kb_json_value(r->doc, at);
        if (member == NULL)
            return kb_service_fail(r, at, allowed);
        if (kb_json_member(r->doc, object, member->name) != value)
            return kb_service_fail(r, at, "this member stands here twice");
        if (!member->read(r, value, target))
            return false;
    }
    return true;
}

static bool has_control(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return true;
    return false;
}

/* Decodes to r->texts without taking the room. Its length, 0 if it is no such text. */
static size_t decode(const struct kb_service_reader *r, int token)
{
    const ptrdiff_t len = kb_json_string(r->doc, token, r->texts, (size_t)(r->texts_end - r->texts));
    return len <= 0 || has_control(r->texts, (size_t)len) ? 0 : (size_t)len;
}

const char *kb_service_text(struct kb_service_reader *r, int token, const char *what)
{
    const char *text = r->texts;
    const size_t len = decode(r, token);
    if (len == 0) {
        kb_service_fail(r, token, what);
        return NULL;
    }
    r->texts += len + 1;
    return text;
}

/* A number or boolean as it is written; as decode. */
static size_t copy_scalar(const struct kb_service_reader *r, int token)
{
    size_t len;
    const char *raw = kb_json_raw(r->doc, token, &len);
    const enum kb_json_type type = kb_json_type(r->doc, token);
    if ((type != KB_JSON_NUMBER && type != KB_JSON_BOOL) || len >= (size_t)(r->texts_end - r->texts))
        return 0;
    memcpy(r->texts, raw, len);
    r->texts[len] = '\0';
    return len;
}

/* Adds one text with a '|' behind it. */
static bool add_text(struct kb_service_reader *r, int token, bool scalars)
{
    size_t len = decode(r, token);
    if (len == 0 && scalars)
        len = copy_scalar(r, token);
    if (len == 0 || memchr(r->texts, '|', len) != NULL)
        return false;
    r->texts += len;
    *r->texts++ = '|';
    return true;
}

const char *kb_service_texts(struct kb_service_reader *r, int token, bool scalars, const char *what)
{
    char *start = r->texts;
    const bool list = kb_json_type(r->doc, token) == KB_JSON_ARRAY;
    if (!list && !add_text(r, token, scalars))
        kb_service_fail(r, token, what);
    for (int at = list ? kb_json_first(r->doc, token) : -1; at >= 0; at = kb_json_next(r->doc, at))
        if (!add_text(r, at, scalars)) {
            kb_service_fail(r, at, what);
            return NULL;
        }
    if (r->texts == start) {
        kb_service_fail(r, token, what);
        return NULL;
    }
    r->texts[-1] = '\0';
    return start;
}

const char *kb_service_path(struct kb_service_reader *r, int token)
{
    static const char what[] = "a path must stand here: names with a '.' between, such as \"error.code\"";
    const char *path = kb_service_text(r, token, what);
    if (path == NULL)
        return NULL;
    if (path[0] != '.' && path[strlen(path) - 1] != '.' && strstr(path, "..") == NULL)
        return path;
    kb_service_fail(r, token, what);
    return NULL;
}

bool kb_service_is_token(const char *text)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~";
    const size_t len = strspn(text, allowed);
    return len > 0 && text[len] == '\0';
}
