#include "tests/unit/service_stage.h"

Test(service, that_is_built_in_is_known_by_its_name)
{
    const struct kb_service *suno = kb_service_builtin("suno"), *anthropic = kb_service_builtin("anthropic");
    cr_assert_str_eq(suno->base_url, "https://api.sunoapi.org");
    cr_assert_str_eq(suno->key_header, "Authorization");
    cr_assert_str_eq(suno->key_prefix, "Bearer ");
    cr_assert_null(suno->key_query);
    cr_assert_str_eq(suno->probe_credits, "data");
    cr_assert_eq(suno->fallback, KB_FALLBACK_ALL);
    cr_assert_null(suno->memory);
    cr_assert_str_eq(anthropic->key_header, "x-api-key");
    cr_assert_str_eq(anthropic->headers[0], "anthropic-version: 2023-06-01");
    cr_assert_null(anthropic->headers[1]);
    cr_assert_str_eq(kb_service_builtin("openweather")->key_query, "appid");
}

Test(service, that_is_unknown_is_generic)
{
    static const char *const names[] = {NULL, "", "SUNO", "sun", "generic", "nobody"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct kb_service *service = kb_service_builtin(names[i]);
        cr_assert_str_eq(service->name, "generic");
        cr_assert_str_eq(service->key_header, "Authorization");
        cr_assert(service->base_url == NULL && service->probe_url == NULL && service->n_rules == 0);
    }
}

Test(service, is_read_whole_and_borrows_nothing)
{
    struct kb_service *s = definition(
        "acme", "{'base_url':'https://api.acme.example:8443/v2//','key':{'header':'X-Key','prefix':'Token '},"
                "'probe':{'url':'/me?x=1','credits':'data.*.left'},"
                "'rules':[{'status':403,'field':'error.code','is':['flagged','b'],'outcome':'client'},"
                "{'status':'5xx','header':'X-Why','has':'slow down','outcome':'rate','wait_ms':1500},"
                "{'status':'400-422','message':['no credits','top up'],'outcome':'quota'},"
                "{'field':'code','is':[17,true,-1.5e3],'outcome':'ok','wait_field':'retry'}]}");
    cr_assert_not_null(s, "%s", error.what);
    cr_assert_str_eq(s->name, "acme");
    cr_assert_str_eq(s->base_url, "https://api.acme.example:8443/v2");
    cr_assert_str_eq(s->key_header, "X-Key");
    cr_assert_str_eq(s->key_prefix, "Token ");
    cr_assert_str_eq(s->probe_url, "/me?x=1");
    cr_assert_str_eq(s->probe_credits, "data.*.left");
    cr_assert_eq(s->fallback, KB_FALLBACK_ALL);
    cr_assert_eq(s->n_rules, 4);
    const struct kb_rule *r = s->rules;
    cr_assert(r[0].status_min == 403 && r[0].status_max == 403 && r[0].outcome == KB_OUTCOME_CLIENT);
    cr_assert_str_eq(r[0].field, "error.code");
    cr_assert_str_eq(r[0].is, "flagged|b");
    cr_assert(r[0].header == NULL && r[0].has == NULL && r[0].message == NULL && r[0].wait_field == NULL);
    cr_assert(r[1].status_min == 500 && r[1].status_max == 599 && r[1].outcome == KB_OUTCOME_RATE);
    cr_assert_str_eq(r[1].header, "X-Why");
    cr_assert_str_eq(r[1].has, "slow down");
    cr_assert_eq(r[1].wait_ms, 1500);
    cr_assert(r[2].status_min == 400 && r[2].status_max == 422 && r[2].outcome == KB_OUTCOME_QUOTA);
    cr_assert_str_eq(r[2].message, "no credits|top up");
    cr_assert(r[3].status_min == 0 && r[3].status_max == 0 && r[3].outcome == KB_OUTCOME_OK && !r[3].as_status);
    cr_assert_str_eq(r[3].is, "17|true|-1.5e3");
    cr_assert_str_eq(r[3].wait_field, "retry");
    kb_service_free(s);
    kb_service_free(NULL);
}

