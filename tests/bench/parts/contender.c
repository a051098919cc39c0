#include "contender.h"

#include "tests/kit/kit.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SECRET = 64 };

struct shared {
    _Alignas(64) _Atomic uint64_t cursor;
    _Alignas(64) sem_t sem;
    _Alignas(64) pthread_mutex_t mutex;
    _Alignas(64) uint64_t locked_cursor; /* under sem or mutex */
    struct {
        _Alignas(64) _Atomic uint64_t uses;
        uint64_t locked_uses;
    } key[CONTENDER_KEYS];
    _Alignas(64) char secret[CONTENDER_KEYS][SECRET];
};

static struct shared *shared;
static struct kit kit;
static kb_client *client;

static void nothing(void)
{
}

/* Keeps the compiler from dropping a copy nobody reads. */
static void use(const void *copy)
{
    __asm__ volatile("" ::"r"(copy) : "memory");
}

static void keybroker_enter(void)
{
    kb_key key;
    if (kb_claim(client, "pool", 0, &key) != 0)
        abort();
    kb_report(client, &key, KB_OUTCOME_OK, -1, 200);
}

static void keybroker_batch(unsigned operations)
{
    kb_key key;
    while (operations--) {
        if (kb_claim(client, "pool", 0, &key) != 0 || kb_report(client, &key, KB_OUTCOME_OK, -1, 200) != 0)
            abort();
        use(&key);
    }
}

static void keybroker_leave(void)
{
    kb_close(client);
}

static void limit_batch(unsigned operations)
{
    char copy[SECRET];
    while (operations--) {
        const uint64_t key = atomic_fetch_add(&shared->cursor, 1) % CONTENDER_KEYS;
        memcpy(copy, shared->secret[key], SECRET);
        use(copy);
        atomic_fetch_add(&shared->key[key].uses, 1);
    }
}

static uint64_t next_locked(char copy[SECRET])
{
    const uint64_t key = shared->locked_cursor++ % CONTENDER_KEYS;
    memcpy(copy, shared->secret[key], SECRET);
    use(copy);
    return key;
}

static void sem_batch(unsigned operations)
{
    char copy[SECRET];
    while (operations--) {
        while (sem_wait(&shared->sem) != 0)
            continue;
        const uint64_t key = next_locked(copy);
        sem_post(&shared->sem);
        while (sem_wait(&shared->sem) != 0)
            continue;
        shared->key[key].locked_uses++;
        sem_post(&shared->sem);
    }
}

static void mutex_batch(unsigned operations)
{
    char copy[SECRET];
    while (operations--) {
        pthread_mutex_lock(&shared->mutex);
        const uint64_t key = next_locked(copy);
        pthread_mutex_unlock(&shared->mutex);
        pthread_mutex_lock(&shared->mutex);
        shared->key[key].locked_uses++;
        pthread_mutex_unlock(&shared->mutex);
    }
}

/* What a process alone can do: no sharing, so no global rotation. */
static void private_batch(unsigned operations)
{
    static uint64_t cursor, uses[CONTENDER_KEYS];
    char copy[SECRET];
    while (operations--) {
        const uint64_t key = cursor++ % CONTENDER_KEYS;
        memcpy(copy, shared->secret[key], SECRET);
        use(copy);
        uses[key]++;
        use(uses);
    }
}

const struct contender contenders[CONTENDERS] = {
    [KEYBROKER] = {"keybroker", keybroker_enter, keybroker_batch, keybroker_leave},
    [TWO_LINE_LIMIT] = {"two-line limit", nothing, limit_batch, nothing},
    [PLAIN_SEM] = {"plain sem_t", nothing, sem_batch, nothing},
    [ROBUST_MUTEX] = {"robust mutex", nothing, mutex_batch, nothing},
    [PRIVATE_ROTATION] = {"private, not shared", nothing, private_batch, nothing},
};

void contenders_start(void)
{
    pthread_mutexattr_t attributes;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || sem_init(&shared->sem, 1, 1) != 0)
        abort();
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&shared->mutex, &attributes);
    memset(shared->secret, 'x', sizeof shared->secret);
    kit_start(&kit, CONTENDER_KEYS);
    if (kb_open(kit.name, &client) != 0)
        abort();
}

void contenders_stop(void)
{
    kb_close(client);
    kit_stop(&kit);
}
