/*
 * keybroker.h: one set of API keys for all processes of a host.
 *
 * The broker, keybrokerd, owns the state of the keys in shared memory. A worker opens a handle,
 * claims the next key of the one rotation all processes share, calls upstream with it and reports
 * how that went. A key reported as failed is out of the rotation for every process from the next
 * claim on and comes back by itself.
 *
 *     kb_client *client;
 *     kb_key key;
 *     if (kb_open(NULL, &client) == 0 && kb_claim(client, "suno", 1000, &key) == 0) {
 *         int status = call_upstream(key.secret);
 *         kb_report(client, &key, status == 401 ? KB_OUTCOME_AUTH : KB_OUTCOME_OK, -1, status);
 *         kb_key_clear(&key);
 *     }
 *     kb_close(client);
 *
 * Return values: 0 is success, negative values are KB_E codes; where another positive value has a
 * meaning the function says so. Pools are the names the broker's configuration gives; times are
 * milliseconds of the monotonic clock.
 *
 * Threads: every function may be called from any number of threads on the same handle, except
 * kb_close, which must be the last call on it.
 *
 * Fork: a handle opened before fork() works after it in the parent and in every child, each counted
 * as a worker of its own from its first claim on. Children need not call kb_open again. A claim
 * belongs to the process that made it and must be reported there. After execve() a handle is gone;
 * its shared memory is not inherited.
 *
 * Signals: kb_outcome_name, kb_strerror, kb_version and kb_key_clear may be called in signal
 * handlers, the others may not. No function waits longer than it says; none blocks or unblocks
 * signals; an interrupted wait goes on until its time is up.
 */
#ifndef KEYBROKER_H
#define KEYBROKER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define KB_API __attribute__((visibility("default")))
#else
#define KB_API
#endif

/* The version these declarations belong to. */
#define KB_VERSION_MAJOR  0
#define KB_VERSION_MINOR  1
#define KB_VERSION_PATCH  0
#define KB_VERSION        "0.1.0"
#define KB_VERSION_NUMBER (KB_VERSION_MAJOR * 1000000 + KB_VERSION_MINOR * 1000 + KB_VERSION_PATCH)

#define KB_SECRET_MAX      4096 /* bytes of the longest secret, without its final NUL */
#define KB_FINGERPRINT_LEN 13   /* 'k' and 12 hex digits of the secret's SHA-256 */
#define KB_NAME_MAX        64   /* characters of a broker's or a pool's name: [A-Za-z0-9_-] */

typedef struct kb_client kb_client; /* opaque; one per process is enough */

/* How a call went, as the key is concerned. */
typedef enum {
    KB_OUTCOME_OK,        /* upstream took the key: strikes are cleared, a key on trial comes back */
    KB_OUTCOME_AUTH,      /* the key is refused (401, 403): failed for 60 s at first */
    KB_OUTCOME_QUOTA,     /* the key's credits are spent: failed for 5 min at first */
    KB_OUTCOME_RATE,      /* the key was used too often: cooling for 10 s (Stability: 60 s) at first */
    KB_OUTCOME_TRANSIENT, /* upstream's or the network's fault: says nothing about the key */
    KB_OUTCOME_CLIENT     /* the caller's fault: says nothing about the key */
} kb_outcome;

/* Errors. Values are stable; new ones are added below the last. */
enum {
    KB_OK = 0,
    KB_ENOBROKER = -1,  /* no broker's segment of that name, or its broker has ended in order */
    KB_EPOOL = -2,      /* no such pool */
    KB_EKEY = -3,       /* no such key in this pool, or it is disabled */
    KB_EEXHAUSTED = -4, /* nothing could be claimed in time; kb_key.wait_ms says when to come back */
    KB_EVERSION = -5,   /* the segment was made by a keybroker of another layout */
    KB_EFULL = -6,      /* every worker slot is held by a living process */
    KB_ECORRUPT = -7,   /* the segment is not what a broker wrote */
    KB_EPERM = -8,      /* not allowed to map the segment, or it belongs to somebody else */
    KB_EINVAL = -9,     /* an argument breaks this header's rules */
    KB_ENOMEM = -10,    /* no memory, address space or file descriptor left */
    KB_ESYSTEM = -11,   /* the system refused a call this library cannot do without */
    KB_EBUSY = -12      /* the segment's guard was held for too long by a living process; or see kb_pool_service */
};

