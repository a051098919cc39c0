#include "keybroker.h"

#include "client.h"
#include "segment/os.h"
#include "segment/service_text.h"
#include "tests/kit/ambush.h"
#include "tests/kit/child.h"
#include "tests/kit/config.h"
#include "tests/kit/kit.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define BUSY 0x8000u

static struct kit kit;
static kb_client *client;
static char text[KB_SERVICE_MAX + 1], longest[KB_SERVICE_MAX];
static uint64_t stamp;

static void set_up(void)
{
    kit_start(&kit, 2);
    cr_assert_eq(kb_open(kit.name, &client), 0);
    memset(longest, 'x', sizeof longest);
}

static void tear_down(void)
{
    kb_close(client);
    client = NULL;
    kit_stop(&kit);
}

TestSuite(pool_service, .init = set_up, .fini = tear_down, .timeout = 60);

static int get(void)
{
    memset(text, '#', sizeof text);
    return kb_pool_service(client, "pool", text, sizeof text, &stamp);
}

static void expect(const char *wanted)
{
    const int length = get();
    cr_assert_eq(length, (int)strlen(wanted), "%d", length);
    cr_assert_str_eq(text, wanted);
}

/* The first pool's text as the broker maps it, and as the client does. */
static struct kb_service_text *written(void)
{
    return &kit.owner.segment.secrets->services[0];
}

static struct kb_service_text *mapped(void)
{
    return &atomic_load(&client->segment)->secrets->services[0];
}

static void put(const char *what, size_t length)
{
    kb_service_text_write(kit.owner.segment.secrets, 0, what, length);
}

static void apply(const char *service, int key)
{
    struct kb_keys_change change;
    kit_config_begin();
    kit_config_pool("pool", service);
    kit_config_add((unsigned)key);
    cr_assert_eq(kit_config_apply(&kit, &change), 0);
}

static void apply_another_pool(void)
{
    struct kb_keys_change change;
    kit_config_begin();
    kit_config_pool("other", "generic");
    cr_assert_eq(kit_config_apply(&kit, &change), 0);
}

Test(pool_service, tells_what_the_broker_published)
{
    expect("{\"service\":\"generic\"}");
    cr_assert_neq(stamp, 0);
    const uint64_t before = stamp;
    cr_assert_eq(kb_pool_service(client, "pool", NULL, 0, &stamp), (int)strlen(text));
    cr_assert_eq(stamp, before);
    cr_assert_eq(kb_pool_service(client, "pool", NULL, 0, NULL), (int)strlen(text));
}

Test(pool_service, has_another_stamp_after_each_change_and_only_then)
{
    uint64_t seen[4];
    expect("{\"service\":\"generic\"}");
    seen[0] = stamp;
    apply("generic", 7);
    expect("{\"service\":\"generic\"}");
    cr_assert_eq(stamp, seen[0], "the keys changed, the text did not");
    static const char *const services[] = {"suno", "generic", "suno"};
    for (int i = 1; i <= 3; i++) {
        apply(services[i - 1], 7);
        cr_assert_gt(get(), 0);
        cr_assert_not_null(strstr(text, services[i - 1]));
        seen[i] = stamp;
        for (int j = 0; j < i; j++)
            cr_assert_neq(seen[i], seen[j]);
    }
    kit_abandon(&kit);
    kit_adopt(&kit);
    apply("suno", 7);
    cr_assert_gt(get(), 0);
    cr_assert_eq(stamp, seen[3], "the next broker says the same");
}

Test(pool_service, needs_room_for_the_text_and_its_nul)
{
    const int length = get();
    stamp = 77;
    memset(text, '#', sizeof text);
    cr_assert_eq(kb_pool_service(client, "pool", text, (size_t)length, &stamp), KB_EINVAL);
    cr_assert_eq(text[0], 0);
    cr_assert_eq(text[1], '#', "nothing else is written");
    cr_assert_eq(stamp, 77);
    cr_assert_eq(kb_pool_service(client, "pool", text, (size_t)length + 1, &stamp), length);
    cr_assert_eq(text[length + 1], '#');
    cr_assert_eq(kb_pool_service(client, "pool", text, 0, NULL), KB_EINVAL);
    cr_assert_eq(kb_pool_service(NULL, "pool", text, sizeof text, NULL), KB_EINVAL);
    cr_assert_eq(kb_pool_service(client, NULL, text, sizeof text, NULL), KB_EINVAL);
}

