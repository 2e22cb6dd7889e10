// SPDX-License-Identifier: Apache-2.0
/* allot.h: which part of the prepaid cap each of two guns in one vehicle may spend. Each begins with half; of
 * guns of very different power the faster one would end at its half while the slower has most of
 * its own left. So, when a gun nears the end of its part, what the other one will not need is moved
 * over.
 *
 * A pile ends a gun by itself when its amount reaches the balance that it was told last. What was
 * told is known, what arrived is not: `part` is the most that the gun may hold for its balance,
 * whatever was lost. Hence the order of a move:
 *
 *   1. the other gun is told its lower part; nothing else changes
 *   2. the pile acknowledges it
 *   3. a reading that came after that shows the gun still below it; a gun that was above it already
 *      ends, and its record says at how much
 *   4. now the lower part counts, and what it left free is told to the gun that needs it
 *
 * A refusal, silence, or a link that breaks ends a move before 4 and the parts stay. Then nothing is
 * lowered for ALLOT_QUIET_MS: an answer names neither gun nor question, so a late one could be taken
 * for that to the next. A pile that does not know how is asked once or twice in a charge.
 *
 * Invariants: 1. both parts together are never more than the cap; 2. a part becomes less by step 4
 * alone; 3. parts are whole fen but for what the cap has above, and the first one has that. Pure:
 * sees its arguments only. A move that a restart forgets is one whose answer was lost. */
#ifndef EVEN_CORE_ALLOT_H
#define EVEN_CORE_ALLOT_H

#include <stdbool.h>
#include <stdint.h>

#define ALLOT_NEAR_MS  60000 /* a part that lasts no longer is looked after */
#define ALLOT_QUIET_MS 60000

/** A lower part on its way. */
struct allot_move {
    int64_t part; /* 0 = none */
    int64_t quiet_ms, heard_ms;
    int32_t gun;
    int32_t readings; /* of the gun, when the pile acknowledged */
    bool heard;
};

struct allot {
    int64_t part[2];
    struct allot_move move;
};

/** One gun as its last good reading showed it. */
struct allot_gun {
    int64_t spent, power_w, reading_ms; /* power -1 = not known */
    int32_t readings;                   /* good ones so far */
};

struct allot_view {
    int64_t now_ms, cap, price_e5; /* price: the highest ahead */
    struct allot_gun gun[2];
};

enum allot_action {
    ALLOT_NONE = 0,
    ALLOT_LOWER = 1, /* tell the gun `part`, and what becomes of it to allot_answer */
    ALLOT_RAISE = 2  /* tell the gun its part, which was raised */
};

struct allot_step {
    enum allot_action action;
    int32_t gun;
    int64_t part;
    int64_t again_ms; /* look again then, even without a reading or an answer */
};

/** Both parts of a cap of two fen or more. */
void allot_halves(int64_t cap, int64_t part[2]);

/** The cap was raised by `amount`: both may spend half of that more. Forgets a move. */
void allot_more(struct allot *a, int64_t amount);

/** What to do now, while both guns charge or wait to. */
void allot_decide(struct allot *a, const struct allot_view *v, struct allot_step *out);

/** The pile's answer to a lower part: `readings` of that gun so far. */
void allot_answer(struct allot_move *m, int64_t now_ms, bool accepted, int32_t readings);

/** Something else that the pile was told of its balances was not answered. */
void allot_quiet(struct allot_move *m, int64_t now_ms);

#endif
