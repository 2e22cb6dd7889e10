// SPDX-License-Identifier: Apache-2.0
/* exhaust.c: splits and refunds, all of them within bounds: `test_exhaust [--full]`.
 *
 * Tables: every way to write 1 … 12 as a sum of 1 … 5 ratios, in every order (1,585). Splits: every
 * amount 0 … 2,000 from a fresh contract; and what a contract can ever owe: from zero every state of
 * its residues that some sequence of amounts leads to is visited, and from each the next amount is
 * tried. Residues are whole numbers of bounded size, so the walk ends, and its greatest residue is
 * the greatest for ever. A split by whole fen is the same split a hundred times larger.
 * Refunds: for every part vector that a split made, each rest from all to nothing; and for small
 * amounts every sequence of refunds that there is.
 *
 * Without --full, the walk tries amounts up to four times the ratio sum (a further ratio sum gives
 * everybody whole units and changes no residue) and refunds go by fewer amounts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "base/map.h"
#include "base/must.h"
#include "core/split.h"

enum { DENOMINATOR = 12, PARTIES = 5, AMOUNT = 2000, STATES = 1 << 14, SEQUENCE = 9 };

struct table {
    int n, sum;
    int32_t ratio[PARTIES];
};

static struct {
    bool full;
    uint64_t tables, splits, states, remains, sequences;
    int64_t worst_num, worst_den; /* greatest residue of a split in posting units, as a fraction */
} all = {.worst_den = 1};

/* ---- the tables ---- */

/** Steps to the next table: the odometer of ratios of one n and sum. False after the last. */
static bool table_next(struct table *t)
{
    for (int i = t->n - 2; i >= 0; i--) {
        int left = t->sum;
        for (int k = 0; k <= i; k++)
            left -= t->ratio[k];
        if (left <= t->n - 1 - i)
            continue;
        t->ratio[i]++;
        left--;
        for (int k = i + 1; k < t->n - 1; k++, left--)
            t->ratio[k] = 1;
        t->ratio[t->n - 1] = left;
        return true;
    }
    return false;
}

static struct table table_first(int n, int sum)
{
    struct table t = {.n = n, .sum = sum};
    for (int i = 0; i < n; i++)
        t.ratio[i] = i < n - 1 ? 1 : sum - (n - 1);
    return t;
}

static struct split_contract contract_of(const struct table *t, int64_t unit)
{
    struct row_contract row = {.id = 1, .tenant = 1, .family = 1, .unit = unit};
    struct row_contract_party p[PARTIES] = {0};
    struct split_contract c;
    for (int i = 0; i < t->n; i++)
        p[i] = (struct row_contract_party){
            .contract = 1, .seq = i, .party = 100 + i, .lines = 7, .ratio = t->ratio[i]};
    must(split_build(&c, &row, p, (size_t)t->n) == 0);
    return c;
}

/* ---- splits ---- */

static void split_one(const struct split_contract *c, int64_t amount, struct split_result *r)
{
    const struct split_input in = {.base = {MONEY(amount)}};
    int64_t sum = 0;
    must(split_compute(c, &in, r) == 0);
    for (int i = 0; i < r->n; i++) {
        must(r->part[i].amount.v >= 0);
        sum += r->part[i].amount.v;
    }
    must(sum == amount);
    all.splits++;
}

/* residue = Σ amount × ratio − Σ part × ratio sum, and together they are nothing. */
static void residue_check(const struct table *t, const struct split_contract *c, int64_t amount,
                          const struct split_result *r)
{
    int64_t sum = 0;
    for (int i = 0; i < t->n; i++) {
        int64_t part = r->n ? r->part[i].amount.v : 0, left = r->residue[i][0];
        must(left == c->party[i].residue[0] + amount * t->ratio[i] - part * t->sum);
        sum += left;
        int64_t size = left < 0 ? -left : left;
        if (size * all.worst_den > all.worst_num * t->sum) {
            all.worst_num = size;
            all.worst_den = t->sum;
        }
    }
    must(sum == 0);
}

/* By whole fen: the same, a hundred times larger. */
static void by_fen(const struct split_contract *fen, int64_t amount, const struct split_result *r)
{
    struct split_result big;
    split_one(fen, amount * MONEY_FEN, &big);
    must(big.n == r->n);
    for (int i = 0; i < r->n; i++)
        must(big.part[i].amount.v == r->part[i].amount.v * MONEY_FEN);
}

static void fresh(const struct table *t)
{
    const struct split_contract c = contract_of(t, 1), fen = contract_of(t, MONEY_FEN);
    struct split_result r;
    for (int64_t amount = 0; amount <= AMOUNT; amount++) {
        split_one(&c, amount, &r);
        residue_check(t, &c, amount, &r);
        by_fen(&fen, amount, &r);
    }
}

struct walk {
    int64_t residue[STATES][PARTIES];
    int n;
    struct map seen;
};

/* Residues lie within ±16 ratio sums of at most 12: nine bits each. */
static uint64_t state_key(const int64_t *residue, int n)
{
    uint64_t key = 1;
    for (int i = 0; i < n; i++) {
        must(residue[i] > -256 && residue[i] < 256);
        key = key << 9 | (uint64_t)(residue[i] + 256);
    }
    return key;
}

