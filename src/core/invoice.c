// SPDX-License-Identifier: Apache-2.0
/* invoice.c: invoices (发票) over paid orders, and their reversal (红冲) when such an order gives back.
 *
 *  state      leaves by                                                    its orders
 *  REQUESTED  exported to the tax system → EXPORTED, issued → ISSUED       stay on it
 *             rejected with a reason → REJECTED                            are free again
 *             cancelled by the driver, or nothing is left → CANCELLED      are free again
 *  EXPORTED   issued → ISSUED, rejected → REJECTED, back → REQUESTED
 *  ISSUED     final; staff may reverse what is left of it                  free when that red one is issued
 *
 * A refund of an order that is on an invoice: REQUESTED: the request is lowered, nothing exists yet.
 * EXPORTED: it is noted, for the tax system may have issued it or not; once it did, one red invoice
 * takes it back. ISSUED: a red invoice at once. A red invoice goes the same way, but is neither
 * rejected nor cancelled: the refund has happened.
 *
 * Invariants:
 *  1. an order is on one invoice at most (orders.invoice), and on a further one (orders.invoice_more) over
 *     what its true end added since, but for those that came to nothing or were taken back as a whole;
 *  2. Σ of an order over invoices and red ones <= paid − refunded;
 *  3. Σ orders = Σ lines = amount, Σ tax = tax, net + tax = amount of each line; Σ rest the same way;
 *  4. red lines of a line add up to amount − rest, their taxes to what the tax of the line fell by;
 *  5. a number of the tax system belongs to one invoice of a tenant.
 * What an order gives back is taken off its further invoice first. Once one of two has nothing of it any
 * more, the other is its first.
 *
 * Only principal is paid with; `owed_paper` is the one place that says what of an order may be invoiced.
 *
 * The core's thread. Fails by result codes before anything changes. */
#include "core/invoice.h"

#include "core/charge.h"

#include "base/calendar.h"
#include "base/tax.h"

enum { INVOICES_KEEP = 4096, REST_STEPS = 16, DAY_FIRST = 20000101, DAY_LAST = 29991231 };
#define DAY_MS INT64_C(86400000)

/* ---- in memory ---- */

static struct invoice *invoice_add(struct core *c, const struct row_invoice *row)
{
    struct invoice *v = dir_add(c, ROW_INVOICE, row);
    if (!v)
        return NULL;
    buf_init(&v->lines, SIZE_MAX);
    buf_init(&v->orders, SIZE_MAX);
    v->newer = NULL;
    v->older = c->invoice_first;
    if (c->invoice_first)
        c->invoice_first->newer = v;
    else
        c->invoice_last = v;
    c->invoice_first = v;
    return v;
}

static void list_out(struct core *c, struct invoice *v)
{
    *(v->newer ? &v->newer->older : &c->invoice_first) = v->older;
    *(v->older ? &v->older->newer : &c->invoice_last) = v->newer;
}

static void invoice_leave(struct core *c, struct invoice *v)
{
    list_out(c, v);
    buf_free(&v->lines);
    buf_free(&v->orders);
    dir_drop(c, &v->o);
}

void invoice_rest(struct core *c)
{
    for (int i = 0; i < REST_STEPS && c->dir[ROW_INVOICE].slab.live > INVOICES_KEEP; i++) {
        struct invoice *v = c->invoice_last;
        if (v->o.dirty || v->o.sealed > c->settled)
            return; /* its turn comes after its commit */
        invoice_leave(c, v);
    }
}

void invoice_free(struct core *c)
{
    for (struct invoice *v = c->invoice_first; v; v = v->older) {
        buf_free(&v->lines);
        buf_free(&v->orders);
    }
}

static struct row_invoice_order *order_row(const struct invoice *v, int64_t order)
{
    for (size_t i = 0; i < invoice_orders_n(v); i++)
        if (invoice_order_at(v, i)->order_id == order)
            return invoice_order_at(v, i);
    return NULL;
}

