#include "http/placement.h"

#include <stdlib.h>
#include <string.h>

bool kb_placement_fits(const struct kb_service *service, const kb_key *key)
{
    if (service->key_query != NULL)
        return key->secret_len > 0;
    for (size_t i = 0; i < key->secret_len; i++)
        if ((unsigned char)key->secret[i] < ' ' || key->secret[i] == 0x7f)
            return false;
    return key->secret_len > 0;
}

/* Percent-encodes all but the unreserved characters; returns the end, without a NUL. */
static char *encode(char *out, const char *text, size_t len)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)text[i], lower = c | 0x20;
        if ((lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~') {
            *out++ = (char)c;
        } else {
            *out++ = '%';
            *out++ = digits[c >> 4];
            *out++ = digits[c & 15];
        }
    }
    return out;
}

static char *url_with(const char *url, const char *parameter, const kb_key *key)
{
    const size_t parameter_len = strlen(parameter);
    char *whole = malloc(strlen(url) + 3 * (parameter_len + key->secret_len) + 3);
    if (whole == NULL)
        return NULL;
    char *at = stpcpy(whole, url);
    *at++ = strchr(url, '?') != NULL ? '&' : '?';
    at = encode(at, parameter, parameter_len);
    *at++ = '=';
    *encode(at, key->secret, key->secret_len) = '\0';
    return whole;
}

bool kb_placement_fill(struct kb_placement *placement, const struct kb_service *service, const char *url,
                       const kb_key *key)
{
    *placement = (struct kb_placement){.header = NULL};
    if (service->key_query != NULL) {
        placement->url = url_with(url, service->key_query, key);
        return placement->url != NULL;
    }
    const char *name = service->key_header != NULL ? service->key_header : "Authorization";
    const char *prefix = service->key_header != NULL ? "" : "Bearer ";
    if (service->key_prefix != NULL)
        prefix = service->key_prefix;
    placement->header = malloc(strlen(name) + strlen(prefix) + key->secret_len + 3);
    if (placement->header == NULL)
        return false;
    char *at = stpcpy(stpcpy(stpcpy(placement->header, name), ": "), prefix);
    memcpy(at, key->secret, key->secret_len);
    at[key->secret_len] = '\0';
    return true;
}

static void wipe(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
}

void kb_placement_clear(struct kb_placement *placement)
{
    wipe(placement->header);
    wipe(placement->url);
    *placement = (struct kb_placement){.header = NULL};
}
