// SPDX-License-Identifier: Apache-2.0
/* start.c: how orders begin: by the app or staff (a hold, then a call to the charger), by a card or
 * a vehicle's VIN at the charger, or delivered whole by a charger that was offline.
 *
 * The idTag of a remote start names its order ("EV" and the id in base 36), so its StartTransaction
 * finds it exactly, also when two drivers start at one charger in the same second. A card follows
 * the tenant's hold policy. A start that comes after its order was given up is refused, stopped,
 * and recorded as a session that nobody pays for: the driver's money was already released.
 *
 * A start at a connector where nothing is plugged in goes out all the same: some chargers accept it
 * and wait for the plug, and so does the order, up to the tenant's start timeout; most refuse. What
 * then fails while the connector is free fails for want of a vehicle (ERR_NOT_PLUGGED), so that the
 * driver's page can say what to do.
 *
 * Invariants: 1. a transaction id is made from row_charger.last_tx, is durable before the answer
 * and never given twice; 2. the same StartTransaction (connector, tag, time, meter) gets the same
 * answer however often it comes, since the connector's row keeps the last one and its answer; 3. nobody is charged for a start that was refused. */
#include "core/company.h"
#include "core/discharge.h"
#include "core/occupancy.h"
#include "core/parallel.h"
#include "core/purse.h"

#include <inttypes.h>
#include <stdio.h>

#define CAP_MAX   (INT64_C(10000) * MONEY_UNIT)
#define TAG_CHECK 5 /* characters */

/* ---- tags of remote starts ---- */

/* "EV", the order's id in base 36, and a keyed check of it: at most 20 characters, as OCPP 1.6
 * allows. The check is what keeps a card that somebody wrote from charging on the order's money. */
static void start_tag(const struct core *c, int64_t order, char out[ORDER_TAG_SIZE])
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    char text[16];
    int n = 0;
    for (uint64_t v = (uint64_t)order; v; v /= 36)
        text[n++] = digits[v % 36];
    char *p = out;
    *p++ = 'E';
    *p++ = 'V';
    while (n)
        *p++ = text[--n];
    uint64_t check = hash_bytes(&order, sizeof order, c->lim.secret);
    for (int i = 0; i < TAG_CHECK; i++, check /= 36)
        *p++ = digits[check % 36];
    *p = 0;
}

int64_t start_tag_order(const char *tag)
{
    size_t n = strlen(tag);
    if (n <= 2 + TAG_CHECK || (tag[0] | 0x20) != 'e' || (tag[1] | 0x20) != 'v')
        return 0;
    int64_t v = 0;
    for (const char *p = tag + 2; p < tag + n - TAG_CHECK; p++) {
        int d = *p >= '0' && *p <= '9'                     ? *p - '0'
                : (*p | 0x20) >= 'a' && (*p | 0x20) <= 'z' ? (*p | 0x20) - 'a' + 10
                                                           : -1;
        if (d < 0 || v > (INT64_MAX - d) / 36)
            return 0;
        v = v * 36 + d;
    }
    return v;
}

/* The order whose tag this is, whole; NULL for any other text. */
static struct order *order_of_tag(const struct core *c, const char *tag)
{
    struct order *o = order_find(c, start_tag_order(tag));
    return o && str_eq_nocase(str_from_c(o->srow.tag), str_from_c(tag)) ? o : NULL;
}

/* ---- a new order ---- */

struct plan {
    struct connector *k;
    const struct station *s;
    const struct tenant *t;
    const struct tariff *tariff;
    int64_t driver, token, cap, payment;
    int32_t payer_kind, started_by, direction;
    struct member *member;    /* whose company pays, NULL = none */
    struct connector *second; /* the other gun of a parallel charge, NULL = none */
};

static int plan_prices(const struct core *c, struct plan *p, int64_t at_ms)
{
    p->s = station_find(c, p->k->charger->row.station);
    p->t = p->s ? tenant_find(c, p->s->row.tenant) : NULL;
    if (!p->t)
        return ERR_NOT_FOUND;
    p->tariff = tariff_in_force(c, p->s->row.tariff, at_ms);
    return p->tariff ? 0 : ERR_CONFLICT;
}

static struct order *plan_order(struct core *c, const struct plan *p, int64_t at_ms)
{
    struct order *o = order_new(c);
    if (!o)
        return NULL;
    const struct split_contract *contract = contract_in_force(c, p->s->row.contract, at_ms);
    struct row_orders *r = &o->row;
    r->tenant = p->t->row.id;
    r->kind = p->direction < 0 ? ORDER_DISCHARGE : ORDER_CHARGE;
    if (p->direction < 0) {
        o->srow.direction = -1;
        contract = NULL; /* nobody shares in it */
    }
    r->payer_kind = p->payer_kind;
    r->driver = p->driver;
    r->token = p->token;
    r->station = p->s->row.id;
    r->charger = p->k->charger->row.id;
    order_pin(c, o, 1);
    r->connector = p->k->row.id;
    r->tariff = p->tariff->id;
    r->contract = contract ? contract->id : 0;
    r->currency = p->t->row.currency;
    r->seller = p->s->row.seller[0] ? p->s->row.seller : p->t->row.name;
    r->tax_bp = p->s->row.tax_bp;
    r->tax_service_bp = p->s->row.tax_service_bp;
    r->started_by = p->started_by;
    r->cap = p->cap;
    if (p->payer_kind == PAYER_COMPANY) {
        r->company = p->member->row.company;
        r->member = p->member->row.id;
    }
    r->payment = p->payment;
    o->srow.tenant = r->tenant;
    o->srow.charger = r->charger;
    o->srow.connector = r->connector;
    obj_own(c, &o->o);
    obj_own(c, &o->so);
    return o;
}

