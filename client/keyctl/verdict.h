/*
 * verdict.h: what came of keys that were probed, and how it is shown.
 */
#ifndef KB_KEYCTL_VERDICT_H
#define KB_KEYCTL_VERDICT_H

#include "http/number.h"
#include "keyctl/keyref.h"
#include "keyctl/options.h"

struct kb_ctl_verdict {
    struct kb_keyref key;
    bool probed; /* false: it is disabled, or was removed, and the next members are empty */
    kb_outcome outcome;
    int status, retry_after_ms;
    char credits[KB_NUMBER_SIZE]; /* "": not told */
    char why[256];                /* what went wrong, or which rule decided */
    uint64_t word;                /* afterwards */
};

struct kb_ctl_verdicts {
    struct kb_ctl_verdict *at;
    unsigned count;
};

/* Shows them, and tells on stderr why keys are not good. KB_EXIT_DONE if all that were probed are good, and some were.
 */
int kb_ctl_verdicts_tell(const struct kb_ctl_options *told, const char *service,
                         const struct kb_ctl_verdicts *verdicts);

#endif
