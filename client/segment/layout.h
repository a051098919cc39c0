/*
 * layout.h: the byte map of the two shared-memory segments of a broker. This file is their
 * specification; a change of any size, offset or meaning here raises KB_LAYOUT.
 *
 * /NAME.state, mode 0660, mapped read-write by the broker, workers and keyctl:
 *
 *     offset      size        what
 *     0           4 KiB       struct kb_header
 *     4 KiB       64 KiB      struct kb_worker [1024]
 *     68 KiB      256 KiB     struct kb_pool [64]
 *     324 KiB     16 MiB      struct kb_slot [64 pools][4096]
 *     16.3 MiB    128 MiB     struct kb_count [16 lanes][64 pools][4096]
 *
 * /NAME.secrets, mode 0640, mapped read-write by the broker only, read-only by workers:
 *
 *     offset      size        what
 *     0           8 KiB       struct kb_secrets_header
 *     8 KiB       64 MiB      struct kb_secret [64 pools][4096]
 *     64.01 MiB   1 GiB       long texts, 4096 bytes each [64 pools][4096]
 *     1.06 GiB    1 MiB       struct kb_service_text [64 pools]
 *
 * Both are sparse and never change shape: a page costs memory once it is used. The broker allocates
 * the pages of a key or a text before it uses them, so that a full /dev/shm is an error for the broker and
 * never a SIGBUS for a worker.
 *
 * The state segment can be scribbled on by any worker. Whoever reads an index, a length or a state
 * from it reads it once, into a local, and checks that; the fixed shape makes every check a compare
 * with a constant. There are no pointers and no compiler padding.
 *
 * Times are CLOCK_MONOTONIC milliseconds unless a name says otherwise.
 */
#ifndef KB_SEGMENT_LAYOUT_H
#define KB_SEGMENT_LAYOUT_H

#include "keybroker.h"

#include <semaphore.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define KB_LAYOUT 2u
#define KB_MAGIC  UINT64_C(0x72656b6f7262796b) /* "kybroker" in memory, little endian */

enum {
    KB_POOLS = 64,
    KB_KEYS = 4096,     /* a pool; also the positions of its rotation */
    KB_WORKERS = 1024,  /* slots */
    KB_LANES = 16,      /* stripes of the counters */
    KB_OWNED_LANES = 12 /* lanes with one writer; the rest are shared by the other workers */
};

#define KB_ENV_MAX      127 /* characters of an environment variable's name */
#define KB_SECRET_SHORT 224 /* bytes of a secret kept beside its stamp; a longer one goes to the long texts */

/*
 * Where it all begins. The first line is the same in every layout, past and future, so that any
 * version can tell whose segment this is and whether it may be removed.
 */
struct kb_header {
    _Atomic uint64_t magic;      /* stored last by the creator: before that, nothing here counts */
    uint32_t layout;             /* KB_LAYOUT */
    _Atomic uint32_t ended;      /* 1 once the broker has ended in order: nothing here will live again */
    _Atomic uint64_t broker;     /* identity of the broker (identity.h), for workers and people to look at */
    _Atomic uint64_t broker_pid; /* as a number for people and signals; written after `broker` */
    uint64_t instance;           /* random, the same in both segments; written once by the creator */
    uint64_t reserved[3];

    /* Written by the broker, under the guard. */
    _Atomic uint64_t generation;   /* raised at the end of each reload and adoption */
    _Atomic uint64_t started_unix; /* seconds: when this broker began */

    /* Raised by anybody who has news for the broker: a worker attached, a key failed, a reload is
     * wanted. A futex of the broker's. Losing a ring costs at most the broker's 10 s. */
    alignas(64) _Atomic uint32_t doorbell;
    _Atomic uint32_t reload_asked; /* raised by keyctl reload before it rings */

    /* The answer to `reload_asked`; written by the broker: text and result first, then `reload_done`. */
    _Atomic uint32_t reload_done;
    _Atomic uint32_t reload_failed;
    char reload_text[240];

    /* The guard (guard.h). */
    alignas(64) sem_t guard_gate;
    _Atomic uint64_t guard_owner;

    /* Who alone writes a lane: {pid and start of its identity :48, worker slot + 1 :16}, 0 for nobody.
     * CAS from 0 by that worker, back by itself or by whoever reaps it. */
    alignas(64) _Atomic uint64_t lane_owner[KB_OWNED_LANES];
};

