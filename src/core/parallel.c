// SPDX-License-Identifier: Apache-2.0
/* parallel.c: see parallel.h. Where it says "the other", nothing tells main from part: each of two
 * guns may start first, end first, fail first, be doubtful. Only money knows the main order.
 *
 * Shares of the cap: each gun is told half, whole fen, the main one what does not divide; so both
 * together cannot exceed the cap at the pile's list prices, whatever the network does. What one will
 * not need is moved while both charge (allot.h). A gun that has used its part up ends with a record
 * that says so, and the other is told all that is left: nothing is ever promised twice, and the sum
 * comes out at the cap. */
#include "core/parallel.h"

#include "base/compiler.h"

static int64_t other_id(const struct order *o)
{
    return o->row.part ? o->row.part : o->row.part_of;
}

static struct order *other_of(const struct core *c, const struct order *o)
{
    return other_id(o) ? order_find(c, other_id(o)) : NULL;
}

struct order *parallel_other(struct core *c, const struct order *o)
{
    struct order *other = other_of(c, o);
    return other && order_ready(c, other) ? other : NULL;
}

struct order *parallel_main(const struct core *c, struct order *o)
{
    struct order *m = o->row.part_of ? order_find(c, o->row.part_of) : o;
    must(m); /* open beside its part, else declared with it (need.c) */
    return m;
}

static bool waits(const struct order *o)
{
    return o->row.state == ORDER_CREATED || o->row.state == ORDER_HELD ||
           o->row.state == ORDER_STARTING;
}

/* ---- start ---- */

void parallel_join(struct order *o, struct order *part)
{
    part->row.kind = ORDER_PART;
    part->row.part_of = o->row.id;
    part->row.contract = 0; /* nobody shares in it */
    o->row.part = part->row.id;
    if (o->row.cap > 0) {
        int64_t halves[2];
        allot_halves(o->row.cap, halves);
        o->row.allot = halves[0];
        part->row.allot = halves[1];
    }
}

enum { NUMBER_AT = 16, NUMBER_LEN = 12 }; /* yymmddHHMMSS in a transaction number */

void parallel_number(const struct core *c, const struct order *o, char out[13])
{
    const struct order *m = o->row.part_of ? order_find(c, o->row.part_of) : o;
    out[0] = 0;
    if (parallel_is(o) && m && strlen(m->srow.tx_no) == 32)
        (void)str_copy(out, NUMBER_LEN + 1, str_from(m->srow.tx_no + NUMBER_AT, NUMBER_LEN));
}

bool parallel_number_taken(const struct core *c, const struct charger *ch, const struct order *o,
                           const char *tx_no)
{
    for (const struct connector *k = ch->connectors; k && o->row.part; k = k->next) {
        const struct order *q = k->row.order_id ? order_find(c, k->row.order_id) : NULL;
        char number[NUMBER_LEN + 1] = "";
        if (q && q != o && q->row.part_of != o->row.id)
            parallel_number(c, q, number);
        if (number[0] && memcmp(number, tx_no + NUMBER_AT, NUMBER_LEN) == 0)
            return true;
    }
    return false;
}

bool parallel_kept(struct core *c, struct order *o, const char *detail)
{
    struct order *other = parallel_other(c, o);
    if (!other || !(order_running(other) || other->row.state == ORDER_ENDED))
        return false;
    order_event(c, o, OE_START_REJECTED, detail);
    order_begin(c, o, o->accepted_ms ? o->accepted_ms : o->row.created_ms, 0);
    stop_estimated(c, o, STOP_OTHER); /* a record that comes after all corrects it */
    return true;
}

/* The pile may have heard of a start that is given up. */
static void gun_stop(struct core *c, struct order *o)
{
    if (o->accepted_ms || o->row.fail == ERR_TIMEOUT || o->row.fail == ERR_CLOSED)
        stop_stray(c, o);
}

void parallel_failed(struct core *c, struct order *o, int err)
{
    struct order *other = parallel_other(c, o);
    if (other && waits(other)) { /* that one comes here too, and finds nobody waiting */
        bool sent = other->row.state == ORDER_STARTING;
        order_fail(c, other, err, OE_START_REJECTED, "the other gun did not start");
        if (sent)
            stop_stray(c, other);
    }
    if (other)
        gun_stop(c, o);
}

