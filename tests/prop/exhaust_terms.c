// SPDX-License-Identifier: Apache-2.0
/* exhaust_terms.c: contracts with clauses, all of them within bounds: `test_exhaust_terms [--full]`.
 *
 * Contracts: every ratio table of two or three with a sum of at most 4 (--full: 6), with every pair of
 * first clauses in quarters (a percentage and a price per kWh, each 0 to all of the line), and every
 * pair of agents in quarters, the second below the first or beside it, under each rounding rule. For
 * each, as in exhaust.c: from a fresh contract every state of its residues that some sequence of
 * amounts leads to is visited, and from each every next amount is tried. So the greatest residue is the
 * greatest for ever.
 *
 * Judged here, from the parts alone: parts of a line sum to its amount, none is negative, each residue
 * is what it was plus what was due less what was given, an order by itself never gives anybody a whole
 * unit more or less than what it is due and was behind, and without memory residues stay 0. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/must.h"
#include "core/split.h"

enum { STATES = 1 << 15, WORDS = 3 + 4, QUARTER = SPLIT_BP / 4 };

static struct {
    bool full;
    uint64_t contracts, splits, states;
    int64_t worst_pm; /* greatest residue, in thousandths of a posting unit */
    int64_t most;     /* of amounts */
} all;

struct shape {
    int n;
    int32_t ratio[3], percent, energy, agent[2], below, rounding;
};

struct made {
    struct split_contract c;
    struct split_terms t;
};

static void clause_add(struct row_contract_clause *rows, int *n, struct row_contract_clause k)
{
    if (!k.rate)
        return;
    k.contract = 1;
    k.lines = FEE_ELECTRICITY;
    k.seq = *n + 1;
    rows[(*n)++] = k;
}

/** False when this shape has no clause, or asks for more than all. */
static bool make(const struct shape *s, struct made *m)
{
    const struct row_contract row = {
        .id = 1, .tenant = 1, .unit = 1, .rounding = s->rounding, .operator= 100 };
    struct row_contract_party p[3] = {0};
    struct row_contract_clause k[4];
    struct split_fault fault;
    int n = 0;
    for (int i = 0; i < s->n; i++)
        p[i] = (struct row_contract_party){
            .contract = 1, .seq = i, .party = 100 + i, .lines = 7, .ratio = s->ratio[i]};
    clause_add(k, &n,
               (struct row_contract_clause){
                   .kind = CLAUSE_PERCENT, .party = 200, .rate = s->percent * QUARTER});
    /* One unit of energy for one unit of money: a price of 1e7/4 for a quarter of the line. */
    clause_add(k, &n,
               (struct row_contract_clause){
                   .kind = CLAUSE_ENERGY, .party = 201, .rate = s->energy * SPLIT_DUE_DEN / 4});
    clause_add(
        k, &n,
        (struct row_contract_clause){
            .kind = CLAUSE_AGENT, .party = 300, .parent = 101, .rate = s->agent[0] * QUARTER});
    clause_add(k, &n,
               (struct row_contract_clause){.kind = CLAUSE_AGENT,
                                            .party = 301,
                                            .parent = s->below ? 300 : 101,
                                            .rate = s->agent[1] * QUARTER});
    must(split_build(&m->c, &row, p, (size_t)s->n) == 0);
    return n && split_terms_build(&m->c, &m->t, k, (size_t)n, &fault) == 0;
}

/* ---- one split ---- */

static void worst(int64_t residue, int64_t den)
{
    int64_t size = residue < 0 ? -residue : residue;
    if (size * 1000 > all.worst_pm * den)
        all.worst_pm = size * 1000 / den;
}

/* What a first clause is due of a line that has enough; the second gets what the first leaves. */
static int64_t due_of(const struct split_terms *t, int32_t i, int64_t amount)
{
    const struct split_clause *k = &t->clause[i];
    int64_t due = k->kind == CLAUSE_PERCENT ? amount * k->rate * (SPLIT_DUE_DEN / SPLIT_BP)
                                            : amount * k->rate;
    int64_t left = amount * SPLIT_DUE_DEN - (i ? due_of(t, 0, amount) : 0);
    return due < left ? due : left;
}

static void clause_judge(const struct made *m, int32_t i, int64_t amount,
                         const struct split_result *r)
{
    const struct split_clause *k = &m->t.clause[i];
    bool agent = k->kind == CLAUSE_AGENT;
    int64_t den = agent ? SPLIT_BP : SPLIT_DUE_DEN, got = 0, due = 0;
    for (int32_t j = 0; j < r->n; j++) {
        const struct split_part *p = &r->part[j];
        if (p->clause == i + 1) {
            got += p->amount.v + p->passed.v;
            due = agent ? p->base.v * k->rate : p->due;
        }
    }
    must(agent || due == due_of(&m->t, i, amount));
    if (m->c.rounding != ROUND_DEFICIT) {
        must(r->clause_residue[i][0] == 0);
        must(got * den - due < den && due - got * den < den);
        return;
    }
    must(r->clause_residue[i][0] == k->residue[0] + due - got * den);
    worst(r->clause_residue[i][0], den);
}

