/*
 * service_reader.h: what the readers of a service's definition share: objects with known members, and texts that are
 * kept.
 */
#ifndef KB_HTTP_SERVICE_READER_H
#define KB_HTTP_SERVICE_READER_H

#include "http/service.h"

struct kb_service_reader {
    const struct kb_json *doc;
    struct kb_service_error *error;
    char *texts, *texts_end; /* what is left of the room for texts: enough for all of the definition's */
};

/* A member an object may have: `read` checks the value and stores it in *target, what the object describes. */
struct kb_service_member {
    const char *name;
    bool (*read)(struct kb_service_reader *r, int token, void *target);
};

/* Room that the texts of a JSON value of `len` bytes need at most: a byte that is no UTF-8 becomes three, and quotes,
 * commas and brackets outnumber the NULs and '|' that are added. */
#define KB_SERVICE_TEXT_ROOM(len) (3 * (size_t)(len) + 2)

/* Fills *error; returns false. */
bool kb_service_fail(struct kb_service_reader *r, int token, const char *what);

/* Reads an object: each member one of the `n`, and there at most once. `allowed` is the error if it is another one. */
bool kb_service_members(struct kb_service_reader *r, int object, const struct kb_service_member *members, size_t n,
                        const char *allowed, void *target);

/* A text that is not empty and has no control characters, kept; NULL with *error `what` for anything else. */
const char *kb_service_text(struct kb_service_reader *r, int token, const char *what);

/* The same of a text or a list of them, kept as one with '|' between. `scalars`: numbers and booleans are taken too,
 * as they are written. */
const char *kb_service_texts(struct kb_service_reader *r, int token, bool scalars, const char *what);

/* A path as rule.h has them, kept; NULL with *error. */
const char *kb_service_path(struct kb_service_reader *r, int token);

/* RFC 9110: the name of a header. */
bool kb_service_is_token(const char *text);

/* The built-in service of this valid name, to be changed and freed; NULL: no memory. */
struct kb_service *kb_service_copy(const char *name);

/* Reads a "rules" list to *out, which has room for as many as it has elements. */
bool kb_service_read_rules(struct kb_service_reader *r, int token, struct kb_rule *out);

#endif
