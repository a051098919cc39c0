/*
 * placement.h: a key, put where its service wants it.
 */
#ifndef KB_HTTP_PLACEMENT_H
#define KB_HTTP_PLACEMENT_H

#include "http/service.h"

#include <stdbool.h>

struct kb_placement {
    char *header; /* "Name: prefix secret"; NULL: the key is in the URL */
    char *url;    /* with the key as query parameter; NULL: the key is in the header */
};

/* Whether a header can carry this secret; a URL can carry any. */
bool kb_placement_fits(const struct kb_service *service, const kb_key *key);
/* False if memory is short. Call kb_placement_clear in either case. */
bool kb_placement_fill(struct kb_placement *placement, const struct kb_service *service, const char *url,
                       const kb_key *key);
/* Wipes. */
void kb_placement_clear(struct kb_placement *placement);

#endif
