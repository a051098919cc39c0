/*
 * thread.h: a number that names the calling thread among the living ones of its process.
 */
#ifndef KB_SEGMENT_THREAD_H
#define KB_SEGMENT_THREAD_H

#include <stdint.h>

extern _Thread_local char kb_thread_here __attribute__((visibility("hidden"), tls_model("initial-exec")));

/* Not 0. A thread that begins after another has ended may get its number. */
static inline uintptr_t kb_thread_mark(void)
{
    return (uintptr_t)&kb_thread_here;
}

#endif
