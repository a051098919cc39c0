/* Any text as an env file: entries lie within it, in its order. */
#include "broker/dotenv.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct seen {
    const char *at; /* the end of the last entry */
    const char *end;
    unsigned line; /* the last one named */
    unsigned lines;
};

static void take(void *arg, const struct kb_dotenv_entry *entry)
{
    struct seen *seen = arg;
    assert(entry->name >= seen->at && entry->name_len > 0);
    assert(entry->value > entry->name + entry->name_len);
    assert(entry->value + entry->value_len <= seen->end);
    assert(entry->line >= seen->line && entry->line <= seen->lines);
    seen->at = entry->value + entry->value_len;
    seen->line = entry->line;
}

static void complain(void *arg, unsigned line, const char *message)
{
    struct seen *seen = arg;
    assert(line >= seen->line && line <= seen->lines && message != NULL);
    seen->line = line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size);
    assert(size == 0 || text != NULL);
    struct seen seen = {.at = text, .end = text + size, .lines = 1};
    for (size_t i = 0; i < size; i++) {
        text[i] = (char)data[i];
        seen.lines += text[i] == '\n';
    }
    const struct kb_dotenv_reader reader = {.assign = take, .warn = complain, .arg = &seen};
    kb_dotenv_parse(text, size, &reader);
    free(text);
    return 0;
}