/* An order that came to nothing before anything was written. */
static void order_undo(struct core *c, struct order *o)
{
    c->orders_open--;
    order_pin(c, o, -1);
    order_evict(c, o);
}

/* The second gun's order; NULL when memory is full. */
static struct order *plan_part(struct core *c, const struct plan *p, struct order *o)
{
    const struct plan gun = {.k = p->second,
                             .s = p->s,
                             .t = p->t,
                             .tariff = p->tariff,
                             .payer_kind = PAYER_NONE,
                             .started_by = p->started_by};
    struct order *part = plan_order(c, &gun, c->now);
    if (part)
        parallel_join(o, part);
    return part;
}

/* It waits for the pile to turn the running session round. */
static bool waits_for_turn(const struct order *o, const struct connector *k)
{
    return k->row.order_id && o->row.started_by != START_OFFLINE && o->row.state == ORDER_CREATED &&
           !o->row.start_ms && o->srow.tx_no[0];
}

static void order_take_connector(struct core *c, struct order *o, struct connector *k)
{
    if (waits_for_turn(o, k)) {
        k->turn = o->row.id;
    } else if (!k->row.order_id) { /* an order of the past leaves the present one its connector */
        k->row.order_id = o->row.id;
        obj_dirty(c, &k->o);
        event_connector(c, k);
    }
    order_event(c, o, OE_CREATED, "");
    company_began(c, o);
    occupancy_ordered(c, o, k);
    if (!o->row.hold)
        return;
    order_event(c, o, OE_HELD, "");
    event_wallet(c, o->row.tenant, o->row.driver, o->row.currency);
}

/* ---- from the app and from staff ---- */

static int check_connector(const struct connector *k)
{
    if (k->row.order_id)
        return ERR_BUSY;
    switch (connector_says(k)) {
    case CS_OFFLINE: /* never said anything since it connected: let it decide */
    case CS_AVAILABLE:
    case CS_PREPARING:
    case CS_FINISHING:
        return 0;
    case CS_FAULTED:
        return ERR_FAULTED;
    case CS_UNAVAILABLE:
        return ERR_DISABLED;
    default:
        return ERR_BUSY;
    }
}

/* A vehicle that sleeps cannot be woken: a discharge may turn a running charge round, and the other
 * way. The pile ends the one with its record and begins the other at once. A driver does that with
 * his own alone. */
static bool turns_round(const struct core *c, const struct plan *p, int32_t direction)
{
    const struct connector *k = p->k;
    const struct order *o = k->row.order_id ? order_find(c, k->row.order_id) : NULL;
    const struct order *next = order_find(c, k->turn);
    return o && order_running(o) && !parallel_is(o) && k->charger->row.protocol == PROTOCOL_YKC &&
           (o->srow.direction < 0) != (direction < 0) && !(next && order_open(next)) &&
           (!p->driver || o->row.driver == p->driver);
}

static int check_place(struct core *c, int64_t tenant, int32_t direction, struct plan *p)
{
    struct charger *ch = p->k ? p->k->charger : NULL;
    if (!ch || ch->row.tenant != tenant)
        return ERR_NOT_FOUND;
    int rc = plan_prices(c, p, c->now);
    if (rc)
        return rc;
    if (ch->row.state != CHARGER_ACTIVE || p->s->row.state != ROW_ACTIVE ||
        p->t->row.state != ROW_ACTIVE)
        return ERR_DISABLED;
    if (!ch->online)
        return ERR_OFFLINE;
    rc = turns_round(c, p, direction) ? 0 : check_connector(p->k);
    return rc ? rc : c->calls.live >= c->calls.cap ? ERR_FULL : 0;
}

int start_place_check(struct core *c, int64_t tenant, int64_t connector, int64_t driver)
{
    struct plan p = {.k = connector_find(c, connector), .driver = driver};
    return check_place(c, tenant, 0, &p);
}

/* Is the second gun one of the same pile, and free? Whether the pile can charge in parallel it says
 * by itself. */
