#include "peer.h"

#include "segment/identity.h"
#include "segment/os.h"
#include "segment/slot.h"
#include "segment/sweep.h"
#include "segment/worker.h"
#include "tests/kit/child.h"

static unsigned target_of(const struct stage *stage)
{
    return stage->books.target;
}

static uint64_t target_word(struct stage *stage)
{
    return kit_word(&stage->kit, target_of(stage));
}

static void reset(struct stage *stage)
{
    uint64_t word;
    do
        word = target_word(stage);
    while (!kb_slot_change(stage->kit.state, 0, target_of(stage), word, kb_word_fresh(word, KB_AVAILABLE)));
}

/* Claims until the next turn is the target's. */
static void align(struct stage *stage)
{
    struct books *books = &stage->books;
    const unsigned last = (books->target + books->keys - 1) % books->keys;
    kb_key key;
    for (unsigned i = 0; i <= books->keys && !*books->wrong; i++) {
        if ((books->cursor & 0xffff) == last)
            return;
        if (kb_claim(stage->client, "pool", 0, &key) != 0)
            books_wrong(books, "setting the scene: a claim failed");
        books_look(books);
        books->claims += key.index != books->target;
    }
    books_wrong(books, "setting the scene: the rotation does not come to the target");
}

void peer_set(struct stage *stage)
{
    const struct stage_key start = stage->play->start;
    reset(stage);
    books_look(&stage->books);
    align(stage);
    const uint64_t word = target_word(stage);
    struct kb_word w = kb_word_enter(kb_word_unpack(word), start.state);
    w.strikes = start.strikes;
    if (start.state == KB_FAILED || start.state == KB_COOLING) {
        w.reason = start.state == KB_FAILED ? KB_REASON_AUTH : KB_REASON_RATE;
        w.until = kb_word_until(kb_os_now() + UINT64_C(3600) * 1000);
    }
    kb_slot_change(stage->kit.state, 0, target_of(stage), word, kb_word_pack(w));
    atomic_store(&stage->kit.state->pools[0].rotation.next_due, KB_NEVER << 16);
    stage->barred = false;
    if (stage->play->set)
        stage->play->set(stage);
}

void peer_secret(struct stage *stage, const kb_key *key)
{
    const int number = kit_secret_number(key->secret, key->secret_len);
    const bool reloaded = key->index == 0 && target_of(stage) == 0 && number == (int)stage->books.keys;
    if (number < 0)
        books_wrong(&stage->books, "a claim returned no whole secret");
    else if (number != (int)key->index && !reloaded)
        books_wrong(&stage->books, "a claim of key %u returned secret %d", key->index, number);
}

/* The target's turn: available, or its trial. */
static void take_target(struct stage *stage, const kb_key *key, bool hold)
{
    const uint64_t word = target_word(stage);
    const bool on_trial = kb_word_state(word) == KB_PROBATION;
    stage->returned = true;
    if (stage->barred)
        books_wrong(&stage->books, "the target was claimed after its failure had been reported");
    if (on_trial && stage->has_trial && kb_word_epoch(key->kb_word) == kb_word_epoch(stage->key.kb_word))
        books_wrong(&stage->books, "two have the target's trial");
    if (on_trial && hold) {
        stage->held = *key;
        stage->holds = true;
    } else if (on_trial && kb_release(stage->client, key) != 0) {
        books_wrong(&stage->books, "a trial could not be given back");
    } else if (!on_trial && kb_report(stage->client, key, KB_OUTCOME_OK, -1, 200) != 0) {
        books_wrong(&stage->books, "a report on the target was late though nothing happened");
    }
}

void peer_round(struct stage *stage, bool hold)
{
    struct books *books = &stage->books;
    stage->returned = false;
    for (unsigned i = 0; i < books->keys && !*books->wrong; i++) {
        kb_key key;
        const int code = kb_claim(stage->client, "pool", 0, &key);
        books_look(books);
        if (code != 0) {
            books_wrong(books, "a claim beside the victim: %s", kb_strerror(code));
            return;
        }
        peer_secret(stage, &key);
        if (key.index == books->target) {
            take_target(stage, &key, hold);
        } else {
            books->claims++;
            if (kb_report(stage->client, &key, KB_OUTCOME_OK, -1, 200) != 0)
                books_wrong(books, "a report beside the victim failed");
        }
    }
}

void peer_let_go(struct stage *stage)
{
    if (stage->holds)
        kb_release(stage->client, &stage->held);
    stage->holds = false;
}

static void fail(struct stage *stage)
{
    char fingerprint[KB_FINGERPRINT_LEN + 1];
    kb_key key;
    stage->copied = kit_secret_number(stage->key.secret, stage->key.secret_len) >= 0;
    kb_slot_fingerprint(&stage->kit.state->slots[0][target_of(stage)], fingerprint);
    if (kb_claim_key(stage->client, "pool", fingerprint, &key) != 0)
        books_wrong(&stage->books, "the target cannot be claimed by name");
    else if (kb_report(stage->client, &key, KB_OUTCOME_AUTH, -1, 401) < 0)
        books_wrong(&stage->books, "the target cannot be reported");
    stage->barred = true;
}

