/*
 * guard: the semaphore gate with an owner word (design 3.2; client/segment/guard.c).
 *
 * Three processes enter and leave; any two may die between any two steps. A slice that runs out is a
 * transition that is always possible at the gate.
 *
 * Holds: never two living processes inside; nobody is stuck: every living process gets in and out.
 * Must fail with -DMARK_AFTER_WAIT (the token taken for the lock, the owner marked afterwards and
 * trusted), and with -DNO_SLICE (a wait without a limit).
 */
#define PROCESSES 3

byte owner = 0; /* process + 1 */
byte tokens = 1;
byte inside = 0;
bool dead[PROCESSES + 1];
byte deaths = 0;

#define MAY_DIE if :: deaths < 2 -> atomic { deaths++; dead[me] = true }; goto out :: true fi
#define GONE(who) (who != 0 && dead[who])

#ifdef NO_SLICE
#define SLICE false
#else
#define SLICE true
#endif

proctype process(byte me)
{
    byte seen, held;
#ifdef MARK_AFTER_WAIT
    do
    :: atomic { tokens > 0 -> tokens-- }; MAY_DIE; owner = me; break
    :: atomic { tokens == 0 && (owner == 0 || GONE(owner)) -> tokens++ } /* "the mark says nobody" */
    od;
#else
    do
    :: atomic { seen = owner; if :: owner == 0 -> owner = me :: else fi };
       if :: seen == 0 -> break :: else fi;
       MAY_DIE;
       if
       :: GONE(seen) -> atomic { if :: owner == seen -> owner = me; seen = 0 :: else fi };
          if :: seen == 0 -> break :: else fi
       :: else
       fi;
       if
       :: atomic { tokens > 0 -> tokens-- }
       :: SLICE ->
          held = owner; MAY_DIE;
          if :: tokens == 0 && (held == 0 || GONE(held)) -> MAY_DIE; tokens++ :: else fi
       fi;
       MAY_DIE
    od;
#endif
    inside++;
    assert(inside == 1);
    if
    :: deaths < 2 -> atomic { deaths++; dead[me] = true; inside-- }; goto out
    :: true
    fi;
    inside--;
    owner = 0;
    MAY_DIE;
    if :: tokens == 0 -> MAY_DIE; tokens++ :: else fi;
out:
    skip
}

init {
    atomic { run process(1); run process(2); run process(3) }
}
