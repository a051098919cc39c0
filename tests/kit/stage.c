#include "stage.h"

#include "client.h"
#include "segment/worker.h"
#include "tests/kit/child.h"
#include "tests/kit/peer.h"
#include "tests/kit/step.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    EVERY_MAX = 2500, /* a longer path is not tried at every instruction */
    SAMPLE = 200,     /* but behind every store to shared memory and at this many other places */
    STUCK_S = 30,     /* no single step of a play takes a hundredth of this */
    DEFAULT_KEYS = 5
};

static const char *const event_names[STAGE_EVENTS] = {"claims", "a sweep", "a failure", "a reset", "a reload"};
static unsigned long all_kills, all_stops;
static char state_file[128], secrets_file[128]; /* what the program must not leave behind */

/* A peer that never comes back is what no victim may cause. */
static void on_stuck(int signal_number)
{
    static const char text[] = "not ok stuck: the peer was held up\n";
    const ssize_t written = write(STDOUT_FILENO, text, sizeof text - 1);
    unlink(state_file);
    unlink(secrets_file);
    _exit(written > 0 && signal_number == SIGALRM ? 1 : 2);
}

void stage_attach(struct stage *stage)
{
    int code;
    kb_worker_place(atomic_load(&stage->client->segment), &code);
}

void stage_claim(struct stage *stage)
{
    stage->code = kb_claim(stage->client, "pool", 0, &stage->key);
    if (stage->code != 0)
        return;
    stage->books.claims += stage->key.index != stage->books.target;
    stage->has_trial = stage->key.kb_flags & KB_CLAIM_TRIAL;
}

void stage_release(struct stage *stage)
{
    if (stage->code == 0)
        kb_release(stage->client, &stage->key);
    stage->has_trial = false;
}

static void victim_body(void *arg)
{
    struct stage *stage = arg;
    for (;;) {
        step_mark();
        stage->play->before(stage);
        step_mark();
        stage->play->run(stage);
        step_mark();
        if (stage->play->after)
            stage->play->after(stage);
    }
}

static bool changed(void *arg)
{
    return books_changed(&((struct stage *)arg)->books);
}

/* A victim at rest, in front of `before`. */
static bool new_victim(struct stage *stage)
{
    stage->victim = step_fork(victim_body, stage);
    if (stage->victim < 0)
        books_wrong(&stage->books, "no process can be traced here");
    return stage->victim > 0;
}

/* From there to the mark where the operation begins. */
static bool begin(struct stage *stage)
{
    alarm(STUCK_S);
    stage->code = 1;
    stage->has_trial = false;
    memset(&stage->key, 0, sizeof stage->key);
    peer_set(stage);
    if (!step_on(stage->victim))
        books_wrong(&stage->books, "the victim ended before the operation");
    books_look(&stage->books);
    return !*stage->books.wrong;
}

/* After the victim's death. */
static void bury(struct stage *stage)
{
    peer_reap(stage);
    if (peer_slot(stage, stage->victim) >= 0)
        books_wrong(&stage->books, "the dead victim keeps its slot");
}

/* Records a run, and kills the victim at its end. */
static bool record(struct stage *stage, struct step_path *path)
{
    if (!new_victim(stage))
        return false;
    if (begin(stage)) {
        changed(stage);
        if (!step_record(stage->victim, path, changed, stage))
            books_wrong(&stage->books, "the victim did not reach the end of the operation");
    }
    kit_kill(stage->victim, true);
    books_look(&stage->books);
    stage->books.kills++;
    bury(stage);
    return !*stage->books.wrong;
}

/* The shortest of a few: reading the clock, say, may take a second try. */
static bool record_shortest(struct stage *stage, struct step_path *path)
{
    enum { RECORDINGS = 4 };
    for (int i = 0; i < RECORDINGS; i++) {
        struct step_path other = {0};
        if (!record(stage, &other))
            return false;
        if (i > 0 && other.count >= path->count) {
            step_path_free(&other);
            continue;
        }
        step_path_free(path);
        *path = other;
    }
    return true;
}

static bool is_every(const struct step_path *path)
{
    return path->count <= EVERY_MAX;
}

static bool wanted(const struct step_path *path, size_t k)
{
    return is_every(path) || (k > 0 && path->news[k - 1]) || k % (path->count / SAMPLE) == 0;
}

/* A run may leave the path that was recorded, but not most of them: little would be tried then. */
static void count_run(struct stage *stage, bool inside)
{
    stage->runs++;
    stage->strays += !inside;
    if (stage->strays > stage->runs / 2 + 50)
        books_wrong(&stage->books, "%lu of %lu runs took another way than the one recorded", stage->strays,
                    stage->runs);
}

