/*
 * request.h: a request as it is checked against the rules of keybroker/http.h and its pool's service, and made ready,
 * before a key is claimed.
 */
#ifndef KB_HTTP_REQUEST_H
#define KB_HTTP_REQUEST_H

#include "http/service.h"

#include <curl/curl.h>
#include <stdbool.h>

struct kb_order {
    const kb_http_request *request;
    const struct kb_service *service;
    const char *method;         /* NULL: GET, or POST with a body or parts */
    const char *url;            /* whole; owned where the request's is a path */
    struct curl_slist *headers; /* without the key's; points into memory */
    unsigned fallback;          /* KB_FALLBACK bits */
    void *memory;               /* of headers and url; NULL: none was needed */
    size_t memory_size;
};

/*
 * Fills *order, which borrows request and service. False: *error says what is wrong, for the caller to free (NULL:
 * memory is short). Call kb_order_clear in either case.
 */
bool kb_order_fill(struct kb_order *order, const kb_http_request *request, const struct kb_service *service,
                   char **error);
/* Wipes: a caller's headers may be secrets too. */
void kb_order_clear(struct kb_order *order);

#endif
