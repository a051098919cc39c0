#include "fingerprint.h"

#include <nettle/sha2.h>
#include <string.h>

void kb_fingerprint_make(const char *secret, size_t len, char out[KB_FINGERPRINT_LEN + 1])
{
    static const char hex[] = "0123456789abcdef";
    struct sha256_ctx sha; /* holds up to 64 bytes of the secret as they are */
    uint8_t digest[KB_FINGERPRINT_LEN / 2];
    sha256_init(&sha);
    sha256_update(&sha, len, (const uint8_t *)secret);
    sha256_digest(&sha, sizeof digest, digest);
    explicit_bzero(&sha, sizeof sha);
    *out++ = 'k';
    for (size_t i = 0; i < sizeof digest; i++) {
        *out++ = hex[digest[i] >> 4];
        *out++ = hex[digest[i] & 0xF];
    }
    *out = '\0';
}
