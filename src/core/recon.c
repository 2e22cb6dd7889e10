// SPDX-License-Identifier: Apache-2.0
/* recon.c: bills of providers and the close of days; see recon.h. The sums of a bill are the web
 * front's, who read it; here it is judged whether they can be true together, and `even check` adds
 * them up again.
 *
 * Data: the parts of the one bill that is being imported; whoever begins another one begins anew.
 * Lost in a restart: then the import says so and is begun again. The core's thread. Fails by result
 * codes before anything changed. */
#include "core/recon.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/calendar.h"
#include "core/purse.h"

/* A snapshot of the web front may lag behind what is being committed: by less than this. */
enum { SETTLE_MS = 5 * 60 * 1000 };
#define DAY_MS     INT64_C(86400000)
#define ZONE_MS    INT64_C(28800000)
#define AMOUNT_MAX INT64_C(100000000000000) /* 10 billion yuan */

struct recon {
    struct buf parts; /* struct bill_diff_in */
    int64_t channel;
    uint32_t round; /* of looking through the parts: marks the differences that they name */
    int32_t day;
    char sha256[65];
};

int recon_new(struct core *c)
{
    c->recon = ARENA_NEW(&c->arena, struct recon);
    if (!c->recon)
        return ERR_NOMEM;
    buf_init(&c->recon->parts, c->lim.bill_diffs * sizeof(struct bill_diff_in));
    return 0;
}

void recon_free(struct core *c)
{
    if (c->recon)
        buf_free(&c->recon->parts);
}

/* ---- days ---- */

int64_t recon_day_begin(int32_t day)
{
    struct civil v;
    int64_t ms = civil_days(day / 10000, day / 100 % 100, day % 100) * DAY_MS;
    civil_from_ms(ms, &v);
    bool real = day >= 20200101 && day <= 22001231 && v.year == day / 10000 &&
                v.month == day / 100 % 100 && v.day == day % 100;
    return real ? ms - ZONE_MS : -1;
}

int32_t recon_day_of(int64_t ms)
{
    struct civil v;
    civil_from_ms(ms + ZONE_MS, &v);
    return v.year * 10000 + v.month * 100 + v.day;
}

static int32_t day_next(int32_t day)
{
    return recon_day_of(recon_day_begin(day) + DAY_MS);
}

/* The last instant of a day: what is posted of its bill belongs there. */
static int64_t day_last(int32_t day)
{
    return recon_day_begin(day) + DAY_MS - 1;
}

int recon_closed(struct core *c, const struct row_day_close *row)
{
    struct channel *ch = channel_find(c, row->channel);
    if (!ch)
        return ERR_CORRUPT;
    if (row->day > ch->closed_day) {
        ch->closed_day = row->day;
        ch->closed_theirs = row->theirs;
    }
    return 0;
}

/* The day of a provider is over and not closed. */
static int day_check(const struct core *c, const struct channel *ch, int32_t day)
{
    int64_t begin = recon_day_begin(day);
    if (begin < 0)
        return ERR_RANGE;
    if (day <= ch->closed_day)
        return ERR_READ_ONLY;
    return begin + DAY_MS + SETTLE_MS > c->now ? ERR_CONFLICT : 0;
}

static int channel_get(const struct core *c, const struct cmd *cmd, int64_t id,
                       struct channel **out)
{
    struct channel *ch = channel_find(c, id);
    if (!ch || ch->row.tenant != cmd->head.tenant || cmd->head.station ||
        !tenant_find(c, cmd->head.tenant))
        return ERR_NOT_FOUND;
    *out = ch;
    return ch->row.kind == CHANNEL_BANK ? ERR_UNSUPPORTED : 0;
}

/* ---- the parts of a bill ---- */

static uint32_t parts_n(const struct recon *r)
{
    return (uint32_t)(r->parts.n / sizeof(struct bill_diff_in));
}

static const struct bill_diff_in *part_at(const struct recon *r, uint32_t i)
{
    return (const struct bill_diff_in *)(void *)r->parts.p + i;
}

static bool parts_of(const struct recon *r, int64_t channel, int32_t day, const char *sha256)
{
    return r->channel == channel && r->day == day && strcmp(r->sha256, sha256) == 0;
}

