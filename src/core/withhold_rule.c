// SPDX-License-Identifier: Apache-2.0
/* withhold_rule.c: the rules of withheld tax and what they come to; see withhold.h.
 *
 * Data: versions in the core's arena; they never leave memory. Invariants: 1. a version never changes,
 * and a new one begins after the newest of its tenant; 2. withhold_tax never falls as the sum grows, and
 * never grows faster than it. Fails: a rule that cannot be is refused, whole. */
#include "base/compiler.h"
#include "core/core_state.h"
#include "core/withhold.h"

enum { BP = 10000 };
#define DEDUCT_MAX (INT64_C(10000000) * MONEY_UNIT)
#define ABOVE_MAX  (INT64_C(1000000000) * MONEY_UNIT)

/* ---- what a rule comes to ---- */

int withhold_rule_check(const struct withhold_rule *r)
{
    const struct row_withhold_rule *v = &r->row;
    if (!v->name[0])
        return ERR_REQUIRED;
    if (v->from_ms < 0 || v->deduct < 0 || v->deduct > DEDUCT_MAX || v->deduct % MONEY_FEN ||
        v->deduct_bp < 0 || v->deduct_bp > BP || r->n < 0 || r->n > WITHHOLD_RATES_MAX)
        return ERR_RANGE;
    for (int32_t i = 0; i < r->n; i++) {
        const struct row_withhold_rate *k = &r->rate[i];
        int64_t after = i ? r->rate[i - 1].above : -1;
        if (k->above <= after || k->above > ABOVE_MAX || k->above % MONEY_FEN || k->rate_bp < 0 ||
            k->rate_bp >= BP)
            return ERR_RANGE;
    }
    return 0;
}

/* To the fen, half up, once. `e8` is in 1/100,000,000 of a money unit. */
static int64_t tax_round(ev_i128 e8)
{
    const ev_i128 fen = (ev_i128)BP * BP * MONEY_FEN;
    return (int64_t)((e8 + fen / 2) / fen) * MONEY_FEN;
}

int64_t withhold_tax(const struct withhold_rule *r, int64_t sum)
{
    ev_i128 fixed = (ev_i128)r->row.deduct * BP, part = (ev_i128)sum * r->row.deduct_bp, e8 = 0;
    ev_i128 taxed = (ev_i128)sum * BP - (fixed > part ? fixed : part);
    for (int32_t i = r->n; i-- > 0;) {
        ev_i128 above = (ev_i128)r->rate[i].above * BP;
        if (taxed <= above)
            continue;
        e8 += (taxed - above) * r->rate[i].rate_bp;
        taxed = above;
    }
    return tax_round(e8);
}

int64_t withhold_of(const struct withhold_rule *r, int64_t sum, int64_t held, int64_t amount,
                    int64_t fee)
{
    int64_t due = withhold_tax(r, sum + amount) - held, most = amount - fee - MONEY_FEN;
    due = due < most ? due : most;
    return due > 0 ? due : 0;
}

/* ---- versions ---- */

const struct withhold_rule *withhold_in_force(const struct core *c, int64_t tenant, int64_t ms)
{
    const struct withhold_rule *r = c->withhold;
    while (r && (r->row.tenant != tenant || r->row.from_ms > ms))
        r = r->next;
    return r;
}

/* A copy for the core's life; NULL: no memory. */
static struct withhold_rule *rule_add(struct core *c, const struct withhold_rule *from)
{
    struct withhold_rule *r = ARENA_NEW(&c->arena, struct withhold_rule);
    if (!r)
        return NULL;
    *r = *from;
    r->row.name = arena_copy(&c->arena, str_from_c(from->row.name));
    struct withhold_rule **at = &c->withhold;
    while (*at && (*at)->row.from_ms > r->row.from_ms)
        at = &(*at)->next;
    r->next = *at;
    *at = r;
    return r->row.name ? r : NULL;
}

int withhold_load(struct core *c, enum row_table t, const void *row)
{
    if (t == ROW_WITHHOLD_RULE) {
        const struct withhold_rule r = {.row = *(const struct row_withhold_rule *)row};
        return rule_add(c, &r) ? 0 : ERR_NOMEM;
    }
    const struct row_withhold_rate *k = row;
    struct withhold_rule *r = c->withhold;
    while (r && r->row.id != k->rule)
        r = r->next;
    if (!r || k->seq != r->n || r->n == WITHHOLD_RATES_MAX)
        return ERR_CORRUPT;
    r->rate[r->n++] = *k;
    return 0;
}

static int put_check(const struct core *c, const struct cmd *cmd)
{
    const struct cmd_withhold_put *in = &cmd->u.withhold_put;
    if (!tenant_find(c, cmd->head.tenant) || cmd->head.station)
        return ERR_NOT_FOUND;
    if (in->n < 0 || in->n > WITHHOLD_RATES_MAX)
        return ERR_RANGE;
    const struct withhold_rule *newest = withhold_in_force(c, cmd->head.tenant, INT64_MAX);
    return newest && in->from_ms <= newest->row.from_ms ? ERR_CONFLICT : 0;
}

int withhold_put(struct core *c, const struct cmd *cmd)
{
    const struct cmd_withhold_put *in = &cmd->u.withhold_put;
    int rc = put_check(c, cmd);
    if (rc)
        return rc;
    struct withhold_rule r = {.row = {.tenant = cmd->head.tenant,
                                      .name = in->name,
                                      .from_ms = in->from_ms,
                                      .deduct = in->deduct,
                                      .deduct_bp = in->deduct_bp,
                                      .created_ms = c->now},
                              .n = in->n};
    for (int32_t i = 0; i < in->n; i++)
        r.rate[i] = (struct row_withhold_rate){
            .seq = i, .above = in->rate[i].above, .rate_bp = in->rate[i].rate_bp};
    rc = withhold_rule_check(&r);
    if (rc)
        return rc;
    r.row.id = core_id(c);
    row_put(c, ROW_WITHHOLD_RULE, ROW_UPSERT, &r.row);
    for (int32_t i = 0; i < r.n; i++) {
        r.rate[i].rule = r.row.id;
        row_put(c, ROW_WITHHOLD_RATE, ROW_UPSERT, &r.rate[i]);
    }
    must(rule_add(c, &r));
    c->made_id = r.row.id;
    c->made_version = 1;
    return 0;
}