static int check_second(struct core *c, const struct cmd_order_start *in, struct plan *p)
{
    p->second = connector_find(c, in->second);
    if (!in->second)
        return 0;
    if (!p->second || p->second == p->k || p->second->charger != p->k->charger)
        return ERR_NOT_FOUND;
    if (p->k->charger->row.protocol != PROTOCOL_YKC || in->direction < 0)
        return ERR_UNSUPPORTED;
    int rc = check_connector(p->second);
    if (!rc && in->cap > 0 && in->cap < 2 * MONEY_FEN)
        rc = ERR_RANGE; /* each gun is told its half */
    if (!rc && p->k->row.order_id)
        rc = ERR_BUSY; /* no turn-round */
    return rc ? rc : c->calls.live + 1 >= c->calls.cap ? ERR_FULL : 0;
}

/* Power back into the grid, at piles that know how (discharge.h): for a driver who is paid for it, or
 * of staff without money. */
static int check_direction(struct core *c, const struct cmd *cmd, struct plan *p)
{
    const struct cmd_order_start *in = &cmd->u.order_start;
    if (in->direction >= 0)
        return in->direction > 1 || in->to_soc ? ERR_RANGE : 0;
    if (in->direction < -1 || in->to_soc < 1 || in->to_soc > 100)
        return ERR_RANGE;
    p->direction = -1;
    p->started_by = cmd->head.actor_kind == ACTOR_DRIVER ? START_APP : START_STAFF;
    return p->k->charger->row.protocol == PROTOCOL_YKC ? discharge_start(c, cmd, p->s, &p->tariff)
                                                       : ERR_UNSUPPORTED;
}

/* The driver that staff or he himself name, and the most that he wants to pay. */
static int check_driver(struct core *c, const struct cmd *cmd, struct plan *p)
{
    const struct cmd_order_start *in = &cmd->u.order_start;
    const struct driver *d = driver_find(c, in->driver);
    if (!d || d->row.tenant != cmd->head.tenant)
        return ERR_NOT_FOUND;
    if (d->row.state != ROW_ACTIVE)
        return ERR_DISABLED;
    if (in->cap < MONEY_FEN || in->cap > CAP_MAX || in->cap % MONEY_FEN)
        return ERR_RANGE;
    p->driver = d->row.id;
    p->cap = in->cap;
    return 0;
}

static int check_wallet(struct core *c, const struct plan *p)
{
    if (driver_find(c, p->driver)->row.frozen)
        return ERR_DISABLED;
    if (debt_of(c, p->t->row.id, p->driver, p->t->row.currency))
        return ERR_DEBT;
    struct wallet_money has = wallet_money(c, p->t->row.id, p->driver, p->t->row.currency);
    return has.principal + has.gift < p->cap ? ERR_NO_FUNDS : 0;
}

/* The company of the driver's membership pays: its account is held instead of the wallet, so a
 * frozen wallet or its debt is no matter. */
static int check_company(struct core *c, struct plan *p)
{
    p->member = company_member(c, p->driver);
    return company_start(c, p->member, p->s->row.id, p->cap);
}

static int check_payer(struct core *c, const struct cmd *cmd, struct plan *p)
{
    const struct cmd_order_start *in = &cmd->u.order_start;
    bool self = cmd->head.actor_kind == ACTOR_DRIVER;
    bool company = in->payer_kind == PAYER_COMPANY;
    int rc;
    if (self && (in->driver != cmd->head.actor || (in->payer_kind != PAYER_WALLET && !company)))
        return ERR_DENIED;
    p->payer_kind = in->payer_kind;
    p->started_by = self ? START_APP : START_STAFF;
    switch (in->payer_kind) {
    case PAYER_NONE:
        return in->driver || in->cap ? ERR_RANGE : 0;
    case PAYER_WALLET:
        rc = check_driver(c, cmd, p);
        return rc ? rc : check_wallet(c, p);
    case PAYER_COMPANY:
        rc = check_driver(c, cmd, p);
        return rc ? rc : check_company(c, p);
    default: /* a single payment begins its order itself (single.c) */
        return ERR_UNSUPPORTED;
    }
}

/* 云快充: pile 14, gun 2, local yymmddHHMMSS, 4 digits. */
static void tx_no_make(const struct core *c, const struct order *o, const struct connector *k,
                       int64_t at_ms, char out[33])
{
    struct civil t;
    zone_civil(zone_of(c, o->row.station), at_ms, &t);
    snprintf(out, 33, "%.14s%02u%02u%02u%02u%02u%02u%02u%04u", k->charger->row.path,
             (unsigned)k->row.number % 100, (unsigned)t.year % 100, (unsigned)t.month % 100,
             (unsigned)t.day % 100, (unsigned)t.hour % 100, (unsigned)t.minute % 100,
             (unsigned)t.second % 100, (unsigned)(o->row.id % 10000));
}

