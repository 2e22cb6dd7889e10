// SPDX-License-Identifier: Apache-2.0
/* split.c: see split.h.
 *
 * The deficit rule in one line's terms: U posting unit, R sum of ratios, d_i what party i is behind
 * (in units of 1/R). An amount A adds A × r_i to d_i and takes part_i × R from it. First everybody
 * gets the whole posting units of A × r_i / R; what is left, fewer than n units, goes unit by unit
 * to the largest d. Should somebody still be a whole unit behind (only with many parties), a unit
 * is moved to them from whoever is furthest ahead and has one in this amount. Ties go to the lower
 * seq.
 *
 * Owns nothing; pure. Fails by result codes; must() guards the sums. */
#include "core/split.h"

#include "base/err.h"
#include "base/must.h"

int split_line(int32_t fee_kind)
{
    must(fee_kind == FEE_ELECTRICITY || fee_kind == FEE_SERVICE || fee_kind == FEE_OCCUPANCY);
    return fee_kind == FEE_ELECTRICITY ? 0 : fee_kind == FEE_SERVICE ? 1 : 2;
}

static int32_t line_kind(int line)
{
    static const int32_t kind[SPLIT_LINES] = {FEE_ELECTRICITY, FEE_SERVICE, FEE_OCCUPANCY};
    return kind[line];
}

static bool shares_in(const struct split_party *p, int line)
{
    return (p->lines & line_kind(line)) != 0;
}

static int64_t ratio_sum(const struct split_contract *c, int line)
{
    int64_t sum = 0;
    for (int32_t i = 0; i < c->n; i++)
        if (shares_in(&c->party[i], line))
            sum += c->party[i].ratio;
    return sum;
}

bool split_covers(const struct split_contract *c, int32_t fee_kind)
{
    return ratio_sum(c, split_line(fee_kind)) > 0;
}

/* ---- building ---- */

static int party_take(struct split_contract *c, const struct row_contract_party *row)
{
    const int32_t all = FEE_ELECTRICITY | FEE_SERVICE | FEE_OCCUPANCY;
    struct split_party *p = &c->party[row->seq];
    if (row->ratio <= 0 || row->ratio > SPLIT_RATIO_MAX || row->lines <= 0 || (row->lines & ~all))
        return ERR_RANGE;
    if (row->party <= 0 || row->contract != c->id)
        return ERR_RANGE;
    if (p->party)
        return ERR_CONFLICT;
    *p = (struct split_party){.party = row->party,
                              .lines = row->lines,
                              .ratio = row->ratio,
                              .residue = {row->residue_e, row->residue_s, row->residue_o}};
    return 0;
}

/** A party may have one entry per fee line, no more: two would hide what it is behind. */
static bool party_twice(const struct split_contract *c)
{
    for (int32_t i = 0; i < c->n; i++)
        for (int32_t j = 0; j < i; j++)
            if (c->party[i].party == c->party[j].party && (c->party[i].lines & c->party[j].lines))
                return true;
    return false;
}

static int residues_check(const struct split_contract *c, int line)
{
    const int64_t most = SPLIT_PARTIES_MAX * ratio_sum(c, line) * c->unit;
    int64_t sum = 0;
    for (int32_t i = 0; i < c->n; i++) {
        int64_t r = c->party[i].residue[line];
        if (r > most || r < -most || (r && !shares_in(&c->party[i], line)))
            return ERR_RANGE;
        sum += r;
    }
    return sum ? ERR_RANGE : 0;
}