/* ---- running ---- */

/* The bill of both. */
static void merged(const struct order *o, const struct order *other, struct fee_bill *out)
{
    *out = o->bill;
    fee_join(out, &other->bill);
}

int64_t parallel_spent(const struct core *c, const struct order *o)
{
    const struct order *part = o->row.part ? other_of(c, o) : NULL;
    struct fee_sum sum;
    if (part) {
        struct fee_bill both;
        merged(o, part, &both);
        fee_sum(&both, &sum);
    } else {
        fee_sum(&o->bill, &sum);
    }
    return sum.total.v;
}

int64_t parallel_energy(const struct core *c, const struct order *o)
{
    const struct order *part = o->row.part ? other_of(c, o) : NULL;
    return o->ev.energy_mwh + (part ? part->ev.energy_mwh : 0);
}

int64_t parallel_share(const struct core *c, const struct order *o)
{
    const struct order *other = other_of(c, o);
    const struct order *m = o->row.part_of && other ? other : o;
    struct fee_sum spent;
    if (!other || m->row.cap <= 0)
        return m->row.cap;
    if (other->row.state == ORDER_ENDED) { /* what it left is this one's */
        fee_sum(&other->bill, &spent);
        return spent.total.v < m->row.cap ? m->row.cap - spent.total.v : MONEY_FEN;
    }
    return o->row.allot;
}

static bool draws(const struct order *o)
{
    return o->row.state == ORDER_CHARGING || o->row.state == ORDER_SUSPENDED;
}

/* Both guns of an order with a cap, neither over; false when it is not so. */
static bool both_of(struct core *c, struct order *o, struct order *gun[2])
{
    gun[0] = parallel_main(c, o);
    gun[1] = gun[0]->row.part ? parallel_other(c, gun[0]) : NULL;
    return gun[1] && gun[0]->row.cap > 0 && order_open(gun[0]) && order_open(gun[1]) &&
           gun[0]->row.state != ORDER_ENDED && gun[1]->row.state != ORDER_ENDED;
}

static struct allot allot_of(struct order *const gun[2])
{
    return (struct allot){.part = {gun[0]->row.allot, gun[1]->row.allot}, .move = gun[0]->allot};
}

static void allot_keep(struct core *c, struct order *const gun[2], const struct allot *a)
{
    gun[0]->allot = a->move;
    for (int i = 0; i < 2; i++) {
        if (gun[i]->row.allot == a->part[i])
            continue;
        gun[i]->row.allot = a->part[i];
        order_dirty(c, gun[i]);
    }
}

void parallel_raised(struct core *c, struct order *o, int64_t amount)
{
    const struct charger *ch = order_charger(c, o);
    struct order *gun[2];
    if (!parallel_is(o) || !both_of(c, o, gun) || !ch || !ch->online)
        return; /* what nobody was told is free, and given to the gun that needs it */
    struct allot a = allot_of(gun);
    allot_more(&a, amount);
    allot_keep(c, gun, &a);
}

static bool allot_may(const struct charger *ch, struct order *const gun[2])
{
    for (int i = 0; i < 2; i++)
        if (!draws(gun[i]) || gun[i]->row.stop_asked_ms ||
            command_waits(ch, CALL_BALANCE, gun[i]->row.id))
            return false;
    return ch->online;
}

