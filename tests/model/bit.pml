/*
 * bit: a key's bit follows its word (design 3.2, rule 2; client/segment/slot.c).
 *
 * Two writers change the word and then make the bit agree; a claimer that lands on a bit that lies does
 * the same; any two of them may die between any two steps.
 *
 * Holds: with nobody dead, the bit agrees with the word once all are done; whoever died, one sweep by a
 * living process afterwards makes it agree.
 * Must fail with -DNO_SECOND_LOOK: a writer that looked before a change and wrote after it.
 */
#define CHANGES 2

bool claimable = true; /* the word, as far as the flag is concerned */
bool flag = true; /* the bit */
byte deaths = 0, done = 0;

#define MAY_DIE if :: deaths < 2 -> deaths++; goto out :: true fi

/* kb_slot_agree: look, mark (load, and a locked or/and only if it differs), look again. */
#ifdef NO_SECOND_LOOK
#define AGREE look = claimable; MAY_DIE; seen = flag; MAY_DIE; if :: seen != look -> flag = look :: else fi
#else
#define AGREE \
    look = claimable; \
    do \
    :: MAY_DIE; seen = flag; MAY_DIE; \
       if :: seen != look -> flag = look :: else fi; \
       MAY_DIE; again = claimable; \
       if :: again == look -> break :: else -> look = again fi \
    od
#endif

proctype writer()
{
    bool look, seen, again;
    byte i = 0;
    do
    :: i < CHANGES ->
       i++;
       atomic { claimable = !claimable }; /* the CAS */
       MAY_DIE;
       AGREE
    :: else -> break
    od;
out:
    done++
}

proctype claimer()
{
    bool look, seen, again;
    if
    :: flag && !claimable -> AGREE
    :: true
    fi;
out:
    done++
}

init {
    bool look, seen, again;
    atomic { run writer(); run writer(); run claimer() };
    done == 3;
    assert(deaths > 0 || flag == claimable);
    deaths = 2; /* the sweeper lives */
    AGREE;
out:
    assert(flag == claimable)
}
