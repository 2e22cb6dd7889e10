// SPDX-License-Identifier: Apache-2.0
/* split_terms.c: clauses of a contract become struct split_terms (split.h), and everything that no
 * contract may say is found here, with words for whoever wrote it.
 *
 * Owns nothing; pure. Fails by ERR_RANGE (a number, or something that does not fit) and ERR_CONFLICT
 * (twice, or in a circle); changes the contract only when all is well. */
#include "core/split.h"

#include "base/err.h"

#define MONTH_MONEY_MAX INT64_C(10000000000000) /* a thousand million yuan */

struct building {
    const struct split_contract *c;
    struct split_terms *t;
    struct split_fault *fault;
};

bool split_first_kind(int32_t kind)
{
    return kind == CLAUSE_ENERGY || kind == CLAUSE_ORDER || kind == CLAUSE_PERCENT ||
           kind == CLAUSE_CHANNEL;
}

static bool tier_kind(int32_t kind)
{
    return kind == CLAUSE_TIER || kind == CLAUSE_TIER_ENERGY;
}

bool split_month_kind(int32_t kind)
{
    return kind >= CLAUSE_TIER && kind <= CLAUSE_RENT;
}

static int refuse(struct building *b, int rc, int32_t i, const char *text)
{
    *b->fault = (struct split_fault){.seq = i + 1, .text = text};
    return rc;
}

/* ---- each clause by itself ---- */

/** The most that a clause's number may be; the least is 1 (0 for the ratio of a tier). */
static int64_t rate_max(int32_t kind)
{
    switch (kind) {
    case CLAUSE_ENERGY:
        return INT64_C(10000000); /* 100 yuan a kWh */
    case CLAUSE_ORDER:
        return INT64_C(100000000); /* 10,000 yuan */
    case CLAUSE_CHANNEL:
        return 0;
    case CLAUSE_PERCENT:
    case CLAUSE_AGENT:
        return SPLIT_BP;
    case CLAUSE_TIER:
    case CLAUSE_TIER_ENERGY:
        return SPLIT_RATIO_MAX;
    default:
        return MONTH_MONEY_MAX;
    }
}

static int lines_check(struct building *b, int32_t i)
{
    const struct split_clause *k = &b->t->clause[i];
    const int32_t all = FEE_ELECTRICITY | FEE_SERVICE | FEE_OCCUPANCY;
    if (k->lines <= 0 || (k->lines & ~all))
        return refuse(b, ERR_RANGE, i, "names no fee");
    for (int line = 0; line < SPLIT_LINES; line++)
        if ((k->lines & split_line_kind(line)) && !split_ratio_sum(b->c, line))
            return refuse(b, ERR_RANGE, i, "names a fee that nobody shares in");
    return 0;
}

static int clause_check(struct building *b, int32_t i)
{
    const struct split_clause *k = &b->t->clause[i];
    bool tier = tier_kind(k->kind);
    if (k->kind < CLAUSE_ENERGY || k->kind > CLAUSE_CHANNEL)
        return refuse(b, ERR_RANGE, i, "is of no known kind");
    if (k->party <= 0)
        return refuse(b, ERR_RANGE, i, "names no party");
    bool bare = tier || k->kind == CLAUSE_CHANNEL; /* the lots have the rates */
    if (k->rate < (bare ? 0 : 1) || k->rate > rate_max(k->kind))
        return refuse(b, ERR_RANGE, i, "its number is out of range");
    if (tier ? k->above < 1 || k->above > INT64_C(1000000000000000) : k->above != 0)
        return refuse(b, ERR_RANGE, i, "its threshold is out of range");
    if ((k->kind == CLAUSE_AGENT) != (k->parent > 0))
        return refuse(b, ERR_RANGE, i,
                      "an agent, and nobody else, names whose share it is part of");
    bool month = k->kind >= CLAUSE_CAP && k->kind <= CLAUSE_RENT;
    if (month && (!b->c->operator|| k->party == b->c->operator))
        return refuse(b, ERR_RANGE, i, "the operator has no cap, guarantee or rent");
    return month ? 0 : lines_check(b, i);
}

static int clause_take(struct building *b, const struct row_contract_clause *row, int32_t n)
{
    if (row->seq < 1 || row->seq > n || row->contract != b->c->id)
        return refuse(b, ERR_RANGE, -1, "clauses are not numbered from 1");
    struct split_clause *k = &b->t->clause[row->seq - 1];
    if (k->kind)
        return refuse(b, ERR_CONFLICT, row->seq - 1, "its number stands twice");
    *k = (struct split_clause){.kind = row->kind,
                               .lines = row->lines,
                               .party = row->party,
                               .parent = row->parent,
                               .rate = row->rate,
                               .above = row->above,
                               .residue = {row->residue_e, row->residue_s, row->residue_o}};
    return clause_check(b, row->seq - 1);
}

