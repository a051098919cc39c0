/*
 * channel.h: a libcurl handle with its connections, used for one request at a time, and those that are idle.
 *
 * Idle channels stand in an array of pointers, each taken and put with one atomic operation: there is no lock that a
 * fork in another thread could leave held. A channel is the process's that made it. A child that finds one of its
 * parent's gives the sockets up without a word on them and opens its own; one that another thread of the parent was
 * using at the moment of the fork is lost to the child, and its copies of the sockets stay open until the child
 * ends or executes a program.
 */
#ifndef KB_HTTP_CHANNEL_H
#define KB_HTTP_CHANNEL_H

#include <curl/curl.h>
#include <stdatomic.h>
#include <sys/types.h>

enum {
    KB_CHANNELS_IDLE = 64,  /* kept; more are closed after their request */
    KB_CHANNEL_SOCKETS = 16 /* of one channel: libcurl keeps 5 connections and may be opening two more */
};

struct kb_channel {
    CURL *easy;
    pid_t pid;                       /* of the process that made it */
    int sockets[KB_CHANNEL_SOCKETS]; /* open; -1: none */
    char message[CURL_ERROR_SIZE];   /* libcurl's word on the last request */
};

struct kb_channels {
    _Atomic(struct kb_channel *) idle[KB_CHANNELS_IDLE]; /* NULL: a free place */
};

/* An idle channel of this process, or a new one; NULL if memory is short. */
struct kb_channel *kb_channel_take(struct kb_channels *channels);
/* Makes it idle: no option may point into the request's memory any more. */
void kb_channel_put(struct kb_channels *channels, struct kb_channel *channel);
/* Closes the idle ones. */
void kb_channels_close(struct kb_channels *channels);

#endif
