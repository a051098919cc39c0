#include "keypool/utf8.h"

#include <stdint.h>

/* Bytes of the character text begins with, 0 if it is none. */
static size_t character(const unsigned char *text, size_t len)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = *text < 0x80 ? 1 : *text < 0xc0 ? 0 : *text < 0xe0 ? 2 : *text < 0xf0 ? 3 : *text < 0xf8 ? 4 : 0;
    if (size < 2)
        return size;
    if (size > len)
        return 0;
    uint32_t code = *text & (0x7fU >> size);
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3fU);
    }
    bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return code >= smallest[size] && code <= 0x10ffff && !surrogate ? size : 0;
}

bool kb_utf8_valid(const char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t size = character((const unsigned char *)text + at, len - at);
        if (size == 0)
            return false;
        at += size;
    }
    return true;
}
