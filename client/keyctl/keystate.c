#include "keyctl/keystate.h"

#include "segment/os.h"
#include "segment/word.h"

#include <stdio.h>

/* A state that no broker writes is a failed one: the key is never handed out, and a reset brings it back. */
const char *kb_ctl_state_name(uint64_t word)
{
    switch (kb_word_state(word)) {
    case KB_AVAILABLE:
        return "available";
    case KB_COOLING:
        return "cooling";
    case KB_PROBATION:
        return "probation";
    case KB_DISABLED:
        return "disabled";
    default:
        return "failed";
    }
}

const char *kb_ctl_reason_name(uint64_t word)
{
    static const char *const names[] = {
        [KB_REASON_NONE] = "none", [KB_REASON_AUTH] = "auth", [KB_REASON_QUOTA] = "quota", [KB_REASON_RATE] = "rate"};
    return kb_word_state(word) == KB_DISABLED ? "operator" : names[kb_word_unpack(word).reason];
}

bool kb_ctl_retry_of(uint64_t word, uint64_t *ms)
{
    const uint64_t until = kb_word_until_ms(word), now = kb_os_now();
    const bool waits = kb_word_state(word) == KB_FAILED || kb_word_state(word) == KB_COOLING;
    *ms = waits && until > now ? until - now : 0;
    return waits || kb_word_claimable(word);
}

void kb_ctl_retry_text(uint64_t word, char out[KB_DURATION_MAX])
{
    uint64_t ms;
    if (kb_word_state(word) == KB_AVAILABLE)
        snprintf(out, KB_DURATION_MAX, "-");
    else if (!kb_ctl_retry_of(word, &ms))
        snprintf(out, KB_DURATION_MAX, kb_word_state(word) == KB_PROBATION ? "on trial" : "-");
    else if (ms == 0)
        snprintf(out, KB_DURATION_MAX, "now");
    else
        kb_ctl_duration(out, ms + 999);
}