static int residues_check(struct building *b, int32_t i)
{
    const struct split_clause *k = &b->t->clause[i];
    const int64_t den = k->kind == CLAUSE_AGENT ? SPLIT_BP : SPLIT_DUE_DEN;
    const int64_t most = SPLIT_CLAUSES_MAX * den * b->c->unit;
    bool dealt = split_first_kind(k->kind) || k->kind == CLAUSE_AGENT;
    for (int line = 0; line < SPLIT_LINES; line++) {
        int64_t r = k->residue[line];
        if (r > most || r < -most || (r && (!dealt || !(k->lines & split_line_kind(line)))))
            return refuse(b, ERR_RANGE, i, "its remainder cannot be");
    }
    return 0;
}

/* ---- clauses together ---- */

static bool known_before(const struct building *b, int32_t i, int64_t party)
{
    for (int32_t k = 0; k < b->c->n; k++)
        if (b->c->party[k].party == party)
            return true;
    for (int32_t k = 0; k < i; k++)
        if (b->t->clause[k].party == party)
            return true;
    return false;
}

static int parties_check(struct building *b)
{
    int32_t n = 0;
    for (int32_t i = 0; i < b->c->n; i++) {
        bool before = false;
        for (int32_t k = 0; k < i; k++)
            before = before || b->c->party[k].party == b->c->party[i].party;
        n += !before;
    }
    for (int32_t i = 0; i < b->t->n; i++)
        n += !known_before(b, i, b->t->clause[i].party);
    return n > SPLIT_PARTIES_MAX ? refuse(b, ERR_RANGE, -1, "too many parties") : 0;
}

/* Percentages of a line, or of one parent's share: together no more than all of it. */
static int percent_check(struct building *b, int32_t i)
{
    const struct split_clause *k = &b->t->clause[i];
    for (int line = 0; line < SPLIT_LINES; line++) {
        int64_t sum = 0;
        for (int32_t j = 0; j <= i; j++) {
            const struct split_clause *x = &b->t->clause[j];
            if (x->kind == k->kind && x->parent == k->parent &&
                (x->lines & k->lines & split_line_kind(line)))
                sum += x->rate;
        }
        if (sum > SPLIT_BP)
            return refuse(b, ERR_RANGE, i, "percentages come to more than all");
    }
    return 0;
}

/* The lots' fee is taken once. */
static int channel_check(struct building *b, int32_t i)
{
    for (int32_t j = 0; j < i; j++)
        if (b->t->clause[j].kind == CLAUSE_CHANNEL &&
            (b->t->clause[j].lines & b->t->clause[i].lines))
            return refuse(b, ERR_CONFLICT, i, "the channel's fee is taken twice");
    return 0;
}

/* ---- agents ---- */

static int32_t agent_of(const struct split_terms *t, int64_t party)
{
    for (int32_t i = 0; i < t->n; i++)
        if (t->clause[i].kind == CLAUSE_AGENT && t->clause[i].party == party)
            return i;
    return -1;
}

/** How many agents stand above, itself included; more than there are clauses: a circle. */
static int32_t agent_depth(const struct split_terms *t, int32_t i)
{
    int32_t depth = 1;
    while (depth <= SPLIT_CLAUSES_MAX && (i = agent_of(t, t->clause[i].parent)) >= 0)
        depth++;
    return depth;
}

static int agent_check(struct building *b, int32_t i)
{
    const struct split_clause *k = &b->t->clause[i];
    int32_t above = agent_of(b->t, k->parent);
    if (k->parent == k->party || agent_depth(b->t, i) > SPLIT_CLAUSES_MAX)
        return refuse(b, ERR_CONFLICT, i, "agents stand in a circle");
    if (agent_of(b->t, k->party) != i)
        return refuse(b, ERR_CONFLICT, i, "the party is an agent twice");
    if (agent_depth(b->t, i) > SPLIT_DEPTH_MAX)
        return refuse(b, ERR_RANGE, i, "more than four agents above each other");
    for (int line = 0; line < SPLIT_LINES; line++) {
        if (!(k->lines & split_line_kind(line)))
            continue;
        if (split_party_at(b->c, k->party, line) >= 0)
            return refuse(b, ERR_CONFLICT, i, "the agent has a ratio of its own in this fee");
        bool agent = above >= 0 && (b->t->clause[above].lines & split_line_kind(line));
        if (!agent && split_party_at(b->c, k->parent, line) < 0)
            return refuse(b, ERR_RANGE, i, "the party above has no share in this fee");
    }
    return percent_check(b, i);
}

/* Parents before children: by how many stand above. */
static void agents_sort(struct split_terms *t)
{
    t->agents = 0;
    for (int32_t depth = 1; depth <= SPLIT_DEPTH_MAX; depth++)
        for (int32_t i = 0; i < t->n; i++)
            if (t->clause[i].kind == CLAUSE_AGENT && agent_depth(t, i) == depth)
                t->agent[t->agents++] = i;
}

/* ---- tiers ---- */

