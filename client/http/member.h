/*
 * member.h: what a member of an error's envelope is, by its name.
 */
#ifndef KB_HTTP_MEMBER_H
#define KB_HTTP_MEMBER_H

/* The names are those of the corpus (tests/answers) and of RFC 9457, google.rpc.Status,
 * GraphQL, JSON-RPC and OAuth 2 (RFC 6749). */
enum kb_member {
    KB_MEMBER_OTHER,
    KB_MEMBER_CODE,    /* for machines; a number may be an HTTP status */
    KB_MEMBER_NAME,    /* for machines */
    KB_MEMBER_MESSAGE, /* for people */
    KB_MEMBER_EITHER,  /* one word is for machines, a sentence for people */
    KB_MEMBER_FAULT,   /* the same, and that it is there says that something went wrong; may hold members */
    KB_MEMBER_HOLDER,  /* may hold members; a text is for people */
    KB_MEMBER_FLAG,    /* false: something went wrong */
    KB_MEMBER_PLACE,   /* "parameter": the same as KB_MEMBER_INPUT */
    KB_MEMBER_INPUT,   /* names the part of the request that is to blame */
    KB_MEMBER_WAIT,    /* seconds, a duration or a date */
    KB_MEMBER_WAIT_MS, /* milliseconds */
    KB_MEMBER_NEUTRAL, /* says nothing */
    KB_MEMBER_LONE     /* a message if it is the body's only member, and then something went wrong */
};

/* The kind of a member by its name in lower case, letters and digits only. */
enum kb_member kb_member_kind(const char *name);

#endif
