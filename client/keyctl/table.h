/*
 * table.h: columns as wide as what stands in them.
 */
#ifndef KB_KEYCTL_TABLE_H
#define KB_KEYCTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#define KB_TABLE_COLUMNS_MAX 16
#define KB_CELL_MAX          24 /* characters, NUL included; longer text is cut */

struct kb_table {
    unsigned columns; /* 1 to KB_TABLE_COLUMNS_MAX */
    unsigned right;   /* bit i: column i is aligned to the right */
    size_t cells, room;
    char (*text)[KB_CELL_MAX];
    bool short_of_memory;
};

/* Writes the next cell, row by row; begin with the headings. Short of memory, it drops it. */
void kb_table_add(struct kb_table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints what was added on stdout and empties the table. False: memory was short, nothing was printed. */
bool kb_table_print(struct kb_table *table);

#endif
