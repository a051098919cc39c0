/*
 * broker.h: a running broker: what it was told, what it owns, and its loop.
 */
#ifndef KB_BROKER_BROKER_H
#define KB_BROKER_BROKER_H

#include "config.h"
#include "doorbell.h"
#include "options.h"
#include "reaper.h"
#include "segment/owner.h"

struct kb_broker {
    const struct kb_options *options;
    struct kb_environment environment;
    struct kb_owner owner;
    struct kb_doorbell doorbell;
    struct kb_reaper reaper;
    int signals;         /* a signalfd of SIGHUP, SIGTERM, SIGINT */
    uint64_t full_sweep; /* when the next one is due that looks at everything */
    bool lock_warned;    /* said once that secrets may be swapped */
};

/* Reads the configuration; logs what is wrong. False: *error says why. */
bool kb_broker_configure(struct kb_broker *broker, struct kb_config *config, struct kb_config_error *error);

/* Owns the segments and brings the keys in; logs. False: nothing is held. */
bool kb_broker_start(struct kb_broker *broker);

/* Serves until told to end or replaced. */
void kb_broker_run(struct kb_broker *broker);

/* Reads the configuration again and brings the keys in; on failure the old ones stay. Answers whoever
 * asked by keyctl. */
void kb_broker_reload(struct kb_broker *broker);

#endif
