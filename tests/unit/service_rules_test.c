#include "tests/unit/service_stage.h"

Test(service_rules, say_something)
{
    REFUSED("{'rules':[%s]}", "needs the member \"outcome\"", "{}", "{'status':400}");
    REFUSED("{'rules':[%s]}", "needs a condition", "{'outcome':'ok'}", "{'outcome':'ok','is':'a'}",
            "{'outcome':'ok','wait_ms':1,'wait_field':'a'}");
    REFUSED("{'rules':[{'status':400,'outcome':'ok',%s}]}", "not both", "'field':'a','header':'b'",
            "'field':'a','is':'b','has':'c'");
    REFUSED("{'rules':[{'status':400,'outcome':'ok',%s}]}", "need a \"field\" or a \"header\"", "'is':'a'",
            "'has':'a'");
    REFUSED("{'rules':[{'outcome':'ok','status':%s}]}", "a status must stand here", "0", "99", "600", "-400", "400.0",
            "4e2", "null", "'400'", "'0xx'", "'6xx'", "'4XX'", "'4x'", "'xx'", "'499-400'", "'099-400'", "'400-600'",
            "'400-'", "'400 499'", "'400-499x'", "'4xx\\u0000'", "[400]", "99999999999999999999");
    REFUSED("{'rules':[{'field':'a','outcome':%s}]}", "an outcome must stand here", "null", "''", "'OK'", "'unknown'",
            "'okay'", "0");
    REFUSED("{'rules':[{'status':400,'outcome':'ok','field':%s}]}", "a path must stand here", "null", "''", "'a.'",
            "1");
    REFUSED("{'rules':[{'outcome':'ok','header':%s}]}", "the name of a header", "null", "''", "'a b'", "'a|\\u0001'");
    REFUSED("{'rules':[{'field':'a','outcome':'ok','is':%s}]}", "a number, a boolean", "null", "''", "[]", "['']",
            "['a',null]", "'a|b'", "['a','b|c']", "{}", "[['a']]", "'a\\u0000'", "'a\\n'");
    REFUSED("{'rules':[{'field':'a','outcome':'ok','has':%s}]}", "a list of texts", "null", "''", "[]", "1", "[true]",
            "'a|b'", "'\\u001f'");
    REFUSED("{'rules':[{'outcome':'ok','message':%s}]}", "a list of texts", "null", "''", "[]", "1", "['a',2]");
    REFUSED("{'rules':[{'field':'a','outcome':'ok','wait_ms':%s}]}", "0 to 2073600000", "-1", "2073600001", "1.5",
            "'1'", "null", "99999999999999999999");
    REFUSED("{'rules':[{'field':'a','outcome':'ok','wait_field':%s}]}", "a path must stand here", "null", "''", "1");
}

/* A definition with n rules and that many bytes. */
static char *big(unsigned n, size_t size)
{
    char *text = malloc(size + 1);
    cr_assert_not_null(text);
    size_t used = (size_t)sprintf(text, "{'rules':[");
    for (unsigned i = 0; i < n; i++)
        used += (size_t)sprintf(text + used, "%s{'status':%u,'outcome':'ok'}", i ? "," : "", 400 + i);
    memset(text + used, ' ', size - used);
    memcpy(text + size - 2, "]}", 3);
    return text;
}

Test(service_rules, have_limits)
{
    char *text = big(KB_SERVICE_RULES_MAX, KB_SERVICE_DEFINITION_MAX);
    struct kb_service *s = definition("acme", text);
    cr_assert_not_null(s, "%s", error.what);
    cr_assert_eq(s->n_rules, KB_SERVICE_RULES_MAX);
    cr_assert_eq(s->rules[99].status_max, 499);
    kb_service_free(s);
    free(text);
    text = big(KB_SERVICE_RULES_MAX + 1, KB_SERVICE_DEFINITION_MAX);
    expect_error(text, 1, "at most 100 rules");
    free(text);
    text = big(1, KB_SERVICE_DEFINITION_MAX + 1);
    expect_error(text, 1, "longer than 16000 bytes");
    free(text);
}

/* Every byte of it becomes three. */
Test(service_rules, have_room_for_texts_that_are_no_utf8)
{
    static char text[KB_SERVICE_DEFINITION_MAX + 1];
    char *at = text + sprintf(text, "{'rules':[{'outcome':'ok','field':'a','is':['");
    memset(at, 0xff, sizeof text - 60);
    at += sizeof text - 60;
    strcpy(at, "',1]}]}");
    struct kb_service *s = definition("acme", text);
    cr_assert_not_null(s, "%s", error.what);
    cr_assert_eq(strlen(s->rules[0].is), 3 * (sizeof text - 60) + 2);
    kb_service_free(s);
}
