#include "broker/arena.h"

#include "broker/config.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static struct kb_arena arena;

static bool is_zero(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

Test(arena, gives_zeroed_aligned_memory_of_any_size)
{
    unsigned char *last = NULL;
    for (size_t size = 0; size < 2000000; size = size * 2 + 1) {
        unsigned char *memory = kb_arena_alloc(&arena, size);
        cr_assert_not_null(memory);
        cr_assert_eq((uintptr_t)memory % alignof(max_align_t), 0);
        cr_assert(is_zero(memory, size));
        memset(memory, 0xAA, size);
        cr_assert(last == NULL || *last == 0xAA);
        last = size > 0 ? memory : last;
    }
    kb_arena_free(&arena);
    cr_assert_null(arena.blocks);
    kb_arena_free(&arena);
}

Test(arena, has_no_memory_for_absurd_sizes)
{
    cr_assert_null(kb_arena_alloc(&arena, SIZE_MAX));
    cr_assert_null(kb_arena_alloc(&arena, SIZE_MAX / 2));
    cr_assert_not_null(kb_arena_alloc(&arena, 1), "and lives on");
    kb_arena_free(&arena);
}

/* The VmFlags of the mapping that holds this address. */
static void read_flags(const void *address, char *flags, size_t size)
{
    char line[512];
    bool here = false;
    FILE *maps = fopen("/proc/self/smaps", "r");
    cr_assert_not_null(maps);
    flags[0] = '\0';
    while (fgets(line, sizeof line, maps) != NULL) {
        uintptr_t from, to;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            here = (uintptr_t)address >= from && (uintptr_t)address < to;
        if (here && strncmp(line, "VmFlags:", 8) == 0)
            (void)snprintf(flags, size, "%s", line);
    }
    cr_assert_eq(fclose(maps), 0);
}

/* The address sanitizer makes mlock a function that does nothing and succeeds. */
static bool locks_are_real(void)
{
    return mlock(NULL, 1) != 0;
}

Test(arena, stays_out_of_core_dumps)
{
    char flags[512];
    read_flags(kb_arena_alloc(&arena, 1), flags, sizeof flags);
    cr_assert_not_null(strstr(flags, " dd"), "%s", flags);
    cr_assert(arena.lock_errno != 0 || !locks_are_real() || strstr(flags, " lo") != NULL, "%s", flags);
    kb_arena_free(&arena);
}

static unsigned swap_warnings;

static void count_swap_warnings(void *arg, const char *file, unsigned line, const char *message)
{
    (void)arg;
    (void)file;
    (void)line;
    swap_warnings += strstr(message, "swapped out") != NULL;
}

Test(arena, carries_on_when_it_may_not_lock_and_a_load_says_so_once)
{
    const struct rlimit none = {0, 0};
    const struct kb_config_sources sources = {0};
    struct kb_config config;
    struct kb_config_error error;
    bool root = geteuid() == 0;
    cr_assert_eq(setrlimit(RLIMIT_MEMLOCK, &none), 0);
    cr_assert(!root || seteuid(65534) == 0);
    void *memory = kb_arena_alloc(&arena, 1);
    int rc = kb_config_load(&config, &sources, count_swap_warnings, NULL, &error);
    cr_assert(!root || seteuid(0) == 0);
    cr_assert(memory != NULL && rc == 0);
    cr_assert_eq(arena.lock_errno != 0, locks_are_real());
    cr_assert_eq(swap_warnings, locks_are_real() ? 1 : 0);
    kb_config_free(&config);
    kb_arena_free(&arena);
    cr_assert_eq(arena.lock_errno, 0);
}

/* A secret that is nowhere in this program as such: masked with 0x55. */
static const unsigned char masked[24] = {0x0B, 0x62, 0x21, 0x30, 0x19, 0x1E, 0x67, 0x27, 0x0D, 0x64, 0x3A, 0x2D,
                                         0x10, 0x6C, 0x22, 0x0F, 0x66, 0x24, 0x1F, 0x60, 0x2E, 0x12, 0x68, 0x20};

__attribute__((no_sanitize("address"))) static size_t count_in(const volatile unsigned char *at,
                                                               const volatile unsigned char *end)
{
    size_t found = 0;
    for (; end - at >= (ptrdiff_t)sizeof masked; at++) {
        size_t same = 0;
        while (same < sizeof masked && (at[same] ^ 0x55) == masked[same])
            same++;
        found += same == sizeof masked;
    }
    return found;
}

/* Copies of the secret in all memory of this process that can be written. */
__attribute__((no_sanitize("address"))) static size_t count_copies(void)
{
    char line[512];
    size_t found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    cr_assert_not_null(maps);
    while (fgets(line, sizeof line, maps) != NULL) {
        uintptr_t from, to;
        char mode[8];
        bool mine = sscanf(line, "%lx-%lx %7s", &from, &to, mode) == 3 && strncmp(mode, "rw", 2) == 0;
        if (mine && to - from < (64u << 20)) /* sanitizers reserve whole terabytes */
            found += count_in((const unsigned char *)from, (const unsigned char *)to);
    }
    cr_assert_eq(fclose(maps), 0);
    return found;
}

static void write_secret(int fd)
{
    char text[] = "SUNO_API_KEY=\"k1,????????????????????????\"\nSUNO_API_KEY=k2,????????????????????????,k3\n";
    for (char *at = text; (at = strchr(at, '?')) != NULL;)
        for (size_t i = 0; i < sizeof masked; i++)
            *at++ = (char)(masked[i] ^ 0x55);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    explicit_bzero(text, sizeof text);
}

Test(arena, is_the_only_place_where_a_loaded_secret_was)
{
    char path[] = "/tmp/keybroker-arena-XXXXXX";
    const char *env_files[] = {path};
    const struct kb_config_sources sources = {.env_files = env_files, .n_env_files = 1};
    struct kb_config config;
    struct kb_config_error error;
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    write_secret(fd);
    cr_assert_eq(close(fd), 0);
    size_t before = count_copies();
    int rc = kb_config_load(&config, &sources, NULL, NULL, &error);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(before, 0);
    cr_assert_eq(rc, 0);
    cr_assert_eq(config.pools[0].n_keys, 3);
    cr_assert_eq(count_copies(), 1, "while it is loaded");
    kb_config_free(&config);
    cr_assert_eq(count_copies(), 0, "after");
}
