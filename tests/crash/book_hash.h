// SPDX-License-Identifier: Apache-2.0
/* book_hash.h: how a row and a sample become a number; for what is told and for what is read. */
#ifndef EVEN_CRASH_BOOK_HASH_H
#define EVEN_CRASH_BOOK_HASH_H

#include "base/hash.h"
#include "core/core.h"
#include "core/rows.h"

static inline uint64_t hash_number(uint64_t h, int64_t v)
{
    return hash_u64((uint64_t)v, h);
}

static inline uint64_t hash_text(uint64_t h, struct str s)
{
    return hash_bytes(s.p, s.n, hash_u64(s.n, h));
}

static inline bool column_is_number(const struct row_column *c)
{
    return c->kind < COLUMN_TEXT;
}

/** The chain of a session after one more sample. */
static inline uint64_t hash_sample(uint64_t h, int64_t at_ms, const struct core_sample *s)
{
    const int64_t v[] = {at_ms,         s->time_ms, s->energy_mwh, s->power_w, s->voltage_mv,
                         s->current_ma, s->soc_pm,  s->temp_dc,    s->flags,   s->cost};
    for (size_t i = 0; i < sizeof v / sizeof v[0]; i++)
        h = hash_number(h, v[i]);
    return h;
}

/** What a session adds to the sum. */
static inline uint64_t hash_session(int64_t session, uint64_t chain)
{
    return hash_number(chain, session);
}

#endif
