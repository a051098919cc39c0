/*
 * Eight processes use three keys, and one key is revoked while requests are in flight: no request that begins after
 * the first report of it has it, in any process.
 */
#include "fixture.h"
#include "segment/os.h"

enum { WORKERS = 8, MORE = 40 };

/* Shared with the workers. */
struct scene {
    _Atomic int ready, go, failed, off;
    struct {
        _Atomic int done;     /* requests ended */
        _Atomic int late;     /* requests begun after the report that met the revoked key */
        _Atomic int wrong;    /* requests that did not end well */
        _Atomic uint64_t end; /* when the last request ended that began before it */
    } worker[WORKERS];
};

static struct scene *scene;

static int work(void *arg)
{
    const unsigned me = *(const unsigned *)arg;
    open_http();
    atomic_fetch_add(&scene->ready, 1);
    if (!kit_await(&scene->go, 1))
        return 1;
    while (!atomic_load(&scene->off)) {
        const bool after = atomic_load(&scene->failed);
        const int code = ask((kb_http_request){.url = "/v1/thing", .timeout_ms = 20000, .wait_ms = 20000});
        if (code != 0 || answer.outcome != KB_OUTCOME_OK)
            atomic_fetch_add(&scene->worker[me].wrong, 1);
        if (!after)
            atomic_store(&scene->worker[me].end, kb_os_now());
        else if (answer.attempts != 1 || !answer.body || strstr(answer.body, "\"two\""))
            atomic_fetch_add(&scene->worker[me].late, 1);
        atomic_fetch_add(&scene->worker[me].done, 1);
    }
    return 0;
}

static bool await_more(int requests)
{
    for (unsigned i = 0; i < WORKERS; i++)
        if (!kit_await(&scene->worker[i].done, atomic_load(&scene->worker[i].done) + requests))
            return false;
    return true;
}

/* Waits for the report that fails the key. */
static bool await_failed(const char *fingerprint)
{
    const uint64_t until = kb_os_now() + KIT_LIMIT_MS;
    while (strcmp(broker_key(&broker, POOL, fingerprint).state, "failed") != 0)
        if (kb_os_now() >= until)
            return false;
    return true;
}

static const char *fingerprint_of_two(void)
{
    static kb_key key;
    for (int i = 0; i < 2 * KEYS; i++) {
        cr_assert_eq(kb_claim(client, pool, 0, &key), 0);
        kb_release(client, &key);
        if (strcmp(key.secret, SECRET("two")) == 0)
            break;
    }
    return key.fingerprint;
}

Test(revoke, in_mid_flight_nobody_uses_the_key_after_the_first_report, .fini = stop, .timeout = 90)
{
    static const char *const options[] = {"--delay-ms", "5", NULL};
    static unsigned number[WORKERS];
    pid_t pid[WORKERS];
    uint64_t last_end = 0;
    start_with("suno", "", "", options);
    scene = kit_shared(sizeof *scene);
    const char *two = fingerprint_of_two();
    for (unsigned i = 0; i < WORKERS; i++) {
        number[i] = i;
        pid[i] = kit_fork(work, &number[i]);
    }
    cr_assert(kit_await(&scene->ready, WORKERS));
    atomic_store(&scene->go, 1);
    cr_assert(await_more(5));
    server_set(&server, "two", "revoked");
    cr_assert(await_failed(two));
    atomic_store(&scene->failed, 1);
    cr_assert(await_more(MORE));
    atomic_store(&scene->off, 1);
    for (unsigned i = 0; i < WORKERS; i++) {
        cr_expect_eq(kit_wait(pid[i]), 0, "worker %u", i);
        cr_expect_eq(atomic_load(&scene->worker[i].late), 0, "worker %u", i);
        cr_expect_eq(atomic_load(&scene->worker[i].wrong), 0, "worker %u", i);
        const uint64_t end = atomic_load(&scene->worker[i].end);
        last_end = end > last_end ? end : last_end;
    }
    const uint64_t refused = server_stat(&server, "two", "refused");
    cr_expect(refused >= 1 && refused <= WORKERS, "refused %llu times", (unsigned long long)refused);
    cr_expect_leq(server_stat(&server, "two", "last_ms"), last_end, "in flight when it was reported, at the latest");
    cr_expect_gt(server_stat(&server, "one", "last_ms"), last_end, "the others went on");
    cr_expect_eq(available(), KEYS - 1);
}
