#include "http/base64.h"

#include <criterion/criterion.h>
#include <string.h>

Test(base64, is_read_whole_or_not_at_all)
{
    static const char *const good[][2] = {{"", ""},    {"QQ==", "A"}, {"QUI=", "AB"},      {"QUJD", "ABC"},
                                          {"QQ", "A"}, {"QUI", "AB"}, {"/+8=", "\xff\xef"}};
    static const char *const bad[] = {"Q", "Q===", "====", "QR==", "Q Q=", "QQ==QQ==", "Q*==", "QUJ=", "_-8="};
    unsigned char out[32];
    size_t len;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        cr_assert(kb_base64_decode(good[i][0], strlen(good[i][0]), out, &len), "%s", good[i][0]);
        cr_assert(len == strlen(good[i][1]) && memcmp(out, good[i][1], len) == 0, "%s", good[i][0]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        cr_assert_not(kb_base64_decode(bad[i], strlen(bad[i]), out, &len), "%s", bad[i]);
}
