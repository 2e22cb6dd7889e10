// SPDX-License-Identifier: Apache-2.0
/* settle.c: from a bill to moved money: fee lines, capture of the hold, split among the parties,
 * statistics; later the decision about a doubtful rest, and the correction of an estimated end.
 *
 * Who pays a bill of `total`:
 *
 *  - a wallet with a hold: min(total, hold) is captured, the rest of the hold released. What
 *    exceeds it is debt if the tenant says so and the cap was not the driver's own prepaid amount;
 *    else loss.
 *  - a wallet without a hold: what is available; the rest is debt or loss by the same policies.
 *  - nobody: all of it is loss.
 *
 * What was taken from the payer (captured + debt) is split, each fee line by itself; a loss is
 * borne by the operator: it is written on the order and in the statistics and moves no money
 * (doc/decisions/overrun-moves-no-money.md).
 *
 * Invariants:
 *  1. paid + loss = total;
 *  2. Σ parts = paid, of each fee line too;
 *  3. a hold is resolved here or in order_fail, once;
 *  4. a correction takes no more than is left of the prepaid amount, and no more than the wallet
 *     has free (doc/decisions/the-true-end-is-charged.md).
 * Fails: money that cannot be moved here is our bug (must): holds and accounts were made before. */
#include "core/core_state.h"
#include "core/purse.h"

#include <inttypes.h>
#include <stdio.h>

struct bill {
    int64_t elec, service;
};
struct taken {
    int64_t captured, debt, loss;
};

/* ---- rows ---- */

static void line_put(struct core *c, struct order *o, const struct fee_line *l)
{
    const struct row_fee_line row = {.order_id = o->row.id,
                                     .seq = ++o->row.lines,
                                     .kind = l->kind,
                                     .label = l->label,
                                     .from_ms = l->from_ms,
                                     .to_ms = l->to_ms,
                                     .energy_mwh = l->energy_mwh,
                                     .price_e5 = l->price_e5,
                                     .amount = l->amount.v};
    row_put(c, ROW_FEE_LINE, ROW_INSERT, &row);
}

static int32_t local_day(const struct core *c, int64_t station, int64_t ms)
{
    struct civil d;
    zone_civil(zone_of(c, station), ms, &d);
    return d.year * 10000 + d.month * 100 + d.day;
}

/* What the order adds to its station's day. The columns are sums: the row carries a difference. */
static void stat_put(struct core *c, const struct order *o, const struct row_stat_day *delta)
{
    struct row_stat_day row = *delta;
    row.station = o->row.station;
    row.tenant = o->row.tenant;
    row.day = local_day(c, o->row.station, o->row.end_ms);
    row_put(c, ROW_STAT_DAY, ROW_UPSERT, &row);
}

/* ---- the split ---- */

static const struct party *platform_of(const struct core *c, int64_t tenant)
{
    for (uint32_t i = 0; i < c->dir[ROW_PARTY].slab.len; i++) {
        const struct party *p = slab_at(&c->dir[ROW_PARTY].slab, i);
        if (p && p->row.tenant == tenant && p->row.kind == PARTY_PLATFORM)
            return p;
    }
    return NULL;
}

/* Without a contract everything is the platform's. */
static void split_platform(const struct core *c, const struct order *o,
                           const struct money base[SPLIT_LINES], struct split_result *out)
{
    static const int32_t kinds[] = {FEE_ELECTRICITY, FEE_SERVICE, FEE_OCCUPANCY};
    const struct party *p = platform_of(c, o->row.tenant);
    must(p); /* made with the tenant */
    out->n = 0;
    for (int i = 0; i < SPLIT_LINES; i++)
        if (base[i].v)
            out->part[out->n++] = (struct split_part){.kind = kinds[i],
                                                      .party = p->row.id,
                                                      .base = base[i],
                                                      .amount = base[i],
                                                      .ratio = 1,
                                                      .ratio_sum = 1};
}

