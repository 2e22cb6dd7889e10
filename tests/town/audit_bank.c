// SPDX-License-Identifier: Apache-2.0
/* audit_bank.c: files of payouts for a bank, as the auditor sees them; see audit_bank.h. Shares no code with the core;
 * the rules are those of doc/decisions/what-needs-a-second-person.md.
 *
 * A payout (a fact) names the file that it stands in; a row of a file (struct seen_pay) stays for ever, and keeps what
 * the bank was told by it. The bank is the truth about money: it pays what a file tells it when somebody fetched that
 * file, once a row, and whatever two files tell it, twice. What people pay by hand is no row. */
#include "town/audit.h"

#include <stdlib.h>
#include "base/err.h"
#include "base/money.h"
#include "base/must.h"
#include "core/types.h"
#include "store/query.h"
#include "town/audit_sql.h"

static int partner_of(const struct audit *a, int64_t party)
{
    for (int i = 0; i < AUDIT_PARTNERS; i++)
        if (a->partner[i].id == party)
            return i;
    return -1;
}

static int64_t net_of(const struct fact *p)
{
    return p->amount - p->tax;
}

/* ---- where money may go ---- */

int audit_bank_party(const struct audit *a, int64_t party)
{
    int i = partner_of(a, party);
    if (!a->bank.on || i < 0)
        return 0;
    if (a->bank.payee[i].state != ROW_ACTIVE)
        return ERR_DISABLED;
    return a->bank.payee[i].verified ? 0 : ERR_DENIED;
}

bool audit_bank_frozen(const struct audit *a, int64_t driver)
{
    for (int i = 0; i < AUDIT_DRIVERS; i++)
        if (a->driver[i] == driver && a->bank.frozen[i])
            return true;
    return false;
}

int32_t audit_bank_place(const struct audit *a, int64_t party)
{
    int i = partner_of(a, party);
    return i < 0 ? 0 : a->bank.payee[i].place;
}

/* It may not go any more to where it was asked for. */
static int stopped(const struct audit *a, const struct fact *p)
{
    if (p->kind == FACT_PRINCIPAL)
        return audit_bank_frozen(a, p->who) ? ERR_DISABLED : 0;
    int rc = audit_bank_party(a, p->who);
    if (rc == ERR_DISABLED)
        return rc;
    return rc || audit_bank_place(a, p->who) != p->place ? ERR_ACCOUNT : 0;
}

/* ---- who is a second person ---- */

static int64_t hand_of(const struct audit *a, int32_t kind, int64_t id)
{
    if (kind == ACTOR_API_KEY)
        return id == a->bank.key ? a->bank.key_by : 0;
    return kind == ACTOR_PERSON ? id : 0;
}

static bool another(const struct audit *a, const struct cmd *cmd, int32_t kind, int64_t by)
{
    return cmd->head.actor_kind == ACTOR_PERSON && cmd->head.actor != hand_of(a, kind, by);
}

static const struct seen_pay_file *file_of(const struct audit *a, int64_t id)
{
    for (size_t i = 0; i < a->bank.files; i++)
        if (a->bank.file[i].id == id)
            return &a->bank.file[i];
    return NULL;
}

/* Neither whoever made its file nor whoever asked for it. */
static bool another_than_both(const struct audit *a, const struct cmd *cmd, const struct fact *p)
{
    const struct seen_pay_file *f = file_of(a, p->file);
    return f && another(a, cmd, f->made_kind, f->made_by) &&
           another(a, cmd, p->asked_kind, p->asked_by);
}

/* ---- what must be answered ---- */

/* What a person says that the bank did. */
static int expect_said(const struct audit *a, const struct cmd *cmd, const struct fact *p)
{
    const struct cmd_payout_decide *d = &cmd->u.payout_decide;
    if (p->state != PAYOUT_APPROVED || p->channel != a->channel)
        return ERR_CONFLICT;
    if (d->file && d->file != p->file)
        return ERR_CONFLICT;
    if (d->act == PAYOUT_ACT_FAILED && p->file && !another_than_both(a, cmd, p))
        return ERR_SECOND;
    return d->act == PAYOUT_ACT_SETTLED && !d->bank_no[0] ? ERR_REQUIRED : 0;
}

