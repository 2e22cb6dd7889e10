// SPDX-License-Identifier: Apache-2.0
/* need.c: which rows a command looks at that are not in memory. The core reaches for nothing, so
 * whatever a handler finds by dir_find, token_find, order_find … was declared here first, or cannot
 * have left: what is not found then does not exist.
 *
 *  always in memory   tenants, parties, people, keys, stations, channels, tariffs, contracts,
 *                     companies with members and bills, occupancy rules, packages, rules, months and
 *                     receipts of withheld tax, files for banks, payouts that are not over,
 *                     providers' bills with what differs and is not
 *                     resolved, closed days, sub-accounts of parties, accounts that are no driver's;
 *                     chargers that wait to be registered
 *  pinned             by an open order: its charger, its driver; by a call under way or a timer:
 *                     the charger (hot.c)
 *  comes whole        a charger with all its connectors, a driver with all its accounts, an order
 *                     with session, hold, pieces, parts
 *
 *  command                                 declares
 *  CONN_OPEN                               the charger by path (link_open)
 *  every other command of a gate           the charger by id (gate_apply); a HEARTBEAT of a connected
 *                                          one needs none (hot_heard)
 *  AUTHORIZE                               + the card and its driver (start_tag_status)
 *  TX_START                                + the order that the tag names, with its parties; unless it
 *                                          is that order's tag: the card and its driver (tx_local,
 *                                          start_tag_status); displace: pinned
 *  METER, TX_STOP, TX_RECORD               + the order by transaction, with its parties (late_stop,
 *                                          settle_correct, record_late)
 *  STATUS, PARKING                         + the order that ended at the connector (occupancy_status)
 *  TX_RECORD of an offline card, PILE_START + the card, with and without zeros in front, its driver
 *                                          (pile_token, start_offline)
 *  CALL, FETCHED                           the charger (command_call, link_fetched)
 *  ORDER_START                             the charger by connector, also by the second one, the driver
 *                                          (check_place, check_second, check_payer, discharge_start)
 *  ORDER_STOP, DECIDE, ORDER_REFUND, _RAISE, _WAIVE the order with its parties (charge, refund_move)
 *  NOTICE_RESULT                           the same (notice_result)
 *  whatever lowers an order that is over   + the shares of it that its channel paid (share_return.c)
 *  TOPUP, PAYMENT_NEW                      the driver (payment_credit, wallet_open), the connector of
 *                                          a single payment (single_check)
 *  GIFT, WALLET_FREEZE, DRIVER_CLOSE, _CLOSE_END, GIFT_TURN the driver (gift_new, wallet_freeze, closing.c)
 *  DRIVER_CLOSE                            + the orders that a stay of his may still follow, with their
 *                                          chargers (plug_left)
 *  GIFT, _TURN, what makes a payment paid   + his lots, when gift of them expired (lots_lost)
 *  PAY_RESULT                              the payment or payout, and its driver (payment_paid,
 *                                          payout_back); of a payment its connector (start_paid)
 *  PAYOUT_NEW                              + of a package, the lots whose gift is good longest (until_back)
 *  PAYOUT_NEW, _DECIDE, _PAPER             the payment, the payout, and its driver (principal_check,
 *                                          from_transit); of a payee's invoice, whatever else it was
 *                                          noted for (paper_taken); of a share that is asked back, the
 *                                          share and what else was (claim_most)
 *  PAY_FILE_OUT                            the payout; PAY_FILE_NEW names what waits, which is in memory with its
 *                                          driver (payout_stopped)
 *  INVOICE_NEW                             the driver, the orders with their parties (order_check)
 *  INVOICE_DECIDE                          the invoice, the one that it reverses, whoever else may have
 *                                          its number, the orders that it sets free (orders_free)
 *  DIFF_DECIDE                             the driver or payment that the money goes to, and its driver
 *                                          (recon_diff.c); what is resolved is not looked up
 *  REGISTER_DRIVER                         the driver by phone
 *  ROW_PUT                                 the row itself by id, what it refers to, and whoever else may
 *                                          have its natural key: path, code (also those that code_make
 *                                          will try), phone, tag (put_resolve, put_key, check_*)
 *
 * An order of two guns comes with the other gun's order and the parties of both (parallel.c).
 * An order's parties are its charger (order_limits, stop_stray), its driver, its invoice
 * (invoice_take) and the payment that it was paid with (single_over). Timers declare nothing: those
 * of orders and chargers find what is pinned; those of payments (which stay in memory while their
 * channel pays shares out of them) and payouts ask providers and move no driver's money; those of shares move only accounts that are always there.
 *
 * What was looked up and is not there is noted for one command only, so a note never outlives the
 * making of such a row. Rounds: each names what can be named with what is in memory; an order must
 * be there before its driver is known. */
