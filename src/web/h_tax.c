// SPDX-License-Identifier: Apache-2.0
/* h_tax.c: tax withheld of payouts to persons: rules made and read, what a withdrawal would be withheld,
 * a month's list by person for the tax office (CSV, XLSX), and the note that the office was paid.
 *
 * Invariants: 1. what a preview says is counted by the core's own function on what the books say; the core
 * counts again when it is approved; 2. the list shows names and certificate numbers whole only as a
 * file, and each file is audited; 3. what came to nothing is on no list.
 *
 * Thread: the request's. */
#include "base/err.h"
#include "base/money.h"
#include "base/zone.h"
#include "core/types.h"
#include "core/withhold.h"
#include "io/os/clock.h"
#include "web/api_gen.h"
#include "web/audit.h"
#include "web/doc.h"
#include "web/routes_gen.h"
#include "web/sheet.h"
#include "web/state.h"

enum { PERSON_COLUMNS = 6, MONTH_FIRST = 200001, MONTH_LAST = 299912 };

/* ---- rules ---- */

/* Every rule with its rates, newest first. */
static int rules_read(struct request *r, struct rows *out)
{
    struct rows rates = {.type = &api_WithholdRate_type};
    int err;

    *out = (struct rows){.type = &api_WithholdRule_type};
    err = req_rows(r, QUERY_WEB_TAX_RULES, NULL, 0, out);
    if (err == 0)
        err = req_rows(r, QUERY_WEB_TAX_RATES, NULL, 0, &rates);
    if (err != 0)
        return err;
    struct api_WithholdRule *rule = (struct api_WithholdRule *)(void *)out->p;
    struct api_WithholdRate *rate = (struct api_WithholdRate *)(void *)rates.p;
    for (uint32_t i = 0; i < out->n; i++) {
        rule[i].has.id = true;
        for (uint32_t k = 0; k < rates.n; k++) {
            if (rate[k].rule != rule[i].id)
                continue;
            rule[i].rates = rule[i].rates_n ? rule[i].rates : &rate[k];
            rule[i].rates_n++;
        }
    }
    return 0;
}

int tax_rules(struct request *r)
{
    struct rows rows;
    int err = rules_read(r, &rows);

    return err != 0 ? err : req_list(r, &api_WithholdRule_type, rows.p, rows.n, STR_NONE);
}

int tax_rule_post(struct request *r)
{
    const struct api_WithholdRule *in = r->in;
    struct cmd_withhold_put *o;
    struct cmd *cmd;

    if (r->resumed)
        return req_made(r);
    cmd = req_cmd(r, CMD_WITHHOLD_PUT, CMD_SIZE(withhold_put));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    o = &cmd->u.withhold_put;
    o->from_ms = in->from_ms;
    o->deduct = in->deduct.v;
    o->deduct_bp = (int32_t)in->deduct_bp;
    if (REQ_TEXT(r, o->name, in->name, "/name") != 0)
        return ERR_RANGE;
    o->n = (int32_t)in->rates_n;
    for (uint32_t i = 0; i < in->rates_n; i++)
        o->rate[i] =
            (struct withhold_rate_in){in->rates[i].above.v, (int32_t)in->rates[i].rate_bp, 0};
    return req_submit(r, cmd, 1);
}

/* ---- what a withdrawal would be withheld ---- */

struct payee {
    int64_t kind, payee_kind, month, sum, held, fee;
};

static int payee_take(void *ctx, const struct sql_value *v, size_t n)
{
    struct payee *p = ctx;
    (void)n;
    *p = (struct payee){v[0].i, v[1].i, v[2].i, v[3].i, v[4].i, v[5].i};
    return 0;
}

/* The rule in force now as the core has it; n = 0: nothing is withheld. */
static int rule_now(struct request *r, struct withhold_rule *k)
{
    struct rows rows;
    int err = rules_read(r, &rows);
    const struct api_WithholdRule *rule = (const struct api_WithholdRule *)(void *)rows.p;
    uint32_t i = 0;

    *k = (struct withhold_rule){0};
    while (err == 0 && i < rows.n && rule[i].from_ms > os_now_ms())
        i++;
    if (err != 0 || i == rows.n)
        return err;
    k->row = (struct row_withhold_rule){
        .id = rule[i].id, .deduct = rule[i].deduct.v, .deduct_bp = (int32_t)rule[i].deduct_bp};
    for (uint32_t n = 0; n < rule[i].rates_n && n < WITHHOLD_RATES_MAX; n++)
        k->rate[k->n++] = (struct row_withhold_rate){.above = rule[i].rates[n].above.v,
                                                     .rate_bp = (int32_t)rule[i].rates[n].rate_bp};
    return 0;
}