static int expect_approve(const struct audit *a, const struct fact *p, int64_t now_ms)
{
    if (p->state != PAYOUT_REQUESTED)
        return ERR_CONFLICT;
    if (audit_tax_paper_lacks(a, p))
        return ERR_REQUIRED;
    int rc = stopped(a, p);
    return rc || p->kind != FACT_PAYOUT ? rc : audit_tax_may(a, p->who, now_ms);
}

int audit_bank_decide(const struct audit *a, const struct cmd *cmd, int64_t now_ms)
{
    const struct cmd_payout_decide *d = &cmd->u.payout_decide;
    const struct fact *p = audit_payout(a, d->payout);
    if (!p)
        return ERR_NOT_FOUND;
    bool asked = p->state == PAYOUT_REQUESTED;
    bool self = p->asked_by == cmd->head.actor && p->asked_kind == cmd->head.actor_kind;
    bool from_file = d->act == PAYOUT_ACT_FAILED && p->file;
    if (d->act == PAYOUT_ACT_CANCEL)
        return asked ? 0 : ERR_CONFLICT;
    if ((!self || from_file) && !another(a, cmd, p->asked_kind, p->asked_by))
        return ERR_SECOND;
    if (self)
        return ERR_DENIED;
    if (d->act == PAYOUT_ACT_APPROVE)
        return expect_approve(a, p, now_ms);
    if (d->act == PAYOUT_ACT_REFUSE)
        return asked ? 0 : ERR_CONFLICT;
    return expect_said(a, cmd, p);
}

static bool waits(const struct audit *a, const struct fact *p)
{
    return p && p->channel == a->channel && p->state == PAYOUT_APPROVED && !p->file &&
           !stopped(a, p);
}

static int expect_new(const struct audit *a, const struct cmd *cmd)
{
    const struct cmd_pay_file_new *in = &cmd->u.pay_file_new;
    if (in->channel != a->channel)
        return in->channel == a->wechat || in->channel == a->rail ? ERR_UNSUPPORTED : ERR_NOT_FOUND;
    for (int32_t i = 0; i < in->n; i++) {
        const struct fact *p = audit_payout(a, in->payout[i]);
        if (i && in->payout[i] <= in->payout[i - 1])
            return ERR_RANGE;
        if (!waits(a, p))
            return ERR_CONFLICT;
        if (net_of(p) < MONEY_FEN || net_of(p) % MONEY_FEN)
            return ERR_RANGE;
    }
    return in->n ? 0 : ERR_CONFLICT;
}

static int expect_out(const struct audit *a, const struct cmd *cmd)
{
    const struct fact *p = audit_payout(a, cmd->u.pay_file_out.payout);
    if (!p)
        return ERR_NOT_FOUND;
    if (!p->file || p->state != PAYOUT_APPROVED)
        return ERR_CONFLICT;
    if (!another_than_both(a, cmd, p))
        return ERR_SECOND;
    return cmd->u.pay_file_out.note[0] ? 0 : ERR_REQUIRED;
}

static int expect_freeze(const struct audit *a, const struct cmd *cmd)
{
    const struct cmd_wallet_freeze *in = &cmd->u.wallet_freeze;
    if (!in->reason[0])
        return ERR_REQUIRED;
    return audit_bank_frozen(a, in->driver) == (in->freeze != 0) ? ERR_CONFLICT : 0;
}

static const struct party_wish *wish_of(const struct audit *a, const struct cmd *cmd)
{
    for (int i = 0; i < a->bank.wishes; i++)
        if (strcmp(a->bank.wish[i].key, cmd->head.idem_key) == 0)
            return &a->bank.wish[i];
    return NULL;
}

