#include "http/number.h"

#include <criterion/criterion.h>
#include <string.h>

Test(number, is_read_as_json_has_them)
{
    static const struct {
        const char *text;
        double value;
    } good[] = {{"0", 0},           {"-0.5", -0.5}, {"10", 10},     {"1e3", 1000},         {"2.5E-1", 0.25},
                {"198.44", 198.44}, {"1E+2", 100},  {"1e-9999", 0}, {"0e999999999999", 0}, {"0.63", 0.63}};
    static const char *const bad[] = {"",    "-",  ".5", "5.",    "01",  "+1",  "1e",  "1e+",
                                      "0x1", "1 ", " 1", "1e400", "nan", "inf", "1,5", "--1"};
    double value;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        cr_assert(kb_number_read(good[i].text, strlen(good[i].text), &value), "%s", good[i].text);
        cr_assert_eq(value, good[i].value, "%s: %.17g", good[i].text, value);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        cr_assert_not(kb_number_read(bad[i], strlen(bad[i]), &value), "%s", bad[i]);
}

Test(number, is_written_without_exponent)
{
    static const struct {
        double value;
        const char *text;
    } pairs[] = {{0, "0"},         {0.5, "0.5"},           {4294967294.0, "4294967294"},
                 {-2.25, "-2.25"}, {0.000001, "0.000001"}, {0.9999999, "1"},
                 {1e15, "nan"},    {0.0 / 0.0, "nan"}};
    char text[KB_NUMBER_SIZE];
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        kb_number_write(text, pairs[i].value);
        cr_assert_str_eq(text, pairs[i].text);
    }
}