int recon_part(struct core *c, const struct cmd *cmd)
{
    const struct cmd_bill_part *in = &cmd->u.bill_part;
    struct recon *r = c->recon;
    struct channel *ch;
    int rc = channel_get(c, cmd, in->channel, &ch);
    if (rc)
        return rc;
    if (in->n < 0 || in->n > BILL_PART_MAX || in->first < 0)
        return ERR_RANGE;
    if (in->first &&
        (!parts_of(r, in->channel, in->day, in->sha256) || parts_n(r) != (uint32_t)in->first))
        return ERR_CONFLICT; /* another import came between, or we were started again */
    if ((uint32_t)in->first + (uint32_t)in->n > c->lim.bill_diffs)
        return ERR_TOO_LARGE;
    if (in->first == 0) {
        buf_reset(&r->parts);
        r->channel = in->channel;
        r->day = in->day;
        (void)str_copy(r->sha256, sizeof r->sha256, str_from_c(in->sha256));
    }
    buf_put(&r->parts, in->diff, (size_t)in->n * sizeof in->diff[0]);
    c->made_id = in->channel;
    return r->parts.err;
}

static bool bounded(int64_t v)
{
    return v <= AMOUNT_MAX && v >= -AMOUNT_MAX;
}

/* What a class says of its sides. */
static bool sides_ok(const struct bill_diff_in *e)
{
    switch ((enum bill_class)e->class) {
    case BILL_AMOUNT:
    case BILL_FEE:
        return e->ours != e->theirs;
    case BILL_DAY_CUT:
        return e->ours != 0 && (e->theirs == 0 || e->theirs == e->ours);
    case BILL_THEIRS_ONLY:
        return e->ours == 0 && e->theirs != 0;
    case BILL_OURS_ONLY:
        return e->ours != 0 && e->theirs == 0;
    default:
        return false;
    }
}

/* Differences of a bill of shares have kinds of their own. */
static bool kind_of_shares(int32_t kind)
{
    return kind == PAYOUT_SHARED || kind == PAYOUT_RETURNED;
}

static bool kind_ok(const struct cmd_bill_put *in, const struct bill_diff_in *e)
{
    if (in->kind == BILL_SHARES)
        return kind_of_shares(e->kind) && e->class != BILL_FEE;
    return e->kind >= 0 && e->kind <= 2;
}

/* An earlier difference that lacks just the side that comes now. */
static int half_check(const struct core *c, const struct recon *r, uint32_t at)
{
    const struct bill_diff_in *e = part_at(r, at);
    struct diff *d = dir_find(c, ROW_BILL_DIFF, e->diff);
    if (!d || d->row.channel != r->channel || d->row.of_row != e->row || !d->row.bill ||
        kind_of_shares(d->row.kind) != kind_of_shares(e->kind))
        return ERR_NOT_FOUND;
    bool theirs = d->row.theirs_day == 0 && e->theirs != 0;
    bool ours = d->row.class == BILL_THEIRS_ONLY && e->ours == d->row.theirs;
    bool whole = e->theirs == d->row.ours;
    if (d->row.state == DIFF_RESOLVED || d->row.asked_by || !(theirs || ours) ||
        (theirs && d->row.state == DIFF_POSTED && !whole))
        return ERR_CONFLICT;
    if (d->round == r->round)
        return ERR_CONFLICT; /* another row names it too */
    d->round = r->round;
    return 0;
}

static int parts_check(const struct core *c, const struct cmd_bill_put *in)
{
    struct recon *r = c->recon;
    int64_t fees = in->fee_due;
    int rc = 0;
    r->round++;
    if (in->differ &&
        (!parts_of(r, in->channel, in->day, in->sha256) || parts_n(r) != (uint32_t)in->differ))
        return ERR_CONFLICT;
    for (uint32_t i = 0; i < (uint32_t)in->differ && !rc; i++) {
        const struct bill_diff_in *e = part_at(r, i);
        if (!bounded(e->ours) || !bounded(e->theirs) || !kind_ok(in, e))
            return ERR_RANGE;
        if (e->class == BILL_FEE)
            fees += e->ours - e->theirs;
        rc = e->diff ? half_check(c, r, i) : sides_ok(e) ? 0 : ERR_RANGE;
    }
    return rc ? rc : fees == in->fees ? 0 : ERR_RANGE;
}

/* ---- a bill ---- */

static const struct channel_bill *bill_of(const struct core *c, int64_t channel, int32_t day,
                                          int32_t kind)
{
    char key[DIR_KEY_SIZE];
    dir_key(ROW_BILL, &(struct row_bill){.channel = channel, .day = day, .kind = kind}, key);
    return dir_find_key(c, ROW_BILL, key);
}

/* Only WeChat Pay has a bill of its own for shares; nothing is kept of them. */
static int kind_check(const struct channel *ch, const struct cmd_bill_put *in)
{
    if (in->kind == BILL_TRADE)
        return 0;
    if (in->kind != BILL_SHARES)
        return ERR_RANGE;
    if (ch->row.kind != CHANNEL_WECHAT)
        return ERR_UNSUPPORTED;
    return in->fees || in->fee_due ? ERR_RANGE : 0;
}