static int line_load(struct core *c, const struct row_invoice_line *row)
{
    struct invoice *v = invoice_find(c, row->invoice);
    for (size_t i = 0; v && i < invoice_lines_n(v); i++)
        if (invoice_line_at(v, i)->seq == row->seq)
            return 0;
    if (v)
        buf_put(&v->lines, row, sizeof *row);
    return v ? v->lines.err : ERR_CORRUPT;
}

int invoice_load(struct core *c, enum row_table t, const void *row)
{
    if (t == ROW_INVOICE_LINE)
        return line_load(c, row);
    if (t == ROW_INVOICE_ORDER) {
        const struct row_invoice_order *r = row;
        struct invoice *v = invoice_find(c, r->invoice);
        if (v && !order_row(v, r->order_id))
            buf_put(&v->orders, r, sizeof *r);
        return v ? v->orders.err : ERR_CORRUPT;
    }
    const struct row_invoice *r = row;
    return invoice_find(c, r->id) || invoice_add(c, r) ? 0 : ERR_FULL;
}

/* ---- orders and lines ---- */

static int64_t *on_paper(struct row_invoice_order *r, int k)
{
    return k == 0 ? &r->elec : k == 1 ? &r->service : &r->occupancy;
}

static int64_t *still_on(struct row_invoice_order *r, int k)
{
    return k == 0 ? &r->rest_elec : k == 1 ? &r->rest_service : &r->rest_occupancy;
}

static int64_t rest_of(const struct row_invoice_order *r)
{
    return r->rest_elec + r->rest_service + r->rest_occupancy;
}

/* Electricity is goods; service and occupancy are services, often at another rate. */
static int32_t rate_of(const struct order *o, int k)
{
    return k && o->row.tax_service_bp ? o->row.tax_service_bp : o->row.tax_bp;
}

static struct row_invoice_line *line_of(struct invoice *v, int k, int32_t tax_bp)
{
    for (size_t i = 0; i < invoice_lines_n(v); i++) {
        struct row_invoice_line *l = invoice_line_at(v, i);
        if (l->kind == 1 << k && l->tax_bp == tax_bp)
            return l;
    }
    const struct row_invoice_line fresh = {
        .invoice = v->row.id, .seq = ++v->row.lines, .kind = 1 << k, .tax_bp = tax_bp};
    buf_put(&v->lines, &fresh, sizeof fresh);
    must(!v->lines.err);
    return invoice_line_at(v, invoice_lines_n(v) - 1);
}

/* What is below zero of one kind comes out of the others: the sum, which is not, stays. */
static void kinds_level(int64_t v[INVOICE_KINDS])
{
    int64_t under = 0;
    for (int k = 0; k < INVOICE_KINDS; k++)
        if (v[k] < 0) {
            under -= v[k];
            v[k] = 0;
        }
    for (int k = INVOICE_KINDS - 1; k >= 0; k--) {
        int64_t cut = under < v[k] ? under : v[k];
        v[k] -= cut;
        under -= cut;
    }
}

/* What a driver may have an invoice over, by fee line. Parts that do not come out of principal (gift
 * money, a company's credit) would be left out here. */
static int64_t owed_paper(const struct order *o, int64_t out[INVOICE_KINDS])
{
    const struct row_split_part *p = (const struct row_split_part *)(void *)o->parts_buf.p;
    size_t n = o->parts_buf.n / sizeof *p;
    int64_t had[INVOICE_KINDS] = {0}, sum = 0;
    static const int64_t room[INVOICE_KINDS] = {INT64_MAX, INT64_MAX, INT64_MAX};
    for (size_t i = 0; i < n; i++)
        had[invoice_kind(p[i].fee_kind)] += p[i].amount;
    tax_lines(had, room, INVOICE_KINDS, out);
    for (int k = 0; k < INVOICE_KINDS; k++)
        sum += out[k];
    return sum;
}