static void split_make(struct core *c, struct order *o, const struct bill *b,
                       struct split_result *out)
{
    const struct money base[SPLIT_LINES] = {MONEY(b->elec), MONEY(b->service), MONEY_ZERO};
    struct split_contract *k = contract_find(c, o->row.contract);
    if (!k) {
        split_platform(c, o, base, out);
        return;
    }
    must(split_compute(k, base, out) == 0); /* a contract covers both lines; bills are bounded */
    bool moved[SPLIT_PARTIES_MAX] = {0};    /* most shares come out even */
    for (int32_t i = 0; i < k->n; i++)
        moved[i] = memcmp(k->party[i].residue, out->residue[i], sizeof out->residue[i]) != 0;
    split_commit(k, out);
    for (int32_t i = 0; i < k->n; i++) {
        struct row_contract_party row;
        if (!moved[i])
            continue;
        split_party_row(k, i, &row);
        row_put(c, ROW_CONTRACT_PARTY, ROW_UPSERT, &row);
    }
}

static void part_put(struct core *c, struct order *o, const struct split_part *p,
                     const struct share_part *share, int64_t transfer)
{
    const struct row_split_part row = {.order_id = o->row.id,
                                       .seq = ++o->row.parts,
                                       .tenant = o->row.tenant,
                                       .transfer = transfer,
                                       .party = p->party,
                                       .account = share->account,
                                       .fee_kind = p->kind,
                                       .base = p->base.v,
                                       .ratio = p->ratio,
                                       .ratio_sum = p->ratio_sum,
                                       .amount = p->amount.v,
                                       .at_ms = c->now,
                                       .due_ms = share->due_ms,
                                       .station = o->row.station};
    row_put(c, ROW_SPLIT_PART, ROW_INSERT, &row);
    buf_put(&o->parts_buf, &row, sizeof row);
}

static void share_event(struct core *c, const struct order *o, int64_t party, int64_t amount)
{
    struct out_event *e = event_new(c, EVENT_SHARE);
    e->tenant = o->row.tenant;
    e->station = o->row.station;
    e->order = o->row.id;
    e->party = party;
    e->amount = amount;
}

/* One event a party, however many lines it shares in. */
static void share_events(struct core *c, const struct order *o, const struct split_result *s)
{
    for (int32_t i = 0; i < s->n; i++) {
        int64_t sum = 0;
        bool first = true;
        for (int32_t j = 0; j < s->n; j++) {
            if (s->part[j].party != s->part[i].party)
                continue;
            first = first && j >= i;
            sum += s->part[j].amount.v;
        }
        if (first && sum)
            share_event(c, o, s->part[i].party, sum);
    }
}

/* ---- who pays ---- */

static int64_t available_of(const struct core *c, const struct order *o)
{
    const struct ledger_account *a = ledger_account_find(c->ledger, o->row.tenant, ACCOUNT_WALLET,
                                                         o->row.driver, o->row.currency);
    int64_t v = a ? ledger_available(a).v : 0;
    return v > 0 ? v : 0;
}

static bool debt_allowed(const struct core *c, const struct order *o, bool held)
{
    const struct tenant *t = tenant_find(c, o->row.tenant);
    if (o->row.started_by == START_APP || o->row.started_by == START_STAFF)
        return false; /* the cap was the prepaid amount */
    return t->row.overrun_policy == OVERRUN_DEBT || (!held && t->row.hold_policy == HOLD_NONE_DEBT);
}

/* A card that charges where the pile has no network may owe no more than its limit. */
static int64_t debt_most(const struct order *o, const struct taken *t)
{
    bool limited = o->row.started_by == START_OFFLINE && o->srow.tx_no[0];
    int64_t room = o->row.cap - t->captured;
    if (!limited || t->loss <= room)
        return t->loss;
    return room > 0 ? room : 0;
}

static struct taken take_of(const struct core *c, const struct order *o, int64_t total,
                            const struct ledger_hold *hold)
{
    struct taken t = {.loss = total};
    if (o->row.payer_kind != PAYER_WALLET || total <= 0)
        return t;
    int64_t most = hold ? hold->amount.v : available_of(c, o);
    t.captured = total < most ? total : most;
    t.loss = total - t.captured;
    if (debt_allowed(c, o, hold != NULL)) {
        t.debt = debt_most(o, &t);
        t.loss -= t.debt;
    }
    return t;
}

