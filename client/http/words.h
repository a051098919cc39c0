/*
 * words.h: text as words, and phrases in it.
 *
 * Words stand in lower case between single blanks, with a blank at either end; a newline parts texts that
 * have nothing to do with each other. What is no letter or digit parts words; an apostrophe within a word is left
 * out. Bytes from 0x80 on count as letters.
 *
 * A phrase is words between blanks. "word~" is any word that begins so; ".." is up to four words. A phrase that begins
 * with a byte from 0x80 on may stand anywhere, as Chinese has no blanks.
 */
#ifndef KB_HTTP_WORDS_H
#define KB_HTTP_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* A list of texts as words; begins empty when it is all zero. What has no room is left out, from the end. */
struct kb_words {
    size_t len;
    char text[2048];
};

/* Adds an identifier: camelCase and ACRONYMWords are parted too. */
void kb_words_add_name(struct kb_words *words, const char *text, size_t len);

/* Adds a sentence without what it quotes between "", '', ``, which is not its own. */
void kb_words_add_sentence(struct kb_words *words, const char *text, size_t len);

/* The first of the phrases, between '|', that stands in the words: *phrase_len characters of `phrases`. NULL: none. */
const char *kb_words_find(const struct kb_words *words, const char *phrases, size_t *phrase_len);

#endif
