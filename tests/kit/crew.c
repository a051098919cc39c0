#include "crew.h"

#include "segment/os.h"
#include "tests/kit/child.h"
#include "tests/kit/kit.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ENDED_WELL = 0, CANNOT_OPEN = 1 };

struct worker {
    struct crew *crew;
    unsigned number;
};

struct crew *crew_make(const char *name, const char *pool)
{
    struct crew *crew = kit_shared(sizeof *crew);
    snprintf(crew->name, sizeof crew->name, "%s", name);
    crew->pool = pool;
    return crew;
}

void crew_free(struct crew *crew)
{
    munmap(crew, sizeof *crew);
}

/* One writer: no need for a locked add. */
static void count(_Atomic uint64_t *counter)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1, memory_order_release);
}

static void claim_once(struct crew *crew, struct crew_log *log, kb_client *client)
{
    uint64_t words[64];
    kb_key key;
    if (crew->before)
        crew->before(crew->arg, words);
    const int code = kb_claim(client, crew->pool, crew->timeout_ms, &key);
    if (code != 0) {
        count(&log->codes[-code % CREW_CODES]);
        return;
    }
    const int number = kit_secret_number(key.secret, key.secret_len);
    if (number < 0 || number >= CREW_KEYS || (crew->look && !crew->look(crew->arg, words, number, &key)))
        count(&log->wrong);
    else
        count(&log->claims[number]);
    count(&log->codes[0]);
    if (kb_report(client, &key, KB_OUTCOME_OK, -1, 200) < 0)
        count(&log->wrong);
}

static int work(void *arg)
{
    const struct worker *worker = arg;
    struct crew *crew = worker->crew;
    struct crew_log *log = &crew->log[worker->number];
    kb_client *client = worker->number % 2 ? crew->share : NULL;
    if (!client && kb_open(crew->name, &client) != 0)
        return CANNOT_OPEN;
    while (!atomic_load_explicit(&crew->off, memory_order_relaxed) &&
           (crew->limit == 0 || atomic_load_explicit(&log->codes[0], memory_order_relaxed) < crew->limit))
        claim_once(crew, log, client);
    if (client != crew->share)
        kb_close(client);
    return ENDED_WELL;
}

void crew_hire(struct crew *crew, unsigned number)
{
    for (unsigned i = 0; i < number && crew->size < CREW_MAX; i++) {
        struct worker worker = {crew, crew->size};
        crew->pid[crew->size++] = kit_fork(work, &worker);
    }
}

void crew_kill(struct crew *crew, unsigned worker)
{
    kit_kill(crew->pid[worker], true);
    crew->pid[worker] = 0;
}

bool crew_end(struct crew *crew)
{
    bool well = true;
    if (crew->limit == 0)
        atomic_store(&crew->off, 1);
    for (unsigned i = 0; i < crew->size; i++)
        if (crew->pid[i] != 0)
            well &= kit_wait(crew->pid[i]) == ENDED_WELL;
    return well;
}

bool crew_progress(struct crew *crew, uint64_t claims)
{
    uint64_t goal[CREW_MAX] = {0};
    const uint64_t until = kb_os_now() + KIT_LIMIT_MS;
    for (unsigned i = 0; i < crew->size; i++)
        goal[i] = atomic_load(&crew->log[i].codes[0]) + claims;
    for (unsigned i = 0; i < crew->size; i++)
        while (crew->pid[i] != 0 && atomic_load(&crew->log[i].codes[0]) < goal[i]) {
            if (kb_os_now() >= until)
                return false;
            kb_os_sleep(1);
        }
    return true;
}

uint64_t crew_claims(const struct crew *crew, unsigned number)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < crew->size; i++)
        sum += atomic_load(&crew->log[i].claims[number]);
    return sum;
}

uint64_t crew_code(const struct crew *crew, int code)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < crew->size; i++)
        sum += atomic_load(&crew->log[i].codes[-code % CREW_CODES]);
    return sum;
}

uint64_t crew_failures(const struct crew *crew)
{
    uint64_t sum = 0;
    for (int code = 1; code < CREW_CODES; code++)
        sum += crew_code(crew, -code);
    return sum;
}

uint64_t crew_wrong(const struct crew *crew)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < crew->size; i++)
        sum += atomic_load(&crew->log[i].wrong);
    return sum;
}

uint64_t crew_spread(const struct crew *crew, unsigned first, unsigned last)
{
    uint64_t most = 0, fewest = UINT64_MAX;
    for (unsigned number = first; number <= last; number++) {
        const uint64_t claims = crew_claims(crew, number);
        most = claims > most ? claims : most;
        fewest = claims < fewest ? claims : fewest;
    }
    return most - fewest;
}