static void parties_judge(const struct made *m, const struct split_result *r)
{
    int64_t sum = 0, den = split_ratio_sum(&m->c, 0);
    for (int32_t i = 0; i < m->c.n; i++) {
        int64_t got = 0, due = 0;
        for (int32_t j = 0; j < r->n; j++)
            if (!r->part[j].clause && r->part[j].party == m->c.party[i].party) {
                got += r->part[j].amount.v + r->part[j].passed.v;
                due += r->part[j].base.v * r->part[j].ratio;
            }
        sum += r->residue[i][0];
        if (m->c.rounding == ROUND_DEFICIT)
            must(r->residue[i][0] == m->c.party[i].residue[0] + due - got * den);
        else
            must(r->residue[i][0] == 0);
        worst(r->residue[i][0], den);
    }
    must(sum == 0);
}

static void split_one(const struct made *m, int64_t amount, struct split_result *r)
{
    const struct split_input in = {.base = {MONEY(amount)}, .energy_mwh = amount};
    int64_t sum = 0;
    must(split_compute(&m->c, &in, r) == 0);
    for (int32_t i = 0; i < r->n; i++) {
        must(r->part[i].amount.v >= 0 && r->part[i].passed.v >= 0);
        sum += r->part[i].amount.v;
    }
    must(sum == amount);
    for (int32_t i = 0; i < m->t.n; i++)
        clause_judge(m, i, amount, r);
    parties_judge(m, r);
    all.splits++;
}

/* ---- every state ---- */

struct walk {
    int64_t word[STATES][WORDS];
    int n;
    struct map seen;
};

static void state_add(struct walk *w, const struct made *m, const struct split_result *r)
{
    int64_t word[WORDS] = {0};
    uint64_t at;
    for (int32_t i = 0; i < m->c.n; i++)
        word[i] = r->residue[i][0];
    for (int32_t i = 0; i < m->t.n; i++)
        word[3 + i] = r->clause_residue[i][0];
    uint64_t key = hash_bytes(word, sizeof word, 7) | 1; /* two that met would hide one of them */
    if (map_get(&w->seen, key, &at))
        return;
    must(w->n < STATES && map_put(&w->seen, key, 1) == 0);
    memcpy(w->word[w->n++], word, sizeof word);
}

static void for_ever(struct made *m)
{
    static struct walk w; /* large */
    struct split_result r = {0};
    w.n = 0;
    map_init(&w.seen, STATES, 1);
    state_add(&w, m, &r);
    for (int s = 0; s < w.n; s++) {
        for (int32_t i = 0; i < m->c.n; i++)
            m->c.party[i].residue[0] = w.word[s][i];
        for (int32_t i = 0; i < m->t.n; i++)
            m->t.clause[i].residue[0] = w.word[s][3 + i];
        for (int64_t amount = 1; amount <= all.most; amount++) {
            split_one(m, amount, &r);
            state_add(&w, m, &r);
        }
    }
    all.states += (uint64_t)w.n;
    all.contracts++;
    map_free(&w.seen);
}

/* ---- every contract ---- */

static void agents_all(struct shape *s)
{
    struct made m;
    for (s->agent[0] = 0; s->agent[0] <= 4; s->agent[0]++)
        for (s->agent[1] = 0; s->agent[1] <= 4; s->agent[1]++)
            for (s->below = 0; s->below <= (s->agent[0] > 0 && s->agent[1] > 0); s->below++)
                if (make(s, &m))
                    for_ever(&m);
}

static void clauses_all(struct shape *s)
{
    for (s->rounding = ROUND_DEFICIT; s->rounding <= ROUND_LARGEST; s->rounding++)
        for (s->percent = 0; s->percent <= 4; s->percent++)
            for (s->energy = 0; s->energy <= 4; s->energy++)
                if (all.full || (s->percent + s->energy) % 3 == 0)
                    agents_all(s);
}

int main(int argc, char **argv)
{
    all.full = argc == 2 && strcmp(argv[1], "--full") == 0;
    if (argc > 2 || (argc == 2 && !all.full)) {
        fprintf(stderr, "usage: test_exhaust_terms [--full]\n");
        return 2;
    }
    all.most = all.full ? 24 : 12;
    for (int32_t sum = 2; sum <= (all.full ? 6 : 4); sum++)
        for (int32_t a = 1; a < sum; a++)
            for (int32_t b = 1; a + b <= sum; b++) {
                struct shape s = {.ratio = {a, b, sum - a - b}};
                s.n = a + b < sum ? 3 : 2;
                clauses_all(&s);
            }
    must(all.contracts > 1000 && all.worst_pm > 0);
    must(all.worst_pm <= 1000);
    printf("%llu contracts, %llu splits, %llu states of residues; greatest residue %lld/1000 of a "
           "posting unit\n",
           (unsigned long long)all.contracts, (unsigned long long)all.splits,
           (unsigned long long)all.states, (long long)all.worst_pm);
    return 0;
}
