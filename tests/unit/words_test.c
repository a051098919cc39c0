#include "http/words.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct kb_words words;

static const char *name(const char *text)
{
    words = (struct kb_words){.len = 0};
    kb_words_add_name(&words, text, strlen(text));
    return words.text;
}

static const char *sentence(const char *text)
{
    words = (struct kb_words){.len = 0};
    kb_words_add_sentence(&words, text, strlen(text));
    return words.text;
}

/* The phrase that was found, "" for none. */
static const char *find(const char *phrases)
{
    static char phrase[64];
    size_t len = 0;
    const char *found = kb_words_find(&words, phrases, &len);
    snprintf(phrase, sizeof phrase, "%.*s", found != NULL ? (int)len : 0, found != NULL ? found : "");
    return phrase;
}

Test(words, identifiers_in_every_spelling)
{
    cr_expect_str_eq(name("insufficient_quota"), " insufficient quota ");
    cr_expect_str_eq(name("insufficientQuota"), " insufficient quota ");
    cr_expect_str_eq(name("API_KEY_INVALID"), " api key invalid ");
    cr_expect_str_eq(name("APIKeyInvalid"), " api key invalid ");
    cr_expect_str_eq(name("rate-limit.exceeded"), " rate limit exceeded ");
    cr_expect_str_eq(name("  --  "), " ");
    cr_expect_str_eq(name(""), " ");
}

Test(words, what_a_sentence_quotes_is_not_its_own)
{
    cr_expect_str_eq(sentence("role: got 'authentication_error'."), " role got ");
    cr_expect_str_eq(sentence("Input \"invalid api key\" is `bad`"), " input is ");
    cr_expect_str_eq(sentence("style: 'it's off' is not one of: 'a' | 'b'"), " style is not one of ");
}

Test(words, an_apostrophe_quotes_nothing)
{
    cr_expect_str_eq(sentence("You've used the bank's credits, don't"), " youve used the banks credits dont ");
    cr_expect_str_eq(sentence("the users' 5 o'clock"), " the users 5 oclock ");
    cr_expect_str_eq(sentence("unclosed \"quote stays"), " unclosed quote stays ");
}

Test(words, phrases_are_whole_words)
{
    sentence("Your quota was exceeded by far.");
    cr_expect_str_eq(find("quota exceeded|quota was exceeded"), "quota was exceeded");
    cr_expect_str_eq(find("uota|exceed|far by"), "");
    cr_expect_str_eq(find("exceed~"), "exceed~");
    cr_expect_str_eq(find("far"), "far");
    cr_expect_str_eq(find("far away"), "");
}

Test(words, a_gap_is_four_words_at_most)
{
    sentence("exceeded a b c d quota");
    cr_expect_str_eq(find("exceeded .. quota"), "exceeded .. quota");
    sentence("exceeded a b c d e quota");
    cr_expect_str_eq(find("exceeded .. quota"), "");
    sentence("exceeded quota");
    cr_expect_str_eq(find("exceeded .. quota"), "exceeded .. quota");
    cr_expect_str_eq(find("quota .. exceeded"), "");
}

Test(words, a_gap_after_a_gap_finds_another_way)
{
    sentence("no more money no more free api calls left");
    cr_expect_str_eq(find("no more .. calls .. left"), "no more .. calls .. left");
}

Test(words, texts_do_not_run_together)
{
    name("quota");
    kb_words_add_name(&words, "exceeded", strlen("exceeded"));
    cr_expect_str_eq(find("quota exceeded|quota .. exceeded"), "");
    cr_expect_str_eq(find("exceeded"), "exceeded");
}

Test(words, phrases_in_scripts_without_blanks_stand_anywhere)
{
    sentence("您的账户已欠费，请充值");
    cr_expect_str_eq(find("余额不足|欠费"), "欠费");
    cr_expect_str_eq(find("余额不足"), "");
}

Test(words, nothing_holds_nothing)
{
    words = (struct kb_words){.len = 0};
    cr_expect_str_eq(find("a|b"), "");
    cr_expect_str_eq((name("a"), find("")), "");
}

Test(words, what_has_no_room_is_left_out)
{
    char text[5000];
    memset(text, 'x', sizeof text);
    words = (struct kb_words){.len = 0};
    kb_words_add_sentence(&words, text, sizeof text);
    cr_expect_lt(words.len, sizeof words.text);
    kb_words_add_sentence(&words, "more", 4);
    cr_expect_lt(words.len, sizeof words.text);
    cr_expect_eq(words.text[words.len], '\0');
}