/*
 * A claimed key. It holds a copy of the secret: wipe it with kb_key_clear once the call is done.
 * The members behind wait_ms are the library's; copy a kb_key whole or not at all.
 */
typedef struct {
    char secret[KB_SECRET_MAX + 1];           /* NUL-terminated */
    size_t secret_len;                        /* without the NUL */
    char fingerprint[KB_FINGERPRINT_LEN + 1]; /* the key's public name: safe to log */
    unsigned index;                           /* its place in the pool, stable while the broker keeps it */
    int wait_ms; /* after KB_EEXHAUSTED: milliseconds until a key is due to come back, -1 if
                    none is; else 0 */
    /* private */
    unsigned kb_pool;
    unsigned kb_flags;
    uint64_t kb_word;
    uint64_t kb_instance;
} kb_key;

/* How a pool stands. Members are added at the end only. */
typedef struct {
    unsigned total;         /* keys in the pool */
    unsigned failed;        /* total - available */
    unsigned available;     /* claimable now, keys in probation with no trial out included */
    unsigned current_index; /* the key the next claim gets, if one can be claimed */
    unsigned cooling;       /* of the failed: rate limited, waiting for their time */
    unsigned on_trial;      /* of the failed: in probation, their one trial out */
    unsigned disabled;      /* of the failed: taken out by an operator */
    int wait_ms;            /* milliseconds until a key is due to come back, 0 if one is available, -1 if none is due */
    uint64_t generation;    /* reloads since the segment was made */
} kb_pool_status;

/*
 * One call of upstream with this key, made by kb_execute. Returns its outcome and may set
 * *retry_after_ms (-1 on entry) and *status (0 on entry) as for kb_report. The secret must not be
 * kept beyond the call. It must not jump or throw out of kb_execute.
 */
typedef kb_outcome kb_call(const kb_key *key, void *arg, int *retry_after_ms, int *status);

/*
 * Opens the broker NAME; NULL means $KEYBROKER_NAME, and "keybroker" where that is not set. Does not
 * wait. The broker itself may be dead (killed): what it left goes on working. A segment is only
 * trusted if it is root's or the caller's own, or belongs to a group the caller is in, and is closed
 * to the world.
 * Errors: KB_EINVAL, KB_ENOBROKER, KB_EPERM, KB_EVERSION, KB_ECORRUPT, KB_EFULL, KB_ENOMEM, KB_ESYSTEM;
 * *out is then NULL.
 */
KB_API int kb_open(const char *name, kb_client **out);

/*
 * Closes the handle and offers the trials of this process to others; NULL is ignored. In a forked
 * child it gives up the child's share only.
 */
KB_API void kb_close(kb_client *client);

/*
 * Claims the next key of POOL in the rotation shared by all processes. Waits up to timeout_ms for
 * one (0: not at all, -1: as long as it takes). When the broker has ended in order, the wait
 * includes its return, and that of a broker whose segment this process may not open. A successful claim ends in one
 * kb_report or one kb_release. Errors: KB_EEXHAUSTED, KB_EPOOL, KB_ENOBROKER, KB_EINVAL, KB_EFULL, KB_EVERSION,
 * KB_ECORRUPT, KB_EPERM, KB_ENOMEM, KB_ESYSTEM; *out then holds no secret.
 */
KB_API int kb_claim(kb_client *client, const char *pool, int timeout_ms, kb_key *out);

/*
 * Claims the key with this fingerprint, outside the rotation: it takes no turn and works in every
 * state but disabled, for calls that only the key which began them may finish (polling a job's
 * result). Never waits. Reported OK it never restores a key; reported AUTH, QUOTA or RATE it fails
 * one that had not failed.
 * Errors: KB_EKEY, and those of kb_claim but KB_EEXHAUSTED.
 */
KB_API int kb_claim_key(kb_client *client, const char *pool, const char *fingerprint, kb_key *out);

/*
 * Reports how the call with a claimed key went. retry_after_ms is the time upstream named, or -1 for
 * none. status is the HTTP status, or 0.
 * Returns 0; 1 when the key's state had moved on since the claim, so that the report was counted and
 * changed no state (a RATE may still have lengthened the key's pause; a key that is no longer there has
 * nothing to count on); KB_EINVAL; KB_EFULL in a child
 * that reports its parent's claim and finds no worker slot.
 */