static void start_names(struct core *c, struct order *o, const struct connector *k)
{
    char tag[ORDER_TAG_SIZE], tx_no[33];
    start_tag(c, o->row.id, tag);
    (void)obj_text(c, &o->so, &o->srow.tag, tag);
    if (k->charger->row.protocol == PROTOCOL_YKC) {
        int64_t at = c->now;
        do { /* the next second for a pair, where another one has this */
            tx_no_make(c, o, k, at, tx_no);
            at += 1000;
        } while (parallel_number_taken(c, k->charger, o, tx_no));
        (void)obj_text(c, &o->so, &o->srow.tx_no, tx_no);
    }
    order_index(c, o);
}

static void start_call(struct core *c, struct order *o, const struct connector *k, int32_t to_soc)
{
    char payload[160];
    bool ykc = k->charger->row.protocol == PROTOCOL_YKC;
    if (ykc)
        snprintf(payload, sizeof payload, "{\"order\":\"%s\",\"gun\":%d}", o->srow.tx_no,
                 (int)k->row.number);
    else
        snprintf(payload, sizeof payload, "{\"connectorId\":%d,\"idTag\":\"%s\"}",
                 (int)k->row.number, o->srow.tag);
    const struct call *call =
        call_add(c, k->charger,
                 &(struct call_ask){.kind = CALL_REMOTE_START,
                                    .connector = k->row.number,
                                    .interval_s = to_soc,
                                    .durable = true,
                                    .order = o->row.id,
                                    .action = ykc ? "RemoteStart" : "RemoteStartTransaction",
                                    .payload = payload});
    must(call); /* check_place saw a free one */
}

static void start_held(struct core *c, struct order *o, struct connector *k)
{
    start_names(c, o, k);
    order_take_connector(c, o, k);
    order_state(c, o, ORDER_HELD);
    order_timer(c, o, TO_START, c->now + tenant_find(c, o->row.tenant)->row.start_timeout_s * 1000);
}

/* All checks are passed: the hold, then the call. */
static int start_go(struct core *c, const struct plan *p, int32_t to_soc, struct order **made)
{
    struct order *o = plan_order(c, p, c->now);
    struct order *part = o && p->second ? plan_part(c, p, o) : NULL;
    int rc = !o || (p->second && !part) ? ERR_FULL : p->cap ? payer_hold(c, o, p->cap) : 0;
    if (rc) {
        if (part)
            order_undo(c, part);
        if (o)
            order_undo(c, o);
        return rc;
    }
    o->srow.to_soc = to_soc;
    start_held(c, o, p->k);
    if (part)
        start_held(c, part, p->second);
    start_call(c, o, p->k, to_soc);
    if (part)
        start_call(c, part, p->second, to_soc); /* goes out when the main gun has answered */
    *made = o;
    return 0;
}

int start_order(struct core *c, const struct cmd *cmd)
{
    struct plan p = {.k = connector_find(c, cmd->u.order_start.connector),
                     .driver = cmd->u.order_start.driver};
    struct order *o = NULL;
    if (p.k && !station_scope_ok(cmd, p.k->charger->row.station))
        return ERR_NOT_FOUND;
    int rc = check_place(c, cmd->head.tenant, cmd->u.order_start.direction, &p);
    if (!rc)
        rc = check_direction(c, cmd, &p);
    if (!rc)
        rc = check_second(c, &cmd->u.order_start, &p);
    if (!rc && p.direction >= 0)
        rc = check_payer(c, cmd, &p);
    if (!rc)
        rc = command_quota(c, cmd->head.tenant);
    if (!rc)
        rc = start_go(c, &p, cmd->u.order_start.to_soc, &o);
    if (rc)
        return rc;
    c->made_id = o->row.id;
    c->made_version = o->row.version;
    return 0;
}

int start_paid(struct core *c, const struct payment *pay, struct order **made)
{
    struct plan p = {.k = connector_find(c, pay->row.connector),
                     .driver = pay->row.driver,
                     .cap = pay->row.amount,
                     .payment = pay->row.id,
                     .payer_kind = PAYER_SINGLE,
                     .started_by = START_APP};
    int rc = check_place(c, pay->row.tenant, 0, &p);
    return rc ? rc : start_go(c, &p, 0, made);
}

bool start_unplugged(const struct core *c, const struct order *o)
{
    const struct connector *k = connector_find(c, o->row.connector);
    return k && (k->flap.status ? k->flap.status : k->row.reported) == CS_AVAILABLE;
}

void start_result(struct core *c, struct order *o, int err, const char *status)
{
    if (o->row.state != ORDER_STARTING && o->row.state != ORDER_HELD)
        return;                       /* its StartTransaction was faster than the answer */
    if (o->row.state == ORDER_HELD) { /* never sent */
        order_fail(c, o, err ? err : ERR_CLOSED, OE_START_TIMEOUT, "not sent");
    } else if ((err == ERR_TIMEOUT || err == ERR_CLOSED) && !parallel_is(o)) {
        order_event(c, o, OE_START_TIMEOUT, "no answer"); /* it may have started: TO_START waits */
    } else if (err || strcmp(status, "Accepted") != 0) {
        if (!err)
            err = start_unplugged(c, o) ? ERR_NOT_PLUGGED : ERR_REJECTED;
        order_fail(c, o, err, OE_START_REJECTED, status);
    } else {
        o->accepted_ms = c->now;
        order_event(c, o, OE_START_ACCEPTED, "");
    }
}

