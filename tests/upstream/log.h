/*
 * log.h: what the last requests looked like, for tests that assert what was sent.
 *
 * An entry is made when a request has been read. Secrets are masked wherever they stand. Any thread may call these.
 */
#ifndef KB_UPSTREAM_LOG_H
#define KB_UPSTREAM_LOG_H

#include <microhttpd.h>

#define KB_UPSTREAM_LOG_MAX 256 /* entries held */

struct kb_upstream;
struct kb_upstream_log;
struct kb_upstream_request;

/* NULL when memory is short. */
struct kb_upstream_log *kb_upstream_log_new(void);
void kb_upstream_log_free(struct kb_upstream_log *log);

/* Adds the request; the oldest entry goes when there are too many. */
void kb_upstream_log_add(const struct kb_upstream *upstream, struct MHD_Connection *connection, const char *method,
                         const char *url, const struct kb_upstream_request *request);

/*
 * The log as JSON, the oldest request first, one a line; the caller frees the text. NULL when memory is short.
 * {"requests":[
 * {"method":"POST","path":"/v1/x","query":{NAME:VALUE,…},"key":NAME or null,"headers":{NAME:VALUE,…},
 *  "body_bytes":N,"parts":[NAME,…]},…
 * ]}
 * Header names are in lower case. "***" stands for a secret: the key's own wherever it occurs, and whatever came
 * where a key is looked for.
 */
char *kb_upstream_log_text(struct kb_upstream_log *log);

#endif