#include "core/core_state.h"
#include "core/invoice.h"
#include "core/occupancy.h"
#include "core/purse.h"
#include "core/recon.h"

struct needs {
    struct core *c;
    struct core_need *v;
    int n;
    int64_t now_ms; /* of the command */
};

static bool same(const struct core_need *k, int32_t kind, int64_t a, int64_t b, const char *text)
{
    return k->kind == kind && k->a == a && k->b == b && strcmp(k->text, text) == 0;
}

void core_absent(struct core *c, const struct core_need *need)
{
    must(c->absent_n < ARRAY_LEN(c->absent)); /* a command names few rows */
    c->absent[c->absent_n++] = *need;
}

static void want(struct needs *w, int32_t kind, int64_t a, int64_t b, const char *text)
{
    for (uint32_t i = 0; i < w->c->absent_n; i++)
        if (same(&w->c->absent[i], kind, a, b, text))
            return;
    for (int i = 0; i < w->n; i++)
        if (same(&w->v[i], kind, a, b, text))
            return;
    if (w->n == CORE_NEEDS_MAX)
        return; /* the next round names it */
    struct core_need *k = &w->v[w->n++];
    *k = (struct core_need){.kind = kind, .a = a, .b = b};
    (void)str_copy(k->text, sizeof k->text, str_from_c(text));
}

/* Of these there may be any number, and of those in memory the newer: they are asked for once. */
static void want_once(struct needs *w, int32_t kind, int64_t a, const char *text)
{
    int had = w->n;
    want(w, kind, a, 0, text);
    if (w->n > had)
        core_absent(w->c, &w->v[had]);
}

/* ---- rows of the directory ---- */

static struct charger *want_charger(struct needs *w, int64_t id)
{
    struct charger *ch = charger_find(w->c, id);
    if (!ch && id > 0)
        want(w, NEED_CHARGER, id, 0, "");
    return ch;
}

static void want_path(struct needs *w, const char *path)
{
    if (path[0] && !dir_find_key(w->c, ROW_CHARGER, path))
        want(w, NEED_CHARGER_PATH, 0, 0, path);
}

static void want_connector(struct needs *w, int64_t id)
{
    if (id > 0 && !connector_find(w->c, id))
        want(w, NEED_CONNECTOR, id, 0, "");
}

static void want_code(struct needs *w, const char *code)
{
    if (code[0] && !dir_find_key(w->c, ROW_CONNECTOR, code))
        want(w, NEED_CONNECTOR_CODE, 0, 0, code);
}

static void want_driver(struct needs *w, int64_t id)
{
    if (id > 0 && !driver_find(w->c, id))
        want(w, NEED_DRIVER, id, 0, "");
}

static void want_phone(struct needs *w, int64_t tenant, const char *phone)
{
    char key[DIR_KEY_SIZE];
    dir_key(ROW_DRIVER, &(struct row_driver){.tenant = tenant, .phone = phone}, key);
    if (phone[0] && !dir_find_key(w->c, ROW_DRIVER, key))
        want(w, NEED_DRIVER_PHONE, tenant, 0, phone);
}

static void want_tag(struct needs *w, int64_t tenant, const char *tag)
{
    char folded[TAG_SIZE];
    const struct token *k = token_find(w->c, tenant, tag);
    if (k) {
        want_driver(w, k->row.driver);
    } else if (tag[0]) {
        tag_fold(tag, folded);
        want(w, NEED_TOKEN_TAG, tenant, 0, folded);
    }
}

/* ---- orders ---- */

