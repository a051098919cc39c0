/*
 * request.h: one request while it is read: MHD's *context.
 */
#ifndef KB_UPSTREAM_REQUEST_H
#define KB_UPSTREAM_REQUEST_H

#include <microhttpd.h>

#include "server.h"

#define KB_UPSTREAM_ADMIN_BODY_MAX (1u << 20)
#define KB_UPSTREAM_PARTS_MAX      16

struct kb_upstream_request {
    bool admin;
    int key; /* -1: no known secret came */
    enum kb_upstream_state state;
    const struct kb_upstream_script *script; /* the answer, if one is scripted; NULL: by state */
    uint64_t body_bytes;
    char *body; /* an admin request's */
    size_t body_len;
    char *parts[KB_UPSTREAM_PARTS_MAX]; /* names of a multipart body's parts, in their order */
    unsigned part_count;
    struct MHD_PostProcessor *multipart;
};

/* The secret the request came with; NULL if there is none. The connection's text. */
const char *kb_upstream_secret(const struct kb_upstream *upstream, struct MHD_Connection *connection);

/* A request whose headers have arrived; it counts on its key at this moment. NULL when memory is short. */
struct kb_upstream_request *kb_upstream_request_begin(struct kb_upstream *upstream, struct MHD_Connection *connection,
                                                      const char *url);
/* Takes a piece of the body. False: an admin request's is too long, or memory is short. */
bool kb_upstream_request_read(struct kb_upstream_request *request, const char *bytes, size_t len);
void kb_upstream_request_free(struct kb_upstream_request *request);

#endif
