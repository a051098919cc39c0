#include "broker/fingerprint.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void expect(const char *secret, size_t len, const char *fingerprint)
{
    char out[KB_FINGERPRINT_LEN + 1];
    memset(out, 'x', sizeof out);
    kb_fingerprint_make(secret, len, out);
    cr_assert_str_eq(out, fingerprint);
}

/* FIPS 180-2, appendix B, and the well-known digest of nothing. */
Test(fingerprint, is_the_start_of_sha256)
{
    expect("", 0, "ke3b0c44298fc");
    expect("abc", 3, "kba7816bf8f01");
    expect("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, "k248d6a61d206");
    char *million = malloc(1000000);
    cr_assert_not_null(million);
    memset(million, 'a', 1000000);
    expect(million, 1000000, "kcdc76e5c9914");
    free(million);
}

Test(fingerprint, differs_by_one_byte_at_every_length_up_to_the_longest)
{
    static char secret[KB_SECRET_MAX];
    memset(secret, 'k', sizeof secret);
    for (size_t len = 1; len <= sizeof secret; len++) {
        char one[KB_FINGERPRINT_LEN + 1], other[KB_FINGERPRINT_LEN + 1];
        kb_fingerprint_make(secret, len, one);
        kb_fingerprint_make(secret, len - 1, other);
        cr_assert_str_neq(one, other, "length %zu", len);
        cr_assert_eq(strlen(one), KB_FINGERPRINT_LEN);
    }
}
