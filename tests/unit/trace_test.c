#include "keybroker.h"

#include "segment/slot.h"
#include "tests/kit/kit.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>

/* What a claim leaves behind. */

static struct kit kit;
static kb_client *client;
static kb_key key;

static void set_up(void)
{
    kit_start(&kit, 2);
    cr_assert_eq(kb_open(kit.name, &client), 0);
}

static void tear_down(void)
{
    kb_close(client);
    kit_stop(&kit);
}

TestSuite(trace, .init = set_up, .fini = tear_down, .timeout = 60);

static bool all_zero(const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (((const char *)bytes)[i])
            return false;
    return true;
}

/* Run with a key that holds an old secret; the error must not leave it there. */
static void expect_no_secret(int code, int expected, int wait_ms)
{
    cr_assert_eq(code, expected, "%s instead of %s", kb_strerror(code), kb_strerror(expected));
    cr_assert(all_zero(key.secret, sizeof key.secret), "after %s", kb_strerror(expected));
    cr_assert_eq(key.secret_len, 0);
    cr_assert(all_zero(key.fingerprint, sizeof key.fingerprint));
    cr_assert_eq(key.wait_ms, wait_ms, "after %s: %d", kb_strerror(expected), key.wait_ms);
    memset(&key, 's', sizeof key);
}

Test(trace, of_a_claim_that_failed_is_no_secret)
{
    memset(&key, 's', sizeof key);
    expect_no_secret(kb_claim(client, "nowhere", 0, &key), KB_EPOOL, 0);
    expect_no_secret(kb_claim(client, "nowhere", 40, &key), KB_EPOOL, 0);
    expect_no_secret(kb_claim_key(client, "nowhere", "k000000000000", &key), KB_EPOOL, 0);
    expect_no_secret(kb_claim_key(client, "pool", "k000000000000", &key), KB_EKEY, 0);
    kit_put(&kit, 0, KB_DISABLED);
    kit_put(&kit, 1, KB_DISABLED);
    expect_no_secret(kb_claim(client, "pool", 0, &key), KB_EEXHAUSTED, -1);
    expect_no_secret(kb_claim(client, "pool", 30, &key), KB_EEXHAUSTED, -1);
    kb_owner_end(&kit.owner);
    kit.state = NULL;
    expect_no_secret(kb_claim(client, "pool", 0, &key), KB_ENOBROKER, 0);
    expect_no_secret(kb_claim(client, "pool", 30, &key), KB_ENOBROKER, 0);
    expect_no_secret(kb_claim_key(client, "pool", "k000000000000", &key), KB_ENOBROKER, 0);
}

Test(trace, of_a_claim_with_bad_arguments_is_no_secret)
{
    const int limits[] = {-2, -1000, INT_MIN};
    memset(&key, 's', sizeof key);
    for (int i = 0; i < 3; i++)
        expect_no_secret(kb_claim(client, "pool", limits[i], &key), KB_EINVAL, 0);
    expect_no_secret(kb_claim(NULL, "pool", 0, &key), KB_EINVAL, 0);
    expect_no_secret(kb_claim(client, NULL, 0, &key), KB_EINVAL, 0);
    expect_no_secret(kb_claim_key(NULL, "pool", "k000000000000", &key), KB_EINVAL, 0);
    expect_no_secret(kb_claim_key(client, NULL, "k000000000000", &key), KB_EINVAL, 0);
    expect_no_secret(kb_claim_key(client, "pool", NULL, &key), KB_EINVAL, 0);
    cr_assert_eq(kb_claim(client, "pool", 0, NULL), KB_EINVAL);
    cr_assert_eq(kb_claim_key(client, "pool", "k000000000000", NULL), KB_EINVAL);
}

Test(trace, of_a_claim_can_be_wiped_and_the_claim_reported)
{
    cr_assert_eq(kb_claim(client, "pool", 0, &key), 0);
    kb_key_clear(&key);
    cr_assert(all_zero(key.secret, sizeof key.secret));
    cr_assert_eq(key.secret_len, 0);
    cr_assert_eq(kb_report(client, &key, KB_OUTCOME_AUTH, -1, 401), 0, "a wiped claim can be reported");
    cr_assert_eq(kit_state(&kit, 0), KB_FAILED);
}

static kb_outcome refuse(const kb_key *claimed, void *arg, int *retry_after_ms, int *status)
{
    (void)retry_after_ms;
    *(size_t *)arg += claimed->secret_len;
    *status = 401;
    return KB_OUTCOME_AUTH;
}

static void *execute_in_thread(void *arg)
{
    return (void *)(intptr_t)kb_execute(client, "pool", 0, refuse, arg, NULL);
}

/* The thread's whole stack is ours to look at once it has ended. */
Test(trace, of_a_whole_request_is_not_on_the_stack)
{
    enum { STACK = 256 * 1024 };
    static _Alignas(4096) char stack[STACK];
    static const char part[] = "kit-secret-";
    pthread_attr_t attributes;
    pthread_t thread;
    void *result;
    size_t seen = 0;
    pthread_attr_init(&attributes);
    cr_assert_eq(pthread_attr_setstack(&attributes, stack, sizeof stack), 0);
    cr_assert_eq(pthread_create(&thread, &attributes, execute_in_thread, &seen), 0);
    pthread_join(thread, &result);
    pthread_attr_destroy(&attributes);
    cr_assert_eq((intptr_t)result, KB_EEXHAUSTED);
    cr_assert_eq(seen, 2 * strlen(kit_secret(0)), "every key was there once");
    cr_assert_null(memmem(stack, sizeof stack, part, sizeof part - 1));
}