Test(service, keeps_of_the_built_in_one_what_is_left_out)
{
    struct kb_service *s = definition("anthropic", "{'base_url':'http://127.0.0.1:8080'}");
    cr_assert_str_eq(s->base_url, "http://127.0.0.1:8080");
    cr_assert_str_eq(s->key_header, "x-api-key");
    cr_assert_str_eq(s->headers[0], "anthropic-version: 2023-06-01");
    cr_assert_str_eq(s->probe_url, "/v1/models");
    kb_service_free(s);
    s = definition("openweather", "{'key':{'header':'X-Key'}}");
    cr_assert_null(s->key_query);
    cr_assert_str_eq(s->key_header, "X-Key");
    cr_assert_str_eq(s->key_prefix, "", "a prefix that is left out is none");
    kb_service_free(s);
    s = definition("suno", "{'key':{'query':'k'},'probe':{'url':'https://x.example/'}}");
    cr_assert_null(s->key_header);
    cr_assert_str_eq(s->key_query, "k");
    cr_assert_null(s->probe_credits, "a probe is another one as a whole");
    kb_service_free(s);
    s = definition("acme", "{'rules':[]}");
    cr_assert(s->n_rules == 0 && s->base_url == NULL);
    kb_service_free(s);
}

Test(service, has_no_unknown_or_repeated_members)
{
    expect_error("{\n'sekrit':1}", 2, "what may stand here is \"base_url\", \"key\", \"probe\", \"rules\"");
    expect_error("{'key':{\n'sekrit':1}}", 2, "\"header\", \"prefix\", \"query\"");
    expect_error("{'probe':{'url':'/',\n'sekrit':1}}", 2, "\"url\", \"credits\"");
    expect_error("{'rules':[\n{'status':1,\n'x':1}]}", 2, "a status must");
    expect_error("{'rules':[\n{'outcome':'ok',\n'sekrit':1}]}", 3, "\"wait_field\"");
    expect_error("{'key':{'query':'a'},\n'key':{'query':'a'}}", 1, "twice");
    expect_error("{'rules':[{'status':400,'status':400,'outcome':'ok'}]}", 1, "twice");
    expect_error("{'base_url\\u0000':'https://a'}", 1, "unknown member");
}

Test(service, has_the_types_it_needs)
{
    REFUSED("%s", "an object must stand here", "null", "[]", "1", "'x'", "true");
    REFUSED("{'key':%s}", "an object must stand here", "null", "[]", "1", "'x'");
    REFUSED("{'probe':%s}", "an object must stand here", "null", "[]", "1", "'x'");
    REFUSED("{'rules':%s}", "a list of at most 100 rules", "null", "{}", "1", "'x'");
    REFUSED("{'rules':[%s]}", "an object must stand here", "null", "[]", "1", "'x'");
}

Test(service, has_a_base_url_of_plain_parts)
{
    static const char *const good[] = {"http://a",           "HTTPS://a.example", "https://a:1/",
                                       "https://a:65535/b/", "http://[::1]:80/x", "http://127.0.0.1/a%20b;c=d,e"};
    REFUSED("{'base_url':%s}", "a base URL must stand here", "null", "1", "''", "'a'", "'ftp://a'", "'https:a'",
            "'https://'", "'https:///x'", "'https://:80'", "'https://a:'", "'https://a:0'", "'https://a:65536'",
            "'https://a:8080808080'", "'https://a:x'", "'https://user@a'", "'https://u:p@a/'", "'https://a?x'",
            "'https://a/?x'", "'https://a#x'", "'https://a/ b'", "'https://a/\\n'", "'https://a\\u0000'",
            "'https://a/\\u007f'", "'https://ä'", "'https://a/ä'", "'https://[::1'", "'https://[x]'", "'https://[]'",
            "'https://a\\\\b'", "'https://a/\\\\b'", "' https://a'", "'https://a%20'", "'https://a/<b>'");
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char text[128];
        (void)snprintf(text, sizeof text, "{'base_url':'%s'}", good[i]);
        struct kb_service *s = definition("acme", text);
        cr_assert_not_null(s, "%s", good[i]);
        cr_assert_eq(strncmp(s->base_url, good[i], strlen(s->base_url)), 0);
        cr_assert_neq(s->base_url[strlen(s->base_url) - 1], '/');
        kb_service_free(s);
    }
}

Test(service, has_its_key_in_one_place)
{
    REFUSED("{'key':%s}", "one of them", "{}", "{'header':'a','query':'b'}", "{'query':'b','header':'a'}");
    REFUSED("{'key':%s}", "needs a \"header\"", "{'prefix':'x','query':'b'}");
    REFUSED("{'key':{'header':%s}}", "the name of a header", "null", "1", "''", "'a b'", "'a:'", "'a\\r\\nb'", "'ä'",
            "'Host'", "'host'", "'Content-Length'", "'TRANSFER-ENCODING'", "'a\\u0000'", "'\\u0000'");
    REFUSED("{'key':{'query':%s}}", "the name of a query parameter", "null", "''", "'a b'", "'a&b'", "'a=b'", "'ä'",
            "'a%20'", "'a#'", "1");
    REFUSED("{'key':{'header':'a','prefix':%s}}", "printable ASCII", "null", "1", "'a\\n'", "'ä'", "'\\u0000'",
            "'\\u007f'");
}