/* ---- tags ---- */

static bool has_open_order(const struct core *c, const struct charger *ch, int64_t driver)
{
    for (const struct connector *k = ch->connectors; k; k = k->next) {
        const struct order *o = k->row.order_id ? order_find(c, k->row.order_id) : NULL;
        if (o && o->row.driver == driver)
            return true;
    }
    return false;
}

/* What a driver could spend on a local start: > 0, or -1 when the policy refuses. */
static int64_t local_amount(const struct core *c, const struct tenant *t, int64_t driver,
                            bool forced)
{
    struct wallet_money has = wallet_money(c, t->row.id, driver, t->row.currency);
    int64_t available = has.principal + has.gift;
    if (t->row.hold_policy == HOLD_NONE_DEBT)
        return 0;
    int64_t want = t->row.hold_policy == HOLD_AVAILABLE ? available : t->row.hold_default;
    if (want > 0 && want <= available)
        return want;
    if (!forced)
        return -1;
    return available > 0 ? available : 0; /* it has happened already: what there is */
}

/* What a local start may cost, at the company's expense or the driver's; else as local_amount. */
static int64_t plan_amount(struct core *c, const struct plan *p, bool forced)
{
    return p->member ? company_local(c, p->member, p->s->row.id, forced)
                     : local_amount(c, p->t, p->driver, forced);
}

/* Whose card or vehicle it is, and who pays. What a disabled member charged without network is
 * nobody's: its company said no, and the driver was never asked. */
static void plan_token(struct core *c, struct plan *p, const struct token *k)
{
    struct member *m = company_of_token(c, &k->row);
    bool refused = m && p->started_by == START_OFFLINE && company_alive(c, m);
    p->token = k->row.id;
    p->driver = refused ? 0 : k->row.driver;
    p->member = refused ? NULL : m;
}

static int plan_account(struct core *c, const struct plan *p, int64_t *account)
{
    if (!p->member)
        return wallet_open(c, p->t->row.id, p->driver, p->t->row.currency, account);
    *account = company_account(c, p->member);
    return 0;
}

int32_t start_tag_status(struct core *c, const struct charger *ch, const char *tag)
{
    const struct order *o = order_of_tag(c, tag);
    if (o && o->row.charger == ch->row.id)
        return order_open(o) ? TAG_ACCEPTED : TAG_EXPIRED;
    const struct tenant *t = tenant_find(c, ch->row.tenant);
    const struct token *k = token_find(c, ch->row.tenant, tag);
    const struct driver *d = k ? driver_find(c, k->row.driver) : NULL;
    if (!d || !t || k->row.state == ROW_DELETED || d->row.state == ROW_DELETED)
        return TAG_INVALID;
    if (k->row.state != ROW_ACTIVE || d->row.state != ROW_ACTIVE)
        return TAG_BLOCKED;
    if (has_open_order(c, ch, d->row.id))
        return TAG_ACCEPTED; /* the card that started may stop, whatever is left in the wallet */
    struct member *m = company_of_token(c, &k->row);
    if (m)
        return company_local(c, m, ch->row.station, false) < 0 ? TAG_BLOCKED : TAG_ACCEPTED;
    if (d->row.frozen || debt_of(c, t->row.id, d->row.id, t->row.currency) ||
        local_amount(c, t, d->row.id, false) < 0)
        return TAG_BLOCKED;
    return TAG_ACCEPTED;
}

void start_authorize(struct core *c, const struct cmd *cmd, struct charger *ch)
{
    bool active = ch->row.state == CHARGER_ACTIVE;
    reply_tag(c, active ? start_tag_status(c, ch, cmd->u.authorize.tag) : TAG_INVALID, 0);
}

/* ---- StartTransaction ---- */

static int64_t tx_next(struct core *c, struct charger *ch)
{
    if (ch->row.last_tx >= TX_MAX)
        return 0; /* used up: never reuse one */
    ch->row.last_tx++;
    obj_dirty(c, &ch->o);
    return ch->row.last_tx;
}

/* When the session began, by a clock that can be believed. */
static int64_t start_time(const struct core *c, const struct cmd_tx_start *in, bool late)
{
    int64_t apart = in->time_ms > c->now ? in->time_ms - c->now : c->now - in->time_ms;
    if (!in->time_ms || (!late && apart > LIVE_CLOCK_MS) || in->time_ms > c->now)
        return c->now;
    return in->time_ms;
}

static void tx_begin(struct core *c, struct order *o, struct connector *k,
                     const struct cmd_tx_start *in, int64_t tx)
{
    bool late = link_late(c, k->charger, in->time_ms);
    o->srow.tx = tx;
    o->srow.charger_start_ms = in->time_ms;
    (void)obj_text(c, &o->so, &o->srow.tag, in->tag);
    order_index(c, o);
    order_begin(c, o, start_time(c, in, late), in->meter_mwh);
}