static int bill_check(const struct core *c, const struct channel *ch, const struct cmd_bill_put *in)
{
    int rc = kind_check(ch, in);
    if (!rc)
        rc = day_check(c, ch, in->day);
    if (rc)
        return rc;
    if (!bounded(in->took) || !bounded(in->gave) || !bounded(in->fees) || !bounded(in->fee_due) ||
        in->took < 0 || in->gave < 0 || in->rows < 0 || in->matched < 0 || in->differ < 0 ||
        (uint32_t)in->differ > c->lim.bill_diffs)
        return ERR_RANGE;
    if (dir_full(c, ROW_BILL) ||
        c->dir[ROW_BILL_DIFF].slab.live + (uint32_t)in->differ > c->dir[ROW_BILL_DIFF].cap)
        return ERR_FULL;
    return parts_check(c, in);
}

static int accounts_open(struct core *c, const struct channel *ch, const char *currency)
{
    int64_t id, tenant = ch->row.tenant;
    int rc = account_open(c, tenant, ACCOUNT_CHANNEL, ch->row.id, currency, &id);
    if (!rc)
        rc = account_open(c, tenant, ACCOUNT_CHANNEL_FEE, ch->row.id, currency, &id);
    return rc ? rc : account_open(c, tenant, ACCOUNT_SUSPENSE, 0, currency, &id);
}

/* What the provider kept as agreed is a cost of the channel. */
static int64_t fees_post(struct core *c, const struct channel *ch, const char *currency,
                         int64_t fee_due, int32_t day)
{
    struct ledger_request q;
    char note[40];
    snprintf(note, sizeof note, "bill %d", (int)day);
    purse_request(c, &q, ch->row.tenant, TRANSFER_CHANNEL, currency);
    q.effective_ms = day_last(day);
    q.note = note;
    purse_leg(&q, purse_account(c, ch->row.tenant, ACCOUNT_CHANNEL, ch->row.id, currency), fee_due,
              0);
    purse_leg(&q, purse_account(c, ch->row.tenant, ACCOUNT_CHANNEL_FEE, ch->row.id, currency),
              -fee_due, 0);
    struct ledger_ctx ctx = ledger_ctx_now(c);
    must(ledger_post(c->ledger, &ctx, &q) == 0); /* signed accounts, bounded amounts */
    return ctx.id;
}

static void diff_make(struct core *c, const struct channel_bill *b, const char *currency,
                      const struct bill_diff_in *e)
{
    bool post = e->class == BILL_AMOUNT || e->class == BILL_FEE || e->class == BILL_THEIRS_ONLY;
    bool whole = e->class == BILL_DAY_CUT && e->theirs;
    struct row_bill_diff row = {.tenant = b->row.tenant,
                                .channel = b->row.channel,
                                .bill = b->row.id,
                                .day = b->row.day,
                                .class = e->class,
                                .kind = e->kind,
                                .of_row = e->row,
                                .no = e->no,
                                .provider_no = e->provider_no,
                                .currency = currency,
                                .ours = e->ours,
                                .theirs = e->theirs,
                                .ours_ms = e->ours_ms,
                                .theirs_day = post || whole ? b->row.day : 0,
                                .state = whole ? DIFF_RESOLVED : DIFF_OPEN,
                                .way = whole ? DIFF_PAIRED : 0,
                                .done_ms = whole ? c->now : 0,
                                .note = ""};
    struct diff *d = diff_add(c, &row);
    must(d); /* bill_check has seen that there is room */
    if (post)
        diff_post(c, d, e->theirs - e->ours, day_last(b->row.day));
}

/* What was near midnight and is not in the bill of its kind that followed: only we have it. */
static void cuts_end(struct core *c, const struct channel_bill *b)
{
    struct slab *s = &c->dir[ROW_BILL_DIFF].slab;
    for (uint32_t i = 0; i < s->len; i++) {
        struct diff *d = slab_at(s, i);
        if (!d || d->row.channel != b->row.channel || d->row.day >= b->row.day ||
            d->row.class != BILL_DAY_CUT || d->row.state != DIFF_OPEN ||
            kind_of_shares(d->row.kind) != (b->row.kind == BILL_SHARES))
            continue;
        d->row.class = BILL_OURS_ONLY;
        d->row.version++;
        obj_dirty(c, &d->o);
    }
}