int64_t parallel_allot(struct core *c, struct order *o, int64_t price_e5)
{
    const struct charger *ch = order_charger(c, o);
    struct order *gun[2];
    if (!parallel_is(o) || !both_of(c, o, gun) || !ch || !allot_may(ch, gun))
        return INT64_MAX;
    struct allot a = allot_of(gun);
    struct allot_view v = {.now_ms = c->now, .cap = gun[0]->row.cap, .price_e5 = price_e5};
    struct allot_step step;
    for (int i = 0; i < 2; i++) {
        struct fee_sum sum;
        fee_sum(&gun[i]->bill, &sum);
        v.gun[i] = (struct allot_gun){.spent = sum.total.v,
                                      .power_w = gun[i]->power_w,
                                      .reading_ms = gun[i]->reading_ms,
                                      .readings = gun[i]->ev.samples};
    }
    allot_decide(&a, &v, &step);
    allot_keep(c, gun, &a);
    int64_t lower = step.action == ALLOT_LOWER ? step.part : 0;
    if (step.action != ALLOT_NONE && !pile_balance_tell(c, gun[step.gun], lower) && lower)
        allot_answer(&gun[0]->allot, c->now, false, 0); /* the table of calls is full */
    return step.again_ms;
}

void parallel_told(struct core *c, struct order *o, int64_t part, bool accepted)
{
    struct charger *ch = order_charger(c, o);
    struct order *gun[2];
    if (!parallel_is(o) || !order_open(o) || !both_of(c, o, gun) || !ch)
        return;
    struct allot_move *m = &gun[0]->allot;
    bool moves = part && m->part == part && gun[m->gun] == o;
    if (moves)
        allot_answer(m, c->now, accepted, o->ev.samples);
    else if (!accepted)
        allot_quiet(m, c->now);
    if (moves && accepted && ch->online)
        meter_read(c, o, ch);
}

bool parallel_charges(struct core *c, const struct order *o)
{
    const struct order *other = parallel_other(c, o);
    return draws(o) || (other && draws(other));
}

/* How fast its power rises, W a second. */
static int64_t rise_of(const struct order *o)
{
    int64_t ms = o->reading_ms - o->prev_ms;
    bool known = o->prev_power_w >= 0 && o->power_w > o->prev_power_w && ms > 0;
    return known ? (o->power_w - o->prev_power_w) * 1000 / ms : 0;
}

/* Adds the other gun to the view. Its reading is of another moment: what it drew since the earlier of
 * the two counts as spent, so that both are as of the later one. */
static void view_add(const struct core *c, const struct order *o, const struct order *other,
                     struct cap_view *v)
{
    int64_t at = other->reading_ms < c->now ? other->reading_ms : c->now;
    int64_t late = at > v->reading_ms ? at : v->reading_ms;
    int64_t rise = rise_of(o) + rise_of(other), gap = v->interval_ms;
    int64_t mine = v->power_w > 0 ? v->power_w : 0;
    int64_t its = other->power_w > 0 ? other->power_w : 0;
    v->spent.v += cap_cost(mine, late - v->reading_ms, v->price_e5).v +
                  cap_cost(its, late - at, v->price_e5).v;
    v->power_w = v->power_w < 0 && other->power_w < 0 ? -1 : mine + its;
    v->reading_ms = late;
    v->power_max_w += other->lim.max_power_w ? other->lim.max_power_w : v->power_max_w;
    v->prev_ms = late - gap;
    v->prev_power_w = rise && v->power_w > rise * gap / 1000 ? v->power_w - rise * gap / 1000 : -1;
    v->asked_ms = other->asked_ms > v->asked_ms ? other->asked_ms : v->asked_ms;
    v->unanswered = other->unanswered > v->unanswered ? other->unanswered : v->unanswered;
    v->limit_w = 0; /* no pile obeys one */
}

void parallel_view(struct core *c, const struct order *o, struct cap_view *v)
{
    const struct order *other = parallel_other(c, o);
    if (!other)
        return;
    if (!draws(o)) { /* only the other one does */
        v->power_w = other->power_w;
        v->prev_power_w = other->prev_power_w;
        v->prev_ms = other->prev_ms;
        v->reading_ms = other->reading_ms < c->now ? other->reading_ms : c->now;
        v->power_max_w = other->lim.max_power_w ? other->lim.max_power_w : v->power_max_w;
        v->asked_ms = other->asked_ms;
        v->unanswered = other->unanswered;
    } else if (draws(other)) {
        view_add(c, o, other, v);
    }
}