static void told_note(struct core *c, struct connector *k, const struct cmd_tx_start *in,
                      int32_t status, int64_t tx)
{
    k->told_at_ms = c->now;
    k->row.told_ms = in->time_ms;
    k->row.told_mwh = in->meter_mwh;
    k->row.told_status = status;
    k->row.told_tx = tx;
    (void)obj_text(c, &k->o, &k->row.told_tag, in->tag);
    obj_dirty(c, &k->o);
}

/* The same StartTransaction again: its transaction id, or 0. */
static int64_t retry_tx(const struct connector *k, const struct cmd_tx_start *in, int32_t *status)
{
    const struct row_connector *told = &k->row;
    if (!told->told_tx || told->told_ms != in->time_ms || told->told_mwh != in->meter_mwh ||
        strcmp(told->told_tag, in->tag) != 0)
        return 0;
    *status = (int32_t)told->told_status;
    return told->told_tx;
}

struct order *start_unpaid(struct core *c, const struct order *of, struct connector *k,
                           enum start_kind by)
{
    struct plan p = {.k = k, .payer_kind = PAYER_NONE, .started_by = (int32_t)by};
    if (plan_prices(c, &p, c->now))
        return NULL;
    if (of && discharge_pays(of)) {
        p.direction = -1;
        p.driver = of->row.driver;
        p.tariff = tariff_find(c, of->row.tariff);
    }
    struct order *o = plan_order(c, &p, c->now);
    if (!o)
        return NULL;
    if (of) {
        char detail[64];
        snprintf(detail, sizeof detail, "late start of order %" PRId64, of->row.id);
        order_event(c, o, OE_LATE_START, detail);
    }
    order_take_connector(c, o, k);
    return o;
}

/* The connector's earlier order cannot go on: a new session is there. */
static void displace(struct core *c, struct connector *k)
{
    struct order *o = k->row.order_id ? order_find(c, k->row.order_id) : NULL;
    if (!o || !order_ready(c, o))
        return;
    if (order_running(o))
        stop_estimated(c, o, STOP_OTHER);
    else
        order_fail(c, o, ERR_BUSY, OE_START_REJECTED, "another session began here");
}

void start_turned(struct core *c, struct order *o)
{
    struct connector *k = connector_find(c, o->row.connector);
    if (!k || k->row.order_id == o->row.id)
        return;
    displace(c, k);
    k->row.order_id = o->row.id;
    obj_dirty(c, &k->o);
    event_connector(c, k);
}

/* The start belongs to an order of the app that waits for it, or waits no more. */
static int32_t tx_of_order(struct core *c, struct order *o, struct connector *k,
                           const struct cmd_tx_start *in, int64_t tx)
{
    bool waits = o->row.state == ORDER_STARTING || o->row.state == ORDER_HELD;
    if (waits && o->row.connector != k->row.id && k->row.order_id)
        return TAG_CONCURRENT; /* that connector has another order */
    if (waits) {
        bool wish = o->row.stop_asked_ms != 0;
        if (o->row.connector != k->row.id) { /* the charger chose another gun */
            struct connector *planned = connector_find(c, o->row.connector);
            planned->row.order_id = 0;
            obj_dirty(c, &planned->o);
            o->row.connector = o->srow.connector = k->row.id;
            k->row.order_id = o->row.id;
            obj_dirty(c, &k->o);
        }
        tx_begin(c, o, k, in, tx);
        if (wish)
            stop_begin(c, o, (enum stop_reason)o->row.stop_reason);
        return TAG_ACCEPTED;
    }
    if (order_open(o))
        return TAG_CONCURRENT;
    order_event(c, o, OE_LATE_START, "");
    displace(c, k);
    struct order *loss = start_unpaid(c, o, k, START_APP);
    if (loss) {
        tx_begin(c, loss, k, in, tx);
        stop_begin(c, loss, STOP_DEAUTHORIZED);
    }
    return TAG_INVALID;
}

static struct order *local_order(struct core *c, struct plan *p, int64_t at_ms)
{
    bool late = p->started_by == START_OFFLINE;
    int64_t amount = p->driver ? plan_amount(c, p, late) : 0, wallet = 0;
    if (amount < 0 || (p->driver && plan_account(c, p, &wallet)))
        return NULL;
    p->payer_kind = !p->driver ? PAYER_NONE : p->member ? PAYER_COMPANY : PAYER_WALLET;
    p->cap = amount;
    struct order *o = plan_order(c, p, at_ms);
    if (!o)
        return NULL;
    if (amount > 0 && payer_hold(c, o, amount)) {
        order_undo(c, o);
        return NULL;
    }
    order_take_connector(c, o, p->k);
    return o;
}