Test(pool_service, of_every_length_is_whole)
{
    static const size_t lengths[] = {1, 7, 8, 9, 4087, 4088, 4089, 4096, KB_SERVICE_MAX - 1, KB_SERVICE_MAX, 15};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        longest[0] = (char)('a' + i);
        put(longest, lengths[i]);
        cr_assert_eq(get(), (int)lengths[i]);
        cr_assert_eq(memcmp(text, longest, lengths[i]), 0);
        cr_assert_eq(text[lengths[i]], 0);
    }
}

Test(pool_service, of_no_pool_is_an_error)
{
    cr_assert_eq(kb_pool_service(client, "nobody", text, sizeof text, &stamp), KB_EPOOL);
    cr_assert_eq(text[0], 0);
    cr_assert_eq(kb_pool_service(client, "", NULL, 0, &stamp), KB_EPOOL);
}

Test(pool_service, goes_with_its_pool_and_comes_back_with_it)
{
    apply("suno", 0);
    cr_assert_gt(get(), 0);
    const uint64_t before = stamp;
    apply_another_pool();
    cr_assert_eq(get(), KB_EPOOL);
    cr_assert_eq(kb_pool_service(client, "other", text, sizeof text, NULL), (int)strlen("{\"service\":\"generic\"}"));
    apply("suno", 0);
    expect("{\"service\":\"suno\"}");
    cr_assert_eq(stamp, before);
    apply_another_pool();
    apply("openai", 0);
    expect("{\"service\":\"openai\"}");
    cr_assert_neq(stamp, before);
}

/* As a broker leaves it that died while it wrote. */
Test(pool_service, that_is_half_written_is_busy_until_the_next_reload)
{
    expect("{\"service\":\"generic\"}");
    const uint64_t before = stamp;
    atomic_fetch_or(&written()->stamp, BUSY);
    atomic_store(&written()->text[1], 0);
    const uint64_t start = kb_os_now();
    cr_assert_eq(get(), KB_EBUSY);
    cr_assert_eq(text[0], 0);
    cr_assert_geq(kb_os_now() - start, 10, "a broker that is only held up gets some time");
    cr_assert_eq(kb_pool_service(client, "pool", NULL, 0, &stamp), KB_EBUSY);
    cr_assert_eq(stamp, before);
    kit_abandon(&kit);
    kit_adopt(&kit);
    apply("generic", 0);
    expect("{\"service\":\"generic\"}");
    cr_assert_neq(stamp, before);
}

Test(pool_service, that_is_damaged_is_written_again)
{
    for (int word = 0; word < 2; word++) {
        atomic_fetch_xor(&written()->text[word], 0x0100);
        apply("generic", 0);
        expect("{\"service\":\"generic\"}");
    }
    atomic_store(&written()->stamp, 0);
    cr_assert_eq(get(), KB_EBUSY);
    apply("generic", 0);
    expect("{\"service\":\"generic\"}");
}

Test(pool_service, of_a_length_that_cannot_be_is_not_read)
{
    static const uint64_t lengths[] = {0, KB_SERVICE_MAX + 1, KB_SERVICE_MAX + 9, 0x7fff, 0xffff, BUSY};
    static struct {
        char text[KB_SERVICE_MAX + 1], guard[64];
    } out;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        atomic_store(&written()->stamp, UINT64_C(99) << 16 | lengths[i]);
        memset(&out, '#', sizeof out);
        cr_assert_eq(kb_pool_service(client, "pool", out.text, sizeof out, NULL), KB_EBUSY, "%llx",
                     (unsigned long long)lengths[i]);
        cr_assert_eq(out.text[1], '#');
        cr_assert_eq(out.guard[0], '#');
    }
}