/* Numbers 0 .. n-1 or 1 .. n: the first or the last goes, and the one that comes gets its slot, which is
 * the first empty one once the other has gone. */
static void reload(struct stage *stage)
{
    stage->reloaded = !stage->reloaded;
    if (kit_reload(&stage->kit, 1, stage->books.keys - 1) != 0 ||
        kit_reload(&stage->kit, stage->reloaded, stage->books.keys) != 0)
        books_wrong(&stage->books, "the keys cannot be changed");
}

void peer_event(struct stage *stage, enum stage_event event)
{
    if (event == STAGE_SWEEP)
        kb_sweep(stage->kit.state, 0, kb_os_now());
    else if (event == STAGE_FAIL)
        fail(stage);
    else if (event == STAGE_RESET)
        reset(stage);
    else if (event == STAGE_RELOAD)
        reload(stage);
}

void peer_expect(struct stage *stage, const struct stage_key allowed[2])
{
    const struct kb_word w = kb_word_unpack(target_word(stage));
    for (int i = 0; i < 2; i++)
        if (allowed[i].state == w.state && allowed[i].strikes == w.strikes)
            return;
    books_wrong(&stage->books, "the target is in state %u with %u strikes", w.state, w.strikes);
}

void peer_recover(struct stage *stage)
{
    struct books *books = &stage->books;
    _Atomic uint64_t *slot_word = &stage->kit.state->slots[0][books->target].word;
    struct kb_word w = kb_word_unpack(atomic_load(slot_word));
    if (w.state == KB_FAILED || w.state == KB_COOLING) {
        w.until = 1;
        atomic_store(slot_word, kb_word_pack(w)); /* the clock's doing: bit and announcement stay as they are */
    }
    for (unsigned turn = 0; turn < KB_SWEEP_TURNS + 2 * books->keys && !*books->wrong; turn++) {
        kb_key key;
        if (kb_claim(stage->client, "pool", 0, &key) != 0)
            books_wrong(books, "a claim after the kill failed");
        books_look(books);
        if (key.index == books->target) {
            kb_report(stage->client, &key, KB_OUTCOME_OK, -1, 200);
            return;
        }
        books->claims++;
    }
    books_wrong(books, "the target did not come back by itself");
}

void peer_inspect(struct stage *stage)
{
    const char *wrong = kit_check(stage->kit.state);
    if (wrong)
        books_wrong(&stage->books, "after a sweep: %s", wrong);
    const bool claimable = kb_word_claimable(target_word(stage));
    peer_round(stage, false);
    if (stage->returned != claimable)
        books_wrong(&stage->books, claimable ? "the target is lost" : "the target was claimed in a state it cannot be");
    books_balance(&stage->books);
}

static int claim_and_die(void *arg)
{
    struct stage *stage = arg;
    stage_claim(stage);
    return stage->code == 0 && stage->has_trial ? 0 : 1;
}

void peer_leave_trial(struct stage *stage)
{
    peer_reap(stage);
    const pid_t pid = kit_fork(claim_and_die, stage);
    const int status = kit_wait(pid), slot = peer_slot(stage, pid);
    books_look(&stage->books);
    stage->has_trial = false;
    if (status != 0 || slot < 0) {
        books_wrong(&stage->books, "setting the scene: no trial was taken");
        return;
    }
    stage->dead_slot = (unsigned)slot;
    stage->dead_identity = atomic_load(&stage->kit.state->workers[slot].identity);
}

/* Whether the lane's tag is that of a worker that has a slot. */
static bool has_owner(struct kb_state *state, uint64_t tag)
{
    const uint64_t slot = (tag & 0xffff) - 1;
    return slot < KB_WORKERS && atomic_load(&state->workers[slot].identity) << 16 == tag - (slot + 1);
}

void peer_reap(struct stage *stage)
{
    struct kb_state *state = stage->kit.state;
    for (unsigned slot = 0; slot < KB_WORKERS; slot++) {
        const uint64_t identity = atomic_load(&state->workers[slot].identity);
        if (kb_identity_dead(identity))
            kb_worker_reap(state, slot, identity);
    }
    for (unsigned lane = 0; lane < KB_OWNED_LANES; lane++) {
        const uint64_t tag = atomic_load(&state->header.lane_owner[lane]);
        if (tag != 0 && !has_owner(state, tag))
            books_wrong(&stage->books, "lane %u belongs to nobody and is not free", lane);
    }
}

int peer_slot(struct stage *stage, pid_t pid)
{
    for (int slot = 0; slot < KB_WORKERS; slot++)
        if (kb_identity_pid(atomic_load(&stage->kit.state->workers[slot].identity)) == pid)
            return slot;
    return -1;
}
