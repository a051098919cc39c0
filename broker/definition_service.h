/*
 * definition_service.h: the "services" of the JSON file.
 */
#ifndef KB_BROKER_DEFINITION_SERVICE_H
#define KB_BROKER_DEFINITION_SERVICE_H

#include "definition.h"
#include "members.h"

/* Readers of members, as in members.h: of "services"; of a pool's "service" and "fallback". */
int kb_definition_read_services(struct kb_reader *r, int token, void *unused);
int kb_definition_read_service_name(struct kb_reader *r, int token, void *name);
int kb_definition_read_fallback(struct kb_reader *r, int token, void *fallback);

#endif
