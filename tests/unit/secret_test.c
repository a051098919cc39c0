#include "segment/secret.h"

#include "tests/kit/ambush.h"
#include "tests/kit/child.h"
#include "tests/kit/kit.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sys/mman.h>

#define FINGERPRINT "k0123456789ab"

static struct kb_secrets *secrets;
static kb_key key;
static char text[KB_SECRET_MAX];

static const size_t lengths[] = {
    1, 7, 8, 9, 31, 32, 33, KB_SECRET_SHORT - 1, KB_SECRET_SHORT, KB_SECRET_SHORT + 1, 231, 232, 233, 4095, 4096,
};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

static void set_up(void)
{
    secrets = mmap(NULL, sizeof *secrets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    cr_assert_neq(secrets, MAP_FAILED);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('!' + i * 31 % 90);
}

TestSuite(secret, .init = set_up, .timeout = 60);

static void put(size_t length)
{
    kb_secret_write(secrets, 2, 9, text, length, FINGERPRINT);
}

static bool get(void)
{
    memset(&key, '#', sizeof key);
    return kb_secret_copy(secrets, 2, 9, &key);
}

/* Bytes of the key's own pages that are not zero, the stamp apart. */
static size_t residue(void)
{
    const struct kb_secret *secret = &secrets->secrets[2][9];
    const char *parts[] = {(const char *)secret + 8, (const char *)secrets->longs[2][9]};
    const size_t sizes[] = {sizeof *secret - 8, KB_SECRET_MAX};
    size_t count = 0;
    for (int p = 0; p < 2; p++)
        for (size_t i = 0; i < sizes[p]; i++)
            count += parts[p][i] != 0;
    return count;
}

Test(secret, of_any_length_is_read_as_it_was_written)
{
    for (int i = 0; i < LENGTHS; i++) {
        put(lengths[i]);
        cr_assert(get(), "length %zu", lengths[i]);
        cr_assert_eq(key.secret_len, lengths[i]);
        cr_assert_eq(memcmp(key.secret, text, lengths[i]), 0, "length %zu", lengths[i]);
        cr_assert_eq(key.secret[lengths[i]], 0);
        cr_assert_str_eq(key.fingerprint, FINGERPRINT);
    }
}

Test(secret, written_over_a_longer_one_leaves_nothing_of_it)
{
    for (int longer = 0; longer < LENGTHS; longer++)
        for (int i = 0; i <= longer; i++) {
            put(lengths[longer]);
            put(lengths[i]);
            cr_assert_eq(residue(), lengths[i] + KB_FINGERPRINT_LEN, "%zu over %zu", lengths[i], lengths[longer]);
        }
}

Test(secret, wiped_leaves_no_byte_and_cannot_be_read)
{
    for (int i = 0; i < LENGTHS; i++) {
        put(lengths[i]);
        kb_secret_wipe(secrets, 2, 9);
        cr_assert_eq(residue(), 0);
        cr_assert_not(get());
    }
    kb_secret_wipe(secrets, 2, 9);
    cr_assert_not(get());
}

Test(secret, that_was_never_written_cannot_be_read)
{
    cr_assert_not(get());
}

Test(secret, whose_writer_died_is_refused_and_then_wiped_whole)
{
    _Atomic uint64_t *stamp = &secrets->secrets[2][9].stamp;
    for (int i = 0; i < LENGTHS; i++) {
        put(lengths[i]);
        atomic_fetch_or(stamp, KB_SECRET_BUSY);
        cr_assert_not(get());
        kb_secret_wipe(secrets, 2, 9);
        cr_assert_eq(residue(), 0, "length %zu", lengths[i]);
        cr_assert_eq(atomic_load(stamp), 0);
    }
    put(4096);
    atomic_fetch_or(stamp, KB_SECRET_BUSY);
    put(5);
    cr_assert_eq(residue(), 5 + KB_FINGERPRINT_LEN);
    cr_assert(get());
}

Test(secret, of_a_length_that_cannot_be_is_refused)
{
    const uint64_t lengths_that_cannot_be[] = {KB_SECRET_MAX + 1, 0x7fff, 0xffff, 0x8000, 0};
    for (size_t i = 0; i < sizeof lengths_that_cannot_be / sizeof *lengths_that_cannot_be; i++) {
        atomic_store(&secrets->secrets[2][9].stamp, UINT64_C(77) << 16 | lengths_that_cannot_be[i]);
        cr_assert_not(get());
    }
    kb_secret_wipe(secrets, 2, 9);
    cr_assert_eq(atomic_load(&secrets->secrets[2][9].stamp), 0);
}

Test(secret, written_again_has_another_stamp_even_if_it_is_the_same)
{
    put(40);
    const uint64_t stamp = atomic_load(&secrets->secrets[2][9].stamp);
    put(40);
    cr_assert_neq(atomic_load(&secrets->secrets[2][9].stamp), stamp);
}

Test(secret, of_one_key_is_none_of_its_neighbours_business)
{
    for (unsigned k = 8; k <= 10; k++)
        kb_secret_write(secrets, 2, k, text + k, 4000 + k, FINGERPRINT);
    put(30);
    kb_secret_wipe(secrets, 2, 9);
    for (unsigned k = 8; k <= 10; k += 2) {
        cr_assert(kb_secret_copy(secrets, 2, k, &key));
        cr_assert_eq(memcmp(key.secret, text + k, 4000 + k), 0);
    }
}

static void rewrite(void *arg)
{
    (void)arg;
    put(4000);
}

Test(secret, rewritten_while_it_is_copied_is_refused)
{
    put(4096);
    kit_ambush(secrets->longs[2][9], KB_SECRET_MAX, true, rewrite, NULL);
    const bool copied = get();
    cr_assert(kit_ambush_end());
    cr_assert_not(copied);
    cr_assert(get());
    cr_assert_eq(key.secret_len, 4000);
}

enum { REWRITES = 20000 };
static _Atomic int finished;

/* Two secrets in turn, each of one letter and a length of its own. */
static void *rewrite_often(void *arg)
{
    static char a[300], b[3000];
    (void)arg;
    memset(a, 'a', sizeof a);
    memset(b, 'b', sizeof b);
    for (int i = 0; i < REWRITES; i++)
        kb_secret_write(secrets, 2, 9, i % 2 ? a : b, i % 2 ? sizeof a : sizeof b,
                        i % 2 ? "kaaaaaaaaaaaa" : "kbbbbbbbbbbbb");
    atomic_store(&finished, 1);
    return NULL;
}

Test(secret, that_is_copied_is_never_half_of_another)
{
    pthread_t writer;
    unsigned whole = 0;
    cr_assert_eq(pthread_create(&writer, NULL, rewrite_often, NULL), 0);
    while (!atomic_load(&finished) || whole == 0) {
        if (!get())
            continue;
        const char letter = key.secret[0];
        whole++;
        cr_assert_eq(key.secret_len, letter == 'a' ? 300 : 3000);
        cr_assert_eq(key.fingerprint[1], letter);
        for (size_t i = 0; i < key.secret_len; i++)
            cr_assert_eq(key.secret[i], letter);
    }
    pthread_join(writer, NULL);
}
