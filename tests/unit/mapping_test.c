#include "segment/mapping.h"

#include "client.h"
#include "segment/object.h"
#include "segment/word.h"
#include "tests/kit/child.h"
#include "tests/kit/kit.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOBODY = 65534 };

static struct kit kit;
static kb_client *client;

static void set_up(void)
{
    kit_start(&kit, 2);
}

static void tear_down(void)
{
    kb_close(client);
    client = NULL;
    kit_stop(&kit);
}

TestSuite(mapping, .init = set_up, .fini = tear_down, .timeout = 60);

/* criterion runs no .fini after a skip */
static void skip(const char *why)
{
    tear_down();
    cr_skip_test("%s", why);
}

static int try_open(void)
{
    kb_client *opened = (kb_client *)&opened;
    const int code = kb_open(kit.name, &opened);
    if (code)
        cr_assert_null(opened);
    else
        kb_close(opened);
    return code;
}

/* The kit's own mapping must not see its objects cut off. */
static void resize(const char *which, off_t size)
{
    kit_abandon(&kit);
    const int fd = kb_object_open(kit.name, which);
    cr_assert_geq(fd, 0);
    cr_assert_eq(ftruncate(fd, size), 0);
    close(fd);
}

static void set_mode(const char *which, mode_t mode)
{
    const int fd = kb_object_open(kit.name, which);
    cr_assert_geq(fd, 0);
    cr_assert_eq(fchmod(fd, mode), 0);
    close(fd);
}

static void set_owner(const char *which, uid_t user, gid_t group)
{
    const int fd = kb_object_open(kit.name, which);
    cr_assert_geq(fd, 0);
    cr_assert_eq(fchown(fd, user, group), 0);
    close(fd);
}

static void root_only(void)
{
    if (geteuid() != 0)
        skip("only root can make what belongs to somebody else");
}

Test(mapping, a_name_is_letters_digits_and_two_signs)
{
    char longest[KB_NAME_MAX + 2];
    memset(longest, 'n', sizeof longest);
    longest[KB_NAME_MAX] = 0;
    cr_assert(kb_name_valid("a") && kb_name_valid("Z-_9") && kb_name_valid(longest));
    longest[KB_NAME_MAX] = 'n';
    longest[KB_NAME_MAX + 1] = 0;
    const char *const wrong[] = {"",    "/",   "a/b",      "/a", "..",   ".", "a.state",
                                 "a b", "a\n", "\xc3\xa4", "*",  "a\\b", ":", longest};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        kb_client *opened = (kb_client *)&opened;
        cr_assert_not(kb_name_valid(wrong[i]), "%s", wrong[i]);
        cr_assert_eq(kb_open(wrong[i], &opened), KB_EINVAL, "\"%s\"", wrong[i]);
        cr_assert_null(opened);
    }
    cr_assert_eq(kb_open(kit.name, NULL), KB_EINVAL);
}

Test(mapping, without_a_name_the_environment_has_it)
{
    setenv("KEYBROKER_NAME", kit.name, 1);
    cr_assert_str_eq(kb_name_default(NULL), kit.name);
    cr_assert_str_eq(kb_name_default("other"), "other");
    cr_assert_eq(kb_open(NULL, &client), 0);
    setenv("KEYBROKER_NAME", "a/b", 1);
    cr_assert_null(kb_name_default(NULL));
    kb_client *opened;
    cr_assert_eq(kb_open(NULL, &opened), KB_EINVAL);
    setenv("KEYBROKER_NAME", "", 1);
    cr_assert_str_eq(kb_name_default(NULL), "keybroker");
    unsetenv("KEYBROKER_NAME");
    cr_assert_str_eq(kb_name_default(NULL), "keybroker");
}

Test(mapping, of_no_segment_is_no_broker)
{
    kit_stop(&kit);
    cr_assert_eq(try_open(), KB_ENOBROKER);
}

Test(mapping, of_a_segment_that_has_ended_is_no_broker)
{
    atomic_store(&kit.state->header.ended, 1);
    cr_assert_eq(try_open(), KB_ENOBROKER);
}

Test(mapping, of_a_segment_that_is_just_being_made_is_no_broker)
{
    atomic_store(&kit.state->header.magic, 0);
    cr_assert_eq(try_open(), KB_ENOBROKER);
    resize("state", 0);
    cr_assert_eq(try_open(), KB_ENOBROKER);
}

Test(mapping, of_another_layout_says_so)
{
    kit.state->header.layout = KB_LAYOUT + 1;
    cr_assert_eq(try_open(), KB_EVERSION);
    kit.state->header.layout = 0;
    cr_assert_eq(try_open(), KB_EVERSION);
    resize("state", 8192);
    cr_assert_eq(try_open(), KB_EVERSION, "another layout may well be smaller");
}

Test(mapping, of_other_secrets_than_the_state_speaks_of_is_no_broker)
{
    kit.owner.segment.secrets->header.instance++;
    cr_assert_eq(try_open(), KB_ENOBROKER);
    kit.owner.segment.secrets->header.instance--;
    cr_assert_eq(try_open(), 0);
    kb_object_unlink(kit.name, "secrets");
    cr_assert_eq(try_open(), KB_ENOBROKER);
}

Test(mapping, of_a_wrong_magic_is_corrupt)
{
    atomic_store(&kit.state->header.magic, KB_MAGIC ^ 1);
    cr_assert_eq(try_open(), KB_ECORRUPT);
}

Test(mapping, of_a_segment_cut_off_anywhere_is_corrupt)
{
    const off_t sizes[] = {(off_t)sizeof(struct kb_state) - 1, 1 << 20, 4096, 100, 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        resize("state", sizes[i]);
        cr_assert_eq(try_open(), KB_ECORRUPT, "%lld bytes", (long long)sizes[i]);
        kit_stop(&kit);
        kit_start(&kit, 2);
    }
}