void parallel_stopped(struct core *c, struct order *o, enum stop_reason reason)
{
    struct order *other = parallel_other(c, o);
    if (!other || other->row.stop_asked_ms || !order_open(other) || other->row.state == ORDER_ENDED)
        return;
    if (other->row.state == ORDER_HELD)
        order_fail(c, other, ERR_CLOSED, OE_START_REJECTED, "cancelled");
    else
        (void)stop_begin(c, other, reason);
}

struct order *parallel_live(struct core *c, struct order *o)
{
    struct order *m = parallel_main(c, o), *other = parallel_other(c, m);
    return other && m->row.state == ORDER_ENDED ? other : m;
}

/* ---- end ---- */

/* The order's time is that of both sessions. */
static void span(struct order *m, const struct order *part)
{
    if (part->row.start_ms && part->row.start_ms < m->row.start_ms)
        m->row.start_ms = part->row.start_ms;
    if (part->row.end_ms > m->row.end_ms)
        m->row.end_ms = part->row.end_ms;
}

static void part_close(struct core *c, struct order *part)
{
    if (part->row.state != ORDER_ENDED)
        return;
    part->row.settled_ms = c->now;
    order_state(c, part, ORDER_SETTLED);
    order_event(c, part, OE_SETTLED, "");
    order_timer(c, part, TO_EVICT, c->now + ORDER_EVICT_MS);
}

struct order *parallel_ended(struct core *c, struct order *o, enum stop_reason reason)
{
    struct order *other = parallel_other(c, o);
    if (!other)
        return o;
    if (!order_open(other) || other->row.state == ORDER_ENDED) {
        struct order *m = parallel_main(c, o), *part = m == o ? other : o;
        order_timer_off(c, m, TO_CAP);
        span(m, part);
        part_close(c, part);
        return m;
    }
    bool used_up = reason == STOP_CAP && !o->row.estimated && !o->row.stop_asked_ms &&
                   !other->row.stop_asked_ms && order_running(other);
    if (used_up) {
        (void)pile_balance_tell(c, other, 0);
        meter_cap(c, other);
    } else {
        parallel_stopped(c, o, (enum stop_reason)o->row.stop_reason);
    }
    return NULL;
}

void parallel_sum(struct core *c, const struct order *o, struct order_sum *out)
{
    const struct order *part = o->row.part ? parallel_other(c, o) : NULL;
    out->bill = &o->bill;
    out->energy_mwh = o->ev.energy_mwh;
    out->doubt = o->ev.doubt;
    out->doubt_mwh = o->ev.doubt_mwh;
    if (!part)
        return;
    merged(o, part, &out->merged);
    out->bill = &out->merged;
    out->energy_mwh += part->ev.energy_mwh;
    out->doubt_mwh += part->ev.doubt_mwh;
    if (!out->doubt)
        out->doubt = part->ev.doubt;
}

int64_t parallel_own(struct core *c, struct order *o, int64_t billed_mwh)
{
    struct order *m = parallel_main(c, o);
    const struct order *part = m->row.part ? parallel_other(c, m) : NULL;
    if (!part || order_open(m))
        return 0;
    m->ev.doubt_mwh = m->row.doubt_mwh - part->row.doubt_mwh;
    if (m->ev.doubt_mwh <= 0) {
        m->ev.doubt_mwh = 0;
        m->ev.doubt = DOUBT_NONE;
    }
    /* All of it was accepted, or of the other alone: then this one's true end came before. */
    int64_t accepted = billed_mwh - m->srow.energy_mwh - part->srow.energy_mwh;
    return accepted > o->ev.doubt_mwh ? accepted - o->ev.doubt_mwh : 0;
}

bool parallel_true_end(struct core *c, struct order *o)
{
    if (!parallel_is(o) || o->row.state != ORDER_ENDED)
        return false;
    o->row.estimated = 0;
    o->row.energy_mwh = o->srow.energy_mwh = o->ev.energy_mwh;
    o->row.doubt = o->ev.doubt;
    o->row.doubt_mwh = o->ev.doubt_mwh;
    o->srow.evidence = (int32_t)o->ev.flags;
    order_event(c, o, OE_CORRECTED, "");
    meter_cap(c, o);
    return true;
}
