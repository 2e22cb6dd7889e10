// SPDX-License-Identifier: Apache-2.0
/* look.c: see look.h. Data: the caller's. Nothing fails. */
#include "web/look.h"

static bool is_same(const struct look *a, const struct look *b)
{
    return a->kind == b->kind && a->actor == b->actor && a->charger == b->charger;
}

bool look_due(struct looks *l, const struct look *who, int64_t now_ms)
{
    for (int i = 0; i < LOOKS_MAX; i++) {
        struct look *k = &l->at[i];

        if (!is_same(k, who))
            continue;
        if (now_ms - k->seen_ms >= LOOK_GAP_MS || now_ms - k->told_ms >= LOOK_TOLD_MS)
            return true;
        k->seen_ms = now_ms;
        return false;
    }
    return true;
}

/* Its own place, else a free one, else that of who was seen longest ago. */
void look_told(struct looks *l, const struct look *who, int64_t now_ms)
{
    struct look *place = &l->at[0];

    for (int i = 0; i < LOOKS_MAX && !is_same(place, who); i++) {
        struct look *k = &l->at[i];

        if (is_same(k, who) || (place->kind != 0 && (k->kind == 0 || k->seen_ms < place->seen_ms)))
            place = k;
    }
    *place = *who;
    place->seen_ms = place->told_ms = now_ms;
}