int recon_bill(struct core *c, const struct cmd *cmd)
{
    const struct cmd_bill_put *in = &cmd->u.bill_put;
    struct channel *ch;
    int rc = channel_get(c, cmd, in->channel, &ch);
    const struct channel_bill *had = rc ? NULL : bill_of(c, in->channel, in->day, in->kind);
    if (had && ch->closed_day < in->day && strcmp(had->row.sha256, in->sha256) == 0) {
        c->made_id = had->row.id;
        c->made_version = had->row.version;
        return 0; /* the same file again */
    }
    if (!rc)
        rc = had ? (in->day <= ch->closed_day ? ERR_READ_ONLY : ERR_CONFLICT)
                 : bill_check(c, ch, in);
    const char *currency = rc ? "" : tenant_find(c, cmd->head.tenant)->row.currency;
    if (!rc)
        rc = accounts_open(c, ch, currency);
    if (rc)
        return rc;
    struct row_bill row = {.id = core_id(c),
                           .tenant = cmd->head.tenant,
                           .channel = in->channel,
                           .day = in->day,
                           .kind = in->kind,
                           .sha256 = in->sha256,
                           .rows = in->rows,
                           .matched = in->matched,
                           .differ = in->differ,
                           .took = in->took,
                           .gave = in->gave,
                           .fees = in->fees,
                           .fee_due = in->fee_due,
                           .made_ms = c->now,
                           .made_by = cmd->head.actor,
                           .version = 1};
    if (in->fee_due)
        row.transfer = fees_post(c, ch, currency, in->fee_due, in->day);
    struct channel_bill *b = dir_add(c, ROW_BILL, &row);
    must(b);
    obj_dirty(c, &b->o);
    for (uint32_t i = 0; i < (uint32_t)in->differ; i++) {
        const struct bill_diff_in *e = part_at(c->recon, i);
        if (e->diff)
            diff_pair(c, dir_find(c, ROW_BILL_DIFF, e->diff), e, in->day);
        else
            diff_make(c, b, currency, e);
    }
    cuts_end(c, b);
    buf_reset(&c->recon->parts);
    c->made_id = b->row.id;
    c->made_version = 1;
    return 0;
}

/* ---- the close of days ---- */

static void bills_sum(const struct core *c, struct row_day_close *r)
{
    const struct slab *s = &c->dir[ROW_BILL].slab;
    for (uint32_t i = 0; i < s->len; i++) {
        const struct channel_bill *b = slab_at(s, i);
        if (!b || b->row.channel != r->channel || b->row.day < r->first_day || b->row.day > r->day)
            continue;
        r->took += b->row.took;
        r->gave += b->row.gave;
        r->fees += b->row.fees;
    }
    s = &c->dir[ROW_SETTLEMENT].slab;
    for (uint32_t i = 0; i < s->len; i++) {
        const struct settlement *p = slab_at(s, i);
        if (p && p->row.channel == r->channel && p->row.day >= r->first_day && p->row.day <= r->day)
            r->settled += p->row.amount + p->row.fee;
    }
}

/* A difference of a day up to this that nobody looks after. */
static bool ownerless(const struct core *c, int64_t channel, int32_t day)
{
    const struct slab *s = &c->dir[ROW_BILL_DIFF].slab;
    for (uint32_t i = 0; i < s->len; i++) {
        const struct diff *d = slab_at(s, i);
        if (d && d->row.channel == channel && d->row.day <= day && d->row.state != DIFF_RESOLVED &&
            !d->row.owner)
            return true;
    }
    return false;
}

static int close_check(const struct core *c, const struct channel *ch,
                       const struct cmd_day_close *in, const struct row_day_close *r)
{
    if (ch->closed_day && in->opening != ch->closed_theirs)
        return ERR_STALE;
    if (in->theirs != r->theirs)
        return ERR_STALE; /* its snapshot was an older one */
    if (in->held != in->theirs + in->lines || ownerless(c, in->channel, in->day))
        return ERR_CONFLICT;
    return dir_full(c, ROW_DAY_CLOSE) ? ERR_FULL : 0;
}