static int expect_party(const struct audit *a, const struct cmd *cmd)
{
    const struct party_wish *w = wish_of(a, cmd);
    must(w);
    return w->to.version == a->bank.payee[w->partner].version ? 0 : ERR_STALE;
}

int audit_bank_expect(const struct audit *a, const struct cmd *cmd)
{
    switch (cmd->head.type) {
    case CMD_PAY_FILE_NEW:
        return expect_new(a, cmd);
    case CMD_PAY_FILE_OUT:
        return expect_out(a, cmd);
    case CMD_WALLET_FREEZE:
        return expect_freeze(a, cmd);
    default:
        return expect_party(a, cmd);
    }
}

/* ---- what it then means ---- */

static void *room(void *list, size_t n, size_t *size, size_t record)
{
    if (n < *size)
        return list;
    *size = *size ? 2 * *size : 64;
    list = realloc(list, *size * record);
    must(list);
    return list;
}

struct seen_pay *audit_bank_row(const struct audit *a, const struct fact *payout)
{
    for (size_t i = 0; payout->file && i < a->bank.pays; i++)
        if (a->bank.pay[i].file == payout->file && a->bank.pay[i].payout == payout->id)
            return &a->bank.pay[i];
    return NULL;
}

static void file_add(struct audit *a, const struct cmd *cmd, int64_t id)
{
    const struct cmd_pay_file_new *in = &cmd->u.pay_file_new;
    struct seen_bank *b = &a->bank;
    b->file = room(b->file, b->files, &b->files_size, sizeof *b->file);
    struct seen_pay_file *f = &b->file[b->files++];
    *f = (struct seen_pay_file){
        .id = id, .made_by = cmd->head.actor, .made_kind = cmd->head.actor_kind, .n = in->n};
    for (int32_t i = 0; i < in->n; i++) {
        struct fact *p = audit_payout(a, in->payout[i]);
        if (!p)
            continue; /* the answer was judged */
        p->file = id;
        f->amount += net_of(p);
        b->pay = room(b->pay, b->pays, &b->pays_size, sizeof *b->pay);
        b->pay[b->pays++] = (struct seen_pay){.file = id, .payout = p->id, .amount = net_of(p)};
    }
}

static void file_out(struct audit *a, const struct cmd *cmd)
{
    struct fact *p = audit_payout(a, cmd->u.pay_file_out.payout);
    struct seen_pay *r = p ? audit_bank_row(a, p) : NULL;
    if (!r)
        return;
    r->out_by = cmd->head.actor;
    p->file = 0;
}

void audit_bank_effect(struct audit *a, const struct cmd *cmd, int64_t id)
{
    const struct party_wish *w;
    switch (cmd->head.type) {
    case CMD_PAY_FILE_NEW:
        file_add(a, cmd, id);
        break;
    case CMD_PAY_FILE_OUT:
        file_out(a, cmd);
        break;
    case CMD_WALLET_FREEZE:
        for (int i = 0; i < AUDIT_DRIVERS; i++)
            if (a->driver[i] == cmd->u.wallet_freeze.driver)
                a->bank.frozen[i] = cmd->u.wallet_freeze.freeze != 0;
        break;
    default:
        w = wish_of(a, cmd);
        must(w);
        a->bank.payee[w->partner] = w->to;
        a->bank.payee[w->partner].version++;
        break;
    }
}

bool audit_bank_wish(struct audit *a, const char *key, int partner, const struct seen_payee *to)
{
    if (a->bank.wishes == AUDIT_PARTY_WISHES)
        return false;
    struct party_wish *w = &a->bank.wish[a->bank.wishes++];
    (void)str_copy(w->key, sizeof w->key, str_from_c(key));
    w->partner = partner;
    w->to = *to;
    return true;
}

/* ---- the bank ---- */

