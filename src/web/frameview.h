// SPDX-License-Identifier: Apache-2.0
/* frameview.h: a logged frame as people see it: what it is called, its text or bytes, its fields
 * with their names and the bytes they stand in.
 *
 * Who sees what: a field that the table calls secret (passwords, links to files; the value of a
 * setting that sounds like one) is shown to nobody. A personal one (cards, tokens, VINs), a value
 * that no table knows, and whatever of a frame cannot be read is shown only to those who may see
 * drivers (driver.write, as with phones). What is not shown is replaced by as many asterisks, in
 * the text or bytes too, so that places stay right. A search sees no more than its asker.
 *
 * Thread: the request's. Cannot fail but for memory. */
#ifndef EVEN_WEB_FRAMEVIEW_H
#define EVEN_WEB_FRAMEVIEW_H

#include "base/arena.h"
#include "io/os/framelog.h"
#include "web/api_gen.h"

/** A row of the log with its bytes, and what its head says. */
struct frame_shot {
    struct framelog_row row;
    struct str bytes;
    /* OCPP: 2 a call, 3 an answer, 4 a refusal, 0 unreadable; and the payload's place */
    int call;
    struct str id, action, payload;
    const struct frame_shot *asked; /* of an answer: the call */
};

/** Reads the head of shot->bytes. */
void frameview_head(struct frame_shot *shot, struct arena *a);
/** What it is called: "BootNotification", "0x13", "" = it cannot be read. */
struct str frameview_kind(const struct frame_shot *shot, struct arena *a);
/** Fills *out; everything lives in the arena. `clear`: the asker may see persons. ERR_TOO_LARGE. */
EV_MUST_USE int frameview_show(const struct frame_shot *shot, bool clear, struct arena *a,
                               struct api_Frame *out);
/** True when kind, names, text, bytes or values hold the word (ASCII case does not matter). */
bool frameview_has(const struct api_Frame *f, struct str word);

#endif
