#include "broker/environment.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Stands for the memory that /proc/PID/environ shows. */
static char first[] = "KEYS=one,two", second[] = "KEYS_TOO=other", third[] = "KEYS=again", odd[] = "NOTHING",
            none[] = "E=";
static char *variables[] = {first, second, third, odd, none, NULL};

static char **real;

static void replace(void)
{
    real = environ;
    environ = variables;
}

static void restore(void)
{
    environ = real;
}

TestSuite(environment, .init = replace, .fini = restore);

Test(environment, is_copied_and_left_as_it_is)
{
    struct kb_environment taken;
    cr_assert_eq(kb_environment_take(&taken), 0);
    cr_assert_str_eq(getenv("KEYS"), "one,two");
    memset(second, 'x', sizeof second - 1);
    cr_assert_str_eq(kb_environment_get(&taken, "KEYS"), "one,two");
    cr_assert_str_eq(kb_environment_get(&taken, "KEYS_TOO"), "other");
    cr_assert_str_eq(kb_environment_get(&taken, "E"), "");
    cr_assert_null(kb_environment_get(&taken, "KEY"));
    cr_assert_null(kb_environment_get(&taken, "NOTHING"));
    kb_environment_free(&taken);
}

Test(environment, loses_what_is_dropped_and_its_bytes)
{
    struct kb_environment taken;
    cr_assert_eq(kb_environment_take(&taken), 0);
    kb_environment_drop("KEYS");
    cr_assert_null(getenv("KEYS"));
    cr_assert_eq(memcmp(first, "KEYS=\0\0\0\0\0\0\0", sizeof first), 0);
    cr_assert_eq(memcmp(third, "KEYS=\0\0\0\0\0", sizeof third), 0, "every assignment is wiped");
    cr_assert_str_eq(getenv("KEYS_TOO"), "other");
    cr_assert_str_eq(kb_environment_get(&taken, "KEYS"), "one,two", "the copy stays");
    kb_environment_drop("KEYS");
    kb_environment_drop("UNKNOWN");
    kb_environment_free(&taken);
}

Test(environment, may_be_missing)
{
    struct kb_environment taken;
    environ = NULL;
    cr_assert_eq(kb_environment_take(&taken), 0);
    cr_assert_null(kb_environment_get(&taken, "KEYS"));
    kb_environment_drop("KEYS");
    kb_environment_free(&taken);
}