static void rewrite(void *arg)
{
    longest[0] = 'b';
    put(longest, *(const size_t *)arg);
}

Test(pool_service, that_changes_while_it_is_read_is_read_again)
{
    size_t length = 9000;
    longest[0] = 'a';
    put(longest, KB_SERVICE_MAX);
    kit_ambush((const char *)mapped() + 8192, 8, false, rewrite, &length);
    const int code = get();
    cr_assert(kit_ambush_end());
    cr_assert_eq(code, 9000);
    cr_assert_eq(text[0], 'b');
    cr_assert_eq(text[9000], 0);
}

enum { REWRITES = 20000 };
static _Atomic int finished;

static void *rewrite_often(void *arg)
{
    static char a[300], b[9000];
    (void)arg;
    memset(a, 'a', sizeof a);
    memset(b, 'b', sizeof b);
    for (int i = 0; i < REWRITES; i++)
        put(i % 2 ? a : b, i % 2 ? sizeof a : sizeof b);
    atomic_store(&finished, 1);
    return NULL;
}

Test(pool_service, is_never_half_of_another)
{
    pthread_t writer;
    unsigned whole = 0;
    put("a", 1);
    cr_assert_eq(pthread_create(&writer, NULL, rewrite_often, NULL), 0);
    while (!atomic_load(&finished) || whole == 0) {
        const int length = get();
        if (length == KB_EBUSY)
            continue;
        whole++;
        cr_assert(length == 1 || length == (text[0] == 'a' ? 300 : 9000), "%d", length);
        cr_assert_eq(strspn(text, text[0] == 'a' ? "a" : "b"), (size_t)length);
    }
    pthread_join(writer, NULL);
}

static int write_there(void *arg)
{
    (void)arg;
    const uintptr_t page = (uintptr_t)mapped() & ~(uintptr_t)4095;
    if (mprotect((void *)page, 4096, PROT_READ | PROT_WRITE) == 0 || errno != EACCES)
        return 1;
    signal(SIGSEGV, SIG_DFL); /* a sanitizer's handler would end it otherwise */
    atomic_store(&mapped()->stamp, 0);
    return 2;
}

Test(pool_service, cannot_be_written_by_a_worker)
{
    cr_assert_eq(kit_wait(kit_fork(write_there, NULL)), 100 + SIGSEGV);
    expect("{\"service\":\"generic\"}");
}

static int read_in_child(void *arg)
{
    (void)arg;
    return get() == (int)strlen("{\"service\":\"generic\"}") ? 0 : 1;
}

Test(pool_service, is_read_by_children_of_the_process_that_opened_the_handle)
{
    cr_assert_eq(kit_wait(kit_fork(read_in_child, NULL)), 0);
}

/* Serials begin anew in every segment: the first text of each has the same one. */
Test(pool_service, follows_the_next_broker_and_its_stamp_is_another)
{
    expect("{\"service\":\"generic\"}");
    const uint64_t before = stamp;
    kb_owner_end(&kit.owner);
    kit.state = NULL;
    cr_assert_eq(get(), KB_ENOBROKER);
    cr_assert_eq(text[0], 0);
    kit_adopt(&kit);
    cr_assert_eq(kit_reload(&kit, 0, 2), 0);
    expect("{\"service\":\"generic\"}");
    cr_assert_neq(stamp, before);
}

Test(pool_service, that_does_not_fit_into_shm_leaves_all_as_it_was)
{
    tear_down();
    if (!kit_own_shm("1m"))
        cr_skip_test("not allowed to mount a small /dev/shm");
    set_up();
    struct kb_keys_change change;
    kit_config_begin();
    for (int i = 0; i < KB_POOLS - 1; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "many%d", i);
        kit_config_pool(name, "suno");
    }
    cr_assert_eq(kit_config_apply(&kit, &change), KB_ENOMEM);
    expect("{\"service\":\"generic\"}");
}
