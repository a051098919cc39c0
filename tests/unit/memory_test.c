#include "http/memory.h"

#include <criterion/criterion.h>
#include <curl/curl.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 1 << 16, LEN = 48 };

/* Made where it is needed, so that the heap holds libcurl's copies only. */
static void make_secret(char *out)
{
    for (int i = 0; i < LEN; i++)
        out[i] = (char)('a' + (i * 7 + 3) % 26);
    out[LEN] = '\0';
}

/* Whether the secret's second half is in this range of our memory: the first bytes of what is freed may be reused. */
static bool is_in_range(unsigned long from, unsigned long to)
{
    static char piece[PIECE];
    char secret[LEN + 1];
    bool found = false;
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    cr_assert_geq(memory, 0);
    make_secret(secret);
    for (unsigned long at = from; at < to && !found; at += PIECE - LEN) {
        ssize_t n = pread(memory, piece, to - at < PIECE ? to - at : PIECE, (off_t)at);
        found = n > 0 && memmem(piece, (size_t)n, secret + LEN / 2, LEN / 2) != NULL;
    }
    close(memory);
    return found;
}

static bool is_on_heap(void)
{
    char line[512];
    unsigned long from, to;
    bool found = false;
    FILE *maps = fopen("/proc/self/maps", "r");
    cr_assert_not_null(maps);
    while (fgets(line, sizeof(line), maps) != NULL)
        if (strstr(line, "[heap]") != NULL && sscanf(line, "%lx-%lx", &from, &to) == 2)
            found = found || is_in_range(from, to);
    fclose(maps);
    return found;
}

Test(memory, what_libcurl_frees_is_wiped)
{
    char secret[LEN + 1];
    cr_assert(kb_memory_init());
    cr_assert(kb_memory_init(), "a second time is harmless");
    cr_assert_not(is_on_heap());
    CURL *easy = curl_easy_init();
    make_secret(secret);
    curl_easy_setopt(easy, CURLOPT_USERPWD, secret);
    curl_easy_setopt(easy, CURLOPT_URL, secret);
    if (!is_on_heap())
        cr_skip_test("a checker's memory is no heap");
    curl_easy_cleanup(easy);
    cr_assert_not(is_on_heap());
}

Test(memory, what_libcurl_gives_away_can_be_freed)
{
    cr_assert(kb_memory_init());
    char *escaped = curl_easy_escape(NULL, "a b", 3);
    cr_assert_str_eq(escaped, "a%20b");
    free(escaped);
}
