#include "http/service_url.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DIGITS    "0123456789"
#define HOST_TEXT "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" DIGITS ".-_"

enum { HOST_MAX = 253, PORT_MAX = 65535 };

struct host {
    char text[HOST_MAX + 1]; /* without brackets */
    bool ipv6;
    const char *rest; /* of the URL, behind host and port */
};

/* Where the host begins; NULL if that is no URL of HTTP. */
static const char *behind_scheme(const char *url)
{
    if (strncasecmp(url, "http://", 7) == 0)
        return url + 7;
    return strncasecmp(url, "https://", 8) == 0 ? url + 8 : NULL;
}

static const char *read_port(const char *at)
{
    const size_t len = strspn(at, DIGITS);
    if (len == 0 || len > 5)
        return NULL;
    const long port = strtol(at, NULL, 10);
    return port >= 1 && port <= PORT_MAX ? at + len : NULL;
}

static bool read_host(const char *url, struct host *out)
{
    struct in6_addr address;
    const char *at = behind_scheme(url);
    if (at == NULL)
        return false;
    out->ipv6 = *at == '[';
    at += out->ipv6;
    const size_t len = out->ipv6 ? strcspn(at, "]") : strspn(at, HOST_TEXT);
    if (len == 0 || len > HOST_MAX)
        return false;
    memcpy(out->text, at, len);
    out->text[len] = '\0';
    at += len;
    if (out->ipv6 && (*at++ != ']' || inet_pton(AF_INET6, out->text, &address) != 1))
        return false;
    out->rest = *at == ':' ? read_port(at + 1) : at;
    return out->rest != NULL && (*out->rest == '\0' || strchr("/?", *out->rest) != NULL);
}

/* Printable, with nothing that a URL must have encoded, and no fragment. */
static bool plain(const char *text)
{
    for (const char *at = text; *at != '\0'; at++)
        if (*at <= ' ' || *at >= 0x7f || strchr("#\"<>\\^`{|}", *at) != NULL)
            return false;
    return true;
}

bool kb_url_whole(const char *url)
{
    struct host host;
    return read_host(url, &host) && plain(host.rest);
}

bool kb_url_base(const char *url)
{
    return kb_url_whole(url) && strchr(url, '?') == NULL;
}

bool kb_url_path(const char *url)
{
    return url[0] == '/' && plain(url);
}

bool kb_url_open_to_all(const char *url)
{
    struct host host;
    struct in_addr v4;
    struct in6_addr v6;
    if (strncasecmp(url, "http://", 7) != 0 || !read_host(url, &host))
        return false;
    if (host.ipv6)
        return inet_pton(AF_INET6, host.text, &v6) != 1 || !IN6_IS_ADDR_LOOPBACK(&v6);
    if (inet_pton(AF_INET, host.text, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 != 127;
    return strcasecmp(host.text, "localhost") != 0;
}