/* The fee lines' shares of what was taken when it is less than the bill. */
static struct bill bill_taken(const struct bill *b, int64_t paid)
{
    int64_t total = b->elec + b->service;
    if (paid >= total)
        return *b;
    int64_t elec = muldiv_half_up(paid, b->elec, total);
    elec = money_round_fen(MONEY(elec)).v;
    if (elec > paid)
        elec = paid;
    return (struct bill){.elec = elec, .service = paid - elec};
}

static void request_init(const struct order *o, struct ledger_request *q, int32_t code)
{
    *q = (struct ledger_request){.tenant = o->row.tenant,
                                 .code = code,
                                 .order_id = o->row.id,
                                 .contract = o->row.contract,
                                 .effective_ms = o->row.end_ms};
    (void)str_copy(q->currency, sizeof q->currency, str_from_c(o->row.currency));
}

static void request_payer(struct core *c, const struct order *o, const struct taken *t,
                          struct ledger_request *q)
{
    int64_t account;
    if (t->captured) {
        must(wallet_open(c, o->row.tenant, o->row.driver, o->row.currency, &account) == 0);
        purse_leg(q, account, -t->captured, 0);
    }
    if (t->debt) {
        must(account_open(c, o->row.tenant, ACCOUNT_DEBT, o->row.driver, o->row.currency,
                          &account) == 0);
        purse_leg(q, account, -t->debt, 0);
    }
}

/* Takes the bill from the payer and gives it to the parties, in one transfer; resolves the hold
 * when there is one. */
static struct taken charge(struct core *c, struct order *o, const struct bill *b, int64_t hold_id)
{
    const struct ledger_hold *hold = hold_id ? ledger_hold(c->ledger, hold_id) : NULL;
    struct taken t = take_of(c, o, b->elec + b->service, hold);
    int64_t paid = t.captured + t.debt;
    struct bill base = bill_taken(b, paid);
    struct split_result split = {0};
    struct ledger_request q;
    request_init(o, &q, TRANSFER_CAPTURE);
    request_payer(c, o, &t, &q);
    if (paid)
        split_make(c, o, &base, &split);
    struct share_part share[SPLIT_PARTS_MAX];
    for (int32_t i = 0; i < split.n; i++)
        share[i] = share_give(c, o->row.tenant, split.part[i].party, split.part[i].amount.v, &q);
    struct ledger_ctx ctx = ledger_ctx_now(c);
    if (hold)
        must(ledger_hold_capture(c->ledger, &ctx, hold_id, &q) == 0);
    else if (q.n)
        must(ledger_post(c->ledger, &ctx, &q) == 0);
    if (paid && !o->row.transfer)
        o->row.transfer = ctx.id;
    for (int32_t i = 0; i < split.n; i++) {
        if (split.part[i].base.v)
            part_put(c, o, &split.part[i], &share[i], ctx.id);
        share_given(c, o->row.tenant, o->row.currency, &share[i]);
    }
    share_events(c, o, &split);
    if (o->row.driver)
        event_wallet(c, o->row.tenant, o->row.driver, o->row.currency);
    return t;
}

/* ---- the end of an order ---- */

static struct bill bill_lines(struct core *c, struct order *o)
{
    const struct tariff *t = tariff_find(c, o->row.tariff);
    struct fee_line lines[FEE_LINES_MAX];
    struct bill b = {0};
    int32_t n = t ? fee_lines(&o->bill, t, lines) : 0;
    for (int32_t i = 0; i < n; i++) {
        line_put(c, o, &lines[i]);
        if (lines[i].kind == FEE_ELECTRICITY)
            b.elec += lines[i].amount.v;
        else
            b.service += lines[i].amount.v;
    }
    return b;
}

/* Is there money left that a decision could still move? */
static bool rest_matters(const struct order *o)
{
    if (!o->ev.doubt || o->ev.doubt_mwh <= 0 || o->row.payer_kind != PAYER_WALLET)
        return false;
    return o->row.cap <= 0 || o->row.paid < o->row.cap;
}