static void kill_at(struct stage *stage, const struct step_path *path, size_t k)
{
    if (!new_victim(stage))
        return;
    if (begin(stage))
        count_run(stage, step_to(stage->victim, path, k));
    books_look(&stage->books);
    const bool zombie = k % 2; /* dead is dead */
    kit_kill(stage->victim, !zombie);
    stage->books.kills++;
    peer_round(stage, false);
    peer_expect(stage, stage->play->killed);
    peer_recover(stage);
    peer_inspect(stage);
    bury(stage);
    if (stage->play->check)
        stage->play->check(stage, true);
    if (zombie)
        kit_kill(stage->victim, true);
}

/* Stops the victim in front of instruction k, does what happens meanwhile, and lets it go on to its rest. */
static void stop_at(struct stage *stage, const struct step_path *path, size_t k, enum stage_event event)
{
    struct books *books = &stage->books;
    if (!begin(stage))
        return;
    const bool inside = step_to(stage->victim, path, k);
    stage->event = event;
    count_run(stage, inside);
    books_look(books);
    if (stage->play->meanwhile)
        stage->play->meanwhile(stage);
    else
        peer_event(stage, event);
    peer_round(stage, event == STAGE_NOTHING);
    if (inside && !step_on(stage->victim))
        books_wrong(books, "the victim died of what happened meanwhile");
    books_look(books);
    books_bits(books);
    if (stage->holds && stage->has_trial && stage->key.index == books->target)
        books_wrong(books, "two have the target's trial");
    peer_let_go(stage);
    if (!step_on(stage->victim))
        books_wrong(books, "the victim ended behind the operation");
    books_look(books);
    if (!stage->play->meanwhile)
        peer_expect(stage, stage->play->ends[event]);
    stage->barred = false;
    peer_inspect(stage);
    if (stage->play->check)
        stage->play->check(stage, false);
}

/* How many places were tried. */
static unsigned long kill_everywhere(struct stage *stage, const struct step_path *path)
{
    unsigned long kills = 0;
    for (size_t k = 0; k < path->count && !*stage->books.wrong; k++)
        if (wanted(path, k)) {
            kill_at(stage, path, k);
            kills++;
            if (*stage->books.wrong)
                printf("# %s: killed in front of instruction %zu of %zu\n", stage->play->name, k, path->count);
        }
    return kills;
}

static unsigned long stop_everywhere(struct stage *stage, const struct step_path *path)
{
    unsigned long stops = 0;
    if (!new_victim(stage))
        return 0;
    for (int event = 0; event < STAGE_EVENTS; event++) {
        if (event > 0 && stage->play->ends[event][0].state == KB_EMPTY)
            continue;
        for (size_t k = 0; k < path->count && !*stage->books.wrong; k++)
            if (wanted(path, k)) {
                stop_at(stage, path, k, (enum stage_event)event);
                stops++;
                if (*stage->books.wrong)
                    printf("# %s: stopped in front of instruction %zu of %zu; meanwhile: %s\n", stage->play->name, k,
                           path->count, event_names[event]);
            }
    }
    kit_kill(stage->victim, true);
    stage->books.kills++;
    bury(stage);
    return stops;
}

/* Runs one play on a segment of its own. */
static bool run(const struct stage_play *play)
{
    struct stage *stage = kit_shared(sizeof *stage);
    struct step_path path = {0};
    unsigned long kills = 0, stops = 0;
    stage->play = play;
    kit_start(&stage->kit, play->keys ? play->keys : DEFAULT_KEYS);
    snprintf(state_file, sizeof state_file, "/dev/shm/%s.state", stage->kit.name);
    snprintf(secrets_file, sizeof secrets_file, "/dev/shm/%s.secrets", stage->kit.name);
    books_open(&stage->books, &stage->kit, play->keys ? play->keys : DEFAULT_KEYS, play->target);
    if (kb_open(stage->kit.name, &stage->client) != 0)
        books_wrong(&stage->books, "the peer cannot open the segment");
    else if (record_shortest(stage, &path)) {
        kills = kill_everywhere(stage, &path);
        if (!*stage->books.wrong)
            stops = stop_everywhere(stage, &path);
    }
    const bool good = !*stage->books.wrong;
    printf("%s %s: %zu instructions, %s: %lu kills, %lu stops%s%s\n", good ? "ok" : "not ok", play->name, path.count,
           is_every(&path) ? "at every one" : "behind every store to shared memory and at a sample", kills, stops,
           good ? "" : ": ", stage->books.wrong);
    fflush(stdout);
    step_path_free(&path);
    kb_close(stage->client);
    kit_stop(&stage->kit);
    munmap(stage, sizeof *stage);
    all_kills += kills;
    all_stops += stops;
    return good;
}

int stage_run(const struct stage_play *plays, size_t count)
{
    size_t passed = 0;
    signal(SIGALRM, on_stuck);
    for (size_t i = 0; i < count; i++)
        passed += run(&plays[i]);
    printf("# %lu kills survived, %lu stops waited out\n%zu passed, %zu failed\n", all_kills, all_stops, passed,
           count - passed);
    return passed == count ? 0 : 1;
}
