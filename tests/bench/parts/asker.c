#include "asker.h"

#include "keybroker/http.h"
#include "tests/kit/config.h"
#include "tests/kit/kit.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS = 8 };

/* What a program without the library keeps: a handle, and the body of the last answer. */
static struct bare {
    CURL *easy;
    struct curl_slist *headers;
    char *body;
    size_t len;
} bare;

static char url[64];
static struct kit kit;
static kb_client *client;
static kb_http *http;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "http_bench: %s\n", what);
    abort();
}

static size_t take(char *bytes, size_t size, size_t count, void *arg)
{
    (void)arg;
    const size_t len = size * count;
    char *longer = realloc(bare.body, bare.len + len + 1);
    if (!longer)
        return 0;
    memcpy(longer + bare.len, bytes, len);
    bare.body = longer;
    bare.len += len;
    bare.body[bare.len] = '\0';
    return len;
}

static struct curl_slist *header_with(const char *secret)
{
    char line[128];
    snprintf(line, sizeof line, "Authorization: Bearer %s", secret);
    return curl_slist_append(NULL, line);
}

/* The options of the library that a careful program would set too. */
static void enter_bare(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        die("libcurl");
    bare.easy = curl_easy_init();
    bare.headers = header_with(kit_secret(0));
    if (!bare.easy || !bare.headers)
        die("libcurl");
    curl_easy_setopt(bare.easy, CURLOPT_URL, url);
    curl_easy_setopt(bare.easy, CURLOPT_HTTPHEADER, bare.headers);
    curl_easy_setopt(bare.easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(bare.easy, CURLOPT_WRITEDATA, NULL);
    curl_easy_setopt(bare.easy, CURLOPT_TIMEOUT_MS, (long)KB_HTTP_TIMEOUT_MS);
    curl_easy_setopt(bare.easy, CURLOPT_USERAGENT, "keybroker/" KB_VERSION);
    curl_easy_setopt(bare.easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(bare.easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(bare.easy, CURLOPT_ACCEPT_ENCODING, "");
}

static void leave_bare(void)
{
    curl_easy_cleanup(bare.easy);
    curl_slist_free_all(bare.headers);
    free(bare.body);
}

static void ask_with_one_key(void)
{
    long status = 0;
    free(bare.body);
    bare.body = NULL;
    bare.len = 0;
    if (curl_easy_perform(bare.easy) != CURLE_OK || !bare.body)
        die("bare libcurl gets no answer");
    curl_easy_getinfo(bare.easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200)
        die("bare libcurl gets another status");
}

/* A rotation of the process's own. */
static void ask_with_many_keys(void)
{
    static unsigned next;
    curl_slist_free_all(bare.headers);
    bare.headers = header_with(kit_secret(next++ % KEYS));
    curl_easy_setopt(bare.easy, CURLOPT_HTTPHEADER, bare.headers);
    ask_with_one_key();
}

static void enter_library(void)
{
    if (kb_open(kit.name, &client) != 0 || kb_http_open(client, &http) != 0)
        die("no broker");
}

static void leave_library(void)
{
    kb_http_close(http);
    kb_close(client);
}

static void ask_pool(const char *pool)
{
    const kb_http_request request = {.pool = pool, .url = url};
    kb_http_answer answer;
    if (kb_http_perform(http, &request, &answer) != 0 || answer.outcome != KB_OUTCOME_OK || !answer.body)
        die(answer.error ? answer.error : "the library gets no good answer");
    kb_http_answer_clear(&answer);
}

static void ask_generic(void)
{
    ask_pool("pool");
}

static void ask_suno(void)
{
    ask_pool("suno");
}

const struct asker askers[ASKERS] = {
    [BARE_CURL] = {"bare libcurl, one key", enter_bare, ask_with_one_key, leave_bare},
    [BARE_CURL_KEYS] = {"bare libcurl, 8 keys", enter_bare, ask_with_many_keys, leave_bare},
    [LIBRARY] = {"keybroker, generic", enter_library, ask_generic, leave_library},
    [LIBRARY_SUNO] = {"keybroker, suno", enter_library, ask_suno, leave_library},
};

static void add_pool(const char *name, const char *service)
{
    kit_config_pool(name, service);
    for (unsigned i = 0; i < KEYS; i++)
        kit_config_add(i);
}

void askers_start(unsigned port)
{
    struct kb_keys_change change;
    setenv("no_proxy", "127.0.0.1", 1);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/api/v1/generate/credit", port);
    kit_start(&kit, KEYS);
    kit_config_begin();
    add_pool("pool", "generic");
    add_pool("suno", "suno");
    if (kit_config_apply(&kit, &change) != 0)
        die("no broker");
}

void askers_stop(void)
{
    kit_stop(&kit);
}
