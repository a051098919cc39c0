#include "keyctl/print.h"

#include "text/json.h"

#include <inttypes.h>
#include <string.h>

void kb_ctl_duration(char out[KB_DURATION_MAX], uint64_t ms)
{
    const uint64_t s = ms / 1000, m = s / 60, h = m / 60, d = h / 24;
    if (m == 0)
        snprintf(out, KB_DURATION_MAX, "%" PRIu64 "s", s);
    else if (h == 0)
        snprintf(out, KB_DURATION_MAX, "%" PRIu64 "m %" PRIu64 "s", m, s % 60);
    else if (d == 0)
        snprintf(out, KB_DURATION_MAX, "%" PRIu64 "h %" PRIu64 "m", h, m % 60);
    else
        snprintf(out, KB_DURATION_MAX, "%" PRIu64 "d %" PRIu64 "h", d, h % 24);
}

void kb_ctl_plain(char *out, const char *text, size_t size)
{
    size_t length = 0;
    for (; length < size - 1 && text[length]; length++) {
        const char c = text[length];
        out[length] = '?';
        if (c >= 0x20 && c < 0x7f)
            out[length] = c;
    }
    out[length] = 0;
}

void kb_ctl_json(const char *text)
{
    kb_json_write_string(stdout, text, strlen(text));
}
