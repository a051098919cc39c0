#include "keypool/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define ERASE_LINE "\r\033[K"

void kb_progress_begin(struct kb_progress *progress, int input, int64_t now_ms)
{
    struct stat stat;
    *progress = (struct kb_progress){.shown = isatty(STDERR_FILENO) == 1, .started_ms = now_ms, .drawn_ms = now_ms};
    off_t at = lseek(input, 0, SEEK_CUR);
    if (at >= 0 && fstat(input, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_size > at)
        progress->bytes_total = (uint64_t)(stat.st_size - at);
}

void kb_progress_draw(struct kb_progress *progress, int64_t now_ms)
{
    if (!progress->shown || now_ms - progress->drawn_ms < KB_PROGRESS_INTERVAL_MS)
        return;
    progress->drawn_ms = now_ms;
    double seconds = (double)(now_ms - progress->started_ms) / 1000;
    fprintf(stderr, ERASE_LINE "%" PRIu64 "/%" PRIu64 " jobs, %.1f/s, %" PRIu64 " failed", progress->done,
            progress->read, (double)progress->done / seconds, progress->failed);
    if (progress->bytes_total > 0 && progress->done > 0) {
        double done = (double)progress->bytes_taken * (double)progress->done / (double)progress->read;
        double left = done < (double)progress->bytes_total ? (double)progress->bytes_total - done : 0;
        fprintf(stderr, ", %.0f s left", left / done * seconds);
    }
    fflush(stderr);
}

void kb_progress_hide(struct kb_progress *progress)
{
    if (!progress->shown)
        return;
    fputs(ERASE_LINE, stderr);
    fflush(stderr);
}
