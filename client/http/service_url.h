/*
 * service_url.h: the URLs of a service's definition.
 */
#ifndef KB_HTTP_SERVICE_URL_H
#define KB_HTTP_SERVICE_URL_H

#include <stdbool.h>

/* "http(s)://host[:port][/path][?query]": printable ASCII without spaces, no user name, no fragment; a host is letters,
 * digits, '.', '-' and '_', or an IPv6 address in brackets. */
bool kb_url_whole(const char *url);

/* The same without a query: something a path can be put behind. */
bool kb_url_base(const char *url);

/* "/path[?query]", of the same characters. */
bool kb_url_path(const char *url);

/* Of a whole URL: plain http to a host that is not this one (127.0.0.0/8, ::1, localhost): all can read what is sent
 * there. */
bool kb_url_open_to_all(const char *url);

#endif