/* A card at the charger, now or while it was away. */
static int32_t tx_local(struct core *c, struct connector *k, const struct cmd_tx_start *in,
                        int64_t tx)
{
    bool late = link_late(c, k->charger, in->time_ms);
    int32_t status = start_tag_status(c, k->charger, in->tag);
    const struct token *token = token_find(c, k->charger->row.tenant, in->tag);
    struct plan p = {.k = k, .started_by = late ? START_OFFLINE : START_CARD};
    if (!late && status != TAG_ACCEPTED)
        return status;
    if (token && status != TAG_INVALID)
        plan_token(c, &p, token);
    int64_t at = start_time(c, in, late);
    if (plan_prices(c, &p, at))
        return TAG_INVALID;
    if (!late && (p.s->row.state != ROW_ACTIVE || p.t->row.state != ROW_ACTIVE))
        return TAG_BLOCKED;
    if (!late && plan_amount(c, &p, false) < 0)
        return TAG_BLOCKED; /* the tag was good for stopping only */
    displace(c, k);
    struct order *o = local_order(c, &p, at);
    if (!o)
        return TAG_BLOCKED;
    tx_begin(c, o, k, in, tx);
    return status;
}

void start_tx(struct core *c, const struct cmd *cmd, struct charger *ch)
{
    const struct cmd_tx_start *in = &cmd->u.tx_start;
    struct connector *k = connector_of(ch, in->connector);
    int32_t status = TAG_INVALID;
    if (!k || ch->row.state != CHARGER_ACTIVE) {
        reply_tag(c, TAG_INVALID, ch->row.state == CHARGER_ACTIVE ? tx_next(c, ch) : 0);
        return;
    }
    int64_t tx = retry_tx(k, in, &status);
    if (!tx) {
        struct order *o = order_of_tag(c, in->tag);
        tx = tx_next(c, ch);
        if (tx && o && o->row.charger == ch->row.id && order_ready(c, o))
            status = tx_of_order(c, o, k, in, tx);
        else if (tx)
            status = tx_local(c, k, in, tx);
        told_note(c, k, in, status, tx);
    }
    if (!link_late(c, ch, in->time_ms))
        link_lag(c, ch, in->time_ms);
    reply_tag(c, status, tx);
}

/* ---- a card or a VIN at a pile, which asks before it begins (云快充) ---- */

/* A card's number stands in eight raw bytes there: one that another reader knows has fewer. */
static const struct token *pile_token(const struct core *c, int64_t tenant, const char *tag)
{
    const struct token *k = token_find(c, tenant, tag);
    size_t zeros = strspn(tag, "0") & ~(size_t)1;
    return k || !zeros || !tag[zeros] ? k : token_find(c, tenant, tag + zeros);
}

static bool card_charges_here(const struct core *c, const struct charger *ch, int64_t token)
{
    for (const struct connector *k = ch->connectors; k; k = k->next) {
        const struct order *o = k->row.order_id ? order_find(c, k->row.order_id) : NULL;
        if (o && o->row.token == token)
            return true;
    }
    return false;
}

/* Why this token may not charge, by its owner and the money. */
static int32_t token_refusal(struct core *c, const struct charger *ch, const struct token *token,
                             int32_t kind)
{
    const struct driver *d = token ? driver_find(c, token->row.driver) : NULL;
    const struct member *m = d ? company_of_token(c, &token->row) : NULL;
    bool vin = kind == START_VIN, frozen = m && company_alive(c, m);
    if (!d || vin != (token->row.kind == TOKEN_VIN))
        return vin ? REFUSAL_UNKNOWN_VIN : REFUSAL_UNKNOWN;
    if (card_charges_here(c, ch, token->row.id))
        return REFUSAL_CARD_BUSY;
    switch (start_tag_status(c, ch, token->row.tag)) {
    case TAG_ACCEPTED:
        return REFUSAL_NONE;
    case TAG_INVALID:
        return vin ? REFUSAL_UNKNOWN_VIN : REFUSAL_UNKNOWN;
    default:
        frozen = frozen || (!m && d->row.frozen) || token->row.state != ROW_ACTIVE ||
                 d->row.state != ROW_ACTIVE;
        return frozen ? REFUSAL_FROZEN : REFUSAL_NO_FUNDS;
    }
}

static int32_t pile_check(struct core *c, const struct cmd_pile_start *in, const struct charger *ch,
                          struct plan *p)
{
    const struct token *token = in->tag[0] ? pile_token(c, ch->row.tenant, in->tag) : NULL;
    if (!p->k || ch->row.state != CHARGER_ACTIVE || plan_prices(c, p, c->now) ||
        p->s->row.state != ROW_ACTIVE || p->t->row.state != ROW_ACTIVE)
        return REFUSAL_DISABLED;
    int32_t reason = token_refusal(c, ch, token, in->kind);
    if (reason)
        return reason;
    if (p->k->row.order_id ||
        (in->second && (!p->second || p->second == p->k || p->second->row.order_id)))
        return REFUSAL_PILE_BUSY;
    plan_token(c, p, token);
    int64_t amount = plan_amount(c, p, false);
    bool halves = !in->second || !amount || amount >= 2 * MONEY_FEN;
    return amount < 0 || !halves ? REFUSAL_NO_FUNDS : REFUSAL_NONE;
}