Test(service, has_a_probe_that_can_be_asked)
{
    REFUSED("{'probe':%s}", "needs a \"url\"", "{'credits':'a'}", "{}");
    REFUSED("{'probe':{'url':%s}}", "a path below the base URL", "null", "''", "'me'", "'/a b'", "'/a#b'", "'//\\n'",
            "'https://u@h/'", "'ftp://h/'", "'/ä'");
    REFUSED("{'probe':{'url':'/','credits':%s}}", "a path must stand here", "null", "1", "''", "'.'", "'a.'", "'.a'",
            "'a..b'", "'a\\n'");
}

Test(service, fallback_is_a_list_of_key_failures)
{
    static const struct {
        const char *json;
        unsigned bits; /* ~0u: refused */
    } lists[] = {
        {"[]", 0},
        {"[\"auth\"]", KB_FALLBACK(KB_OUTCOME_AUTH)},
        {"[\"rate\",\"quota\"]", KB_FALLBACK(KB_OUTCOME_RATE) | KB_FALLBACK(KB_OUTCOME_QUOTA)},
        {"[\"auth\",\"quota\",\"rate\"]", KB_FALLBACK_ALL},
        {"[\"auth\",\"auth\"]", ~0u},
        {"[\"ok\"]", ~0u},
        {"[\"transient\"]", ~0u},
        {"[\"Auth\"]", ~0u},
        {"[1]", ~0u},
        {"[[\"auth\"]]", ~0u},
        {"null", ~0u},
        {"\"auth\"", ~0u},
        {"{\"auth\":1}", ~0u},
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct kb_json_error syntax;
        unsigned bits = 77;
        struct kb_json *doc = kb_json_parse(lists[i].json, strlen(lists[i].json), &syntax);
        const bool read = kb_service_read_fallback(doc, 0, &bits, &error);
        cr_assert_eq(read, lists[i].bits != ~0u, "%s", lists[i].json);
        cr_assert(!read || bits == lists[i].bits, "%s", lists[i].json);
        kb_json_free(doc);
    }
}

Test(service, that_is_published_is_read_back)
{
    struct kb_service *s = published("{'service':'suno'}");
    cr_assert_str_eq(s->base_url, "https://api.sunoapi.org");
    cr_assert_eq(s->fallback, KB_FALLBACK_ALL);
    kb_service_free(s);
    s = published("{'service':'kie.ai','fallback':[],'definition':{'base_url':'http://[::1]:9'}}");
    cr_assert_str_eq(s->name, "kie.ai");
    cr_assert_eq(s->fallback, 0);
    cr_assert_str_eq(s->base_url, "http://[::1]:9");
    cr_assert_str_eq(s->probe_url, "/api/v1/chat/credit");
    kb_service_free(s);
    s = published("{'service':'acme','fallback':['auth']}");
    cr_assert_str_eq(s->name, "acme");
    cr_assert_str_eq(s->key_prefix, "Bearer ");
    cr_assert_eq(s->fallback, KB_FALLBACK(KB_OUTCOME_AUTH));
    kb_service_free(s);
}

Test(service, that_is_published_wrongly_is_refused)
{
    static const char *const wrong[] = {
        "",
        "{}",
        "[]",
        "null",
        "'suno'",
        "{'service':''}",
        "{'service':1}",
        "{'service':'a b'}",
        "{'service':'a\\u0000'}",
        "{'service':'suno','x':1}",
        "{'service':'suno','service':'suno'}",
        "{'service':'suno','fallback':['ok']}",
        "{'service':'suno','fallback':null}",
        "{'service':'suno','definition':null}",
        "{'service':'suno','definition':{'x':1}}",
        "{'service':'suno'",
        "{'service':'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_assert_null(published(wrong[i]), "%s", wrong[i]);
    static char large[KB_SERVICE_MAX + 2];
    memset(large, ' ', sizeof large - 1);
    memcpy(large, "{'service':'suno'}", 18);
    cr_assert_null(published(large));
    large[KB_SERVICE_MAX] = '\0';
    struct kb_service *s = published(large);
    cr_assert_not_null(s);
    kb_service_free(s);
}

Test(service, cut_off_anywhere_is_refused)
{
    static const char whole[] = "{'service':'acme','fallback':['auth'],'definition':{'base_url':'https://a/b',"
                                "'key':{'query':'k'},'rules':[{'status':'4xx','message':'no','outcome':'auth'}]}}";
    struct kb_service *s = published(whole);
    cr_assert_not_null(s);
    kb_service_free(s);
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        char text[sizeof whole] = "";
        memcpy(text, whole, len);
        cr_assert_null(published(text), "%s", text);
    }
}
