/*
 * vocabulary.h: what words in an error's envelope mean, whichever service says them. Phrases as words.h has them.
 */
#ifndef KB_HTTP_RULES_VOCABULARY_H
#define KB_HTTP_RULES_VOCABULARY_H

/* Identifiers: error codes, types and reasons. */
extern const char kb_names_quota[];      /* the account's credits, or its share of a day or month, are spent */
extern const char kb_names_rate[];       /* too much at a time */
extern const char kb_names_rate_limit[]; /* of these the ones that say so plainly */
extern const char kb_names_blame[];      /* the request's content, or where it comes from: no key helps */
extern const char kb_names_key[];        /* the key itself, beyond doubt */
extern const char kb_names_auth[];       /* the key or its rights */
extern const char kb_names_overload[];   /* upstream has too much to do */
extern const char kb_names_trouble[];    /* upstream is at fault in some other way */
extern const char kb_names_request[];    /* a member or value of the request is wrong */

/* Messages for people. */
extern const char kb_messages_quota[];
extern const char kb_messages_empty[]; /* of these the ones that leave no doubt */
extern const char kb_messages_rate[];
extern const char kb_messages_period[];  /* a limit on a long time … */
extern const char kb_messages_instant[]; /* … and on a short one */
extern const char kb_messages_blame[];
extern const char kb_messages_key[];     /* the key itself, in answers that do not say so by their status */
extern const char kb_messages_request[]; /* the request as such cannot be carried out */
extern const char kb_messages_overload[];

#endif