static void preview_fill(struct request *r, struct payee *p, const struct withhold_rule *k,
                         struct api_WithholdPreview *o)
{
    int64_t month = zone_month(web_zone_get(r->web, r->actor.zone), os_now_ms());
    bool person = k->n > 0 && p->kind != PARTY_PLATFORM && p->payee_kind == PAYEE_PERSON;

    o->fee.v = p->fee;
    o->month = month > p->month ? month : p->month;
    if (person) {
        bool running = p->month == o->month;
        o->rule = k->row.id;
        o->sum.v = running ? p->sum : 0;
        o->held.v = running ? p->held : 0;
        o->tax.v = withhold_of(k, o->sum.v, o->held.v, o->amount.v, p->fee);
    }
    o->net.v = o->amount.v - o->fee.v - o->tax.v;
}

static int preview(struct request *r, int64_t party)
{
    struct api_WithholdPreview *o = ARENA_NEW(&r->arena, struct api_WithholdPreview);
    const struct bind of = BIND_I64("of_party", party);
    struct withhold_rule k;
    struct payee p = {0};
    int err = o == NULL ? ERR_TOO_LARGE : 0;

    bool named = req_arg(r, "amount").n > 0; /* else: how the month stands */
    if (err == 0 && named)
        err = money_parse(req_arg(r, "amount"), &o->amount);
    if (err != 0 || o->amount.v < named || o->amount.v > INT64_C(1000000000) * MONEY_UNIT)
        return req_fail(r, ERR_RANGE, "/amount", "more than 0");
    err = req_query(r, QUERY_WEB_TAX_PARTY, &of, 1, payee_take, &p);
    if (err == 0)
        err = rule_now(r, &k);
    if (err != 0)
        return err;
    if (k.n > 0 && p.kind != PARTY_PLATFORM && p.payee_kind == PAYEE_UNKNOWN)
        return ERR_PAYEE_KIND;
    preview_fill(r, &p, &k, o);
    return req_json(r, &api_WithholdPreview_type, o);
}

int partner_tax_preview(struct request *r)
{
    return preview(r, r->actor.party);
}

int party_tax_preview(struct request *r)
{
    return preview(r, r->id);
}

/* ---- a month by person ---- */

static int persons_read(struct request *r, bool whole, int64_t *month, struct rows *out)
{
    int64_t today_ms, month_ms, today;

    req_today(r, &today_ms, &month_ms, &today);
    *month = req_arg(r, "month").n == 0 ? today / 100 : req_arg_i64(r, "month");
    if (*month < MONTH_FIRST || *month > MONTH_LAST || *month % 100 < 1 || *month % 100 > 12)
        return req_fail(r, ERR_RANGE, "/month", "yyyymm");
    const struct bind of[] = {BIND_I64("of_month", *month), BIND_I64("whole", whole)};
    *out = (struct rows){.type = &api_TaxPerson_type};
    return req_rows(r, QUERY_WEB_TAX_PERSONS, of, ARRAY_LEN(of), out);
}

int tax_persons(struct request *r)
{
    struct rows rows;
    int64_t month;
    int err = persons_read(r, false, &month, &rows);

    return err != 0 ? err : req_list(r, &api_TaxPerson_type, rows.p, rows.n, STR_NONE);
}

static int file_audit(struct request *r, int64_t month, uint32_t n)
{
    const struct web_audit a = {.action = "tax.file",
                                .detail =
                                    arena_printf(&r->arena, "%lld: %u rows", (long long)month, n)};

    return req_audit(r, &a, 1);
}

static const char *const *columns_of(const struct request *r)
{
    static const char *const zh[PERSON_COLUMNS] = {"姓名",     "证件号码", "分成方",
                                                   "提现笔数", "收入额",   "已扣税额"};
    static const char *const en[PERSON_COLUMNS] = {
        "Name", "Certificate number", "Party", "Withdrawals", "Income", "Withheld"};
    return req_english(r) ? en : zh;
}

static void row_write(struct request *r, const struct api_TaxPerson *p)
{
    char amount[MONEY_TEXT_SIZE], tax[MONEY_TEXT_SIZE];

    money_format(p->amount, amount);
    money_format(p->tax, tax);
    sheet_put(&r->out, true, p->payee_name);
    sheet_put(&r->out, false, p->cert);
    sheet_put(&r->out, false, p->party_name);
    buf_printf(&r->out, ",%lld,%s,%s\r\n", (long long)p->payouts, amount, tax);
}

int tax_persons_csv(struct request *r)
{
    struct rows rows;
    int64_t month;

    if (r->resumed)
        return r->reply_err;
    int err = persons_read(r, true, &month, &rows);
    if (err != 0)
        return err;
    buf_put_c(&r->out, "\xef\xbb\xbf"); /* spreadsheets take it for UTF-8 then */
    for (size_t i = 0; i < PERSON_COLUMNS; i++)
        buf_printf(&r->out, "%s%s", i > 0 ? "," : "", columns_of(r)[i]);
    buf_put_c(&r->out, "\r\n");
    for (uint32_t i = 0; i < rows.n; i++)
        row_write(r, &((const struct api_TaxPerson *)(void *)rows.p)[i]);
    r->mime = "text/csv; charset=utf-8";
    req_header_add(
        r, "Content-Disposition",
        arena_printf(&r->arena, "attachment; filename=\"tax-%lld.csv\"", (long long)month));
    return file_audit(r, month, rows.n);
}