int recon_close(struct core *c, const struct cmd *cmd)
{
    const struct cmd_day_close *in = &cmd->u.day_close;
    struct channel *ch;
    int rc = channel_get(c, cmd, in->channel, &ch);
    if (!rc)
        rc = day_check(c, ch, in->day);
    if (!rc && (!bounded(in->opening) || !bounded(in->held) || !bounded(in->lines)))
        rc = ERR_RANGE;
    if (rc)
        return rc;
    struct row_day_close r = {.tenant = cmd->head.tenant,
                              .channel = in->channel,
                              .day = in->day,
                              .first_day = ch->closed_day ? day_next(ch->closed_day) : in->day,
                              .currency = tenant_find(c, cmd->head.tenant)->row.currency,
                              .opening = in->opening,
                              .held = in->held,
                              .lines = in->lines,
                              .made_ms = c->now,
                              .made_by = cmd->head.actor,
                              .version = 1};
    bills_sum(c, &r);
    r.theirs = r.opening + r.took - r.gave - r.fees - r.settled;
    rc = close_check(c, ch, in, &r);
    if (rc)
        return rc;
    r.id = core_id(c);
    struct day_close *d = dir_add(c, ROW_DAY_CLOSE, &r);
    must(d);
    obj_dirty(c, &d->o);
    must(recon_closed(c, &d->row) == 0);
    c->made_id = r.id;
    c->made_version = 1;
    return 0;
}

/* ---- what the provider paid out to the bank ---- */

static int settle_check(const struct core *c, const struct channel *ch,
                        const struct cmd_channel_settle *in)
{
    const struct channel *bank = in->bank ? channel_find(c, in->bank) : NULL;
    char key[DIR_KEY_SIZE];
    if (in->bank && (!bank || bank->row.tenant != ch->row.tenant || bank->row.kind != CHANNEL_BANK))
        return ERR_NOT_FOUND;
    if (recon_day_begin(in->day) < 0 || in->day > recon_day_of(c->now))
        return ERR_RANGE;
    if (in->day <= ch->closed_day)
        return ERR_READ_ONLY;
    if (in->amount < MONEY_FEN || in->amount % MONEY_FEN || in->fee < 0 || in->fee % MONEY_FEN ||
        !bounded(in->amount) || !bounded(in->fee))
        return ERR_RANGE;
    if (!in->bank_no[0])
        return ERR_REQUIRED;
    dir_key(ROW_SETTLEMENT,
            &(struct row_settlement){.channel = in->channel, .bank_no = in->bank_no}, key);
    if (dir_find_key(c, ROW_SETTLEMENT, key))
        return ERR_CONFLICT; /* noted already */
    return dir_full(c, ROW_SETTLEMENT) ? ERR_FULL : 0;
}

static int64_t settle_post(struct core *c, const struct channel *ch,
                           const struct cmd_channel_settle *in, const char *currency)
{
    struct ledger_request q;
    int64_t tenant = ch->row.tenant;
    purse_request(c, &q, tenant, TRANSFER_CHANNEL, currency);
    if (in->day < recon_day_of(c->now))
        q.effective_ms = day_last(in->day);
    q.note = in->bank_no;
    purse_leg(&q, purse_account(c, tenant, ACCOUNT_CHANNEL, in->channel, currency),
              in->amount + in->fee, 0);
    purse_leg(&q, purse_account(c, tenant, ACCOUNT_BANK, in->bank, currency), -in->amount, 0);
    purse_leg(&q, purse_account(c, tenant, ACCOUNT_CHANNEL_FEE, in->channel, currency), -in->fee,
              0);
    struct ledger_ctx ctx = ledger_ctx_now(c);
    must(ledger_post(c->ledger, &ctx, &q) == 0); /* signed accounts, bounded amounts */
    return ctx.id;
}

int recon_settle(struct core *c, const struct cmd *cmd)
{
    const struct cmd_channel_settle *in = &cmd->u.channel_settle;
    struct channel *ch;
    int64_t bank;
    int rc = channel_get(c, cmd, in->channel, &ch);
    if (!rc)
        rc = settle_check(c, ch, in);
    const char *currency = rc ? "" : tenant_find(c, cmd->head.tenant)->row.currency;
    if (!rc)
        rc = accounts_open(c, ch, currency);
    if (!rc)
        rc = account_open(c, ch->row.tenant, ACCOUNT_BANK, in->bank, currency, &bank);
    if (rc)
        return rc;
    struct row_settlement r = {.id = core_id(c),
                               .tenant = ch->row.tenant,
                               .channel = in->channel,
                               .bank = in->bank,
                               .day = in->day,
                               .currency = currency,
                               .amount = in->amount,
                               .fee = in->fee,
                               .bank_no = in->bank_no,
                               .note = in->note,
                               .transfer = settle_post(c, ch, in, currency),
                               .made_ms = c->now,
                               .made_by = cmd->head.actor,
                               .version = 1};
    struct settlement *s = dir_add(c, ROW_SETTLEMENT, &r);
    must(s);
    obj_dirty(c, &s->o);
    c->made_id = r.id;
    c->made_version = 1;
    return 0;
}