/* … and what is not on one yet: what its true end added since. */
static int64_t owed_now(const struct core *c, const struct order *o, int64_t out[INVOICE_KINDS])
{
    static const int64_t room[INVOICE_KINDS] = {INT64_MAX, INT64_MAX, INT64_MAX};
    const struct invoice *v = o->row.invoice ? invoice_find(c, o->row.invoice) : NULL;
    struct row_invoice_order *r = v ? order_row(v, o->row.id) : NULL;
    int64_t more[INVOICE_KINDS], sum = owed_paper(o, out);
    if (!o->row.invoice)
        return sum;
    if (!r || o->row.invoice_more || rest_of(r) == 0)
        return 0; /* taken back as a whole, it is free once that red one is issued */
    for (int k = 0; k < INVOICE_KINDS; k++)
        more[k] = out[k] - *still_on(r, k);
    sum -= rest_of(r);
    if (sum <= 0)
        return 0;
    kinds_level(more);
    tax_lines(more, room, INVOICE_KINDS, out);
    return sum;
}

/* Adds up the rows and writes everything. */
static void invoice_write(struct core *c, struct invoice *v)
{
    v->row.amount = v->row.tax = v->row.back = 0;
    for (size_t i = 0; i < invoice_lines_n(v); i++) {
        const struct row_invoice_line *l = invoice_line_at(v, i);
        v->row.amount += l->amount;
        v->row.tax += l->tax;
        if (!v->row.red_of)
            v->row.back += l->amount - l->rest;
        row_put(c, ROW_INVOICE_LINE, ROW_UPSERT, l);
    }
    for (size_t i = 0; i < invoice_orders_n(v); i++)
        row_put(c, ROW_INVOICE_ORDER, ROW_UPSERT, invoice_order_at(v, i));
    obj_dirty(c, &v->o);
}

static void line_tax(struct row_invoice_line *l)
{
    struct tax_parts t = tax_inclusive(MONEY(l->amount), l->tax_bp);
    l->net = t.net.v;
    l->tax = t.tax.v;
}

/* Before it is handed out, the paper says what is left. */
static void paper_anew(struct invoice *v)
{
    for (size_t i = 0; i < invoice_lines_n(v); i++) {
        struct row_invoice_line *l = invoice_line_at(v, i);
        l->amount = l->rest;
        line_tax(l);
    }
    for (size_t i = 0; i < invoice_orders_n(v); i++)
        for (int k = 0; k < INVOICE_KINDS; k++)
            *on_paper(invoice_order_at(v, i), k) = *still_on(invoice_order_at(v, i), k);
}

static void state_set(struct core *c, struct invoice *v, enum invoice_state s)
{
    v->row.state = (int32_t)s;
    v->row.version++;
    obj_dirty(c, &v->o);
}

/* ---- asking for one ---- */

static bool email_ok(const char *s)
{
    const char *at = strchr(s, '@');
    return at && at != s && at[1] && !strchr(at + 1, '@') && !strpbrk(s, " \t\r\n,;<>\"");
}