int split_build(struct split_contract *c, const struct row_contract *row,
                const struct row_contract_party *parties, size_t n)
{
    if (n < 1 || n > SPLIT_PARTIES_MAX || row->unit < 1 || row->unit > MONEY_UNIT ||
        row->rounding != ROUND_DEFICIT)
        return ERR_RANGE;
    *c = (struct split_contract){.id = row->id,
                                 .tenant = row->tenant,
                                 .family = row->family,
                                 .from_ms = row->from_ms,
                                 .unit = row->unit,
                                 .n = (int32_t)n};
    for (size_t i = 0; i < n; i++) {
        if (parties[i].seq < 0 || parties[i].seq >= (int32_t)n)
            return ERR_RANGE;
        int rc = party_take(c, &parties[i]);
        if (rc)
            return rc;
    }
    if (party_twice(c))
        return ERR_CONFLICT;
    if (!ratio_sum(c, 0) || !ratio_sum(c, 1))
        return ERR_RANGE;
    for (int line = 0; line < SPLIT_LINES; line++) {
        int rc = residues_check(c, line);
        if (rc)
            return rc;
    }
    return 0;
}

/* ---- one line ---- */

/** The parties of one line at work. */
struct share {
    int32_t n, seq[SPLIT_PARTIES_MAX];
    int64_t part[SPLIT_PARTIES_MAX];
    int64_t behind[SPLIT_PARTIES_MAX]; /* numerators over ratio_sum */
    int64_t ratio_sum;
};

static int32_t furthest_behind(const struct share *s)
{
    int32_t best = 0;
    for (int32_t i = 1; i < s->n; i++)
        if (s->behind[i] > s->behind[best])
            best = i;
    return best;
}

/** The one furthest ahead that has at least `unit` in this amount, or -1. */
static int32_t furthest_ahead(const struct share *s, int64_t unit)
{
    int32_t best = -1;
    for (int32_t i = 0; i < s->n; i++)
        if (s->part[i] >= unit && s->behind[i] < 0 && (best < 0 || s->behind[i] < s->behind[best]))
            best = i;
    return best;
}

static void share_give(struct share *s, int32_t i, int64_t amount)
{
    s->part[i] += amount;
    s->behind[i] -= amount * s->ratio_sum;
}

/** Gives the whole posting units due; returns what is left of the amount. */
static int64_t share_floors(struct share *s, const struct split_contract *c, int line,
                            int64_t amount)
{
    int64_t left = amount;
    for (int32_t i = 0; i < c->n; i++) {
        const struct split_party *p = &c->party[i];
        if (!shares_in(p, line))
            continue;
        ev_i128 due = (ev_i128)amount * p->ratio;
        int64_t part = (int64_t)(due / s->ratio_sum / c->unit) * c->unit;
        int32_t k = s->n++;
        s->seq[k] = i;
        s->part[k] = part;
        s->behind[k] = p->residue[line] + (int64_t)(due - (ev_i128)part * s->ratio_sum);
        left -= part;
    }
    return left;
}

static void share_divide(struct share *s, const struct split_contract *c, int line, int64_t amount)
{
    const int64_t unit = c->unit;
    int64_t left = share_floors(s, c, line, amount);
    must(left >= 0 && left < unit * (s->n + 1));
    for (; left >= unit; left -= unit)
        share_give(s, furthest_behind(s), unit);
    if (left)
        share_give(s, furthest_behind(s), left);
    for (int32_t moves = 0; moves < s->n; moves++) {
        int32_t to = furthest_behind(s);
        int32_t from = furthest_ahead(s, unit);
        if (s->behind[to] < unit * s->ratio_sum || from < 0)
            break;
        share_give(s, from, -unit);
        share_give(s, to, unit);
    }
}

static void share_emit(const struct share *s, const struct split_contract *c, int line,
                       struct money base, struct split_result *out)
{
    int64_t sum = 0;
    for (int32_t k = 0; k < s->n; k++) {
        const struct split_party *p = &c->party[s->seq[k]];
        must(s->part[k] >= 0);
        sum += s->part[k];
        out->residue[s->seq[k]][line] = s->behind[k];
        out->part[out->n++] = (struct split_part){.seq = s->seq[k],
                                                  .kind = line_kind(line),
                                                  .party = p->party,
                                                  .base = base,
                                                  .amount = MONEY(s->part[k]),
                                                  .ratio = p->ratio,
                                                  .ratio_sum = (int32_t)s->ratio_sum};
    }
    must(sum == base.v);
}