/*
 * A worker: one process, or one handle of it. CAS 0 -> identity by the process itself; back to 0, or
 * to another identity, only by the process itself or by whoever proved it dead and has swept what
 * names the slot. A death after the CAS leaves a slot of a dead process: the broker, or the next
 * kb_open that finds no free slot, reaps it.
 */
struct kb_worker {
    alignas(64) _Atomic uint64_t identity;
    _Atomic uint64_t attached_unix; /* seconds; by the worker, for people */
};

/* How a pool's keys recover (design: cooldowns). Written by the broker under the guard; milliseconds. */
struct kb_policy {
    _Atomic uint32_t auth_ms;  /* first cooldown after AUTH */
    _Atomic uint32_t quota_ms; /* after QUOTA */
    _Atomic uint32_t rate_ms;  /* after RATE */
    _Atomic uint32_t max_ms;   /* doubling ends here */
    _Atomic uint32_t trial_ms; /* a trial that takes longer is taken away */
};

/*
 * The turns of a pool. `cursor` is the one line every claim writes; nothing else may share it.
 */
struct kb_rotation {
    alignas(64) _Atomic uint64_t cursor; /* {sequence:48, last position:16}; CAS by claims */

    /* Bit i: "the key at position i can be claimed": a hint, derived from the key's word and mended by
     * whoever finds it wrong (slot.h). Bit j of the summary: "bits[j] may not be 0". */
    alignas(64) _Atomic uint64_t summary;
    _Atomic uint64_t next_due; /* {milliseconds:48, version:16}: when a sweep has work (sweep.h) */
    _Atomic uint32_t span;     /* positions from here on were never used; raised by the broker under the guard */
    uint32_t reserved;
    alignas(64) _Atomic uint64_t bits[KB_KEYS / 64];
};

/*
 * A pool. A name, once given, stays with its place until the segment ends, so a name that was read
 * is never half of another one. All but the rotation is written by the broker under the guard, the
 * names before the first `live` is stored.
 */
struct kb_pool {
    _Atomic uint32_t live; /* 0: no such pool, for now */
    uint32_t reserved;
    char name[KB_NAME_MAX + 8];
    char service[KB_NAME_MAX + 8];
    char env[KB_ENV_MAX + 1];
    struct kb_policy policy;
    alignas(64) struct kb_rotation rotation;
    alignas(64) uint8_t unused[4096 - 960];
};

/*
 * A key. `word` is the whole truth about it (word.h); every change of it is one CAS. The fingerprint
 * is written by the broker under the guard while the word is EMPTY, so whoever reads a word, then the
 * fingerprint, and then CASes that word, knows whose it was. The rest is for people: written by
 * reports in any order, the last one wins.
 */
struct kb_slot {
    alignas(64) _Atomic uint64_t word;
    _Atomic uint64_t fingerprint[2]; /* characters, zero-filled */
    _Atomic int64_t failed_at;       /* unix milliseconds of the last report that failed the key; 0: never */
    _Atomic int32_t last_status;     /* of the last report that named one */
    uint32_t reserved[5];
};

/* What one lane counted of one key. One writer for an owned lane, fetch-add in the shared ones. */
struct kb_count {
    alignas(32) _Atomic uint64_t claims;
    _Atomic uint64_t ok;
    _Atomic uint64_t failed; /* AUTH, QUOTA, RATE */
    _Atomic uint64_t other;  /* TRANSIENT, CLIENT */
};

struct kb_state {
    struct kb_header header;
    alignas(4096) struct kb_worker workers[KB_WORKERS];
    alignas(4096) struct kb_pool pools[KB_POOLS];
    alignas(4096) struct kb_slot slots[KB_POOLS][KB_KEYS];
    alignas(4096) struct kb_count lanes[KB_LANES][KB_POOLS][KB_KEYS];
};

/* The names stand here again because workers cannot write here: no worker can make another one send
 * the keys of one pool to the service of a different one. */
struct kb_secrets_header {
    _Atomic uint64_t magic;
    uint32_t layout;
    uint32_t reserved;
    uint64_t instance;
    uint64_t serial; /* of the last stamp, a secret's or a text's; the broker's, under the guard */
    alignas(64) char names[KB_POOLS][KB_NAME_MAX + 8];
    /* What rotation.span must say: raised first; the broker edits by this and puts it back there. */
    _Atomic uint32_t spans[KB_POOLS];
    /* Who is in charge: exchanged by a broker that takes over, under the lock on starting, and CASed back if
     * it cannot go on. A death leaves a dead one's identity, which the next exchange replaces. */
    _Atomic uint64_t broker;
};

