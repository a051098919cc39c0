/*
 * peer.h: the process beside the victim on a stage: it sets the scene, claims and reports, makes things
 * happen and checks. What is wrong goes into the stage's books.
 */
#ifndef KB_TESTS_PEER_H
#define KB_TESTS_PEER_H

#include "tests/kit/stage.h"

/* The target stands as the play begins, the next turn is its, and nothing is due. */
void peer_set(struct stage *stage);

/* As many claims as there are keys, each reported: every one must succeed, with a whole secret. A trial
 * of the target is kept if `hold`, else given back. */
void peer_round(struct stage *stage, bool hold);
/* Gives back what the last round kept. */
void peer_let_go(struct stage *stage);

void peer_event(struct stage *stage, enum stage_event event);

/* The target must stand as one of these. */
void peer_expect(struct stage *stage, const struct stage_key allowed[2]);

/* Lets the target's time pass unannounced; claims alone must then bring it back. */
void peer_recover(struct stage *stage);

/* Sweeps: all must be in order then, and a round return every key that can be claimed. */
void peer_inspect(struct stage *stage);

/* A process takes the target's trial and dies: stage->dead_slot, dead_identity. For `set`. */
void peer_leave_trial(struct stage *stage);

/* Frees the slots of the dead as the broker does. No lane may be left to nobody. */
void peer_reap(struct stage *stage);

/* The slot of a process; -1. */
int peer_slot(struct stage *stage, pid_t pid);

/* A claim's secret must be a whole one, of the key it names. */
void peer_secret(struct stage *stage, const kb_key *key);

#endif
