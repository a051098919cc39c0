/*
 * memory.h: libcurl's memory, wiped when it is freed: its copies of headers and URLs hold keys.
 */
#ifndef KB_HTTP_MEMORY_H
#define KB_HTTP_MEMORY_H

#include <stdbool.h>

/*
 * Initialises libcurl with memory that is wiped, once a process; later calls return what the first did. Where the
 * application has initialised libcurl before, its memory stays as it is. What libcurl gives away may be freed with
 * free() too. Not while another thread forks.
 */
bool kb_memory_init(void);

#endif