void settle_order(struct core *c, struct order *o)
{
    const struct tenant *tenant = tenant_find(c, o->row.tenant);
    struct bill b = bill_lines(c, o);
    struct taken t = charge(c, o, &b, o->row.hold);
    o->row.energy_mwh = o->ev.energy_mwh;
    o->row.elec = b.elec;
    o->row.service = b.service;
    o->row.total = b.elec + b.service;
    o->row.paid = t.captured + t.debt;
    o->row.loss = t.loss;
    o->row.settled_ms = c->now;
    o->row.doubt = o->ev.doubt;
    o->row.doubt_mwh = o->ev.doubt_mwh;
    if (o->srow.direction > 0)
        stat_put(c, o,
                 &(struct row_stat_day){.orders = 1,
                                        .energy_mwh = o->row.energy_mwh,
                                        .elec = b.elec,
                                        .service = b.service,
                                        .paid = o->row.paid,
                                        .loss = o->row.loss,
                                        .minutes = (o->row.end_ms - o->row.start_ms) / 60000});
    bool doubtful = rest_matters(o);
    if (doubtful)
        o->row.decide_ms = c->now + tenant->row.doubt_h * INT64_C(3600000);
    order_state(c, o, doubtful ? ORDER_DOUBTFUL : ORDER_SETTLED);
    order_event(c, o, OE_SETTLED, "");
    if (doubtful) {
        order_event(c, o, OE_DOUBT, "");
        order_timer(c, o, TO_DECIDE, o->row.decide_ms);
    } else {
        order_timer(c, o, TO_EVICT, c->now + ORDER_EVICT_MS);
    }
}

/* ---- a doubtful rest ---- */

/* The disputed energy, at the price of the end of the session. */
static struct bill rest_lines(struct core *c, struct order *o)
{
    const struct tariff *t = tariff_find(c, o->row.tariff);
    struct tariff_price p;
    if (!t)
        return (struct bill){0};
    tariff_price_at(t, zone_of(c, o->row.station), o->row.end_ms, &p);
    struct fee_line l = {.kind = FEE_ELECTRICITY,
                         .label = p.label,
                         .from_ms = o->row.end_ms,
                         .to_ms = o->row.end_ms,
                         .energy_mwh = o->row.doubt_mwh,
                         .price_e5 = p.elec_e5,
                         .amount = money_fee_line(o->row.doubt_mwh, p.elec_e5)};
    struct bill b = {.elec = l.amount.v};
    line_put(c, o, &l);
    l.kind = FEE_SERVICE;
    l.price_e5 = p.service_e5;
    l.amount = money_fee_line(o->row.doubt_mwh, p.service_e5);
    line_put(c, o, &l);
    b.service = l.amount.v;
    return b;
}

/* Bills the rest as far as the prepaid cap and the wallet allow; what exceeds them is loss. */
static void rest_bill(struct core *c, struct order *o)
{
    struct bill b = rest_lines(c, o);
    struct bill part = b;
    int64_t room = o->row.cap > 0 ? o->row.cap - o->row.paid : INT64_MAX;
    int64_t total = b.elec + b.service;
    if (room < 0)
        room = 0;
    if (total > room)
        part = bill_taken(&b, room);
    struct taken t = charge(c, o, &part, 0);
    int64_t paid = t.captured + t.debt;
    o->row.energy_mwh += o->row.doubt_mwh;
    o->row.elec += b.elec;
    o->row.service += b.service;
    o->row.total += total;
    o->row.paid += paid;
    o->row.loss += total - paid;
    stat_put(c, o,
             &(struct row_stat_day){.energy_mwh = o->row.doubt_mwh,
                                    .elec = b.elec,
                                    .service = b.service,
                                    .paid = paid,
                                    .loss = total - paid});
}

static void rest_close(struct core *c, struct order *o, const char *detail)
{
    order_timer_off(c, o, TO_DECIDE);
    order_state(c, o, ORDER_SETTLED);
    order_event(c, o, OE_DECIDED, detail);
    order_timer(c, o, TO_EVICT, c->now + ORDER_EVICT_MS);
}

void settle_rule(struct core *c, struct order *o)
{
    if (o->row.state == ORDER_DOUBTFUL)
        rest_close(c, o, "dropped by rule");
}