static struct invoice *want_invoice(struct needs *w, int64_t id)
{
    struct invoice *v = invoice_find(w->c, id);
    if (!v && id > 0)
        want(w, NEED_INVOICE, id, 0, "");
    return v;
}

/* And the payment that it was paid with, where the rest of it goes back (single_over), with what its
 * channel paid out of it, which may be asked back (share_return_begin). */
static void want_own(struct needs *w, const struct order *o)
{
    const struct payment *p = o->row.payment ? payment_find(w->c, o->row.payment) : NULL;
    (void)want_charger(w, o->row.charger);
    want_driver(w, o->row.driver);
    (void)want_invoice(w, o->row.invoice);
    (void)want_invoice(w, o->row.invoice_more);
    if (o->row.payment && !p)
        want(w, NEED_PAYMENT, o->row.payment, 0, "");
    if (p && p->row.sharing > SHARING_FLAGGED)
        want_once(w, NEED_SHARES, o->row.id, "");
}

/* Of a parallel charge the other gun's order with its own: the money is the main one's. */
static void want_parties(struct needs *w, const struct order *o)
{
    int64_t id = o->row.part ? o->row.part : o->row.part_of;
    const struct order *other = id ? order_find(w->c, id) : NULL;
    want_own(w, o);
    if (other)
        want_own(w, other);
    else if (id)
        want(w, NEED_ORDER, id, 0, "");
}

static const struct order *want_order(struct needs *w, int64_t id)
{
    const struct order *o = order_find(w->c, id);
    if (o)
        want_parties(w, o);
    else if (id > 0)
        want(w, NEED_ORDER, id, 0, "");
    return o;
}

static void want_tx(struct needs *w, struct charger *ch, int64_t tx)
{
    const struct order *o = ch ? order_of_tx(w->c, ch, tx) : NULL;
    if (o)
        want_parties(w, o);
    else if (ch && tx > 0 && tx <= ch->row.last_tx)
        want(w, NEED_TX, ch->row.id, tx, "");
}

static void want_tx_no(struct needs *w, const char *tx_no)
{
    const struct order *o = order_by_tx_no(w->c, tx_no);
    if (o)
        want_parties(w, o);
    else if (tx_no[0])
        want(w, NEED_TX_NO, 0, 0, tx_no);
}

static void want_start(struct needs *w, const struct charger *ch, const char *tag)
{
    const struct order *o = want_order(w, start_tag_order(tag));
    bool own = o && ch && o->row.charger == ch->row.id &&
               str_eq_nocase(str_from_c(o->srow.tag), str_from_c(tag));
    if (ch && !own)
        want_tag(w, ch->row.tenant, tag);
}

/* A card at a pile stands in eight bytes: also without the zeros in front (pile_token). */
static void want_card(struct needs *w, int64_t tenant, const char *tag)
{
    size_t zeros = strspn(tag, "0") & ~(size_t)1;
    want_tag(w, tenant, tag);
    if (zeros && tag[zeros] && !token_find(w->c, tenant, tag))
        want_tag(w, tenant, tag + zeros);
}

/* Of a card that charged while the pile was offline, its driver pays (start_offline). */
static void want_record(struct needs *w, const struct charger *ch, const struct cmd_tx_record *in)
{
    want_tx_no(w, in->tx_no);
    if (ch && in->start_mark == PILE_MARK_OFFLINE && !order_by_tx_no(w->c, in->tx_no))
        want_card(w, ch->row.tenant, in->card);
}

/* A plug that shows where a charging order ended begins that one's occupancy. */
static void want_after(struct needs *w, const struct charger *ch, int32_t number, int32_t status)
{
    const struct connector *k = ch ? connector_of(ch, number) : NULL;
    if (k && occupancy_waits(k, status))
        (void)want_order(w, k->row.after_order);
}

/* ---- money ---- */

/* Of whoever gets a gift: the lots that what expired until now came with (gift_give). */
static void want_gifts(struct needs *w, int64_t driver)
{
    int64_t now = w->now_ms > w->c->now ? w->now_ms : w->c->now;
    if (gift_expired(w->c, driver, now))
        want_once(w, NEED_GIFTS, driver, "");
}

