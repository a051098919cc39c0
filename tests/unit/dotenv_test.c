#include "broker/dotenv.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *log_stream;

static void take(void *arg, const struct kb_dotenv_entry *entry)
{
    cr_assert_eq(arg, log_stream);
    fprintf(log_stream, "%u %.*s=[", entry->line, (int)entry->name_len, entry->name);
    fwrite(entry->value, 1, entry->value_len, log_stream);
    fputs("]\n", log_stream);
}

static void complain(void *arg, unsigned line, const char *message)
{
    cr_assert_eq(arg, log_stream);
    fprintf(log_stream, "%u %s\n", line, strstr(message, "NUL") != NULL ? "nul" : "skipped");
}

/* What is read from the text: one line for each assignment and each warning. To be freed. */
static char *read_text(const char *text, size_t len, size_t *log_len)
{
    char *copy = malloc(len), *log = NULL; /* of the exact size, for the sanitizers */
    log_stream = open_memstream(&log, log_len);
    cr_assert((copy != NULL || len == 0) && log_stream != NULL);
    if (len > 0)
        memcpy(copy, text, len);
    const struct kb_dotenv_reader reader = {.assign = take, .warn = complain, .arg = log_stream};
    kb_dotenv_parse(copy, len, &reader);
    cr_assert_eq(fclose(log_stream), 0);
    free(copy);
    return log;
}

static void expect_bytes(const char *text, size_t len, const char *expected, size_t expected_len)
{
    size_t size = 0;
    char *log = read_text(text, len, &size);
    cr_assert(size == expected_len && memcmp(log, expected, size) == 0, "read:\n%s\nexpected:\n%s", log, expected);
    free(log);
}

#define EXPECT(text, log) expect_bytes(text, sizeof(text) - 1, log, sizeof(log) - 1)

Test(dotenv, reads_plain_assignments)
{
    EXPECT("", "");
    EXPECT("A=1", "1 A=[1]\n");
    EXPECT("A=1\nB=2\n", "1 A=[1]\n2 B=[2]\n");
    EXPECT("  A = 1  \n\tB\t=\t2 3\t\n", "1 A=[1]\n2 B=[2 3]\n");
    EXPECT("A=\nB= \nC", "1 A=[]\n2 B=[]\n3 skipped\n");
    EXPECT("A=1\nA=2\n", "1 A=[1]\n2 A=[2]\n");
    EXPECT("A=b=c==\n", "1 A=[b=c==]\n");
    EXPECT("a_9.x-y=1\n_=2\n", "1 a_9.x-y=[1]\n2 _=[2]\n");
    EXPECT("A=k1,\\n,$B,`c`\n", "1 A=[k1,\\n,$B,`c`]\n");
}

Test(dotenv, reads_comments_and_blank_lines)
{
    EXPECT("# A=1\n\n   \n  # B=2\nC=3 # not 4\n", "5 C=[3]\n");
    EXPECT("A=#1\nB= # nothing\nC=x#y\nD=x\t#y\n", "1 A=[#1]\n2 B=[]\n3 C=[x#y]\n4 D=[x]\n");
    EXPECT("A='x' # it's\nB=\"x\"#y\n", "1 A=[x]\n2 B=[x]\n");
}

Test(dotenv, reads_export)
{
    EXPECT("export A=1\n export\tB = 2\n", "1 A=[1]\n2 B=[2]\n");
    EXPECT("export=1\nexport =2\nexported=3\n", "1 export=[1]\n2 export=[2]\n3 exported=[3]\n");
    EXPECT("export A\nexport\nexport =\n", "1 skipped\n2 skipped\n3 export=[]\n");
}

Test(dotenv, reads_quotes)
{
    EXPECT("A=\"x y\"\nB='x y'\nC=\"\"\nD=''\n", "1 A=[x y]\n2 B=[x y]\n3 C=[]\n4 D=[]\n");
    EXPECT("A=\" x # y \"\nB=' x # y '\n", "1 A=[ x # y ]\n2 B=[ x # y ]\n");
    EXPECT("A=\"\\n\\t\\\"\\\\\\$\\a\\'\"\n", "1 A=[\n\t\"\\$\\a\\']\n");
    EXPECT("A='\\n\\t\\$\"'\n", "1 A=[\\n\\t\\$\"]\n");
    EXPECT("A=\"\\\\\"\nB=x\"y\"\n", "1 A=[\\]\n2 B=[x\"y\"]\n");
}

Test(dotenv, reads_values_over_several_lines)
{
    EXPECT("A=\"1,\n2,\n3\"\nB='4\n5'\nC=6\n", "1 A=[1,\n2,\n3]\n4 B=[4\n5]\n6 C=[6]\n");
    EXPECT("A=\"1\\n\\n\\n\n2\"\nB=3\n", "1 A=[1\n\n\n\n2]\n3 B=[3]\n");
}

Test(dotenv, reads_crlf)
{
    EXPECT("A=1\r\n\r\n# x\r\nB='2'\r\nC=\"3\" # x\r\nD=\r\nE=4\r", "1 A=[1]\n4 B=[2]\n5 C=[3]\n6 D=[]\n7 E=[4]\n");
}

Test(dotenv, skips_lines_that_are_none_of_these)
{
    EXPECT("what is this\n=1\n1A=1\nA B=1\nA: 1\nB=2\n",
           "1 skipped\n2 skipped\n3 skipped\n4 skipped\n5 skipped\n6 B=[2]\n");
    EXPECT("A=\"k1\",\"k2\"\nB=2\n", "1 skipped\n2 B=[2]\n");
    EXPECT("\xef\xbb\xbf\n\xff\xfe"
           "A=1\nB=2\n",
           "1 skipped\n2 skipped\n3 B=[2]\n");
}

Test(dotenv, loses_one_line_to_a_quote_left_open)
{
    EXPECT("A=\"1\nB=2\n", "1 skipped\n2 B=[2]\n");
    EXPECT("A='1\nB=\"2\"\nC='3'\n", "1 skipped\n2 B=[2]\n3 C=[3]\n");
    EXPECT("A=\"1\\\"", "1 skipped\n");
    EXPECT("A=\"1\\", "1 skipped\n");
    EXPECT("A=\"", "1 skipped\n");
    EXPECT("A='", "1 skipped\n");
    EXPECT("A=\"1\nB=\\n\"x\nC=\\n\n", "1 skipped\n2 B=[\\n\"x]\n3 C=[\\n]\n");
}

Test(dotenv, passes_nul_bytes_in_values_and_tells_of_others)
{
    EXPECT("A=1\0 2\nB=\"\0\"\n", "1 A=[1\0 2]\n2 B=[\0]\n");
    EXPECT("#\0\nA=1 #\0\nB='1' #\0\n\0\nA\0=1\n", "1 nul\n2 nul\n2 A=[1]\n3 nul\n3 B=[1]\n4 skipped\n5 skipped\n");
}

Test(dotenv, reads_any_start_of_a_file_as_well)
{
    static const char text[] = "export A=\"1\\n\\\"\n2\" # x\r\nB='3\n4'\n#c\n  C = 5 # y\n\n";
    for (size_t len = 0; len < sizeof text; len++) {
        size_t size = 0;
        char *log = read_text(text, len, &size);
        cr_assert_eq(strstr(log, "C=[5") != NULL, len > strcspn(text, "5"), "the first %zu bytes: %s", len, log);
        free(log);
    }
}
