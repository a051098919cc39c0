/* keyctl_hostile_test.c: keyctl on what others wrote: workers of all kinds, the broker's answer, scribbles. */
#include "keyctl_stage.h"

#include "keyctl/pools.h"
#include "keyctl/print.h"
#include "segment/identity.h"
#include "segment/os.h"
#include "segment/word.h"

#include <ctype.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(keyctl_hostile, .init = start, .fini = stop);

static uint64_t dead_identity(void)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        char byte;
        close(ends[1]);
        (void)!read(ends[0], &byte, 1);
        _exit(0);
    }
    const uint64_t identity = kb_identity_of(child);
    close(ends[0]);
    close(ends[1]);
    waitpid(child, NULL, 0);
    return identity;
}

Test(keyctl_hostile, workers_tells_the_living_the_dead_and_the_foreign)
{
    atomic_store(&kit.state->workers[5].identity, dead_identity());
    atomic_store(&kit.state->workers[5].attached_unix, 1700000000);
    atomic_store(&kit.state->workers[9].identity, kb_identity_self() ^ UINT64_C(1) << 50);
    atomic_store(&kit.state->workers[9].attached_unix, UINT64_MAX);
    run_json(&kb_command_workers, NULL);
    const int workers = kb_json_member(doc, 0, "workers");
    cr_assert_eq(kb_json_size(doc, workers), 3);
    says(element(workers, 0), "state", "alive");
    cr_assert_eq(number(element(workers, 0), "pid"), getpid());
    says(element(workers, 1), "state", "dead");
    cr_assert_eq(number(element(workers, 1), "slot"), 5);
    cr_assert_eq(number(element(workers, 1), "attached_at"), INT64_C(1700000000000));
    says(element(workers, 2), "state", "foreign");
    cr_assert(is_null(element(workers, 2), "attached_at"));
    cr_assert_eq(run(&kb_command_workers, false, NULL, NULL), 0);
}

Test(keyctl_hostile, reload_needs_a_living_broker)
{
    atomic_store(&kit.state->header.broker, dead_identity());
    cr_assert_eq(run(&kb_command_reload, false, NULL, NULL), KB_EXIT_FAILED);
    atomic_store(&kit.state->header.broker, 0);
    cr_assert_eq(run(&kb_command_reload, false, NULL, NULL), KB_EXIT_FAILED);
    cr_assert_eq(atomic_load(&kit.state->header.reload_asked), 0);
}

/* A broker that answers as told, in a process of its own. */
static void answer_reload(bool failed, const char *text)
{
    struct kb_header *header = &kit.state->header;
    if (fork() != 0)
        return;
    for (int tries = 0; tries < 1000 && atomic_load(&header->reload_asked) == atomic_load(&header->reload_done);
         tries++)
        kb_os_sleep(5);
    memset(header->reload_text, 'x', sizeof header->reload_text);
    memcpy(header->reload_text, text, strlen(text));
    atomic_store(&header->reload_failed, failed);
    atomic_fetch_add(&header->generation, failed ? 0 : 1);
    atomic_store(&header->reload_done, atomic_load(&header->reload_asked));
    _exit(0);
}

Test(keyctl_hostile, reload_counts_beyond_the_largest_number)
{
    atomic_store(&kit.state->header.reload_asked, UINT32_MAX);
    atomic_store(&kit.state->header.reload_done, UINT32_MAX);
    answer_reload(false, "");
    run_json(&kb_command_reload, NULL);
    cr_assert_eq(number(0, "generation"), 2);
    wait(NULL);
}

Test(keyctl_hostile, a_refused_reload_tells_a_scribbled_reason_within_its_bounds)
{
    answer_reload(true, "\033[2J\n/etc/keys:3: \xff no");
    FILE *const terminal = stderr;
    char *told = NULL;
    size_t size;
    stderr = open_memstream(&told, &size);
    const int code = run(&kb_command_reload, false, NULL, NULL);
    fclose(stderr);
    stderr = terminal;
    cr_assert_eq(code, KB_EXIT_FAILED);
    cr_assert_str_empty(shown);
    cr_assert(strstr(told, "/etc/keys:3: ? noxxx") != NULL, "%s", told);
    cr_assert_leq(strlen(told), 300);
    for (const char *c = told; c[1]; c++)
        cr_assert(isprint((unsigned char)*c));
    free(told);
    wait(NULL);
}

static void expect_printable(void)
{
    for (const char *c = shown; *c; c++)
        cr_assert(*c == '\n' || isprint((unsigned char)*c), "byte %d", *c);
}

/* What any worker can do to the segment: every byte behind the first line of the header. */
static void scribble(int byte)
{
    const size_t kept = sizeof(uint64_t) * 8, upto = offsetof(struct kb_state, slots[0][64]);
    memset((char *)kit.state + kept, byte, upto - kept);
    for (unsigned pool = 0; pool < KB_POOLS; pool += 2) { /* some names are still names */
        memset(kit.state->pools[pool].name, 0, sizeof kit.state->pools[pool].name);
        memcpy(kit.state->pools[pool].name, "scribbled", 9);
    }
    for (unsigned pool = 1; pool < KB_POOLS; pool++)
        atomic_store(&kit.state->pools[pool].rotation.span, 2);
}

Test(keyctl_hostile, a_scribbled_segment_is_shown_within_its_bounds)
{
    static const int bytes[] = {0xff, 0x1b, '"', 0x7f, 0x84};
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
        scribble(bytes[i]);
        run_json(&kb_command_status, NULL);
        expect_printable();
        cr_assert_eq(run(&kb_command_status, false, "scribbled", NULL), 0);
        expect_printable();
        run_json(&kb_command_workers, NULL);
        expect_printable();
        cr_assert_eq(run(&kb_command_workers, false, NULL, NULL), 0);
        expect_printable();
        cr_assert_eq(run(&kb_command_disable, false, "scribbled", "1"), 0);
        cr_assert_eq(run(&kb_command_enable, false, "scribbled", "1"), 0);
        cr_assert_eq(kit_state(&kit, 1), KB_AVAILABLE);
    }
    atomic_store(&kit.state->header.broker, kit.owner.self); /* so that the segment can be ended */
    atomic_store(&kit.state->header.guard_owner, 0);
}

Test(keyctl_hostile, a_variable_is_what_the_segment_says_if_it_can_be_one)
{
    char out[KB_ENV_MAX + 1];
    char *const env = kit.state->pools[0].env;
    kb_ctl_pool_env(kit.state, 0, out);
    cr_assert_str_eq(out, "KIT_KEYS");
    static const char *const bad[] = {"", "A=B", "9A", "A B", "LD\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        strcpy(env, bad[i]);
        kb_ctl_pool_env(kit.state, 0, out);
        cr_assert_str_eq(out, "API_KEY");
    }
    memset(env, 'A', KB_ENV_MAX + 1);
    kb_ctl_pool_env(kit.state, 0, out);
    cr_assert_eq(strlen(out), KB_ENV_MAX);
}

Test(keyctl_hostile, durations_are_short)
{
    static const struct {
        uint64_t ms;
        const char *text;
    } cases[] = {{0, "0s"},
                 {999, "0s"},
                 {59999, "59s"},
                 {60000, "1m 0s"},
                 {3599999, "59m 59s"},
                 {3600000, "1h 0m"},
                 {86400000, "1d 0h"},
                 {UINT64_MAX, "213503982334d 14h"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[KB_DURATION_MAX];
        kb_ctl_duration(out, cases[i].ms);
        cr_assert_str_eq(out, cases[i].text);
    }
}
