#include "keyctl/table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool make_room(struct kb_table *table)
{
    if (table->cells < table->room)
        return true;
    const size_t room = table->room ? table->room * 2 : 64;
    char(*text)[KB_CELL_MAX] = realloc(table->text, room * sizeof *text);
    if (!text)
        return false;
    table->text = text;
    table->room = room;
    return true;
}

void kb_table_add(struct kb_table *table, const char *format, ...)
{
    if (table->short_of_memory || !make_room(table)) {
        table->short_of_memory = true;
        return;
    }
    va_list args;
    va_start(args, format);
    vsnprintf(table->text[table->cells++], KB_CELL_MAX, format, args);
    va_end(args);
}

static int width_of(const struct kb_table *table, unsigned column)
{
    size_t width = 0;
    for (size_t cell = column; cell < table->cells; cell += table->columns) {
        const size_t length = strlen(table->text[cell]);
        width = length > width ? length : width;
    }
    return (int)width;
}

static void print_rows(const struct kb_table *table)
{
    int widths[KB_TABLE_COLUMNS_MAX] = {0};
    assert(table->columns > 0 && table->columns <= KB_TABLE_COLUMNS_MAX);
    for (unsigned column = 0; column < table->columns; column++)
        widths[column] = width_of(table, column) * (table->right >> column & 1 ? 1 : -1);
    for (size_t cell = 0; cell < table->cells; cell++) {
        const unsigned column = (unsigned)(cell % table->columns);
        const bool last = column == table->columns - 1;
        printf("  %*s", last && widths[column] < 0 ? 0 : widths[column], table->text[cell]);
        if (last)
            putchar('\n');
    }
}

bool kb_table_print(struct kb_table *table)
{
    const bool whole = !table->short_of_memory;
    if (whole)
        print_rows(table);
    free(table->text);
    table->text = NULL;
    table->cells = table->room = 0;
    table->short_of_memory = false;
    return whole;
}
