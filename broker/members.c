#include "members.h"

#include <stdio.h>
#include <string.h>

int kb_reader_fail(const struct kb_reader *r, int token, const char *message)
{
    return kb_config_error_set(r->error, r->path, kb_json_line(r->json, token), "%s", message);
}

static int fail_unknown(const struct kb_reader *r, int token, const struct kb_member *members, size_t n)
{
    char names[256] = "";
    size_t used = 0;
    for (size_t i = 0; i < n && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s\"%s\"", i > 0 ? ", " : "", members[i].name);
    return kb_config_error_set(r->error, r->path, kb_json_line(r->json, token),
                               "unknown member: what may stand here is %s", names);
}

static const struct kb_member *find_member(const struct kb_reader *r, int name, const struct kb_member *members,
                                           size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (kb_json_equals(r->json, name, members[i].name))
            return &members[i];
    return NULL;
}

int kb_reader_members(struct kb_reader *r, int object, const struct kb_member *members, size_t n, void *target)
{
    if (kb_json_type(r->json, object) != KB_JSON_OBJECT)
        return kb_reader_fail(r, object, "an object must stand here");
    for (int at = kb_json_first(r->json, object); at >= 0; at = kb_json_next(r->json, at)) {
        const struct kb_member *member = find_member(r, at, members, n);
        int value = kb_json_value(r->json, at);
        if (member == NULL)
            return fail_unknown(r, at, members, n);
        if (kb_json_member(r->json, object, member->name) != value)
            return kb_reader_fail(r, at, "this member stands here twice");
        if (member->read(r, value, (char *)target + member->offset) != 0)
            return -1;
    }
    return 0;
}

int kb_reader_name(const struct kb_reader *r, int token, char *out, size_t size, bool (*valid)(const char *name),
                   const char *message)
{
    ptrdiff_t len = kb_json_string(r->json, token, out, size);
    return len >= 0 && strlen(out) == (size_t)len && valid(out) ? 0 : kb_reader_fail(r, token, message);
}
