#include "gzip.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 65535, HEAD = 10, BLOCK_HEAD = 5, TAIL = 8 };

static uint32_t crc32_of(const unsigned char *bytes, size_t len)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
    }
    return ~crc;
}

static unsigned char *put(unsigned char *at, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        *at++ = (unsigned char)(value >> 8 * i);
    return at;
}

char *kb_upstream_gzip(const char *bytes, size_t len, size_t *out_len)
{
    static const unsigned char head[HEAD] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
    unsigned char *out = malloc(HEAD + len + (len / BLOCK + 1) * BLOCK_HEAD + TAIL), *at = out;
    size_t done = 0;
    if (!out)
        return NULL;
    memcpy(at, head, HEAD);
    at += HEAD;
    do {
        const uint32_t block = (uint32_t)(len - done < BLOCK ? len - done : BLOCK);
        *at++ = done + block == len; /* the last one */
        at = put(at, block, 2);
        at = put(at, ~block, 2);
        memcpy(at, bytes + done, block);
        at += block;
        done += block;
    } while (done < len);
    at = put(at, crc32_of((const unsigned char *)bytes, len), 4);
    at = put(at, (uint32_t)len, 4);
    *out_len = (size_t)(at - out);
    return (char *)out;
}