int split_compute(const struct split_contract *c, const struct money base[SPLIT_LINES],
                  struct split_result *out)
{
    out->n = 0;
    for (int32_t i = 0; i < c->n; i++)
        memcpy(out->residue[i], c->party[i].residue, sizeof out->residue[i]);
    for (int line = 0; line < SPLIT_LINES; line++) {
        if (base[line].v < 0 || base[line].v > SPLIT_AMOUNT_MAX)
            return ERR_RANGE;
        if (base[line].v && !ratio_sum(c, line))
            return ERR_NOT_FOUND;
    }
    for (int line = 0; line < SPLIT_LINES; line++) {
        if (!base[line].v)
            continue;
        struct share s = {.ratio_sum = ratio_sum(c, line)};
        share_divide(&s, c, line, base[line].v);
        share_emit(&s, c, line, base[line], out);
    }
    return 0;
}

void split_commit(struct split_contract *c, const struct split_result *r)
{
    for (int32_t i = 0; i < c->n; i++)
        memcpy(c->party[i].residue, r->residue[i], sizeof r->residue[i]);
}

void split_party_row(const struct split_contract *c, int32_t i, struct row_contract_party *row)
{
    must(i >= 0 && i < c->n);
    const struct split_party *p = &c->party[i];
    *row = (struct row_contract_party){.contract = c->id,
                                       .seq = i,
                                       .party = p->party,
                                       .lines = p->lines,
                                       .ratio = p->ratio,
                                       .residue_e = p->residue[0],
                                       .residue_s = p->residue[1],
                                       .residue_o = p->residue[2]};
}

/* ---- refunds: what remains of stored parts ---- */

/* Webster's method orders tokens (i, k), k = 0 … part_i - 1, by part_i / (2k + 1), larger first,
 * lower index first; `rest` units are the first `rest` tokens. Hence monotone; and the first Σ part
 * tokens give everybody exactly the own part. */

/** True when the next unit of i comes before the next unit of j. */
static bool unit_before(int64_t part_i, int64_t have_i, int64_t part_j, int64_t have_j)
{
    return (ev_i128)part_i * (2 * have_j + 1) > (ev_i128)part_j * (2 * have_i + 1);
}

static void remain_add(const struct money *part, size_t n, struct money *out)
{
    size_t best = n;
    for (size_t i = 0; i < n; i++)
        if (part[i].v && (best == n || unit_before(part[i].v, out[i].v, part[best].v, out[best].v)))
            best = i;
    must(best < n);
    out[best].v++;
}

static void remain_take(const struct money *part, size_t n, struct money *out)
{
    size_t last = n;
    for (size_t i = 0; i < n; i++)
        if (out[i].v &&
            (last == n || !unit_before(part[i].v, out[i].v - 1, part[last].v, out[last].v - 1)))
            last = i;
    must(last < n);
    out[last].v--;
}

int split_remain(const struct money *part, size_t n, struct money rest, struct money *out)
{
    int64_t sum = 0, got = 0;
    if (n > SPLIT_PARTS_MAX)
        return ERR_RANGE;
    for (size_t i = 0; i < n; i++) {
        if (part[i].v < 0 || part[i].v > SPLIT_AMOUNT_MAX)
            return ERR_RANGE;
        sum += part[i].v;
    }
    if (rest.v < 0 || rest.v > sum)
        return ERR_RANGE;
    for (size_t i = 0; i < n; i++) {
        out[i] = MONEY(sum ? muldiv_half_up(part[i].v, rest.v, sum) : 0);
        got += out[i].v;
    }
    for (; got < rest.v; got++)
        remain_add(part, n, out);
    for (; got > rest.v; got--)
        remain_take(part, n, out);
    return 0;
}