KB_API int kb_report(kb_client *client, const kb_key *key, kb_outcome outcome, int retry_after_ms, int status);

/*
 * Gives back a claim that was not used: no outcome, a trial is offered again. Return values as for
 * kb_report.
 */
KB_API int kb_release(kb_client *client, const kb_key *key);

/* Wipes the copy of the secret, in a way compilers keep. NULL is ignored. */
KB_API void kb_key_clear(kb_key *key);

/* Fills *out with how POOL stands at this moment. Errors: as kb_claim_key, without KB_EKEY. */
KB_API int kb_status(kb_client *client, const char *pool, kb_pool_status *out);

/*
 * Runs fn with a claimed key and falls back to the next key while the outcome is AUTH, QUOTA or
 * RATE: no key twice, at most as many attempts as the pool has keys, at most timeout_ms of waiting
 * in all (0: none, -1: no limit; the time fn takes is not counted). Every outcome is reported and every copy of a
 * secret wiped. Returns 0 when fn's last outcome was no key failure, KB_EEXHAUSTED when every key failed or none could
 * be claimed, and kb_claim's other errors. *last (may be NULL) is fn's last outcome; it is left as it was if fn never
 * ran.
 */
KB_API int kb_execute(kb_client *client, const char *pool, int timeout_ms, kb_call *fn, void *arg, kb_outcome *last);

/* How kb_execute_with tries keys. All zero: no waiting, no deadline, no second key. */
typedef struct {
    int timeout_ms;    /* of waiting for keys, in all: 0 none, -1 no limit */
    int deadline_ms;   /* from the call on: no key is claimed later, and no wait lasts longer; 0: none */
    unsigned fallback; /* after which outcomes the next key is tried: KB_FALLBACK bits */
    unsigned reserved; /* 0 */
} kb_execute_options;

#define KB_FALLBACK(outcome) (1u << (outcome))
#define KB_FALLBACK_ALL      (KB_FALLBACK(KB_OUTCOME_AUTH) | KB_FALLBACK(KB_OUTCOME_QUOTA) | KB_FALLBACK(KB_OUTCOME_RATE))

/*
 * kb_execute by these options: kb_execute is {timeout_ms, 0, KB_FALLBACK_ALL}. A call already running when the
 * deadline passes is fn's to end. Returns as kb_execute does; KB_EEXHAUSTED also when the last outcome failed the
 * key and the options allow no other one, or the deadline has come. Errors: those of kb_execute; KB_EINVAL for
 * fallback bits of other outcomes and a negative deadline.
 */
KB_API int kb_execute_with(kb_client *client, const char *pool, const kb_execute_options *options, kb_call *fn,
                           void *arg, kb_outcome *last);

/*
 * What the broker's configuration says of POOL and its service: a JSON object, never a secret. Copies its text
 * with a final NUL to out, if out is not NULL, and sets *stamp (may be NULL), which is another number after each
 * change of the text. Returns the text's length without the NUL, at most KB_SERVICE_MAX. With no out it costs a few
 * loads and never waits: ask for the stamp first. Errors, which leave out empty and *stamp as it was: KB_EINVAL, also
 * if size is too small; KB_EBUSY when the broker is changing the text, or died while it did (waits up to 20 ms for
 * that, none with no out; the next broker or reload mends it); else as kb_status. libkeybroker-http reads its rules,
 * key placement and base URLs here.
 */
#define KB_SERVICE_MAX 16367
KB_API int kb_pool_service(kb_client *client, const char *pool, char *out, size_t size, uint64_t *stamp);

/* The meaning of a return value, in English; never NULL. The string is constant. */
KB_API const char *kb_strerror(int code);

/* "ok", "auth", "quota", "rate", "transient", "client"; "unknown" for anything else. */
KB_API const char *kb_outcome_name(kb_outcome outcome);

/* The library's version at run time: KB_VERSION, KB_VERSION_NUMBER of its build. */
KB_API const char *kb_version(void);
KB_API int kb_version_number(void);

#ifdef __cplusplus
}
#endif

#endif