/* Of a package that becomes void: the others that say how long gift money is good (until_back). */
static void want_until(struct needs *w, int64_t payment)
{
    const struct payment *p = payment_find(w->c, payment);
    if (p && p->row.gift > p->row.gift_back + p->row.gift_lost)
        want_once(w, NEED_UNTIL, p->row.driver, "");
}

/* And where the plug of his last charge may still show. */
static void want_close(struct needs *w, int64_t driver)
{
    const struct slab *s = &w->c->dir[ROW_CONNECTOR].slab;
    want_driver(w, driver);
    want_once(w, NEED_STAYS, driver, "");
    for (uint32_t i = 0; i < s->len; i++) {
        const struct connector *k = slab_at(s, i);
        if (k && driver && k->row.after_driver == driver)
            (void)want_order(w, k->row.after_order);
    }
}

static void want_payment(struct needs *w, int64_t id)
{
    const struct payment *p = payment_find(w->c, id);
    if (p) {
        want_driver(w, p->row.driver);
        want_connector(w, p->row.connector);
        if (p->row.gift && p->row.state != PAYMENT_PAID)
            want_gifts(w, p->row.driver);
    } else if (id > 0) {
        want(w, NEED_PAYMENT, id, 0, "");
    }
}

/* A payout, and the lot it came from. */
static void want_payout(struct needs *w, int64_t id)
{
    const struct payout *p = payout_find(w->c, id);
    if (p) {
        want_payment(w, p->row.payment);
        want_driver(w, p->row.driver);
        if (p->row.kind == PAYOUT_RETURNED) /* how much of its share is left (claim_most) */
            want_once(w, NEED_SHARES, p->row.order_id, "");
    } else if (id > 0) {
        want(w, NEED_PAYOUT, id, 0, "");
    }
}

/* A payout, and all others that the payee's invoice was noted for. */
static void want_paper(struct needs *w, const struct cmd_payout_paper *in)
{
    const struct payout *p = payout_find(w->c, in->payout);
    want_payout(w, in->payout);
    if (p && in->number[0])
        want_once(w, NEED_PAPER, p->row.party, in->number);
}

/* Whom, or what, the money of a difference goes to, now or by an earlier wish that is approved. */
static void want_diff(struct needs *w, const struct cmd_diff_decide *in)
{
    const struct diff *d = dir_find(w->c, ROW_BILL_DIFF, in->diff);
    bool asked = d && in->act == DIFF_ACT_APPROVE;
    int32_t way = asked ? d->row.way : in->way;
    int64_t target = asked ? d->row.target : in->target;
    if (d && way == DIFF_TO_DRIVER) {
        want_driver(w, target);
        want_payment(w, d->row.class == BILL_THEIRS_ONLY ? d->row.of_row : 0);
    } else if (d && way == DIFF_TO_PARTY) {
        want_payment(w, d->row.class == BILL_THEIRS_ONLY ? d->row.of_row : 0);
    } else if (d && way == DIFF_TO_PAYMENT)
        want_payment(w, target);
}

/* A notice may speak of either. */
static void want_pay(struct needs *w, const struct cmd_pay_result *in)
{
    if (dir_find(w->c, ROW_PARTY_ACCOUNT, in->row))
        return;
    bool payment = payment_find(w->c, in->row) != NULL;
    if (payment || in->op <= PAY_CLOSE || (in->op == PAY_NOTICE && !payout_find(w->c, in->row)))
        want_payment(w, in->row);
    if (!payment && in->op > PAY_CLOSE)
        want_payout(w, in->row);
}

/* ---- invoices ---- */

static void want_invoice_new(struct needs *w, const struct cmd_invoice_new *in)
{
    want_driver(w, in->driver);
    for (int32_t i = 0; i < in->n && i < INVOICE_ORDERS_MAX; i++)
        (void)want_order(w, in->order[i]);
}

