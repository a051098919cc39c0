/*
 * transfer.h: a request's attempts on a channel, one for each key.
 */
#ifndef KB_HTTP_TRANSFER_H
#define KB_HTTP_TRANSFER_H

#include "http/channel.h"
#include "http/form.h"
#include "http/outfile.h"
#include "http/request.h"

/* What all attempts of a request have in common. */
struct kb_transfers {
    struct kb_channel *channel;
    const struct kb_order *order;
    const struct kb_form *form;
    struct kb_outfile *file; /* closed: bodies go to memory */
};

/* Makes the channel ready for the request, and lets go of it. */
void kb_transfer_begin(const struct kb_transfers *transfers);
void kb_transfer_end(const struct kb_transfers *transfers);

/*
 * Sends the request once, with this key, whatever becomes of it, and fills *answer but for attempts and fingerprint.
 * *verdict is the judge's; its rule is empty if nothing came to be judged. A 2xx answer whose outcome is ok is
 * committed to the file. Nothing of an earlier answer is freed.
 */
void kb_transfer_run(const struct kb_transfers *transfers, const kb_key *key, long timeout_ms, kb_http_answer *answer,
                     kb_http_verdict *verdict);

#endif
