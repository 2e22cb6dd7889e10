// SPDX-License-Identifier: Apache-2.0
/* framelog.h: the last frames of chargers, as they were on the wire, for people who look for a
 * fault. Each network thread has one log with two rings: `recent` takes every frame, `watched` only
 * those of chargers that somebody looks at (struct framewatch), so that a crowd cannot push them
 * out. Both are bounded, hold raw bytes and are forgotten with the program: whoever shows them masks
 * what is personal or secret (web/frameview.h).
 *
 * Invariants:
 *  1. One thread writes a log; any thread may read it meanwhile, and none waits for another.
 *  2. What a reader gets is a whole row: one that was overwritten while it was copied is left out.
 *  3. Rows are never moved; the oldest make room.
 *  4. Ids rise with time and are unique in the program.
 *
 * How: a ring of 64-bit words. The writer moves `tail` past what it is going to overwrite before it
 * does so, and `head` after the row is complete; each word is stored with release and loaded with
 * acquire order, so a reader that saw a new word also sees the tail that was moved for it, and
 * throws its copy away. On x86 these are plain moves. */
#ifndef EVEN_IO_OS_FRAMELOG_H
#define EVEN_IO_OS_FRAMELOG_H

#include "base/compiler.h"
#include "base/str.h"

#define FRAMELOG_BODY_MAX 16384 /* bytes kept of one frame */
#define FRAMEWATCH_MAX    64    /* chargers that are looked at at once */

enum framelog_dir { FRAME_IN = 1, FRAME_OUT, FRAME_NOTE }; /* a note: what became of a connection */
enum framelog_result { FRAME_OK, FRAME_ODD, FRAME_REFUSED };

struct framelog_row {
    int64_t id;      /* of framelog_id */
    int64_t charger; /* 0 = not known yet */
    uint64_t cause;  /* of what it began, or of what it is the outcome of */
    uint32_t slot, gen;
    uint32_t size; /* of the whole frame; `n` bytes of it were kept */
    uint32_t n;
    uint8_t protocol, dir, kind, result; /* kind: type of a binary frame, else 0 */
};

/** When a row was made, and by which reactor. */
int64_t framelog_time(int64_t id);
uint16_t framelog_reactor(int64_t id);

/* ---- who is looked at ---- */

struct framewatch;
EV_MUST_USE int framewatch_new(struct framewatch **out);
void framewatch_free(struct framewatch *w);
/** Looks at a charger until then; a time not after now ends it. ERR_FULL. One thread at a time
 * (the web front's guard). */
EV_MUST_USE int framewatch_set(struct framewatch *w, int64_t charger, int64_t until_ms,
                               int64_t now_ms);
/** Until when it is looked at, 0 = it is not. Any thread. */
int64_t framewatch_until(const struct framewatch *w, int64_t charger, int64_t now_ms);

/* ---- the log ---- */

struct framelog_config {
    uint16_t reactor;               /* at most 63 */
    size_t recent, watched;         /* bytes; 0 = none */
    const struct framewatch *watch; /* borrowed */
};
struct framelog;
/** ERR_NOMEM. */
EV_MUST_USE int framelog_new(const struct framelog_config *cfg, struct framelog **out);
void framelog_free(struct framelog *l);
/** An id for a row that is put later: what it caused may be put before it. The writer's thread. */
int64_t framelog_id(struct framelog *l, int64_t now_ms);
/** Puts a row; bytes beyond FRAMELOG_BODY_MAX, or a quarter of a ring, are cut. `n` and `size` are
 * filled in here. The writer's thread. */
void framelog_put(struct framelog *l, const struct framelog_row *row, struct str bytes);

/** A reader's place in a log. */
struct framelog_reader {
    const struct framelog *log;
    uint64_t pos;
    int ring;
};
/** Starts at the oldest row: those of the watched ring, then the recent ones. A row that is in both
 * comes twice. */
void framelog_read(const struct framelog *l, struct framelog_reader *r);
/** The next row of this charger, or of none; its bytes go to `bytes` (FRAMELOG_BODY_MAX). False at
 * the end. Any thread. */
bool framelog_next(struct framelog_reader *r, int64_t charger, struct framelog_row *row,
                   char *bytes);

#endif