/* The orders of one that comes to nothing, or whose reversal is done, are free again. */
static void want_invoice_decide(struct needs *w, int64_t tenant,
                                const struct cmd_invoice_decide *in)
{
    const struct invoice *v = want_invoice(w, in->invoice);
    char key[DIR_KEY_SIZE];
    dir_key(ROW_INVOICE, &(struct row_invoice){.tenant = tenant, .number = in->number}, key);
    if (in->number[0] && !dir_find_key(w->c, ROW_INVOICE, key))
        want(w, NEED_INVOICE_NUMBER, tenant, 0, in->number);
    if (!v)
        return;
    (void)want_invoice(w, v->row.red_of);
    if (in->act == INVOICE_REJECT || in->act == INVOICE_CANCEL || in->act == INVOICE_RETRY ||
        (in->act == INVOICE_ISSUE && v->row.red_of))
        for (size_t i = 0; i < invoice_orders_n(v); i++)
            (void)want_order(w, invoice_order_at(v, i)->order_id);
}

/* ---- rows that are put ---- */

static void want_connector_put(struct needs *w, const struct row_connector *r, bool create)
{
    struct core *c = w->c;
    (void)want_charger(w, r->charger);
    if (!create)
        want_connector(w, r->id);
    want_code(w, r->code);
    if (!create || r->code[0])
        return;
    char code[CODE_SIZE];
    for (uint64_t turn = 0;; turn++) {
        code_make(c, core_id_next(c, w->now_ms), turn, code);
        if (!dir_find_key(c, ROW_CONNECTOR, code))
            break;
    }
    want_code(w, code);
}

static void want_row(struct needs *w, const struct cmd *cmd)
{
    enum row_table t;
    void *row;
    int64_t tenant = cmd->head.tenant;
    bool create = cmd->u.row_put.create != 0;
    arena_reset(&w->c->scratch);
    if (directory_unpack(w->c, cmd, &t, &row))
        return; /* refused as it is */
    if (t == ROW_CHARGER) {
        const struct row_charger *r = row;
        want_path(w, r->path);
        if (!create)
            (void)want_charger(w, r->id);
    } else if (t == ROW_CONNECTOR) {
        want_connector_put(w, row, create);
    } else if (t == ROW_DRIVER) {
        const struct row_driver *r = row;
        want_phone(w, tenant, r->phone);
        if (!create)
            want_driver(w, r->id);
    } else if (t == ROW_TOKEN) {
        const struct row_token *r = row;
        want_tag(w, tenant, r->tag);
        want_driver(w, r->driver);
        if (!create && !dir_find(w->c, ROW_TOKEN, r->id))
            want(w, NEED_TOKEN, r->id, 0, "");
    } else if (t == ROW_COMPANY_MEMBER) {
        const struct row_company_member *r = row;
        want_driver(w, r->driver);
        if (r->token > 0 && !dir_find(w->c, ROW_TOKEN, r->token))
            want(w, NEED_TOKEN, r->token, 0, "");
    }
}

/* ---- commands ---- */

static void needs_of_gate(struct needs *w, const struct cmd *cmd)
{
    struct charger *ch = want_charger(w, cmd->u.charger.charger);
    switch (cmd->head.type) {
    case CMD_AUTHORIZE:
        if (ch)
            want_tag(w, ch->row.tenant, cmd->u.authorize.tag);
        break;
    case CMD_TX_START:
        want_start(w, ch, cmd->u.tx_start.tag);
        break;
    case CMD_METER:
        want_tx(w, ch, cmd->u.meter.tx);
        want_tx_no(w, cmd->u.meter.tx_no);
        break;
    case CMD_TX_STOP:
        want_tx(w, ch, cmd->u.tx_stop.tx);
        break;
    case CMD_TX_RECORD:
        want_record(w, ch, &cmd->u.tx_record);
        break;
    case CMD_STATUS:
        want_after(w, ch, cmd->u.status.connector, cmd->u.status.status);
        break;
    case CMD_PARKING:
        want_after(w, ch, cmd->u.parking.connector,
                   cmd->u.parking.bay == BAY_TAKEN ? CS_FINISHING : CS_AVAILABLE);
        break;
    case CMD_PILE_START:
        if (ch)
            want_card(w, ch->row.tenant, cmd->u.pile_start.tag);
        break;
    default:
        break;
    }
}