/* The same question again: its answer was lost on the way. */
static struct order *pile_again(const struct core *c, const struct cmd_pile_start *in,
                                const struct connector *k)
{
    struct order *o = k && k->row.order_id ? order_find(c, k->row.order_id) : NULL;
    bool same = o && o->row.state == ORDER_STARTING && o->row.started_by == in->kind &&
                (o->row.part != 0) == (in->second != 0) && strcmp(o->srow.tag, in->tag) == 0;
    return same ? o : NULL;
}

/* From now on the pile has as long as after a remote start to tell that it charges. */
static void pile_wait(struct core *c, struct order *o, const struct connector *k,
                      const struct cmd_pile_start *in)
{
    const struct tenant *t = tenant_find(c, o->row.tenant);
    start_names(c, o, k);
    (void)obj_text(c, &o->so, &o->srow.tag, in->tag);
    o->accepted_ms = c->now;
    order_state(c, o, ORDER_STARTING);
    order_event(c, o, OE_START_ACCEPTED, in->kind == START_VIN ? "VIN" : "card");
    order_timer(c, o, TO_START, c->now + t->row.start_timeout_s * 1000);
}

/* All is well: the order, with its part when there are two guns. NULL, and why. */
static struct order *pile_order(struct core *c, const struct plan *p,
                                const struct cmd_pile_start *in, int32_t *reason)
{
    struct plan plan = *p;
    struct order *o = local_order(c, &plan, c->now);
    struct order *part = o && p->second ? plan_part(c, p, o) : NULL;
    *reason = REFUSAL_NO_FUNDS;
    if (!o)
        return NULL;
    if (p->second && !part) {
        order_fail(c, o, ERR_FULL, OE_START_REJECTED, "");
        return NULL;
    }
    pile_wait(c, o, p->k, in);
    if (part) {
        order_take_connector(c, part, p->second);
        pile_wait(c, part, p->second, in);
    }
    *reason = REFUSAL_NONE;
    return o;
}

void start_pile(struct core *c, const struct cmd *cmd, struct charger *ch)
{
    const struct cmd_pile_start *in = &cmd->u.pile_start;
    struct plan p = {.k = connector_of(ch, in->connector),
                     .second = connector_of(ch, in->second),
                     .started_by = in->kind};
    struct order *o = pile_again(c, in, p.k);
    int32_t reason = o ? REFUSAL_NONE : pile_check(c, in, ch, &p);
    if (!o && !reason)
        o = pile_order(c, &p, in, &reason);
    struct out *out = reply_new(c, 0, OUT_SIZE(pile_start));
    if (!out)
        return;
    out->u.pile_start.reason = reason;
    if (o) {
        out->u.pile_start.balance = pile_balance(c, ch, o);
        (void)str_copy(out->u.pile_start.tx_no, 33, str_from_c(o->srow.tx_no));
        const struct order *part = parallel_other(c, o);
        if (part) {
            out->u.pile_start.second_balance = pile_balance(c, ch, part);
            (void)str_copy(out->u.pile_start.second_no, 33, str_from_c(part->srow.tx_no));
        }
    }
}

/* ---- the record of a card that charged where the pile had no network ---- */

struct order *start_offline(struct core *c, const struct cmd_tx_record *in,
                            const struct charger *ch, int *err)
{
    const struct token *token =
        in->start_mark == PILE_MARK_OFFLINE ? pile_token(c, ch->row.tenant, in->card) : NULL;
    struct plan p = {.k = connector_of(ch, in->connector), .started_by = START_OFFLINE};
    int64_t at = in->start_ms > 0 && in->start_ms < c->now ? in->start_ms : c->now, wallet;
    if (!token || !p.k || !in->tx_no[0] || in->energy_mwh <= 0 || plan_prices(c, &p, at))
        return NULL;
    *err = ERR_DENIED;
    plan_token(c, &p, token);
    if (token->row.state != ROW_ACTIVE || token->row.offline_limit <= 0 || !p.driver ||
        plan_account(c, &p, &wallet))
        return NULL;
    p.payer_kind = p.member ? PAYER_COMPANY : PAYER_WALLET;
    p.cap = token->row.offline_limit;
    struct order *o = plan_order(c, &p, at);
    if (!o)
        return NULL;
    struct wallet_money has = wallet_money(c, o->row.tenant, p.driver, p.t->row.currency);
    int64_t hold = p.member ? company_free(c, p.member->row.company) : has.principal + has.gift;
    hold = hold < p.cap ? hold : p.cap;
    if (hold > 0)
        must(payer_hold(c, o, hold) == 0); /* it is there: nothing moved since */
    (void)obj_text(c, &o->so, &o->srow.tag, token->row.tag);
    (void)obj_text(c, &o->so, &o->srow.tx_no, in->tx_no);
    order_index(c, o);
    order_take_connector(c, o, p.k);
    return o;
}