static bool tax_no_ok(const char *s)
{
    size_t n = strlen(s);
    return n >= 15 && n <= 20 && strspn(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == n;
}

static int buyer_check(const struct cmd_invoice_new *in)
{
    if (!in->title[0] || !in->email[0])
        return ERR_REQUIRED;
    if (!email_ok(in->email))
        return ERR_SYNTAX;
    if (in->buyer == BUYER_PERSON)
        return in->tax_no[0] ? ERR_RANGE : 0;
    if (in->buyer != BUYER_COMPANY)
        return ERR_RANGE;
    return !in->tax_no[0] ? ERR_REQUIRED : tax_no_ok(in->tax_no) ? 0 : ERR_SYNTAX;
}

static int order_check(struct core *c, const struct cmd *cmd, int32_t i)
{
    const struct cmd_invoice_new *in = &cmd->u.invoice_new;
    struct order *o = order_find(c, in->order[i]);
    const struct order *first = order_find(c, in->order[0]);
    int64_t owed[INVOICE_KINDS];
    if (!o || o->row.tenant != cmd->head.tenant || o->row.driver != in->driver ||
        !station_scope_ok(cmd, o->row.station) || !order_ready(c, o))
        return ERR_NOT_FOUND;
    for (int32_t k = 0; k < i; k++)
        if (in->order[k] == in->order[i])
            return ERR_RANGE;
    if (o->row.kind == ORDER_DISCHARGE)
        return ERR_DISCHARGE;
    if (o->row.state != ORDER_SETTLED ||
        (o->row.payer_kind != PAYER_WALLET && o->row.payer_kind != PAYER_SINGLE))
        return ERR_CONFLICT;
    if (owed_now(c, o, owed) <= 0 || (o->row.gift && charge_shares_gift(c, o)))
        return ERR_CONFLICT;
    if (strcmp(o->row.currency, first->row.currency) != 0)
        return ERR_CURRENCY;
    return strcmp(o->row.seller, first->row.seller) == 0 ? 0 : ERR_CONFLICT;
}

static int new_check(struct core *c, const struct cmd *cmd)
{
    const struct cmd_invoice_new *in = &cmd->u.invoice_new;
    const struct driver *d = driver_find(c, in->driver);
    const struct tenant *t = tenant_find(c, cmd->head.tenant);
    if (!d || !t || d->row.tenant != t->row.id)
        return ERR_NOT_FOUND;
    if (in->n < 1 || in->n > INVOICE_ORDERS_MAX)
        return ERR_RANGE;
    int rc = buyer_check(in);
    for (int32_t i = 0; i < in->n && rc == 0; i++)
        rc = order_check(c, cmd, i);
    if (rc)
        return rc;
    if (debt_of(c, t->row.id, in->driver, order_find(c, in->order[0])->row.currency) > 0)
        return ERR_DEBT; /* not all of it is paid yet */
    return dir_full(c, ROW_INVOICE) ? ERR_FULL : 0;
}

static void order_on(struct core *c, struct invoice *v, struct order *o)
{
    struct row_invoice_order row = {.invoice = v->row.id, .order_id = o->row.id};
    int64_t owed[INVOICE_KINDS];
    (void)owed_now(c, o, owed);
    for (int k = 0; k < INVOICE_KINDS; k++) {
        *on_paper(&row, k) = *still_on(&row, k) = owed[k];
        if (owed[k])
            line_of(v, k, rate_of(o, k))->rest += owed[k];
    }
    buf_put(&v->orders, &row, sizeof row);
    must(!v->orders.err);
    *(o->row.invoice ? &o->row.invoice_more : &o->row.invoice) = v->row.id;
    order_dirty(c, o);
}

/* Nothing of it is on that invoice any more. */
static void order_off(struct core *c, struct order *o, int64_t invoice)
{
    if (o->row.invoice == invoice) {
        o->row.invoice = o->row.invoice_more;
        o->row.invoice_more = 0;
    } else if (o->row.invoice_more == invoice) {
        o->row.invoice_more = 0;
    }
    order_dirty(c, o);
}

int invoice_new(struct core *c, const struct cmd *cmd)
{
    const struct cmd_invoice_new *in = &cmd->u.invoice_new;
    int rc = new_check(c, cmd);
    if (rc)
        return rc;
    const struct order *first = order_find(c, in->order[0]);
    const struct row_invoice row = {.id = core_id(c),
                                    .tenant = cmd->head.tenant,
                                    .driver = in->driver,
                                    .state = INVOICE_REQUESTED,
                                    .seller = first->row.seller,
                                    .buyer = in->buyer,
                                    .title = in->title,
                                    .tax_no = in->tax_no,
                                    .email = in->email,
                                    .currency = first->row.currency,
                                    .orders = in->n,
                                    .number = "",
                                    .note = "",
                                    .version = 1,
                                    .created_ms = c->now};
    struct invoice *v = invoice_add(c, &row);
    must(v);
    for (int32_t i = 0; i < in->n; i++)
        order_on(c, v, order_find(c, in->order[i]));
    paper_anew(v);
    invoice_write(c, v);
    c->made_id = v->row.id;
    c->made_version = v->row.version;
    return 0;
}

/* ---- red ones ---- */

/* What was left of an invoice before something was taken back. */
struct before {
    struct row_invoice_line *line;
    struct row_invoice_order *order;
};

static struct before before_take(struct core *c, const struct invoice *v)
{
    struct before b = {arena_alloc(&c->scratch, v->lines.n), arena_alloc(&c->scratch, v->orders.n)};
    must(b.line && b.order);
    memcpy(b.line, v->lines.p, v->lines.n);
    memcpy(b.order, v->orders.p, v->orders.n);
    return b;
}

/* The tax of a line falls with what is left of it: so the red lines add up to it in the end. */
static void red_line(struct invoice *red, const struct row_invoice_line *was,
                     const struct row_invoice_line *is)
{
    struct tax_parts a = tax_inclusive(MONEY(was->rest), was->tax_bp);
    struct tax_parts b = tax_inclusive(MONEY(is->rest), is->tax_bp);
    struct row_invoice_line l = {.invoice = red->row.id,
                                 .seq = is->seq,
                                 .kind = is->kind,
                                 .tax_bp = is->tax_bp,
                                 .amount = is->rest - was->rest,
                                 .net = b.net.v - a.net.v,
                                 .tax = b.tax.v - a.tax.v};
    if (!l.amount)
        return;
    buf_put(&red->lines, &l, sizeof l);
    red->row.lines++;
}

static void red_order(struct invoice *red, struct row_invoice_order *was,
                      struct row_invoice_order *is)
{
    struct row_invoice_order r = {.invoice = red->row.id, .order_id = is->order_id};
    if (rest_of(was) == rest_of(is))
        return;
    for (int k = 0; k < INVOICE_KINDS; k++)
        *on_paper(&r, k) = *still_on(is, k) - *still_on(was, k);
    buf_put(&red->orders, &r, sizeof r);
    red->row.orders++;
}

/* A red invoice for what is no longer on this one. */
static void red_make(struct core *c, struct invoice *v, const struct before *was, const char *note)
{
    struct row_invoice row = v->row;
    row.id = core_id(c);
    row.red_of = v->row.id;
    row.state = INVOICE_REQUESTED;
    row.orders = row.lines = row.issued_on = 0;
    row.number = "";
    row.note = note;
    row.exported_ms = row.decided_ms = row.decided_by = 0;
    row.version = 1;
    row.created_ms = c->now;
    struct invoice *red = invoice_add(c, &row);
    must(red); /* those that are durable leave */
    for (size_t i = 0; i < invoice_lines_n(v); i++)
        red_line(red, &was->line[i], invoice_line_at(v, i));
    for (size_t i = 0; i < invoice_orders_n(v); i++)
        red_order(red, &was->order[i], invoice_order_at(v, i));
    must(!red->lines.err && !red->orders.err);
    invoice_write(c, red);
}

/* More may have been paid since than is on the paper, or it was taken back as a whole already. */
static int64_t take_bounded(struct row_invoice_order *r, const int64_t took[INVOICE_KINDS],
                            int64_t back[INVOICE_KINDS])
{
    int64_t want[INVOICE_KINDS], room[INVOICE_KINDS], sum = 0, over;
    for (int k = 0; k < INVOICE_KINDS; k++) {
        want[k] = took[k];
        room[k] = *still_on(r, k);
        sum += took[k];
    }
    over = sum - rest_of(r);
    for (int k = INVOICE_KINDS - 1; k >= 0 && over > 0; k--) {
        int64_t cut = over < want[k] ? over : want[k];
        want[k] -= cut;
        over -= cut;
        sum -= cut;
    }
    tax_lines(want, room, INVOICE_KINDS, back);
    return sum;
}

/* Nothing was handed out yet: what is left is asked for, if anything is. */
static void request_lower(struct core *c, struct invoice *v, struct order *o)
{
    paper_anew(v);
    invoice_write(c, v);
    if (rest_of(order_row(v, o->row.id)) == 0)
        order_off(c, o, v->row.id);
    state_set(c, v, v->row.amount ? INVOICE_REQUESTED : INVOICE_CANCELLED);
}

/* Takes of this invoice what is on it of `took`, which is lowered by that. */
static void take_off(struct core *c, struct invoice *v, struct order *o,
                     int64_t took[INVOICE_KINDS], const char *note)
{
    struct row_invoice_order *r = order_row(v, o->row.id);
    int64_t back[INVOICE_KINDS];
    must(r); /* declared with the order's parties */
    if (take_bounded(r, took, back) == 0)
        return;
    struct before was = before_take(c, v);
    for (int k = 0; k < INVOICE_KINDS; k++) {
        took[k] -= back[k];
        *still_on(r, k) -= back[k];
        if (back[k])
            line_of(v, k, rate_of(o, k))->rest -= back[k];
    }
    kinds_level(took);
    if (v->row.state == INVOICE_REQUESTED) {
        request_lower(c, v, o);
        return;
    }
    invoice_write(c, v);
    if (v->row.state == INVOICE_ISSUED)
        red_make(c, v, &was, note);
    v->row.version++;
}

void invoice_take(struct core *c, struct order *o, const int64_t took[INVOICE_KINDS],
                  const char *note)
{
    const int64_t on[] = {o->row.invoice_more, o->row.invoice};
    int64_t left[INVOICE_KINDS];
    memcpy(left, took, sizeof left);
    for (size_t i = 0; i < ARRAY_LEN(on); i++) {
        struct invoice *v = on[i] ? invoice_find(c, on[i]) : NULL;
        must(v || !on[i]); /* declared with the order's parties */
        if (v)
            take_off(c, v, o, left, note);
    }
}

/* ---- deciding ---- */

static bool day_ok(const struct core *c, int32_t day)
{
    struct civil d;
    int64_t ms = civil_days(day / 10000, day / 100 % 100, day % 100) * DAY_MS;
    if (day < DAY_FIRST || day > DAY_LAST || ms > c->now + DAY_MS)
        return false;
    civil_from_ms(ms, &d);
    return d.year * 10000 + d.month * 100 + d.day == day;
}

static int number_check(const struct core *c, const struct invoice *v,
                        const struct cmd_invoice_decide *in)
{
    static const char good[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-";
    char key[DIR_KEY_SIZE];
    if (!in->number[0] || !in->issued_on)
        return ERR_REQUIRED;
    if (strspn(in->number, good) != strlen(in->number) || !day_ok(c, in->issued_on))
        return ERR_RANGE;
    dir_key(ROW_INVOICE, &(struct row_invoice){.tenant = v->row.tenant, .number = in->number}, key);
    return dir_find_key(c, ROW_INVOICE, key) ? ERR_CONFLICT : 0;
}

static int act_check(const struct core *c, const struct invoice *v,
                     const struct cmd_invoice_decide *in)
{
    bool requested = v->row.state == INVOICE_REQUESTED, exported = v->row.state == INVOICE_EXPORTED;
    if (in->driver && in->act != INVOICE_CANCEL)
        return ERR_DENIED;
    if (v->row.red_of && in->act >= INVOICE_REJECT && in->act <= INVOICE_REVERSE)
        return ERR_READ_ONLY; /* the refund has happened */
    switch ((enum invoice_act)in->act) {
    case INVOICE_EXPORT:
    case INVOICE_CANCEL:
        return requested ? 0 : ERR_CONFLICT;
    case INVOICE_ISSUE:
        return requested || exported ? number_check(c, v, in) : ERR_CONFLICT;
    case INVOICE_REJECT:
        return !in->note[0] ? ERR_REQUIRED : requested || exported ? 0 : ERR_CONFLICT;
    case INVOICE_REVERSE:
        if (v->row.state != INVOICE_ISSUED || v->row.back == v->row.amount)
            return ERR_CONFLICT;
        return in->note[0] ? 0 : ERR_REQUIRED;
    case INVOICE_RETRY:
        return exported ? 0 : ERR_CONFLICT;
    }
    return ERR_RANGE;
}

/* May it set orders free? */
static bool frees(const struct invoice *v, int32_t act)
{
    bool some = act == INVOICE_RETRY && v->row.back;
    return some || act == INVOICE_REJECT || act == INVOICE_CANCEL ||
           (act == INVOICE_ISSUE && v->row.red_of);
}

static bool orders_here(const struct core *c, const struct invoice *v)
{
    for (size_t i = 0; i < invoice_orders_n(v); i++)
        if (!order_find(c, invoice_order_at(v, i)->order_id))
            return false;
    return true;
}

/* The orders of v are no longer on invoice `of`: all, or those of which nothing is there any more. */
static void orders_free(struct core *c, const struct invoice *v, const struct invoice *of, bool all)
{
    for (size_t i = 0; i < invoice_orders_n(v); i++) {
        struct order *o = order_find(c, invoice_order_at(v, i)->order_id);
        const struct row_invoice_order *there = order_row(of, o->row.id);
        if (!all && there && rest_of(there))
            continue;
        order_off(c, o, of->row.id);
    }
}

static void issue(struct core *c, struct invoice *v, const struct cmd_invoice_decide *in)
{
    struct row_invoice row = v->row;
    row.number = in->number;
    row.issued_on = in->issued_on;
    row.state = INVOICE_ISSUED;
    dir_change(c, &v->o, &row);
    struct invoice *of = v->row.red_of ? invoice_find(c, v->row.red_of) : NULL;
    if (of)
        orders_free(c, v, of, false);
    if (!v->row.back)
        return;
    /* What was given back while nobody knew whether it exists. */
    struct before was = before_take(c, v);
    for (size_t i = 0; i < invoice_lines_n(v); i++)
        was.line[i].rest = was.line[i].amount;
    for (size_t i = 0; i < invoice_orders_n(v); i++)
        for (int k = 0; k < INVOICE_KINDS; k++)
            *still_on(&was.order[i], k) = *on_paper(&was.order[i], k);
    obj_dirty(c, &v->o);
    red_make(c, v, &was, "");
}

static void reverse(struct core *c, struct invoice *v, const char *note)
{
    struct before was = before_take(c, v);
    for (size_t i = 0; i < invoice_lines_n(v); i++)
        invoice_line_at(v, i)->rest = 0;
    for (size_t i = 0; i < invoice_orders_n(v); i++)
        for (int k = 0; k < INVOICE_KINDS; k++)
            *still_on(invoice_order_at(v, i), k) = 0;
    invoice_write(c, v);
    red_make(c, v, &was, note);
}

static void retry(struct core *c, struct invoice *v)
{
    v->row.state = INVOICE_REQUESTED;
    if (v->row.red_of)
        return;
    if (v->row.back)
        orders_free(c, v, v, false);
    paper_anew(v);
    invoice_write(c, v);
    if (!v->row.amount)
        v->row.state = INVOICE_CANCELLED;
}

static void act(struct core *c, struct invoice *v, const struct cmd_invoice_decide *in)
{
    switch ((enum invoice_act)in->act) {
    case INVOICE_EXPORT:
        v->row.exported_ms = c->now;
        v->row.state = INVOICE_EXPORTED;
        break;
    case INVOICE_ISSUE:
        issue(c, v, in);
        break;
    case INVOICE_REJECT:
        (void)obj_text(c, &v->o, &v->row.note, in->note);
        orders_free(c, v, v, true);
        v->row.state = INVOICE_REJECTED;
        break;
    case INVOICE_CANCEL:
        orders_free(c, v, v, true);
        v->row.state = INVOICE_CANCELLED;
        break;
    case INVOICE_REVERSE:
        reverse(c, v, in->note);
        break;
    case INVOICE_RETRY:
        retry(c, v);
        break;
    }
}

int invoice_decide(struct core *c, const struct cmd *cmd)
{
    const struct cmd_invoice_decide *in = &cmd->u.invoice_decide;
    struct invoice *v = invoice_find(c, in->invoice);
    if (!v || v->row.tenant != cmd->head.tenant || cmd->head.station ||
        (in->driver && in->driver != v->row.driver))
        return ERR_NOT_FOUND;
    int rc = act_check(c, v, in);
    if (rc)
        return rc;
    if (frees(v, in->act) &&
        (!orders_here(c, v) || (v->row.red_of && !invoice_find(c, v->row.red_of))))
        return ERR_FULL; /* they were looked up: there was no room for them */
    act(c, v, in);
    v->row.decided_ms = c->now;
    v->row.decided_by = in->driver ? 0 : cmd->head.actor;
    state_set(c, v, (enum invoice_state)v->row.state);
    c->made_id = v->row.id;
    c->made_version = v->row.version;
    return 0;
}