static int tier_check(struct building *b, int32_t i)
{
    const struct split_clause *k = &b->t->clause[i];
    for (int line = 0; line < SPLIT_LINES; line++)
        if ((k->lines & split_line_kind(line)) && split_party_at(b->c, k->party, line) < 0)
            return refuse(b, ERR_RANGE, i, "a tier of a party that has no ratio in this fee");
    for (int32_t j = 0; j < i; j++) {
        const struct split_clause *x = &b->t->clause[j];
        if (!tier_kind(x->kind))
            continue;
        if (x->kind != k->kind)
            return refuse(b, ERR_RANGE, i, "tiers by money and by energy together");
        if (x->party == k->party && x->above == k->above && (x->lines & k->lines))
            return refuse(b, ERR_CONFLICT, i, "a tier stands twice");
    }
    return 0;
}

static int level_add(struct split_terms *t, int64_t above)
{
    int32_t at = 0;
    while (at < t->levels && t->above[at] < above)
        at++;
    if (at < t->levels && t->above[at] == above)
        return 0;
    if (t->levels == SPLIT_LEVELS_MAX)
        return ERR_RANGE;
    for (int32_t i = t->levels++; i > at; i--)
        t->above[i] = t->above[i - 1];
    t->above[at] = above;
    return 0;
}

/** The ratio of a party at a level: that of the last tier up to there, else its own. */
static int32_t level_ratio(const struct building *b, int32_t level, int32_t party, int line)
{
    const struct split_party *p = &b->c->party[party];
    int32_t ratio = p->ratio;
    int64_t best = 0;
    for (int32_t i = 0; i < b->t->n; i++) {
        const struct split_clause *k = &b->t->clause[i];
        if (tier_kind(k->kind) && k->party == p->party && (k->lines & split_line_kind(line)) &&
            k->above > best && level > 0 && k->above <= b->t->above[level - 1]) {
            best = k->above;
            ratio = (int32_t)k->rate;
        }
    }
    return ratio;
}

static int levels_build(struct building *b)
{
    for (int32_t i = 0; i < b->t->n; i++)
        if (tier_kind(b->t->clause[i].kind) && level_add(b->t, b->t->clause[i].above))
            return refuse(b, ERR_RANGE, i, "more than four thresholds");
    for (int32_t level = 0; level <= b->t->levels; level++)
        for (int line = 0; line < SPLIT_LINES; line++) {
            int64_t sum = 0;
            for (int32_t i = 0; i < b->c->n; i++)
                if (b->c->party[i].lines & split_line_kind(line))
                    sum += b->t->ratio[level][i][line] = level_ratio(b, level, i, line);
            if (sum != split_ratio_sum(b->c, line))
                return refuse(b, ERR_RANGE, -1,
                              "the ratios of a tier must sum to what they sum to without it");
        }
    return 0;
}

/* ---- caps and guarantees ---- */

static int bounds_check(struct building *b, int32_t i)
{
    const struct split_clause *k = &b->t->clause[i];
    for (int32_t j = 0; j < b->t->n; j++) {
        const struct split_clause *x = &b->t->clause[j];
        if (j == i || x->party != k->party)
            continue;
        if (x->kind == k->kind)
            return refuse(b, ERR_CONFLICT, i, "the party has two of them");
        if (k->kind == CLAUSE_GUARANTEE && x->kind == CLAUSE_CAP && k->rate > x->rate)
            return refuse(b, ERR_RANGE, i, "the guarantee is above the cap");
    }
    return 0;
}

/* ---- all of it ---- */

static int together_check(struct building *b, int32_t i)
{
    int32_t kind = b->t->clause[i].kind;
    if (kind == CLAUSE_PERCENT)
        return percent_check(b, i);
    if (kind == CLAUSE_CHANNEL)
        return channel_check(b, i);
    if (kind == CLAUSE_AGENT)
        return agent_check(b, i);
    if (tier_kind(kind))
        return tier_check(b, i);
    return kind == CLAUSE_CAP || kind == CLAUSE_GUARANTEE ? bounds_check(b, i) : 0;
}

int split_terms_build(struct split_contract *c, struct split_terms *t,
                      const struct row_contract_clause *rows, size_t n, struct split_fault *fault)
{
    struct building b = {.c = c, .t = t, .fault = fault};
    int rc = 0;
    *fault = (struct split_fault){.text = ""};
    *t = (struct split_terms){.n = (int32_t)n};
    if (n < 1 || n > SPLIT_CLAUSES_MAX)
        return refuse(&b, ERR_RANGE, -1, "too many clauses");
    for (size_t i = 0; !rc && i < n; i++)
        rc = clause_take(&b, &rows[i], (int32_t)n);
    if (!rc)
        rc = parties_check(&b);
    for (int32_t i = 0; !rc && i < t->n; i++) {
        rc = together_check(&b, i);
        if (!rc)
            rc = residues_check(&b, i);
    }
    if (!rc)
        rc = levels_build(&b);
    if (rc)
        return rc;
    agents_sort(t);
    c->terms = t;
    return 0;
}