int settle_decide(struct core *c, const struct cmd *cmd)
{
    const struct cmd_decide *in = &cmd->u.decide;
    struct order *o = order_find(c, in->order);
    if (!o || o->row.tenant != cmd->head.tenant || !station_scope_ok(cmd, o->row.station) ||
        !order_ready(c, o))
        return ERR_NOT_FOUND;
    if (o->row.state != ORDER_DOUBTFUL)
        return ERR_CONFLICT;
    if (in->accept)
        rest_bill(c, o);
    rest_close(c, o, in->note[0] ? in->note : in->accept ? "billed" : "dropped");
    c->made_id = o->row.id;
    c->made_version = o->row.version;
    return 0;
}

/* ---- the true end of an estimated order ---- */

/* One line a kind for the difference, priced at nothing: its amount is what the bill of the true
 * energy differs by. */
static void correct_lines(struct core *c, struct order *o, int64_t energy_mwh, const struct bill *d)
{
    struct fee_line l = {.kind = FEE_ELECTRICITY,
                         .label = "",
                         .from_ms = o->row.end_ms,
                         .to_ms = o->row.end_ms,
                         .energy_mwh = energy_mwh,
                         .amount = MONEY(d->elec)};
    line_put(c, o, &l);
    l.kind = FEE_SERVICE;
    l.amount = MONEY(d->service);
    line_put(c, o, &l);
}

static void correct_rows(struct core *c, struct order *o, int64_t energy_mwh, const struct bill *d,
                         int64_t paid)
{
    int64_t total = d->elec + d->service;
    o->row.energy_mwh += energy_mwh;
    o->row.elec += d->elec;
    o->row.service += d->service;
    o->row.total += total;
    o->row.paid += paid;
    o->row.loss += total - paid;
    stat_put(c, o,
             &(struct row_stat_day){.energy_mwh = energy_mwh,
                                    .elec = d->elec,
                                    .service = d->service,
                                    .paid = paid,
                                    .loss = total - paid});
}

/* What the true end adds to an estimated bill is taken from the payer after all, as far as the
 * prepaid amount and the wallet allow: else whoever cuts a charger's network charges for nothing.
 * Returns what was taken. */
static int64_t correct_take(struct core *c, struct order *o, const struct bill *now)
{
    int64_t total = now->elec + now->service;
    int64_t most = o->row.cap > 0 && o->row.cap < total ? o->row.cap : total;
    int64_t want = most - o->row.paid, more = total - o->row.total;
    want = want < more ? want : more;
    if (want <= 0 || o->row.payer_kind != PAYER_WALLET)
        return 0;
    struct bill part = bill_taken(now, want);
    struct taken t = charge(c, o, &part, 0);
    return t.captured + t.debt;
}

void settle_correct(struct core *c, struct order *o, int64_t billed_mwh)
{
    struct fee_sum now;
    if (o->srow.direction < 0) { /* no bill: only what it was */
        o->row.estimated = 0;
        o->row.energy_mwh = o->srow.energy_mwh = o->ev.energy_mwh;
        order_event(c, o, OE_CORRECTED, "");
        return;
    }
    fee_sum(&o->bill, &now);
    struct bill d = {.elec = now.elec.v - o->row.elec, .service = now.service.v - o->row.service};
    int64_t left = o->row.paid - o->row.refunded; /* the refunded is back already */
    int64_t total = now.total.v, back = left > total ? left - total : 0;
    char detail[120];
    o->row.estimated = 0;
    o->srow.energy_mwh = o->ev.energy_mwh;
    o->srow.evidence = (int32_t)o->ev.flags;
    o->row.doubt = o->ev.doubt;
    o->row.doubt_mwh = o->ev.doubt_mwh;
    if (o->row.state == ORDER_DOUBTFUL && !rest_matters(o))
        rest_close(c, o, "the true end leaves nothing in doubt");
    if (back)
        refund_move(c, o, back, TRANSFER_CORRECTION, "");
    int64_t more = correct_take(c, o, &(struct bill){.elec = now.elec.v, .service = now.service.v});
    if (d.elec || d.service || now.energy_mwh != billed_mwh) {
        correct_lines(c, o, now.energy_mwh - billed_mwh, &d);
        correct_rows(c, o, now.energy_mwh - billed_mwh, &d, more - back);
    }
    snprintf(detail, sizeof detail, "%+" PRId64 " mWh", now.energy_mwh - billed_mwh);
    order_event(c, o, OE_CORRECTED, detail);
    event_order(c, o);
}