static void person_cells(const struct api_TaxPerson *p, struct doc_cell *at)
{
    at[0].text = p->payee_name;
    at[1].text = p->cert;
    at[2].text = p->party_name;
    at[3].v = p->payouts;
    at[4].v = p->amount.v;
    at[5].v = p->tax.v;
}

static int persons_doc(struct request *r, const struct rows *rows, int64_t month, struct doc *d)
{
    static const enum doc_kind kinds[PERSON_COLUMNS] = {DOC_TEXT,  DOC_TEXT,  DOC_TEXT,
                                                        DOC_COUNT, DOC_MONEY, DOC_MONEY};
    bool en = req_english(r);
    const struct api_TaxPerson *p = (const struct api_TaxPerson *)(void *)rows->p;
    struct doc_cell *cells =
        arena_array(&r->arena, (size_t)PERSON_COLUMNS * rows->n + 1, sizeof *cells);
    struct money amount = {0}, tax = {0};

    if (cells == NULL)
        return ERR_TOO_LARGE;
    d->tables_n = 1;
    d->table[0] = (struct doc_table){.name = en ? "Persons" : "个人明细",
                                     .columns_n = PERSON_COLUMNS,
                                     .rows_n = rows->n,
                                     .cell = cells};
    for (int k = 0; k < PERSON_COLUMNS; k++)
        d->table[0].column[k] = (struct doc_column){columns_of(r)[k], kinds[k], k < 3 ? 22 : 14};
    for (uint32_t i = 0; i < rows->n; i++) {
        person_cells(&p[i], cells + (size_t)i * PERSON_COLUMNS);
        amount = money_add(amount, p[i].amount);
        tax = money_add(tax, p[i].tax);
    }
    d->fact[0] = (struct doc_fact){
        en ? "Month" : "月份", DOC_TEXT,
        (struct doc_cell){.text = arena_printf(&r->arena, "%lld-%02lld", (long long)(month / 100),
                                               (long long)(month % 100))},
        true};
    d->fact[1] = (struct doc_fact){columns_of(r)[4], DOC_MONEY, {.v = amount.v}, false};
    d->fact[2] = (struct doc_fact){columns_of(r)[5], DOC_MONEY, {.v = tax.v}, true};
    d->facts_n = 3;
    return 0;
}

int tax_persons_xlsx(struct request *r)
{
    struct doc *d;
    struct rows rows;
    int64_t month;

    if (r->resumed)
        return r->reply_err;
    int err = persons_read(r, true, &month, &rows);
    if (err != 0)
        return err;
    d = ARENA_NEW(&r->arena, struct doc);
    if (d == NULL)
        return ERR_TOO_LARGE;
    d->title = arena_printf(&r->arena, "%s · %s", r->actor.tenant_name,
                            req_english(r) ? "Tax withheld of persons" : "个人所得税代扣明细")
                   .p;
    d->zone = web_zone_get(r->web, r->actor.zone);
    d->foot = "";
    err = d->title == NULL ? ERR_TOO_LARGE : persons_doc(r, &rows, month, d);
    if (err == 0)
        err = doc_xlsx(d, &r->out);
    if (err != 0)
        return err;
    req_header_add(
        r, "Content-Disposition",
        arena_printf(&r->arena, "attachment; filename=\"tax-%lld.xlsx\"", (long long)month));
    return file_audit(r, month, rows.n);
}

/* ---- to the office ---- */

int tax_paid_post(struct request *r)
{
    const struct api_TaxPaidIn *in = r->in;
    struct cmd *cmd;

    if (r->resumed)
        return req_made(r);
    if (in->amount.v <= 0)
        return req_fail(r, ERR_RANGE, "/amount", "more than 0");
    cmd = req_cmd(r, CMD_TAX_PAID, CMD_SIZE(tax_paid));
    if (cmd == NULL)
        return ERR_TOO_LARGE;
    cmd->u.tax_paid.bank = in->bank;
    cmd->u.tax_paid.amount = in->amount.v;
    cmd->u.tax_paid.month = (int32_t)in->month;
    if (REQ_TEXT(r, cmd->u.tax_paid.number, in->number, "/number") != 0 ||
        REQ_TEXT(r, cmd->u.tax_paid.note, in->note, "/note") != 0)
        return ERR_RANGE;
    req_idem(r, cmd);
    return req_submit(r, cmd, 1);
}
