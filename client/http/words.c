#include "http/words.h"

#include <string.h>

enum { GAP_WORDS = 4 };

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_letter(char c)
{
    return is_upper(c) || is_lower(c) || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
}

static void put(struct kb_words *words, char c)
{
    const char last = (char)(words->len > 0 ? words->text[words->len - 1] : '\n');
    if (words->len + 2 >= sizeof words->text || (c == ' ' && last == ' '))
        return;
    words->text[words->len++] = (char)(is_upper(c) ? c - 'A' + 'a' : c);
}

static void begin(struct kb_words *words)
{
    if (words->len > 0)
        put(words, '\n');
    put(words, ' ');
}

static void end(struct kb_words *words)
{
    put(words, ' ');
    words->text[words->len] = '\0';
}

/* fooBar: before the B. HTTPError: before the E. */
static bool parts(const char *text, size_t len, size_t at)
{
    if (at == 0 || !is_upper(text[at]))
        return false;
    return is_lower(text[at - 1]) || (is_upper(text[at - 1]) && at + 1 < len && is_lower(text[at + 1]));
}

void kb_words_add_name(struct kb_words *words, const char *text, size_t len)
{
    begin(words);
    for (size_t i = 0; i < len; i++) {
        if (parts(text, len, i))
            put(words, ' ');
        put(words, (char)(is_letter(text[i]) ? text[i] : ' '));
    }
    end(words);
}

/* How long the quotation is that begins here, 0 if none does. A single quote only quotes from the beginning of a word
 * to the end of one: elsewhere it is an apostrophe. */
static size_t quotation(const char *text, size_t len, size_t at)
{
    const char quote = text[at];
    if (quote != '"' && quote != '\'' && quote != '`')
        return 0;
    if (quote == '\'' && at > 0 && is_letter(text[at - 1]))
        return 0;
    for (size_t i = at + 1; i < len; i++)
        if (text[i] == quote && (quote != '\'' || i + 1 == len || !is_letter(text[i + 1])))
            return i + 1 - at;
    return 0;
}

static bool is_apostrophe(const char *text, size_t len, size_t at)
{
    return text[at] == '\'' && at > 0 && is_letter(text[at - 1]) && at + 1 < len && is_letter(text[at + 1]);
}

void kb_words_add_sentence(struct kb_words *words, const char *text, size_t len)
{
    begin(words);
    for (size_t i = 0; i < len; i++) {
        const size_t quoted = quotation(text, len, i);
        if (quoted > 0) {
            put(words, ' ');
            i += quoted - 1;
        } else if (!is_apostrophe(text, len, i)) {
            put(words, (char)(is_letter(text[i]) ? text[i] : ' '));
        }
    }
    end(words);
}

static size_t word_length(const char *word)
{
    return strcspn(word, " \n|");
}

/* Whether the rest of a phrase, up to its '|', stands at `text`, which is the beginning of a word. */
static bool stands_here(const char *text, const char *phrase)
{
    while (*phrase != '\0' && *phrase != '|') {
        size_t wanted = word_length(phrase);
        const size_t found = word_length(text);
        if (found == 0)
            return false;
        if (wanted == 2 && memcmp(phrase, "..", 2) == 0) {
            phrase += phrase[wanted] == ' ' ? wanted + 1 : wanted;
            for (int i = 0; i <= GAP_WORDS && word_length(text) > 0; i++) {
                if (stands_here(text, phrase))
                    return true;
                text += word_length(text) + 1;
            }
            return false;
        }
        const bool prefix = phrase[wanted - 1] == '~';
        const size_t compared = prefix ? wanted - 1 : wanted;
        if (found < compared || (!prefix && found != compared) || memcmp(text, phrase, compared) != 0)
            return false;
        text += found + (text[found] == ' ');
        phrase += phrase[wanted] == ' ' ? wanted + 1 : wanted;
    }
    return true;
}

static bool stands(const struct kb_words *words, const char *phrase)
{
    /* Scripts that put no blanks between words. */
    if ((unsigned char)*phrase >= 0x80)
        return memmem(words->text, words->len, phrase, strcspn(phrase, "|")) != NULL;
    for (const char *at = words->text; *at != '\0'; at++)
        if (*at == ' ' && word_length(at + 1) > 0 && stands_here(at + 1, phrase))
            return true;
    return false;
}

const char *kb_words_find(const struct kb_words *words, const char *phrases, size_t *phrase_len)
{
    for (const char *phrase = phrases; words->len > 0; phrase++) {
        *phrase_len = strcspn(phrase, "|");
        if (*phrase_len > 0 && stands(words, phrase))
            return phrase;
        phrase += *phrase_len;
        if (*phrase == '\0')
            break;
    }
    return NULL;
}
