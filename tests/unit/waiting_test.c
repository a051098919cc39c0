#include "keybroker.h"

#include "segment/os.h"
#include "segment/slot.h"
#include "tests/kit/child.h"
#include "tests/kit/kit.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

/* Claims that find nothing at first. */

static struct kit kit;
static kb_client *client;
static kb_key key;

static void set_up(void)
{
    kit_start(&kit, 1);
    cr_assert_eq(kb_open(kit.name, &client), 0);
    kit_put(&kit, 0, KB_COOLING);
}

static void tear_down(void)
{
    kb_close(client);
    kit_stop(&kit);
}

TestSuite(waiting, .init = set_up, .fini = tear_down, .timeout = 60);

static void reset_key(void)
{
    kb_slot_change(kit.state, 0, 0, kit_word(&kit, 0), kb_word_fresh(kit_word(&kit, 0), KB_AVAILABLE));
}

/* A claim that polls would take 200 times its pause. */
Test(waiting, of_no_time_does_not_wait)
{
    const uint64_t start = kb_os_now();
    for (int i = 0; i < 200; i++)
        cr_assert_eq(kb_claim(client, "pool", 0, &key), KB_EEXHAUSTED);
    cr_assert_lt(kb_os_now() - start, 2000);
}

Test(waiting, ends_when_its_time_is_up_and_not_before)
{
    const int limits[] = {1, 30, 150};
    for (int i = 0; i < 3; i++) {
        const uint64_t start = kb_os_now();
        cr_assert_eq(kb_claim(client, "pool", limits[i], &key), KB_EEXHAUSTED);
        cr_assert_geq(kb_os_now() - start, (uint64_t)limits[i]);
        cr_assert(key.wait_ms > 3000000 && key.wait_ms <= 3600000 + KB_TICK_MS, "%d ms", key.wait_ms);
    }
}

static void on_alarm(int signal_number)
{
    (void)signal_number;
}

Test(waiting, goes_on_when_signals_interrupt_it)
{
    const struct sigaction action = {.sa_handler = on_alarm};
    const struct itimerval storm = {.it_interval = {.tv_usec = 1000}, .it_value = {.tv_usec = 1000}}, calm = {0};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &storm, NULL);
    const uint64_t start = kb_os_now();
    const int code = kb_claim(client, "pool", 150, &key);
    const uint64_t waited = kb_os_now() - start;
    setitimer(ITIMER_REAL, &calm, NULL);
    cr_assert_eq(code, KB_EEXHAUSTED);
    cr_assert_geq(waited, 150);
}

struct waiter {
    _Atomic int begun;
    int timeout_ms;
    int code;
    kb_key key;
};

static void *wait_for_key(void *arg)
{
    struct waiter *w = arg;
    atomic_store(&w->begun, 1);
    w->code = kb_claim(client, "pool", w->timeout_ms, &w->key);
    return NULL;
}

static void wait_until_reset(int timeout_ms)
{
    static struct waiter w;
    pthread_t thread;
    w.timeout_ms = timeout_ms;
    cr_assert_eq(pthread_create(&thread, NULL, wait_for_key, &w), 0);
    cr_assert(kit_await(&w.begun, 1));
    kb_os_sleep(50);
    reset_key();
    pthread_join(thread, NULL);
    cr_assert_eq(w.code, 0);
    cr_assert_eq(kit_secret_number(w.key.secret, w.key.secret_len), 0);
    cr_assert_eq(w.key.wait_ms, 0);
}

Test(waiting, ends_with_a_key_that_is_reset_meanwhile)
{
    wait_until_reset(KIT_LIMIT_MS);
}

Test(waiting, without_a_limit_ends_with_a_key_too)
{
    wait_until_reset(-1);
}

Test(waiting, ends_with_a_key_whose_cooldown_ends_meanwhile)
{
    reset_key();
    cr_assert_eq(kb_claim(client, "pool", 0, &key), 0);
    cr_assert_eq(kb_report(client, &key, KB_OUTCOME_RATE, 80, 429), 0);
    const uint64_t reported = kb_os_now();
    cr_assert_eq(kb_claim(client, "pool", 0, &key), KB_EEXHAUSTED);
    cr_assert_eq(kb_claim(client, "pool", KIT_LIMIT_MS, &key), 0);
    cr_assert_geq(kb_os_now() - reported + 1, 80, "never early");
}
