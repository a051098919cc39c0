/*
 * progress.h: one line on the terminal that tells how far the jobs are, redrawn in place.
 */
#ifndef KB_KEYPOOL_PROGRESS_H
#define KB_KEYPOOL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#define KB_PROGRESS_INTERVAL_MS 200

struct kb_progress {
    bool shown; /* stderr is a terminal; otherwise nothing is ever drawn */
    int64_t started_ms, drawn_ms;
    uint64_t read, done, failed; /* jobs; failed are those done with another outcome than ok */
    uint64_t bytes_taken;        /* of the input */
    uint64_t bytes_total;        /* 0: not known */
};

/* INPUT's size is taken, from where it stands, if it is a regular file. */
void kb_progress_begin(struct kb_progress *progress, int input, int64_t now_ms);
/* Draws the line unless it was drawn within the interval. */
void kb_progress_draw(struct kb_progress *progress, int64_t now_ms);
/* Takes the line away, before a message or at the end. */
void kb_progress_hide(struct kb_progress *progress);

#endif