Test(mapping, of_secrets_cut_off_anywhere_is_corrupt)
{
    const off_t sizes[] = {(off_t)sizeof(struct kb_secrets) - 1, 1 << 20, 8192, 100, 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        resize("secrets", sizes[i]);
        cr_assert_eq(try_open(), KB_ECORRUPT, "%lld bytes", (long long)sizes[i]);
        kit_stop(&kit);
        kit_start(&kit, 2);
    }
}

Test(mapping, of_anything_open_to_the_world_is_refused)
{
    const struct {
        const char *which;
        mode_t mode;
    } objects[] = {{"state", 0660}, {"secrets", 0640}};
    for (int o = 0; o < 2; o++) {
        for (mode_t bit = 1; bit <= 4; bit <<= 1) {
            set_mode(objects[o].which, objects[o].mode | bit);
            cr_assert_eq(try_open(), KB_EPERM, "%s with world bit %o", objects[o].which, (unsigned)bit);
        }
        set_mode(objects[o].which, objects[o].mode);
        cr_assert_eq(try_open(), 0);
    }
}

Test(mapping, of_what_belongs_to_somebody_else_is_refused)
{
    root_only();
    const char *const objects[] = {"state", "secrets"};
    for (int o = 0; o < 2; o++) {
        set_owner(objects[o], NOBODY, NOBODY);
        cr_assert_eq(try_open(), KB_EPERM, "%s", objects[o]);
        set_owner(objects[o], 0, 0);
    }
    cr_assert_eq(try_open(), 0);
}

static int open_as_nobody(void *arg)
{
    (void)arg;
    if (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
        return 90;
    kb_key key;
    kb_client *opened;
    const int code = kb_open(kit.name, &opened);
    return code ? -code : -kb_claim(opened, "pool", 0, &key);
}

Test(mapping, of_roots_segment_is_for_its_group_and_nobody_else)
{
    root_only();
    cr_assert_eq(kit_wait(kit_fork(open_as_nobody, NULL)), -KB_EPERM);
    set_owner("state", 0, NOBODY);
    cr_assert_eq(kit_wait(kit_fork(open_as_nobody, NULL)), -KB_EPERM, "the secrets are closed");
    set_owner("secrets", 0, NOBODY);
    cr_assert_eq(kit_wait(kit_fork(open_as_nobody, NULL)), 0);
}

Test(mapping, of_the_secrets_cannot_be_written)
{
    cr_assert_eq(kb_open(kit.name, &client), 0);
    const struct kb_segment *segment = atomic_load(&client->segment);
    const int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    cr_assert_eq(read(zero, segment->secrets->secrets[0], 1), -1);
    cr_assert_eq(errno, EFAULT);
    cr_assert_eq(read(zero, segment->secrets->longs[0][0], 1), -1);
    close(zero);
}

/* The flags of the mapping of `address`, as /proc/self/smaps has them. */
static void mapping_flags(const void *address, char *out, int size)
{
    FILE *file = fopen("/proc/self/smaps", "re");
    char line[512];
    bool here = false;
    cr_assert_not_null(file);
    *out = 0;
    while (fgets(line, sizeof line, file)) {
        unsigned long from, to;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            here = from <= (uintptr_t)address && (uintptr_t)address < to;
        else if (here && strncmp(line, "VmFlags:", 8) == 0)
            snprintf(out, (size_t)size, "%s", line);
    }
    fclose(file);
}

Test(mapping, of_the_secrets_is_in_no_core_dump)
{
    char flags[512];
    cr_assert_eq(kb_open(kit.name, &client), 0);
    mapping_flags(atomic_load(&client->segment)->secrets, flags, sizeof flags);
    cr_assert_not_null(strstr(flags, " dd"), "worker: %s", flags);
    mapping_flags(kit.owner.segment.secrets, flags, sizeof flags);
    cr_assert_not_null(strstr(flags, " dd"), "broker: %s", flags);
}

static unsigned count_descriptors(void)
{
    unsigned count = 0;
    DIR *directory = opendir("/proc/self/fd");
    cr_assert_not_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

static unsigned count_mappings(void)
{
    FILE *file = fopen("/proc/self/maps", "re");
    char line[512];
    unsigned count = 0;
    cr_assert_not_null(file);
    while (fgets(line, sizeof line, file))
        count += strstr(line, kit.name) != NULL;
    fclose(file);
    return count;
}

Test(mapping, leaves_nothing_open_whether_it_succeeds_or_not)
{
    const unsigned descriptors = count_descriptors(), mappings = count_mappings();
    cr_assert_eq(try_open(), 0);
    kit.owner.segment.secrets->header.instance++;
    cr_assert_eq(try_open(), KB_ENOBROKER);
    set_mode("secrets", 0644);
    cr_assert_eq(try_open(), KB_EPERM);
    kit.state->header.layout++;
    cr_assert_eq(try_open(), KB_EVERSION);
    cr_assert_eq(count_descriptors(), descriptors);
    cr_assert_eq(count_mappings(), mappings);
}

Test(mapping, that_was_retired_reads_as_zeros_and_may_be_written)
{
    struct kb_segment *segment;
    cr_assert_eq(kb_segment_open(kit.name, KB_USE_WORKER, &segment), 0);
    kb_segment_retire(segment);
    cr_assert_eq(atomic_load(&segment->state->header.magic), 0);
    cr_assert_eq(atomic_load(&segment->secrets->secrets[0][0].stamp), 0);
    atomic_store(&segment->state->slots[0][0].word, 1);
    kb_segment_close(segment);
    cr_assert_eq(kit_state(&kit, 0), KB_AVAILABLE);
}