static void needs_of_money(struct needs *w, const struct cmd *cmd)
{
    switch (cmd->head.type) {
    case CMD_INVOICE_NEW:
        want_invoice_new(w, &cmd->u.invoice_new);
        break;
    case CMD_INVOICE_DECIDE:
        want_invoice_decide(w, cmd->head.tenant, &cmd->u.invoice_decide);
        break;
    case CMD_PAY_RESULT:
        want_pay(w, &cmd->u.pay_result);
        break;
    case CMD_PAYOUT_NEW:
        want_payment(w, cmd->u.payout_new.payment);
        want_until(w, cmd->u.payout_new.payment);
        break;
    case CMD_PAYOUT_PAPER:
        want_paper(w, &cmd->u.payout_paper);
        break;
    case CMD_PAYOUT_DECIDE:
        want_payout(w, cmd->u.payout_decide.payout);
        break;
    case CMD_PAY_FILE_OUT:
        want_payout(w, cmd->u.pay_file_out.payout);
        break;
    case CMD_DIFF_DECIDE:
        want_diff(w, &cmd->u.diff_decide);
        break;
    case CMD_GIFT:
        want_driver(w, cmd->u.gift.driver);
        want_gifts(w, cmd->u.gift.driver);
        break;
    case CMD_WALLET_FREEZE:
        want_driver(w, cmd->u.wallet_freeze.driver);
        break;
    case CMD_DRIVER_CLOSE:
        want_close(w, cmd->u.driver_close.driver);
        break;
    case CMD_DRIVER_CLOSE_END:
        want_driver(w, cmd->u.driver_one.driver);
        break;
    case CMD_GIFT_TURN:
        want_driver(w, cmd->u.driver_one.driver);
        want_gifts(w, cmd->u.driver_one.driver);
        break;
    default:
        break;
    }
}

static void needs_of_web(struct needs *w, const struct cmd *cmd)
{
    switch (cmd->head.type) {
    case CMD_ROW_PUT:
        want_row(w, cmd);
        break;
    case CMD_TOPUP:
        want_driver(w, cmd->u.topup.driver);
        break;
    case CMD_PAYMENT_NEW:
        want_driver(w, cmd->u.payment_new.driver);
        want_connector(w, cmd->u.payment_new.connector);
        break;
    case CMD_REGISTER_DRIVER:
        want_phone(w, cmd->head.tenant, cmd->u.register_driver.phone);
        break;
    case CMD_ORDER_START:
        want_connector(w, cmd->u.order_start.connector);
        want_connector(w, cmd->u.order_start.second);
        want_driver(w, cmd->u.order_start.driver);
        break;
    case CMD_CALL:
        (void)want_charger(w, cmd->u.call.charger);
        break;
    case CMD_FETCHED:
        (void)want_charger(w, cmd->u.fetched.charger);
        break;
    case CMD_ORDER_STOP:
        (void)want_order(w, cmd->u.order_stop.order);
        break;
    case CMD_DECIDE:
        (void)want_order(w, cmd->u.decide.order);
        break;
    case CMD_ORDER_RAISE:
        (void)want_order(w, cmd->u.order_raise.order);
        break;
    case CMD_ORDER_WAIVE:
        (void)want_order(w, cmd->u.order_waive.order);
        break;
    case CMD_ORDER_REFUND:
        (void)want_order(w, cmd->u.order_refund.order);
        break;
    case CMD_NOTICE_RESULT:
        (void)want_order(w, cmd->u.notice_result.order);
        break;
    default:
        needs_of_money(w, cmd);
    }
}

int core_needs(struct core *c, const struct cmd *cmd, struct core_need needs[CORE_NEEDS_MAX])
{
    struct needs w = {.c = c, .v = needs, .now_ms = cmd->head.now_ms};
    if (cmd->head.idem_set && !idem_known(c, cmd->head.idem_key))
        want(&w, NEED_IDEM, 0, 0, cmd->head.idem_key);
    if (cmd->head.type == CMD_CONN_OPEN)
        want_path(&w, cmd->u.conn_open.path);
    else if (cmd->head.type == CMD_HEARTBEAT && hot_line(c, cmd->u.charger.charger))
        return w.n; /* known without its row */
    else if (command_of_gate(cmd->head.type))
        needs_of_gate(&w, cmd);
    else
        needs_of_web(&w, cmd);
    return w.n;
}

bool core_need_waits(const struct core_need *need)
{
    return need->kind < NEED_CHARGER;
}