/* A statement of the platform's that takes the tenant and one id. */
static sqlite3_stmt *ask_as_platform(const struct audit *a, sqlite3 *db, enum query q, int64_t id)
{
    sqlite3_stmt *st = ask(db, query_metas[q].sql[0]);
    int tenant = sqlite3_bind_parameter_index(st, "$1"),
        at = sqlite3_bind_parameter_index(st, "$2");
    must(sqlite3_bind_int64(st, tenant, a->tenant) == SQLITE_OK);
    must(sqlite3_bind_int64(st, at, id) == SQLITE_OK);
    return st;
}

int32_t audit_bank_waiting(struct audit *a, bool sure, int64_t ids[PAY_FILE_MAX])
{
    sqlite3 *db = file_open(a->db);
    sqlite3_stmt *st = ask_as_platform(a, db, QUERY_BANK_WAITING, a->channel);
    int64_t v[COLUMNS];
    int32_t n = 0;
    size_t all = 0;
    while (row(st, v))
        ids[n++] = v[0];
    must(sqlite3_close(db) == SQLITE_OK);
    for (size_t i = 0; i < a->facts; i++)
        all += (a->fact[i].kind == FACT_PAYOUT || a->fact[i].kind == FACT_PRINCIPAL) &&
               waits(a, &a->fact[i]);
    for (int32_t i = 0; sure && i < n; i++)
        if (!waits(a, audit_payout(a, ids[i])))
            audit_differ(a, "payout %lld is listed for the bank", (long long)ids[i]);
    if (sure && (size_t)n != all)
        audit_differ(a, "%d payouts are listed for the bank, expected %zu", (int)n, all);
    return n;
}

static struct seen_pay *row_of(struct audit *a, int64_t file, int64_t payout)
{
    for (size_t i = 0; i < a->bank.pays; i++)
        if (a->bank.pay[i].file == file && a->bank.pay[i].payout == payout)
            return &a->bank.pay[i];
    return NULL;
}

void audit_bank_fetch(struct audit *a, int64_t file)
{
    sqlite3 *db = file_open(a->db);
    sqlite3_stmt *st = ask_as_platform(a, db, QUERY_PAY_FILE_ROWS, file);
    int64_t v[COLUMNS];
    int n = 0, stand = 0;
    for (; row(st, v); n++) {
        struct seen_pay *r = row_of(a, file, v[0]);
        const struct fact *p = audit_payout(a, v[0]);
        if (!r || !p || r->out_by || p->file != file || r->amount != v[3]) {
            audit_differ(a, "file %lld tells the bank to pay %lld for payout %lld", (long long)file,
                         (long long)v[3], (long long)v[0]);
            continue;
        }
        r->told = v[3];
        r->bank = r->bank ? r->bank : BANK_TOLD;
    }
    must(sqlite3_close(db) == SQLITE_OK);
    for (size_t i = 0; i < a->bank.pays; i++) {
        const struct fact *p = audit_payout(a, a->bank.pay[i].payout);
        stand += a->bank.pay[i].file == file && p && p->file == file && p->state == PAYOUT_APPROVED;
    }
    if (n != stand)
        audit_differ(a, "file %lld has %d rows for the bank, expected %d", (long long)file, n,
                     stand);
}

void audit_bank_pays(struct audit *a, struct seen_pay *row, bool pays)
{
    row->bank = pays ? BANK_PAID : BANK_REFUSED;
    for (size_t i = 0; pays && i < a->bank.pays; i++) {
        const struct seen_pay *r = &a->bank.pay[i];
        if (r != row && r->payout == row->payout && r->bank == BANK_PAID)
            audit_differ(a, "payout %lld is paid twice, by files %lld and %lld",
                         (long long)row->payout, (long long)r->file, (long long)row->file);
    }
}

/* ---- the file ---- */

