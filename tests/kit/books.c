#include "books.h"

#include "segment/count.h"
#include "segment/word.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void books_open(struct books *books, struct kit *kit, unsigned keys, unsigned target)
{
    *books = (struct books){.kit = kit, .keys = keys, .target = target};
    books->cursor = atomic_load(&kit->state->pools[0].rotation.cursor);
}

void books_wrong(struct books *books, const char *format, ...)
{
    va_list args;
    if (*books->wrong)
        return;
    va_start(args, format);
    vsnprintf(books->wrong, sizeof books->wrong, format, args);
    va_end(args);
}

static unsigned position(const struct books *books, uint64_t cursor)
{
    const unsigned last = (unsigned)(cursor & 0xffff);
    return last < books->keys ? last : books->keys - 1; /* before the first turn it points behind the last key */
}

void books_look(struct books *books)
{
    const uint64_t cursor = atomic_load(&books->kit->state->pools[0].rotation.cursor);
    const unsigned from = position(books, books->cursor), to = position(books, cursor);
    const unsigned long turns = (unsigned long)((cursor >> 16) - (books->cursor >> 16));
    if (turns == 0)
        return;
    const unsigned way = (to + books->keys - from - 1) % books->keys + 1;
    const unsigned to_target = (books->target + books->keys - from - 1) % books->keys + 1;
    const bool target_had_one = to_target <= way && turns == way;
    if (turns != way && !(turns + 1 == way && to_target < way))
        books_wrong(books, "%lu turns led from key %u to key %u", turns, from, to);
    books->turns += turns - target_had_one;
    books->cursor = cursor;
}

void books_balance(struct books *books)
{
    uint64_t counted = 0;
    for (unsigned key = 0; key < books->keys; key++)
        if (key != books->target)
            counted += kb_counts_of(books->kit->state, 0, key).claims;
    const unsigned long lost = books->turns - books->claims;
    if (lost < books->lost || lost > books->lost + books->kills)
        books_wrong(books, "%lu turns, %lu claims, %lu lost before and %lu kills since", books->turns, books->claims,
                    books->lost, books->kills);
    books->lost = lost;
    books->kills = 0;
    if (counted < books->claims || counted > books->turns)
        books_wrong(books, "%lu turns, %lu claims, %llu counted", books->turns, books->claims,
                    (unsigned long long)counted);
}

static bool differs(void *copy, const void *now, size_t size)
{
    if (memcmp(copy, now, size) == 0)
        return false;
    memcpy(copy, now, size);
    return true;
}

bool books_changed(const struct books *books)
{
    static struct {
        struct kb_header header;
        struct kb_worker workers[8];
        struct kb_pool pool;
        struct kb_slot slots[128];
    } seen;
    const struct kb_state *state = books->kit->state;
    bool any = differs(&seen.header, &state->header, sizeof seen.header);
    any |= differs(seen.workers, state->workers, sizeof seen.workers);
    any |= differs(&seen.pool, &state->pools[0], sizeof seen.pool);
    any |= differs(seen.slots, state->slots[0], sizeof seen.slots);
    return any;
}

void books_bits(struct books *books)
{
    for (unsigned key = 0; key < books->keys; key++) {
        const uint64_t bits = atomic_load(&books->kit->state->pools[0].rotation.bits[key / 64]);
        if ((bits >> (key % 64) & 1) != kb_word_claimable(kit_word(books->kit, key)))
            books_wrong(books, "key %u: the bit disagrees with the word", key);
    }
}
