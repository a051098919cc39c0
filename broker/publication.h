/*
 * publication.h: what workers are told of a pool's service (kb_pool_service), as http/service.h reads it.
 */
#ifndef KB_BROKER_PUBLICATION_H
#define KB_BROKER_PUBLICATION_H

#include "config.h"

/* Writes it with a final NUL to out; returns its length. */
size_t kb_publication_make(const struct kb_config_pool *pool, char out[KB_SERVICE_MAX + 1]);

#endif