/*
 * A secret. The broker alone writes it, under the guard, while the key's word is EMPTY: the stamp marked
 * busy, then the text, then the stamp. A reader that finds the same stamp, neither 0 nor busy, before
 * and after its copy has an undivided copy.
 */
struct kb_secret {
    alignas(64) _Atomic uint64_t stamp; /* {serial:48, busy:1, length:15}; 0: nothing here */
    _Atomic uint64_t fingerprint[2];
    _Atomic uint64_t text[KB_SECRET_SHORT / 8]; /* zero-filled behind the secret */
    uint64_t reserved;
};

/*
 * What kb_pool_service gives: here, and not in the state, because workers cannot write here: no worker can make
 * another one send its keys to a host of its choice. The broker alone writes it, under the guard, when the text is
 * to change: the stamp marked busy, then the text, then the stamp. A death in between leaves it busy, and the next
 * broker or reload writes it again. Readers take it as they take a secret.
 */
struct kb_service_text {
    alignas(64) _Atomic uint64_t stamp;              /* {serial:48, busy:1, length:15}; 0: nothing here */
    _Atomic uint64_t text[(KB_SERVICE_MAX + 1) / 8]; /* zero-filled to a whole word; old text may stand behind */
    uint64_t reserved;
};

struct kb_secrets {
    struct kb_secrets_header header;
    alignas(4096) struct kb_secret secrets[KB_POOLS][KB_KEYS];
    alignas(4096) _Atomic uint64_t longs[KB_POOLS][KB_KEYS][KB_SECRET_MAX / 8];
    alignas(4096) struct kb_service_text services[KB_POOLS];
};

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2, "shared words need lock-free atomics");
_Static_assert(sizeof(_Atomic uint64_t) == 8 && sizeof(_Atomic uint32_t) == 4, "atomics add no bytes");

#define KB_AT(type, member, offset) _Static_assert(offsetof(type, member) == (offset), #member " has moved")
KB_AT(struct kb_header, magic, 0);
KB_AT(struct kb_header, layout, 8);
KB_AT(struct kb_header, ended, 12);
KB_AT(struct kb_header, broker, 16);
KB_AT(struct kb_header, broker_pid, 24);
KB_AT(struct kb_header, instance, 32);
KB_AT(struct kb_header, generation, 64);
KB_AT(struct kb_header, doorbell, 128);
KB_AT(struct kb_header, guard_gate, 384);
KB_AT(struct kb_header, guard_owner, 416);
KB_AT(struct kb_header, lane_owner, 448);
KB_AT(struct kb_pool, rotation, 320);
KB_AT(struct kb_rotation, summary, 64);
KB_AT(struct kb_rotation, bits, 128);
KB_AT(struct kb_state, workers, 4096);
KB_AT(struct kb_state, pools, 68 * 1024);
KB_AT(struct kb_state, slots, 324 * 1024);
KB_AT(struct kb_state, lanes, 324 * 1024 + (16 << 20));
KB_AT(struct kb_secrets, secrets, 8 * 1024);
KB_AT(struct kb_secrets, longs, 8 * 1024 + (64 << 20));
KB_AT(struct kb_secrets, services, 8 * 1024 + (UINT64_C(64) << 20) + (UINT64_C(1) << 30));
KB_AT(struct kb_service_text, text, 8);
_Static_assert(sizeof(struct kb_worker) == 64 && sizeof(struct kb_slot) == 64, "one line each");
_Static_assert(sizeof(struct kb_pool) == 4096 && sizeof(struct kb_count) == 32 && sizeof(struct kb_secret) == 256,
               "sizes are the specification");
_Static_assert(sizeof(struct kb_state) == (324 << 10) + (16 << 20) + (128 << 20), "state segment");
_Static_assert(sizeof(struct kb_service_text) == 16 << 10 && (KB_SERVICE_MAX + 1) % 8 == 0, "whole pages, whole words");
_Static_assert(sizeof(struct kb_secrets) == (8 << 10) + (UINT64_C(64) << 20) + (UINT64_C(1) << 30) + (1 << 20),
               "secrets segment");

#endif
