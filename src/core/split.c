// SPDX-License-Identifier: Apache-2.0
/* split.c: see split.h. Building is in split_terms.c as far as clauses go; one line's deal is in
 * deal.c.
 *
 * Owns nothing; pure. Fails by result codes; must() guards the sums. */
#include "core/split.h"

#include "base/err.h"
#include "base/must.h"
#include "core/deal.h"

int split_line(int32_t fee_kind)
{
    must(fee_kind == FEE_ELECTRICITY || fee_kind == FEE_SERVICE || fee_kind == FEE_OCCUPANCY);
    return fee_kind == FEE_ELECTRICITY ? 0 : fee_kind == FEE_SERVICE ? 1 : 2;
}

int32_t split_line_kind(int line)
{
    static const int32_t kind[SPLIT_LINES] = {FEE_ELECTRICITY, FEE_SERVICE, FEE_OCCUPANCY};
    return kind[line];
}

static bool shares_in(const struct split_party *p, int line)
{
    return (p->lines & split_line_kind(line)) != 0;
}

int64_t split_ratio_sum(const struct split_contract *c, int line)
{
    int64_t sum = 0;
    for (int32_t i = 0; i < c->n; i++)
        if (shares_in(&c->party[i], line))
            sum += c->party[i].ratio;
    return sum;
}

int32_t split_party_at(const struct split_contract *c, int64_t party, int line)
{
    for (int32_t i = 0; i < c->n; i++)
        if (c->party[i].party == party && shares_in(&c->party[i], line))
            return i;
    return -1;
}

bool split_covers(const struct split_contract *c, int32_t fee_kind)
{
    return split_ratio_sum(c, split_line(fee_kind)) > 0;
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
    const int64_t most = SPLIT_PARTIES_MAX * split_ratio_sum(c, line) * c->unit;
    int64_t sum = 0;
    for (int32_t i = 0; i < c->n; i++) {
        int64_t r = c->party[i].residue[line];
        if (r > most || r < -most || (r && !shares_in(&c->party[i], line)))
            return ERR_RANGE;
        sum += r;
    }
    return sum ? ERR_RANGE : 0;
}

static int head_check(const struct row_contract *row)
{
    if (row->unit < 1 || row->unit > MONEY_UNIT || row->from_ms < 0)
        return ERR_RANGE;
    if (row->rounding < ROUND_DEFICIT || row->rounding > ROUND_LARGEST)
        return ERR_RANGE;
    if (row->gift_rule < GIFT_EXCLUDED || row->gift_rule > GIFT_FUNDED)
        return ERR_RANGE;
    return row->to_ms && row->to_ms <= row->from_ms ? ERR_RANGE : 0;
}

/* Half up needs somebody on each line who takes what the others leave. */
static bool taker_missing(const struct split_contract *c)
{
    for (int line = 0; line < SPLIT_LINES; line++)
        if (split_ratio_sum(c, line) && split_party_at(c, c->operator, line) < 0)
            return true;
    return false;
}