static void state_add(struct walk *w, const int64_t *residue, int n)
{
    uint64_t key = state_key(residue, n), at;
    if (map_get(&w->seen, key, &at))
        return;
    must(w->n < STATES && map_put(&w->seen, key, 1) == 0);
    memcpy(w->residue[w->n++], residue, (size_t)n * sizeof *residue);
}

/** Every state that any sequence of amounts leads to, and from each every next amount. */
static void for_ever(const struct table *t)
{
    static struct walk w; /* large */
    int64_t most = all.full ? AMOUNT : 4 * t->sum, residue[PARTIES] = {0};
    w.n = 0;
    map_init(&w.seen, STATES, 1);
    state_add(&w, residue, t->n);
    for (int s = 0; s < w.n; s++) {
        struct split_contract c = contract_of(t, 1);
        struct split_result r;
        for (int i = 0; i < t->n; i++)
            c.party[i].residue[0] = w.residue[s][i];
        for (int64_t amount = 0; amount <= most; amount++) {
            split_one(&c, amount, &r);
            residue_check(t, &c, amount, &r);
            for (int i = 0; i < t->n; i++)
                residue[i] = r.residue[i][0];
            state_add(&w, residue, t->n);
        }
    }
    all.states += (uint64_t)w.n;
    map_free(&w.seen);
}

/* ---- refunds ---- */

/** One refund leaves `rest`: nobody is given anything, nobody below nothing, all is there. */
static void remain(const struct money *had, int n, int64_t rest, struct money *out)
{
    int64_t sum = 0;
    must(split_remain(had, (size_t)n, MONEY(rest), out) == 0);
    for (int i = 0; i < n; i++) {
        must(out[i].v >= 0 && out[i].v <= had[i].v);
        sum += out[i].v;
    }
    must(sum == rest);
    all.remains++;
}

/* From all to nothing unit by unit: less is never more for anybody. */
static void rests(const struct money *part, int n, int64_t amount)
{
    struct money last[PARTIES], now[PARTIES];
    memcpy(last, part, sizeof last);
    for (int64_t rest = amount; rest >= 0; rest--) {
        remain(part, n, rest, now);
        for (int i = 0; i < n; i++)
            must(now[i].v <= last[i].v);
        must(rest < amount || memcmp(now, part, (size_t)n * sizeof *now) == 0);
        memcpy(last, now, sizeof last);
    }
}

/* Every sequence of refunds: bit k of `cuts` says whether one ends after k + 1 units. Each goes out
 * from what the last one left, as an order does. */
static void sequences(const struct money *part, int n, int64_t amount)
{
    for (uint32_t cuts = 0; cuts < 1u << (amount - 1); cuts++) {
        struct money now[PARTIES], next[PARTIES];
        memcpy(now, part, sizeof now);
        for (int64_t gone = 1; gone <= amount; gone++) {
            if (gone < amount && !(cuts >> (gone - 1) & 1))
                continue;
            remain(now, n, amount - gone, next);
            memcpy(now, next, sizeof now);
        }
        for (int i = 0; i < n; i++)
            must(now[i].v == 0);
        all.sequences++;
    }
}

static void refunds(const struct table *t)
{
    const struct split_contract c = contract_of(t, 1);
    int64_t step = all.full ? 1 : 97, small = all.full ? SEQUENCE + 2 : SEQUENCE - 3;
    struct split_result r;
    for (int64_t amount = 1; amount <= AMOUNT; amount += amount < 2 * t->sum ? 1 : step) {
        struct money part[PARTIES] = {0};
        split_one(&c, amount, &r);
        for (int i = 0; i < r.n; i++)
            part[i] = r.part[i].amount;
        if (all.full || amount < 2 * t->sum || t->sum == DENOMINATOR)
            rests(part, t->n, amount);
        if (amount <= small)
            sequences(part, t->n, amount);
    }
}

int main(int argc, char **argv)
{
    all.full = argc == 2 && strcmp(argv[1], "--full") == 0;
    if (argc > 2 || (argc == 2 && !all.full)) {
        fprintf(stderr, "usage: test_exhaust [--full]\n");
        return 2;
    }
    for (int sum = 1; sum <= DENOMINATOR; sum++)
        for (int n = 1; n <= PARTIES && n <= sum; n++) {
            struct table t = table_first(n, sum);
            do {
                all.tables++;
                fresh(&t);
                for_ever(&t);
                refunds(&t);
            } while (table_next(&t));
        }
    must(all.tables == 1585);
    must(all.worst_num <= all.worst_den);
    printf("%llu tables, %llu splits, %llu states of residues, %llu refunds, %llu whole sequences; "
           "greatest residue %lld/%lld of a posting unit\n",
           (unsigned long long)all.tables, (unsigned long long)all.splits,
           (unsigned long long)all.states, (unsigned long long)all.remains,
           (unsigned long long)all.sequences, (long long)all.worst_num, (long long)all.worst_den);
    return 0;
}
