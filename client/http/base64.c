#include "http/base64.h"

#include <stdint.h>

static int digit(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool kb_base64_decode(const char *text, size_t len, unsigned char *out, size_t *out_len)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t written = 0;
    if (len % 4 == 0)
        for (int i = 0; i < 2 && len > 0 && text[len - 1] == '='; i++)
            len--;
    for (size_t i = 0; i < len; i++) {
        int value = digit((unsigned char)text[i]);
        if (value < 0)
            return false;
        bits = (bits << 6 | (uint32_t)value) & 0xffff;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[written++] = (unsigned char)(bits >> have);
        }
    }
    *out_len = written;
    return len % 4 != 1 && (bits & ((1u << have) - 1)) == 0;
}