int split_build(struct split_contract *c, const struct row_contract *row,
                const struct row_contract_party *parties, size_t n)
{
    if (n < 1 || n > SPLIT_PARTIES_MAX || head_check(row))
        return ERR_RANGE;
    *c = (struct split_contract){.id = row->id,
                                 .tenant = row->tenant,
                                 .family = row->family,
                                 .from_ms = row->from_ms,
                                 .to_ms = row->to_ms,
                                 .operator= row->operator,
                                 .unit = row->unit,
                                 .rounding = row->rounding,
                                 .gift_rule = row->gift_rule,
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
    if (!split_ratio_sum(c, 0) || !split_ratio_sum(c, 1))
        return ERR_RANGE;
    if (c->rounding == ROUND_HALF_UP && taker_missing(c))
        return ERR_RANGE;
    for (int line = 0; line < SPLIT_LINES; line++) {
        int rc = residues_check(c, line);
        if (rc)
            return rc;
    }
    return 0;
}

/* ---- one order at work ---- */

struct work {
    const struct split_contract *c;
    const struct split_terms *t; /* or NULL */
    const struct split_input *in;
    struct split_result *out;
    int64_t due[SPLIT_CLAUSES_MAX][SPLIT_LINES]; /* first clauses */
};

static struct deal deal_of(const struct split_contract *c, int64_t den)
{
    return (struct deal){.unit = c->unit, .den = den, .rounding = c->rounding};
}

static struct split_part *part_new(const struct work *w, int line, int64_t party, int64_t amount)
{
    must(w->out->n < SPLIT_RESULT_MAX && amount >= 0);
    struct split_part *p = &w->out->part[w->out->n++];
    *p =
        (struct split_part){.kind = split_line_kind(line), .party = party, .amount = MONEY(amount)};
    return p;
}

/* ---- 1. first clauses ---- */

/* What the clause asks of the whole order; a percentage asks each line for itself. */
static ev_i128 clause_asks(const struct work *w, const struct split_clause *k)
{
    if (k->kind == CLAUSE_ENERGY)
        return (ev_i128)w->in->energy_mwh * k->rate;
    return w->in->again ? 0 : (ev_i128)k->rate * SPLIT_DUE_DEN;
}

/* A line's part of the lots' fee, by the lines' amounts: cut where they meet, so that the parts sum. */
static ev_i128 fee_due(const struct work *w, int line)
{
    ev_i128 all = 0, before = 0, fee = (ev_i128)w->in->lot_fee * SPLIT_DUE_DEN;
    for (int i = 0; i < SPLIT_LINES; i++) {
        before += i < line ? w->in->base[i].v : 0;
        all += w->in->base[i].v;
    }
    if (!all)
        return 0;
    return fee * (before + w->in->base[line].v) / all - fee * before / all;
}

/* Takes what is due off what the lines have left, exactly: rounding comes later. */
static void clause_due(struct work *w, int32_t i, ev_i128 left[SPLIT_LINES])
{
    const struct split_clause *k = &w->t->clause[i];
    const ev_i128 bp = SPLIT_DUE_DEN / SPLIT_BP;
    bool by_line = k->kind == CLAUSE_PERCENT || k->kind == CLAUSE_CHANNEL;
    ev_i128 want = by_line ? 0 : clause_asks(w, k);
    for (int line = 0; line < SPLIT_LINES; line++) {
        if (!(k->lines & split_line_kind(line)))
            continue;
        ev_i128 due = want;
        if (k->kind == CLAUSE_PERCENT)
            due = (ev_i128)w->in->base[line].v * k->rate * bp;
        if (k->kind == CLAUSE_CHANNEL)
            due = fee_due(w, line);
        due = due < left[line] ? due : left[line];
        due = due < INT64_MAX ? due : INT64_MAX; /* no order is that large */
        w->due[i][line] = (int64_t)due;
        left[line] -= due;
        if (!by_line)
            want -= due;
    }
}

static void dues(struct work *w)
{
    ev_i128 left[SPLIT_LINES];
    for (int line = 0; line < SPLIT_LINES; line++)
        left[line] = (ev_i128)w->in->base[line].v * SPLIT_DUE_DEN;
    for (int32_t i = 0; i < w->t->n; i++)
        if (split_first_kind(w->t->clause[i].kind))
            clause_due(w, i, left);
}

static void first_emit(const struct work *w, int line, int32_t i, int64_t amount)
{
    const struct split_clause *k = &w->t->clause[i];
    bool percent = k->kind == CLAUSE_PERCENT;
    if (!amount && !w->due[i][line])
        return;
    struct split_part *p = part_new(w, line, k->party, amount);
    p->base = w->in->base[line];
    p->ratio = percent ? (int32_t)k->rate : 1;
    p->ratio_sum = percent ? SPLIT_BP : 1;
    p->clause = i + 1;
    p->due = w->due[i][line];
}

/** The first clauses of one line; returns what they leave for the ratios. */
static int64_t first_divide(struct work *w, int line)
{
    const int64_t base = w->in->base[line].v;
    struct deal d = deal_of(w->c, SPLIT_DUE_DEN);
    ev_i128 rest = (ev_i128)base * SPLIT_DUE_DEN;
    int32_t at[SPLIT_CLAUSES_MAX];
    int64_t behind = 0;
    for (int32_t i = 0; i < w->t->n; i++) {
        const struct split_clause *k = &w->t->clause[i];
        if (!split_first_kind(k->kind) || !(k->lines & split_line_kind(line)))
            continue;
        at[d.n] = i;
        (void)deal_add(&d, w->due[i][line], k->residue[line]);
        rest -= w->due[i][line];
        behind += k->residue[line];
    }
    if (!d.n)
        return base;
    d.taker = deal_add(&d, rest, -behind);
    deal_divide(&d, base);
    for (int32_t k = 0; k < d.taker; k++) {
        w->out->clause_residue[at[k]][line] = d.behind[k];
        first_emit(w, line, at[k], d.part[k]);
    }
    return d.part[d.taker];
}

/* ---- 2. ratios ---- */

static int32_t ratio_at(const struct work *w, int32_t level, int32_t i, int line)
{
    return w->t ? w->t->ratio[level][i][line] : w->c->party[i].ratio;
}

/** Divides one piece of a line by the ratios of its level. */
static void piece_divide(const struct work *w, int line, int32_t level, int64_t amount)
{
    const struct split_contract *c = w->c;
    struct deal d = deal_of(c, split_ratio_sum(c, line));
    int32_t seq[SPLIT_PARTIES_MAX];
    for (int32_t i = 0; i < c->n; i++) {
        if (!shares_in(&c->party[i], line))
            continue;
        if (c->party[i].party == c->operator)
            d.taker = d.n;
        seq[d.n] = i;
        (void)deal_add(&d, (ev_i128)amount * ratio_at(w, level, i, line), w->out->residue[i][line]);
    }
    deal_divide(&d, amount);
    for (int32_t k = 0; k < d.n; k++) {
        int32_t ratio = ratio_at(w, level, seq[k], line);
        w->out->residue[seq[k]][line] = d.behind[k];
        if (!ratio && !d.part[k])
            continue;
        struct split_part *p = part_new(w, line, c->party[seq[k]].party, d.part[k]);
        p->seq = seq[k];
        p->base = MONEY(amount);
        p->ratio = ratio;
        p->ratio_sum = (int32_t)d.den;
    }
}

/* How far the month is before this order, and how far it goes with it. */
static int64_t month_step(const struct work *w, int64_t *before)
{
    bool energy = false;
    for (int32_t i = 0; i < w->t->n; i++)
        energy = energy || w->t->clause[i].kind == CLAUSE_TIER_ENERGY;
    *before = energy ? w->in->month_energy : w->in->month_base;
    return energy ? w->in->energy_mwh : w->in->base[0].v + w->in->base[1].v + w->in->base[2].v;
}

/** Cuts what is left of a line where the month crosses its thresholds. */
static void ratio_divide(const struct work *w, int line, int64_t rest)
{
    int64_t before, step, done = 0;
    if (!w->t || !w->t->levels) {
        piece_divide(w, line, 0, rest);
        return;
    }
    step = month_step(w, &before);
    for (int32_t level = 0; level <= w->t->levels && done < rest; level++) {
        int64_t upto = rest;
        if (level < w->t->levels) {
            int64_t room = w->t->above[level] - before;
            if (room <= 0)
                continue;
            if (room < step)
                upto = muldiv_half_up(rest, room, step) / w->c->unit * w->c->unit;
        }
        if (upto > done)
            piece_divide(w, line, level, upto - done);
        done = upto > done ? upto : done;
    }
}

/* ---- 3. agents ---- */

/* What may be passed on of a part: a share by ratio or of an agent, not a cost. */
static bool part_of(const struct work *w, const struct split_part *p, int64_t party, int32_t kind)
{
    return p->party == party && p->kind == kind &&
           (!p->clause || w->t->clause[p->clause - 1].kind == CLAUSE_AGENT);
}

static void pass_on(struct split_part *p, int64_t *amount)
{
    int64_t take = p->amount.v < *amount ? p->amount.v : *amount;
    p->amount.v -= take;
    p->passed.v += take;
    *amount -= take;
}

/** All agents below one parent, on one line. */
static void agents_below(const struct work *w, int line, int64_t parent)
{
    const int32_t kind = split_line_kind(line), had = w->out->n;
    struct deal d = deal_of(w->c, SPLIT_BP);
    int32_t at[SPLIT_CLAUSES_MAX + 1];
    int64_t gross = 0, bp = SPLIT_BP, behind = 0;
    for (int32_t i = 0; i < had; i++)
        if (part_of(w, &w->out->part[i], parent, kind))
            gross += w->out->part[i].amount.v;
    if (!gross)
        return;
    for (int32_t j = 0; j < w->t->agents; j++) {
        const struct split_clause *k = &w->t->clause[w->t->agent[j]];
        if (k->parent != parent || !(k->lines & kind))
            continue;
        at[d.n] = w->t->agent[j];
        (void)deal_add(&d, (ev_i128)gross * k->rate, k->residue[line]);
        bp -= k->rate;
        behind += k->residue[line];
    }
    if (!d.n)
        return;
    d.taker = deal_add(&d, (ev_i128)gross * bp, -behind);
    deal_divide(&d, gross);
    int64_t passed = gross - d.part[d.taker];
    for (int32_t i = 0; i < had; i++)
        if (part_of(w, &w->out->part[i], parent, kind))
            pass_on(&w->out->part[i], &passed);
    for (int32_t j = 0; j < d.taker; j++) {
        const struct split_clause *k = &w->t->clause[at[j]];
        w->out->clause_residue[at[j]][line] = d.behind[j];
        struct split_part *p = part_new(w, line, k->party, d.part[j]);
        p->base = MONEY(gross);
        p->ratio = (int32_t)k->rate;
        p->ratio_sum = SPLIT_BP;
        p->clause = at[j] + 1;
    }
}

static void agents_divide(const struct work *w, int line)
{
    for (int32_t j = 0; j < w->t->agents; j++) {
        int64_t parent = w->t->clause[w->t->agent[j]].parent;
        bool done = false;
        for (int32_t i = 0; i < j; i++)
            done = done || w->t->clause[w->t->agent[i]].parent == parent;
        if (!done)
            agents_below(w, line, parent);
    }
}

/* ---- 4. caps ---- */

static void cap_move(const struct work *w, int32_t i, int line, int64_t *over)
{
    const struct split_clause *k = &w->t->clause[i];
    const int32_t had = w->out->n;
    int64_t want = *over;
    for (int32_t j = had - 1; j >= 0 && *over; j--)
        if (w->out->part[j].party == k->party && w->out->part[j].kind == split_line_kind(line))
            pass_on(&w->out->part[j], over);
    if (*over == want)
        return;
    struct split_part *p = part_new(w, line, w->c->operator, want - * over);
    p->base = MONEY(want - *over);
    p->ratio = p->ratio_sum = 1;
    p->clause = i + 1;
}

static void cap_apply(const struct work *w, int32_t i)
{
    const struct split_clause *k = &w->t->clause[i];
    int64_t room = k->rate - w->in->month_got[i], got = 0;
    for (int32_t j = 0; j < w->out->n; j++)
        if (w->out->part[j].party == k->party)
            got += w->out->part[j].amount.v;
    int64_t over = got - (room > 0 ? room : 0);
    for (int line = SPLIT_LINES - 1; line >= 0 && over > 0; line--)
        cap_move(w, i, line, &over);
}

/* ---- all of it ---- */

static int input_check(const struct split_contract *c, const struct split_input *in)
{
    if (in->energy_mwh < 0 || in->energy_mwh > SPLIT_ENERGY_MAX)
        return ERR_RANGE;
    for (int line = 0; line < SPLIT_LINES; line++) {
        if (in->base[line].v < 0 || in->base[line].v > SPLIT_AMOUNT_MAX)
            return ERR_RANGE;
        if (in->base[line].v && !split_ratio_sum(c, line))
            return ERR_NOT_FOUND;
    }
    return 0;
}

static void sums_check(const struct work *w)
{
    int64_t sum[SPLIT_LINES] = {0};
    for (int32_t i = 0; i < w->out->n; i++)
        sum[split_line(w->out->part[i].kind)] += w->out->part[i].amount.v;
    for (int line = 0; line < SPLIT_LINES; line++)
        must(sum[line] == w->in->base[line].v);
}

int split_compute(const struct split_contract *c, const struct split_input *in,
                  struct split_result *out)
{
    struct work w = {.c = c, .t = c->terms, .in = in, .out = out};
    int rc = input_check(c, in);
    out->n = 0;
    for (int32_t i = 0; i < c->n; i++)
        memcpy(out->residue[i], c->party[i].residue, sizeof out->residue[i]);
    for (int32_t i = 0; w.t && i < w.t->n; i++)
        memcpy(out->clause_residue[i], w.t->clause[i].residue, sizeof out->clause_residue[i]);
    if (rc)
        return rc;
    if (w.t)
        dues(&w);
    for (int line = 0; line < SPLIT_LINES; line++) {
        if (!in->base[line].v)
            continue;
        int64_t rest = w.t ? first_divide(&w, line) : in->base[line].v;
        if (rest)
            ratio_divide(&w, line, rest);
        if (w.t)
            agents_divide(&w, line);
    }
    for (int32_t i = 0; w.t && i < w.t->n; i++)
        if (w.t->clause[i].kind == CLAUSE_CAP)
            cap_apply(&w, i);
    sums_check(&w);
    return 0;
}

void split_commit(struct split_contract *c, const struct split_result *r)
{
    for (int32_t i = 0; i < c->n; i++)
        memcpy(c->party[i].residue, r->residue[i], sizeof r->residue[i]);
    for (int32_t i = 0; c->terms && i < c->terms->n; i++)
        memcpy(c->terms->clause[i].residue, r->clause_residue[i], sizeof r->clause_residue[i]);
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

void split_clause_row(const struct split_contract *c, int32_t i, struct row_contract_clause *row)
{
    must(c->terms && i >= 0 && i < c->terms->n);
    const struct split_clause *k = &c->terms->clause[i];
    *row = (struct row_contract_clause){.contract = c->id,
                                        .seq = i + 1,
                                        .kind = k->kind,
                                        .party = k->party,
                                        .parent = k->parent,
                                        .lines = k->lines,
                                        .rate = k->rate,
                                        .above = k->above,
                                        .residue_e = k->residue[0],
                                        .residue_s = k->residue[1],
                                        .residue_o = k->residue[2]};
}

/* ---- the end of a month ---- */

static struct split_due *due_of(struct split_dues *d, int64_t party)
{
    for (int32_t i = 0; i < d->n; i++)
        if (d->v[i].party == party)
            return &d->v[i];
    must(d->n < SPLIT_DUES_MAX);
    d->v[d->n] = (struct split_due){.party = party};
    return &d->v[d->n++];
}

void split_month_dues(const struct split_contract *c, int64_t begin, int64_t end, int64_t until,
                      struct split_dues *out)
{
    int64_t from = c->from_ms > begin ? c->from_ms : begin;
    int64_t to = until < end ? until : end;
    if (c->to_ms && c->to_ms < to)
        to = c->to_ms;
    for (int32_t i = 0; c->terms && from < to && i < c->terms->n; i++) {
        const struct split_clause *k = &c->terms->clause[i];
        int64_t part = muldiv_half_up(k->rate, to - from, end - begin);
        if (k->kind == CLAUSE_RENT)
            due_of(out, k->party)->rent += part;
        if (k->kind == CLAUSE_GUARANTEE)
            due_of(out, k->party)->guarantee += part;
    }
}

int64_t split_due_amount(const struct split_due *d, int64_t got)
{
    int64_t missing = d->guarantee > got ? d->guarantee - got : 0;
    return money_round_fen(MONEY(d->rent + missing)).v;
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