static void files_check(struct audit *a, sqlite3 *db)
{
    for (size_t i = 0; i < a->bank.files; i++) {
        const struct seen_pay_file *f = &a->bank.file[i];
        int64_t v[COLUMNS] = {0};
        sqlite3_stmt *st =
            ask(db, "SELECT n, amount, made_by, made_kind, channel FROM pay_file WHERE id = ?");
        sqlite3_bind_int64(st, 1, f->id);
        bool there = row(st, v);
        if (!there || v[0] != f->n || v[1] != f->amount || v[2] != f->made_by ||
            v[3] != f->made_kind || v[4] != a->channel)
            audit_differ(a, "file %lld for the bank: %lld rows of %lld, expected %d of %lld",
                         (long long)f->id, (long long)v[0], (long long)v[1], (int)f->n,
                         (long long)f->amount);
        while (there && row(st, v))
            ;
    }
    if (number(db, "SELECT count(*) FROM pay_file", 0, 0) != (int64_t)a->bank.files)
        audit_differ(a, "there are files for the bank that nobody made");
}

static void rows_check(struct audit *a, sqlite3 *db)
{
    int64_t v[COLUMNS];
    size_t n = 0;
    sqlite3_stmt *st =
        ask(db, "SELECT file, payout, amount, out_by, out_ms FROM pay_file_row ORDER BY 1, 2");
    for (; row(st, v); n++) {
        const struct seen_pay *r = row_of(a, v[0], v[1]);
        if (!r || r->amount != v[2] || r->out_by != v[3] || (r->out_by != 0) != (v[4] != 0))
            audit_differ(a, "file %lld, payout %lld: %lld, taken out by %lld; expected %lld, %lld",
                         (long long)v[0], (long long)v[1], (long long)v[2], (long long)v[3],
                         r ? (long long)r->amount : 0, r ? (long long)r->out_by : 0);
    }
    if (n != a->bank.pays)
        audit_differ(a, "%zu rows stand in files for the bank, expected %zu", n, a->bank.pays);
    for (size_t i = 0; i < a->facts; i++) {
        const struct fact *p = &a->fact[i];
        bool payout = p->kind == FACT_PAYOUT || p->kind == FACT_PRINCIPAL;
        if (payout && number(db, "SELECT count(*) FROM payout WHERE id = ? AND file = ?", p->id,
                             p->file) != 1)
            audit_differ(a, "payout %lld does not stand in file %lld", (long long)p->id,
                         (long long)p->file);
    }
}

/* What the bank paid for a payout, by whatever file. */
static int64_t paid_for(const struct audit *a, int64_t payout)
{
    int64_t sum = 0;
    for (size_t i = 0; i < a->bank.pays; i++)
        if (a->bank.pay[i].payout == payout && a->bank.pay[i].bank == BANK_PAID)
            sum += a->bank.pay[i].told;
    return sum;
}

/* Each payout that is settled was paid by its file, or by hand; no other was. All together is what left the bank. */
static void money_check(struct audit *a, sqlite3 *db)
{
    int64_t left = 0;
    for (size_t i = 0; i < a->facts; i++) {
        const struct fact *p = &a->fact[i];
        bool payout = p->kind == FACT_PAYOUT || p->kind == FACT_PRINCIPAL;
        if (p->kind == FACT_TAX_PAID && p->channel == a->channel)
            left += p->amount;
        if (!payout || p->channel != a->channel)
            continue;
        int64_t paid = paid_for(a, p->id);
        bool by_hand = p->state == PAYOUT_SETTLED && !p->file;
        int64_t want = p->state == PAYOUT_SETTLED && p->file ? net_of(p) : 0;
        if (paid != want)
            audit_differ(a, "payout %lld in state %d: the bank paid %lld by files, expected %lld",
                         (long long)p->id, (int)p->state, (long long)paid, (long long)want);
        left += paid + (by_hand ? net_of(p) : 0);
    }
    if (number(db,
               "SELECT coalesce(sum(posted_in - posted_out), 0) FROM account "
               "WHERE kind = 12 AND owner = ?",
               a->channel, 0) != left)
        audit_differ(a, "what left the bank is not %lld", (long long)left);
}

void audit_bank_file(struct audit *a, sqlite3 *db, bool over)
{
    if (!a->bank.on)
        return;
    files_check(a, db);
    rows_check(a, db);
    if (over)
        money_check(a, db);
}
