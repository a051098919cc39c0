/*
 * reaper.h: noticing the deaths of workers at once, by a pidfd each.
 */
#ifndef KB_BROKER_REAPER_H
#define KB_BROKER_REAPER_H

#include "segment/layout.h"

#include <poll.h>

struct kb_reaper {
    struct kb_state *state;
    uint64_t self;
    uint64_t known[KB_WORKERS]; /* whose slot it was when last looked at */
    int pidfd[KB_WORKERS];      /* -1: none: nobody's, another namespace's, or no descriptor left */
};

void kb_reaper_init(struct kb_reaper *reaper, struct kb_state *state);

/* Looks for new and gone workers. A worker without a pidfd is judged by identity, every time. */
void kb_reaper_scan(struct kb_reaper *reaper);

/* Appends what is to be polled: at most KB_WORKERS entries; returns how many. */
unsigned kb_reaper_poll_set(const struct kb_reaper *reaper, struct pollfd *set);

/* Reaps the workers whose entries are readable. */
void kb_reaper_answer(struct kb_reaper *reaper, const struct pollfd *set, unsigned count);

void kb_reaper_close(struct kb_reaper *reaper);

#endif
