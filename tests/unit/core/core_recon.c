// SPDX-License-Identifier: Apache-2.0
/* core_recon.c: bills of providers, what differs, what people do about it, the close of days, and a
 * payout of which the rail says that another amount was paid. After each step the books balance
 * (world_seal), and what is on suspense is what the posted differences say (books_tie). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "core/purse.h"
#include "core/recon.h"
#include "world.h"

#define DAY_MS INT64_C(86400000)
#define HOUR   INT64_C(3600000)
/* The world begins at 2026-01-01T00:00Z, in China 08:00. */
enum { DAY1 = 20260101, DAY2 = 20260102, DAY3 = 20260103 };

static struct world world, *w = &world;
static int64_t wechat, alipay, bank, second, driver;

static int64_t add(enum row_table t, const void *row)
{
    assert_int_equal(world_put(w, t, true, row), 0);
    return w->reply.u.made.id;
}

static int64_t channel_add(int32_t kind, const char *name)
{
    return add(ROW_CHANNEL,
               &(struct row_channel){
                   .kind = kind, .name = name, .url = "", .app = "", .merchant = "", .keys = ""});
}

static void tenant_set(int64_t payout_check)
{
    struct row_tenant t = *(const struct row_tenant *)world_row(w, ROW_TENANT, w->tenant);
    t.refund_days = 0;
    t.payout_check = payout_check;
    t.payee_hold_h = 0;
    t.payout_min = 100;
    assert_int_equal(world_put(w, ROW_TENANT, false, &t), 0);
}

static int up(void **state)
{
    (void)state;
    world_init(w);
    assert_int_equal(world_open(w), 0);
    wechat = channel_add(CHANNEL_WECHAT, "wechat");
    alipay = channel_add(CHANNEL_ALIPAY, "alipay");
    bank = channel_add(CHANNEL_BANK, "bank");
    second = add(ROW_PERSON,
                 &(struct row_person){
                     .login = "second", .name = "Second", .pass_hash = "x", .role = ROLE_OPERATOR});
    driver = w->driver;
    tenant_set(1000000);
    return 0;
}

static int down(void **state)
{
    (void)state;
    world_free(w);
    return 0;
}

static int64_t balance(int32_t kind, int64_t owner)
{
    return world_balance(w, kind, owner);
}

static const struct row_bill_diff *diff_row(int64_t id)
{
    return world_row(w, ROW_BILL_DIFF, id);
}

/* Invariant 1 of recon.h. */
static void books_tie(void)
{
    int64_t sum = 0;
    for (size_t i = 0; i < w->rows_n; i++)
        if (w->rows[i].table == ROW_BILL_DIFF) {
            const struct row_bill_diff *d = world_unpacked(w, &w->rows[i]);
            sum += d->state == DIFF_POSTED ? d->suspense : 0;
        }
    assert_int_equal(balance(ACCOUNT_SUSPENSE, 0), sum);
}

/* The id of the difference with this number. */
static int64_t diff_of(const char *no)
{
    int64_t id = 0;
    for (size_t i = 0; i < w->rows_n; i++)
        if (w->rows[i].table == ROW_BILL_DIFF) {
            const struct row_bill_diff *d = world_unpacked(w, &w->rows[i]);
            id = strcmp(d->no, no) == 0 ? d->id : id;
        }
    return id;
}

static int part(int64_t channel, int32_t day, int32_t first, int32_t n,
                const struct bill_diff_in *e)
{
    struct cmd *c = world_web(w, CMD_BILL_PART, w->person, ACTOR_PERSON);
    struct cmd_bill_part *p = &c->u.bill_part;
    p->channel = channel;
    p->day = day;
    p->first = first;
    p->n = n;
    (void)str_copy(p->sha256, 65, STR_LIT("aa"));
    if (n > 0 && n <= BILL_PART_MAX)
        memcpy(p->diff, e, (size_t)n * sizeof *e);
    return world_send(w, c);
}

static struct cmd_bill_put bill_usual(int64_t channel, int32_t day, int32_t differ)
{
    struct cmd_bill_put b = {.channel = channel, .day = day, .rows = 9, .differ = differ};
    (void)str_copy(b.sha256, 65, STR_LIT("aa"));
    return b;
}

static int put(const struct cmd_bill_put *b)
{
    struct cmd *c = world_web(w, CMD_BILL_PUT, w->person, ACTOR_PERSON);
    c->u.bill_put = *b;
    return world_send(w, c);
}

static int import(int64_t channel, int32_t day, int32_t n, const struct bill_diff_in *e)
{
    struct cmd_bill_put b = bill_usual(channel, day, n);
    int rc = n ? part(channel, day, 0, n, e) : 0;
    for (int32_t i = 0; i < n; i++)
        if (e[i].class == BILL_FEE)
            b.fees += e[i].ours - e[i].theirs;
    return rc ? rc : put(&b);
}

static struct bill_diff_in entry(enum bill_class class, int64_t ours, int64_t theirs,
                                 const char *no)
{
    struct bill_diff_in e = {.class = (int32_t) class, .kind = 1, .ours = ours, .theirs = theirs};
    (void)str_copy(e.no, sizeof e.no, str_from_c(no));
    (void)str_copy(e.provider_no, sizeof e.provider_no, STR_LIT("42"));
    e.ours_ms = ours ? w->now - HOUR : 0;
    return e;
}

static int decide(int64_t id, enum diff_act act, int32_t way, int64_t target, int64_t who)
{
    struct cmd *c = world_web(w, CMD_DIFF_DECIDE, who, ACTOR_PERSON);
    c->u.diff_decide.diff = id;
    c->u.diff_decide.act = (int32_t)act;
    c->u.diff_decide.way = way;
    c->u.diff_decide.owner = act == DIFF_ACT_ASSIGN ? target : 0;
    c->u.diff_decide.target = act == DIFF_ACT_ASSIGN ? 0 : target;
    (void)str_copy(c->u.diff_decide.note, 201, STR_LIT("looked into"));
    int rc = world_send(w, c);
    books_tie();
    return rc;
}

static void day_over(void)
{
    world_run(w, DAY_MS - 4 * HOUR);
}

/* ---- bills ---- */

static void test_each_class_is_posted(void **state)
{
    (void)state;
    day_over();
    const struct bill_diff_in e[] = {
        entry(BILL_THEIRS_ONLY, 0, 70000, "P1"),  entry(BILL_THEIRS_ONLY, 0, -20000, "W1"),
        entry(BILL_AMOUNT, 100000, 100100, "P2"), entry(BILL_OURS_ONLY, 30000, 0, "P3"),
        entry(BILL_DAY_CUT, 40000, 0, "P4"),      entry(BILL_DAY_CUT, 50000, 50000, "P5"),
        entry(BILL_FEE, -600, -900, "P6")};
    assert_int_equal(part(wechat, DAY1, 0, 4, e), 0);
    assert_int_equal(part(wechat, DAY1, 4, 3, e + 4), 0);
    struct cmd_bill_put b = bill_usual(wechat, DAY1, 7);
    b.fee_due = 1000;
    b.fees = 1300;
    assert_int_equal(put(&b), 0);
    books_tie();
    /* + in, − out, + more than booked, − more kept than agreed */
    assert_int_equal(balance(ACCOUNT_SUSPENSE, 0), 70000 - 20000 + 100 - 300);
    assert_int_equal(balance(ACCOUNT_CHANNEL_FEE, wechat), -1000);
    assert_int_equal(balance(ACCOUNT_CHANNEL, wechat), -(70000 - 20000 + 100 - 300) + 1000);
    assert_int_equal(diff_row(diff_of("P3"))->state, DIFF_OPEN);
    assert_int_equal(diff_row(diff_of("P4"))->state, DIFF_OPEN);
    assert_int_equal(diff_row(diff_of("P5"))->state, DIFF_RESOLVED);
    assert_int_equal(diff_row(diff_of("P1"))->state, DIFF_POSTED);
    /* The same file again has no effect, another one is a conflict. */
    size_t transfers = world_count(w, ROW_TRANSFER);
    int64_t id = w->reply.u.made.id;
    assert_int_equal(put(&b), 0);
    assert_int_equal(w->reply.u.made.id, id);
    b.sha256[0] = 'b';
    assert_int_equal(put(&b), ERR_CONFLICT);
    world_restart(w);
    assert_int_equal(put(&b), ERR_CONFLICT);
    assert_int_equal(world_count(w, ROW_TRANSFER), transfers);
    assert_int_equal(world_count(w, ROW_BILL), 1);
}

static void test_bad_bills(void **state)
{
    (void)state;
    const struct bill_diff_in e = entry(BILL_THEIRS_ONLY, 0, 70000, "P1");
    assert_int_equal(import(wechat, DAY1, 1, &e), ERR_CONFLICT); /* the day is not over */
    day_over();
    assert_int_equal(import(wechat, 20260230, 1, &e), ERR_RANGE);
    assert_int_equal(import(wechat, DAY2, 1, &e), ERR_CONFLICT);
    assert_int_equal(import(bank, DAY1, 1, &e), ERR_UNSUPPORTED);
    assert_int_equal(import(w->station, DAY1, 1, &e), ERR_NOT_FOUND);
    assert_int_equal(part(wechat, DAY1, 0, 65, &e), ERR_RANGE);
    /* Parts of another bill, or lost ones, are never taken for its own. */
    assert_int_equal(part(wechat, DAY1, 0, 1, &e), 0);
    struct cmd_bill_put b = bill_usual(alipay, DAY1, 1);
    assert_int_equal(put(&b), ERR_CONFLICT);
    b = bill_usual(wechat, DAY1, 2);
    assert_int_equal(put(&b), ERR_CONFLICT);
    assert_int_equal(part(wechat, DAY1, 2, 1, &e), ERR_CONFLICT);
    world_restart(w);
    b = bill_usual(wechat, DAY1, 1);
    assert_int_equal(put(&b), ERR_CONFLICT);
    /* Sides that a class cannot have, fees that do not add up, a half that is nobody's. */
    const struct bill_diff_in bad[] = {entry(BILL_AMOUNT, 5, 5, "x"),
                                       entry(BILL_THEIRS_ONLY, 5, 6, "x"),
                                       entry(BILL_OURS_ONLY, 0, 0, "x"),
                                       entry(BILL_DAY_CUT, 5, 6, "x"),
                                       entry(BILL_PAYMENT, 5, 6, "x"),
                                       entry(99, 5, 6, "x"),
                                       entry(BILL_THEIRS_ONLY, 0, INT64_MAX, "x")};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(import(wechat, DAY1, 1, &bad[i]), ERR_RANGE);
    b.fees = 1;
    assert_int_equal(part(wechat, DAY1, 0, 1, &e), 0);
    assert_int_equal(put(&b), ERR_RANGE);
    struct bill_diff_in half = entry(BILL_DAY_CUT, 0, 70000, "P1");
    half.diff = 17;
    assert_int_equal(import(wechat, DAY1, 1, &half), ERR_NOT_FOUND);
    struct cmd *c = world_web(w, CMD_BILL_PUT, w->person, ACTOR_PERSON);
    c->head.tenant++;
    c->u.bill_put = bill_usual(wechat, DAY1, 0);
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    assert_int_equal(world_count(w, ROW_BILL), 0);
    assert_int_equal(world_count(w, ROW_BILL_DIFF), 0);
    assert_int_equal(balance(ACCOUNT_SUSPENSE, 0), 0);
}

/* What the next day's bill says of it. */
static void test_other_half(void **state)
{
    (void)state;
    day_over();
    const struct bill_diff_in e[] = {
        entry(BILL_DAY_CUT, 40000, 0, "P4"), entry(BILL_DAY_CUT, 60000, 0, "P7"),
        entry(BILL_DAY_CUT, 80000, 0, "P8"), entry(BILL_THEIRS_ONLY, 0, 70000, "P1")};
    assert_int_equal(import(wechat, DAY1, 4, e), 0);
    world_restart(w);
    day_over();
    day_over();
    struct bill_diff_in next[] = {entry(BILL_DAY_CUT, 0, 40000, "P4"),
                                  entry(BILL_DAY_CUT, 0, 60100, "P7"),
                                  entry(BILL_DAY_CUT, 70000, 0, "P1")};
    for (size_t i = 0; i < 3; i++)
        next[i].diff = diff_of(next[i].no);
    next[2].diff = next[1].diff; /* one half twice */
    assert_int_equal(import(wechat, DAY2, 3, next), ERR_CONFLICT);
    next[2].diff = diff_of("P1");
    assert_int_equal(import(wechat, DAY2, 3, next), 0);
    books_tie();
    assert_int_equal(diff_row(diff_of("P4"))->state, DIFF_RESOLVED);
    assert_int_equal(diff_row(diff_of("P4"))->theirs_day, DAY2);
    assert_int_equal(diff_row(diff_of("P7"))->class, BILL_AMOUNT);
    assert_int_equal(diff_row(diff_of("P7"))->suspense, 100);
    assert_int_equal(diff_row(diff_of("P8"))->class, BILL_OURS_ONLY); /* it was not there either */
    assert_int_equal(diff_row(diff_of("P8"))->state, DIFF_OPEN);
    assert_int_equal(diff_row(diff_of("P1"))->state, DIFF_RESOLVED); /* booked after all */
    assert_int_equal(balance(ACCOUNT_SUSPENSE, 0), 100);
}

static int shares_put(int64_t channel, int32_t day, int32_t n, const struct bill_diff_in *e,
                      int64_t fees)
{
    struct cmd_bill_put b = bill_usual(channel, day, n);
    int rc = n ? part(channel, day, 0, n, e) : 0;
    b.kind = BILL_SHARES;
    b.fees = b.fee_due = fees;
    return rc ? rc : put(&b);
}

static int import_shares(int64_t channel, int32_t day, int32_t n, const struct bill_diff_in *e)
{
    return shares_put(channel, day, n, e, 0);
}

static struct bill_diff_in share_entry(enum bill_class class, int32_t kind, int64_t ours,
                                       int64_t theirs, const char *no)
{
    struct bill_diff_in e = entry(class, ours, theirs, no);
    e.kind = kind;
    return e;
}

/* Shares have a bill of their own, beside the other one of the day; what is near midnight waits for the next
 * of its kind. */
static void test_bill_of_shares(void **state)
{
    (void)state;
    day_over();
    const struct bill_diff_in trade[] = {entry(BILL_DAY_CUT, 40000, 0, "P4")};
    assert_int_equal(import(wechat, DAY1, 1, trade), 0);
    struct bill_diff_in bad = share_entry(BILL_THEIRS_ONLY, 1, 0, -10800, "W1");
    assert_int_equal(shares_put(wechat, DAY1, 1, &bad, 0), ERR_RANGE); /* a payment */
    bad = share_entry(BILL_FEE, PAYOUT_SHARED, -1, -2, "W1");
    assert_int_equal(shares_put(wechat, DAY1, 1, &bad, 0), ERR_RANGE);
    bad.class = BILL_THEIRS_ONLY;
    bad.ours = 0;
    assert_int_equal(shares_put(wechat, DAY1, 1, &bad, 1), ERR_RANGE); /* fees */
    assert_int_equal(shares_put(alipay, DAY1, 1, &bad, 0), ERR_UNSUPPORTED);
    assert_int_equal(import(wechat, DAY2, 1, &bad), ERR_CONFLICT);
    assert_int_equal(import(alipay, DAY1, 1, &bad), ERR_RANGE); /* no place for shares */
    assert_int_equal(world_count(w, ROW_BILL), 1);
    const struct bill_diff_in e[] = {share_entry(BILL_THEIRS_ONLY, PAYOUT_SHARED, 0, -10800, "W1"),
                                     share_entry(BILL_AMOUNT, PAYOUT_RETURNED, 5000, 4900, "W2"),
                                     share_entry(BILL_DAY_CUT, PAYOUT_SHARED, -3000, 0, "W3")};
    assert_int_equal(import_shares(wechat, DAY1, 3, e), 0);
    int64_t id = w->reply.u.made.id;
    books_tie();
    assert_int_equal(balance(ACCOUNT_SUSPENSE, 0), -10900);
    assert_int_equal(balance(ACCOUNT_CHANNEL, wechat), 10900);
    assert_int_equal(world_count(w, ROW_BILL), 2);
    assert_int_equal(import_shares(wechat, DAY1, 3, e), 0); /* the same again */
    assert_int_equal(w->reply.u.made.id, id);
    assert_int_equal(world_count(w, ROW_BILL), 2);
    world_restart(w);
    day_over();
    day_over();
    /* The next bill of payments says nothing of shares, nor the other way round. */
    struct bill_diff_in half = entry(BILL_DAY_CUT, 0, -3000, "W3");
    half.diff = diff_of("W3");
    assert_int_equal(import(wechat, DAY2, 1, &half), ERR_NOT_FOUND);
    half = share_entry(BILL_DAY_CUT, PAYOUT_RETURNED, 0, 40000, "P4");
    half.diff = diff_of("P4");
    assert_int_equal(shares_put(wechat, DAY2, 1, &half, 0), ERR_NOT_FOUND);
    assert_int_equal(import(wechat, DAY2, 0, NULL), 0);
    assert_int_equal(diff_row(diff_of("P4"))->class, BILL_OURS_ONLY);
    assert_int_equal(diff_row(diff_of("W3"))->class, BILL_DAY_CUT);
    half = share_entry(BILL_DAY_CUT, PAYOUT_SHARED, 0, -3000, "W3");
    half.diff = diff_of("W3");
    assert_int_equal(shares_put(wechat, DAY2, 1, &half, 0), 0);
    assert_int_equal(diff_row(diff_of("W3"))->state, DIFF_RESOLVED);
    books_tie();
}

/* ---- people ---- */

static int64_t one(enum bill_class class, int64_t ours, int64_t theirs)
{
    static int32_t n;
    char no[20];
    snprintf(no, sizeof no, "P90%d", (int)++n);
    const struct bill_diff_in e = entry(class, ours, theirs, no);
    world_run(w, DAY_MS);
    assert_int_equal(import(wechat, recon_day_of(w->now - DAY_MS), 1, &e), 0);
    return diff_of(no);
}

static void test_ways(void **state)
{
    (void)state;
    int64_t id = one(BILL_THEIRS_ONLY, 0, 70000), had = balance(ACCOUNT_WALLET, driver);
    assert_int_equal(decide(id, DIFF_ACT_RESOLVE, DIFF_TO_DRIVER, w->station, w->person),
                     ERR_NOT_FOUND);
    assert_int_equal(decide(id, DIFF_ACT_RESOLVE, DIFF_PAIRED, 0, w->person), ERR_RANGE);
    assert_int_equal(decide(id, DIFF_ACT_RESOLVE, DIFF_TO_PAYMENT, 5, w->person), ERR_NOT_FOUND);
    assert_int_equal(decide(id, DIFF_ACT_RESOLVE, DIFF_BY_BANK, wechat, w->person), ERR_NOT_FOUND);
    assert_int_equal(decide(id, DIFF_ACT_POST, 0, 0, w->person), ERR_CONFLICT);
    world_restart(w); /* the driver is fetched */
    assert_int_equal(decide(id, DIFF_ACT_RESOLVE, DIFF_TO_DRIVER, driver, w->person), 0);
    assert_int_equal(balance(ACCOUNT_WALLET, driver), had + 70000);
    assert_int_equal(((const struct row_payment *)world_last(w, ROW_PAYMENT))->amount, 70000);
    assert_int_equal(diff_row(id)->owner, w->person);
    assert_int_equal(decide(id, DIFF_ACT_RESOLVE, DIFF_TO_DRIVER, driver, w->person), ERR_CONFLICT);
    id = one(BILL_AMOUNT, 10000, 9000);
    assert_int_equal(decide(id, DIFF_ACT_RESOLVE, DIFF_TO_DRIVER, driver, w->person), ERR_RANGE);
    assert_int_equal(decide(id, DIFF_ACT_RESOLVE, DIFF_TO_LOSS, 0, w->person), 0);
    assert_int_equal(balance(ACCOUNT_OVERRUN, 0), -1000);
    id = one(BILL_FEE, -600, -900);
    assert_int_equal(decide(id, DIFF_ACT_RESOLVE, DIFF_TO_FEE, 0, w->person), 0);
    assert_int_equal(balance(ACCOUNT_CHANNEL_FEE, wechat), -300);
    id = one(BILL_THEIRS_ONLY, 0, -5000);
    assert_int_equal(decide(id, DIFF_ACT_RESOLVE, DIFF_BY_BANK, bank, w->person), 0);
    assert_int_equal(balance(ACCOUNT_BANK, bank), -5000); /* it was paid back to us */
    /* What the provider took back on another day. */
    id = one(BILL_THEIRS_ONLY, 0, 8000);
    int64_t back = one(BILL_THEIRS_ONLY, 0, -8000), other = one(BILL_THEIRS_ONLY, 0, -8100);
    assert_int_equal(decide(id, DIFF_ACT_RESOLVE, DIFF_REVERSED, other, w->person), ERR_NOT_FOUND);
    assert_int_equal(decide(id, DIFF_ACT_RESOLVE, DIFF_REVERSED, id, w->person), ERR_NOT_FOUND);
    assert_int_equal(decide(id, DIFF_ACT_RESOLVE, DIFF_REVERSED, back, w->person), 0);
    assert_int_equal(diff_row(back)->state, DIFF_RESOLVED);
    assert_int_equal(balance(ACCOUNT_SUSPENSE, 0), -8100);
}

static int by_key(int64_t id, enum diff_act act)
{
    struct cmd *c = world_web(w, CMD_DIFF_DECIDE, 77, ACTOR_API_KEY);
    c->u.diff_decide = (struct cmd_diff_decide){
        .diff = id, .act = (int32_t)act, .way = DIFF_TO_DRIVER, .target = driver};
    return world_send(w, c);
}

static void test_two_people_above_the_limit(void **state)
{
    (void)state;
    tenant_set(50000);
    int64_t id = one(BILL_THEIRS_ONLY, 0, 50100), had = balance(ACCOUNT_WALLET, driver);
    assert_int_equal(decide(id, DIFF_ACT_APPROVE, 0, 0, second), ERR_CONFLICT);
    assert_int_equal(by_key(id, DIFF_ACT_RESOLVE), ERR_DENIED); /* its maker might approve */
    assert_int_equal(decide(id, DIFF_ACT_RESOLVE, DIFF_TO_DRIVER, driver, w->person), 0);
    assert_int_equal(by_key(id, DIFF_ACT_APPROVE), ERR_SECOND);
    assert_int_equal(balance(ACCOUNT_SUSPENSE, 0), 50100); /* nothing leaves yet */
    assert_int_equal(decide(id, DIFF_ACT_RESOLVE, DIFF_TO_LOSS, 0, second), ERR_CONFLICT);
    assert_int_equal(decide(id, DIFF_ACT_APPROVE, 0, 0, w->person), ERR_DENIED);
    assert_int_equal(decide(id, DIFF_ACT_REFUSE, 0, 0, second), 0);
    assert_int_equal(decide(id, DIFF_ACT_RESOLVE, DIFF_TO_DRIVER, driver, w->person), 0);
    world_restart(w);
    assert_int_equal(decide(id, DIFF_ACT_APPROVE, 0, 0, second), 0);
    assert_int_equal(balance(ACCOUNT_SUSPENSE, 0), 0);
    assert_int_equal(balance(ACCOUNT_WALLET, driver), had + 50100);
    assert_int_equal(diff_row(id)->asked_by, w->person);
    assert_int_equal(diff_row(id)->checked_by, second);
    id = one(BILL_THEIRS_ONLY, 0, 50000); /* up to the limit one person is enough */
    assert_int_equal(decide(id, DIFF_ACT_RESOLVE, DIFF_TO_DRIVER, driver, w->person), 0);
}

/* Nobody opens that wallet again. */
static void test_to_a_closed_account(void **state)
{
    (void)state;
    int64_t id = one(BILL_THEIRS_ONLY, 0, 7000);
    struct cmd *c = world_web(w, CMD_DRIVER_CLOSE, driver, ACTOR_DRIVER);
    c->u.driver_close =
        (struct cmd_driver_close){.driver = driver, .give_up = balance(ACCOUNT_WALLET, driver)};
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(decide(id, DIFF_ACT_RESOLVE, DIFF_TO_DRIVER, driver, w->person), ERR_DISABLED);
    assert_int_equal(balance(ACCOUNT_SUSPENSE, 0), 7000);
    assert_int_equal(decide(id, DIFF_ACT_RESOLVE, DIFF_BY_BANK, bank, w->person), 0);
}

/* A party's share: by two people whatever its size, with a part of its own; a negative one is taken. */
static void test_to_a_party(void **state)
{
    (void)state;
    int64_t id = one(BILL_THEIRS_ONLY, 0, 7000);
    size_t parts = world_count(w, ROW_SPLIT_PART);
    assert_int_equal(decide(id, DIFF_ACT_RESOLVE, DIFF_TO_PARTY, driver, w->person), ERR_NOT_FOUND);
    assert_int_equal(decide(id, DIFF_ACT_RESOLVE, DIFF_TO_PARTY, w->platform, w->person),
                     ERR_RANGE);
    assert_int_equal(decide(id, DIFF_ACT_RESOLVE, DIFF_TO_PARTY, w->owner, w->person), 0);
    assert_int_equal(decide(id, DIFF_ACT_APPROVE, 0, 0, w->person), ERR_DENIED);
    assert_int_equal(balance(ACCOUNT_SUSPENSE, 0), 7000); /* nothing moved yet */
    assert_int_equal(world_count(w, ROW_SPLIT_PART), parts);
    world_restart(w);
    assert_int_equal(decide(id, DIFF_ACT_APPROVE, 0, 0, second), 0);
    assert_int_equal(balance(ACCOUNT_PENDING, w->owner), 7000);
    const struct row_split_part *p = world_last(w, ROW_SPLIT_PART);
    assert_int_equal(p->party, w->owner);
    assert_int_equal(p->amount, 7000);
    assert_int_equal(p->transfer, diff_row(id)->resolved);
    assert_int_equal(p->order_id, p->transfer);
    assert_int_equal(decide(id, DIFF_ACT_APPROVE, 0, 0, second), ERR_CONFLICT);
    world_run(w, 2 * DAY_MS); /* it matures like any share */
    assert_int_equal(balance(ACCOUNT_AVAILABLE, w->owner), 7000);
    id = one(BILL_THEIRS_ONLY, 0, -9000);
    assert_int_equal(decide(id, DIFF_ACT_RESOLVE, DIFF_TO_PARTY, w->owner, w->person), 0);
    assert_int_equal(decide(id, DIFF_ACT_APPROVE, 0, 0, second), 0);
    assert_int_equal(balance(ACCOUNT_AVAILABLE, w->owner), 0);
    assert_int_equal(balance(ACCOUNT_PARTY_DEBT, w->owner), -2000);
    assert_int_equal(((const struct row_split_part *)world_last(w, ROW_SPLIT_PART))->amount, -9000);
    assert_int_equal(balance(ACCOUNT_SUSPENSE, 0), 0);
}

/* A bill of which thousands of rows differ is taken whole, however many parts it comes in; beyond the
 * limit it is not, and nothing happened. */
static void test_many_differences(void **state)
{
    (void)state;
    enum { MANY = 3000 };
    struct bill_diff_in e[BILL_PART_MAX];
    char no[20];
    day_over();
    for (int32_t n = 0; n < MANY; n += BILL_PART_MAX) {
        int32_t k = MANY - n < BILL_PART_MAX ? MANY - n : BILL_PART_MAX;
        for (int32_t i = 0; i < k; i++) {
            snprintf(no, sizeof no, "X%d", (int)(n + i));
            e[i] = entry(BILL_THEIRS_ONLY, 0, 100, no);
        }
        assert_int_equal(part(wechat, DAY1, n, k, e), 0);
    }
    struct cmd_bill_put b = bill_usual(wechat, DAY1, MANY);
    b.rows = MANY;
    assert_int_equal(put(&b), 0);
    assert_int_equal(balance(ACCOUNT_SUSPENSE, 0), MANY * 100);
    assert_int_equal(part(wechat, DAY2, (int32_t)w->core->lim.bill_diffs, 1, e), ERR_CONFLICT);
    w->core->lim.bill_diffs = 100;
    assert_int_equal(part(wechat, DAY2, 0, 64, e), 0);
    assert_int_equal(part(wechat, DAY2, 64, 64, e), ERR_TOO_LARGE);
    books_tie();
}

static void test_ours_only(void **state)
{
    (void)state;
    int64_t id = one(BILL_OURS_ONLY, 30000, 0);
    assert_int_equal(decide(id, DIFF_ACT_RESOLVE, DIFF_TO_LOSS, 0, w->person), ERR_CONFLICT);
    assert_int_equal(decide(id, DIFF_ACT_ASSIGN, 0, driver, w->person), ERR_NOT_FOUND);
    assert_int_equal(decide(id, DIFF_ACT_ASSIGN, 0, second, w->person), 0);
    assert_int_equal(diff_row(id)->owner, second);
    assert_int_equal(decide(id, DIFF_ACT_POST, 0, 0, w->person), 0);
    assert_int_equal(balance(ACCOUNT_SUSPENSE, 0), -30000);
    assert_int_equal(decide(id, DIFF_ACT_POST, 0, 0, w->person), ERR_CONFLICT);
    assert_int_equal(decide(id, DIFF_ACT_RESOLVE, DIFF_TO_LOSS, 0, w->person), 0);
    assert_int_equal(balance(ACCOUNT_OVERRUN, 0), -30000);
    assert_int_equal(decide(id, DIFF_ACT_ASSIGN, 0, second, w->person), ERR_CONFLICT);
    assert_int_equal(decide(id + 1, DIFF_ACT_ASSIGN, 0, second, w->person), ERR_NOT_FOUND);
    assert_int_equal(decide(id, 9, 0, 0, w->person), ERR_RANGE);
    struct cmd *c = world_web(w, CMD_DIFF_DECIDE, w->person, ACTOR_PERSON);
    c->head.tenant++;
    c->u.diff_decide.diff = id;
    c->u.diff_decide.act = DIFF_ACT_ASSIGN;
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
}

/* ---- payments ---- */

static int told(int64_t row, int64_t channel, enum pay_op op, enum pay_state s, int64_t amount)
{
    return world_told(w, row, channel, op, s, amount);
}

static int64_t payment_ask(int64_t amount, int64_t package)
{
    struct cmd *c = world_web(w, CMD_PAYMENT_NEW, driver, ACTOR_DRIVER);
    struct cmd_payment_new *p = &c->u.payment_new;
    p->driver = driver;
    p->channel = wechat;
    p->amount = amount;
    p->package = package;
    p->method = PAY_METHOD_QR;
    (void)str_copy(p->currency, 4, STR_LIT("CNY"));
    assert_int_equal(world_send(w, c), 0);
    int64_t id = w->reply.u.made.id;
    assert_int_equal(told(id, wechat, PAY_CREATE, PAY_PENDING, -1), 0);
    return id;
}

/* Closed as far as we were told, but the bill has it. */
static void test_payment_after_closed(void **state)
{
    (void)state;
    int64_t id = payment_ask(70000, 0), had = balance(ACCOUNT_WALLET, driver);
    assert_int_equal(told(id, wechat, PAY_QUERY, PAY_CLOSED, -1), 0);
    day_over();
    struct bill_diff_in e = entry(BILL_THEIRS_ONLY, 0, 70000, "P77");
    e.row = id;
    assert_int_equal(import(wechat, DAY1, 1, &e), 0);
    int64_t diff = diff_of("P77"), small = one(BILL_THEIRS_ONLY, 0, 60000);
    assert_int_equal(decide(small, DIFF_ACT_RESOLVE, DIFF_TO_PAYMENT, id, w->person), ERR_RANGE);
    assert_int_equal(decide(diff, DIFF_ACT_RESOLVE, DIFF_TO_PAYMENT, id, w->person), 0);
    const struct row_payment *p = world_row(w, ROW_PAYMENT, id);
    assert_int_equal(p->state, PAYMENT_PAID);
    assert_true(p->transfer != 0);
    assert_int_equal(balance(ACCOUNT_WALLET, driver), had + 70000);
    /* What the provider says now changes nothing. */
    assert_int_equal(told(id, wechat, PAY_QUERY, PAY_DONE, 70000), 0);
    assert_int_equal(balance(ACCOUNT_WALLET, driver), had + 70000);
    assert_int_equal(decide(small, DIFF_ACT_RESOLVE, DIFF_TO_PAYMENT, id, w->person), ERR_CONFLICT);
}

/* As it is found it is what it would have been: its package's gift comes with it. It is no other
 * driver's money, nor his twice. */
static void test_package_found(void **state)
{
    (void)state;
    const struct row_package package = {.name = "big", .pay = 70000, .gift = 7000};
    int64_t id = payment_ask(70000, add(ROW_PACKAGE, &package));
    assert_int_equal(told(id, wechat, PAY_QUERY, PAY_CLOSED, -1), 0);
    day_over();
    struct bill_diff_in e = entry(BILL_THEIRS_ONLY, 0, 70000, "P79");
    e.row = id;
    assert_int_equal(import(wechat, DAY1, 1, &e), 0);
    int64_t diff = diff_of("P79");
    world_restart(w); /* the payment is fetched */
    assert_int_equal(decide(diff, DIFF_ACT_RESOLVE, DIFF_TO_DRIVER, driver, w->person),
                     ERR_CONFLICT);
    assert_int_equal(decide(diff, DIFF_ACT_RESOLVE, DIFF_TO_PAYMENT, id, w->person), 0);
    assert_int_equal(((const struct row_payment *)world_row(w, ROW_PAYMENT, id))->gift, 7000);
    assert_int_equal(balance(ACCOUNT_WALLET_BONUS, driver), 7000);
    assert_int_equal(told(id, wechat, PAY_QUERY, PAY_DONE, 70000), 0);
    assert_int_equal(balance(ACCOUNT_WALLET_BONUS, driver), 7000);
}

/* The provider says it late, when the bill has put the money on suspense: it is credited once. */
static void test_payment_told_after_its_bill(void **state)
{
    (void)state;
    int64_t id = payment_ask(70000, 0), had = balance(ACCOUNT_WALLET, driver);
    assert_int_equal(told(id, wechat, PAY_QUERY, PAY_CLOSED, -1), 0);
    day_over();
    struct bill_diff_in e = entry(BILL_THEIRS_ONLY, 0, 70000, "P78");
    e.row = id;
    assert_int_equal(import(wechat, DAY1, 1, &e), 0);
    int64_t diff = diff_of("P78");
    assert_int_equal(told(id, wechat, PAY_QUERY, PAY_DONE, 70000), 0);
    assert_int_equal(balance(ACCOUNT_WALLET, driver), had + 70000);
    world_restart(w); /* the payment is fetched */
    assert_int_equal(decide(diff, DIFF_ACT_RESOLVE, DIFF_TO_DRIVER, driver, w->person),
                     ERR_CONFLICT);
    assert_int_equal(decide(diff, DIFF_ACT_RESOLVE, DIFF_TO_PAYMENT, id, w->person), ERR_CONFLICT);
    assert_int_equal(balance(ACCOUNT_WALLET, driver), had + 70000);
}

static void test_payment_of_other_amount(void **state)
{
    (void)state;
    int64_t id = payment_ask(70000, 0), had = balance(ACCOUNT_WALLET, driver);
    assert_int_equal(told(id, wechat, PAY_QUERY, PAY_DONE, 69900), 0);
    books_tie();
    const struct row_bill_diff *d = world_last(w, ROW_BILL_DIFF);
    assert_int_equal(d->class, BILL_PAYMENT);
    assert_int_equal(d->suspense, 69900);
    assert_int_equal(d->of_row, id);
    assert_int_equal(decide(d->id, DIFF_ACT_RESOLVE, DIFF_TO_PAYMENT, id, w->person), ERR_CONFLICT);
    assert_int_equal(decide(d->id, DIFF_ACT_RESOLVE, DIFF_TO_DRIVER, driver, w->person), 0);
    assert_int_equal(balance(ACCOUNT_WALLET, driver), had + 69900);
}

/* ---- a payout of which the rail says that another amount was paid ---- */

static int paid(int64_t id, int64_t amount, const char *note, int64_t who)
{
    struct cmd *c = world_web(w, CMD_PAYOUT_DECIDE, who, ACTOR_PERSON);
    c->u.payout_decide.payout = id;
    c->u.payout_decide.act = PAYOUT_ACT_PAID;
    c->u.payout_decide.amount = amount;
    (void)str_copy(c->u.payout_decide.note, 201, str_from_c(note));
    int rc = world_send(w, c);
    books_tie();
    return rc;
}

/* The platform withdraws 1.00 of what it earned; the rail says what it paid. */
static int64_t payout_said(int64_t said)
{
    int64_t tx, order = world_charging(w, balance(ACCOUNT_WALLET, driver), &tx);
    world_run(w, 200000);
    assert_int_equal(world_tx_stop(w, tx, 3 * 1000000, w->now), 0);
    assert_int_equal(world_order(w, order)->state, ORDER_SETTLED);
    struct row_party p = *(const struct row_party *)world_row(w, ROW_PARTY, w->platform);
    p.verified = 1;
    p.payee = "account";
    p.payee_name = "us";
    assert_int_equal(world_put(w, ROW_PARTY, false, &p), 0);
    struct cmd *c = world_web(w, CMD_PAYOUT_NEW, w->person, ACTOR_PERSON);
    c->u.payout_new.party = w->platform;
    c->u.payout_new.amount = 10000;
    c->u.payout_new.channel = wechat;
    assert_int_equal(world_send(w, c), 0);
    int64_t id = w->reply.u.made.id;
    assert_int_equal(told(id, wechat, PAY_TRANSFER, PAY_DONE, said), 0);
    assert_int_equal(((const struct row_payout *)world_row(w, ROW_PAYOUT, id))->state,
                     PAYOUT_UNKNOWN);
    return id;
}

static void test_payout_less_was_paid(void **state)
{
    (void)state;
    int64_t id = payout_said(9000);
    assert_int_equal(paid(id, 9000, "the rail's page says so", w->person), ERR_DENIED);
    assert_int_equal(paid(id, 9000, "", second), ERR_REQUIRED);
    assert_int_equal(paid(id, 0, "note", second), ERR_RANGE);
    assert_int_equal(paid(id, 9050, "note", second), ERR_RANGE);
    assert_int_equal(paid(id, -9000, "note", second), ERR_RANGE);
    assert_int_equal(balance(ACCOUNT_TRANSIT, w->platform), 10000);
    world_restart(w);
    assert_int_equal(paid(id, 9000, "the rail's page says so", second), 0);
    const struct row_payout *p = world_row(w, ROW_PAYOUT, id);
    assert_int_equal(p->state, PAYOUT_SETTLED);
    assert_int_equal(p->said, 9000);
    assert_int_equal(balance(ACCOUNT_TRANSIT, w->platform), 0);
    assert_int_equal(balance(ACCOUNT_CHANNEL, wechat), 9000);
    assert_int_equal(balance(ACCOUNT_SUSPENSE, 0), 1000);
    const struct row_bill_diff *d = world_last(w, ROW_BILL_DIFF);
    assert_int_equal(d->class, BILL_PAYOUT);
    assert_int_equal(d->owner, second);
    assert_int_equal(d->transfer, p->settled);
    assert_int_equal(paid(id, 9000, "again", second), ERR_CONFLICT);
    assert_int_equal(told(id, wechat, PAY_TRANSFER_QUERY, PAY_DONE, 10000), 0);
    assert_int_equal(balance(ACCOUNT_CHANNEL, wechat), 9000);
    /* The rest is paid by hand. */
    assert_int_equal(decide(d->id, DIFF_ACT_RESOLVE, DIFF_BY_BANK, 0, second), 0);
    assert_int_equal(balance(ACCOUNT_BANK, 0), 1000);
    assert_int_equal(balance(ACCOUNT_SUSPENSE, 0), 0);
}

static void test_payout_more_was_paid(void **state)
{
    (void)state;
    int64_t id = payout_said(12000);
    assert_int_equal(paid(id, 12000, "seen", second), 0);
    assert_int_equal(balance(ACCOUNT_CHANNEL, wechat), 12000);
    assert_int_equal(balance(ACCOUNT_SUSPENSE, 0), -2000);
}

static void test_payout_was_right_after_all(void **state)
{
    (void)state;
    int64_t id = payout_said(12000);
    assert_int_equal(paid(id, 10000, "the rail was wrong", second), 0);
    assert_int_equal(balance(ACCOUNT_CHANNEL, wechat), 10000);
    assert_int_equal(balance(ACCOUNT_SUSPENSE, 0), 0);
    assert_int_equal(world_count(w, ROW_BILL_DIFF), 0);
}

/* Nobody settles one by hand of which the rail says nothing. */
static void test_payout_not_said(void **state)
{
    (void)state;
    int64_t id = payout_said(12000);
    assert_int_equal(told(id, wechat, PAY_TRANSFER_QUERY, PAY_DONE, 10000), 0);
    assert_int_equal(paid(id, 12000, "seen", second), ERR_CONFLICT);
    assert_int_equal(balance(ACCOUNT_TRANSIT, w->platform), 0);
}

/* ---- the close of days ---- */

static int close_day(int32_t day, int64_t opening, int64_t theirs, int64_t held)
{
    struct cmd *c = world_web(w, CMD_DAY_CLOSE, w->person, ACTOR_PERSON);
    c->u.day_close = (struct cmd_day_close){.channel = wechat,
                                            .day = day,
                                            .opening = opening,
                                            .theirs = theirs,
                                            .held = held,
                                            .lines = held - theirs};
    return world_send(w, c);
}

static int settle(int32_t day, int64_t amount, int64_t fee, const char *no)
{
    struct cmd *c = world_web(w, CMD_CHANNEL_SETTLE, w->person, ACTOR_PERSON);
    struct cmd_channel_settle *s = &c->u.channel_settle;
    s->channel = wechat;
    s->bank = bank;
    s->amount = amount;
    s->fee = fee;
    s->day = day;
    (void)str_copy(s->bank_no, sizeof s->bank_no, str_from_c(no));
    return world_send(w, c);
}

static void test_close(void **state)
{
    (void)state;
    assert_int_equal(close_day(DAY1, 0, 0, 0), ERR_CONFLICT); /* not over */
    day_over();
    struct bill_diff_in e = entry(BILL_THEIRS_ONLY, 0, 70000, "P1");
    assert_int_equal(part(wechat, DAY1, 0, 1, &e), 0);
    struct cmd_bill_put b = bill_usual(wechat, DAY1, 1);
    b.took = 70000;
    b.fees = b.fee_due = 400;
    assert_int_equal(put(&b), 0);
    assert_int_equal(close_day(DAY1, 0, 69600, 69600), ERR_CONFLICT); /* nobody looks after P1 */
    assert_int_equal(decide(diff_of("P1"), DIFF_ACT_ASSIGN, 0, second, w->person), 0);
    assert_int_equal(close_day(DAY1, 0, 69500, 69500), ERR_STALE);
    assert_int_equal(close_day(DAY1, INT64_MAX, INT64_MAX, INT64_MAX), ERR_RANGE);
    assert_int_equal(close_day(DAY1, 0, 69600, INT64_MAX), ERR_RANGE);
    struct cmd *c = world_web(w, CMD_DAY_CLOSE, w->person, ACTOR_PERSON);
    c->u.day_close = (struct cmd_day_close){
        .channel = wechat, .day = DAY1, .theirs = 69600, .held = 69700, .lines = 0};
    assert_int_equal(world_send(w, c), ERR_CONFLICT); /* it does not explain itself */
    assert_int_equal(settle(DAY1, 20000, 0, "B-1"), 0);
    assert_int_equal(balance(ACCOUNT_BANK, bank), -20000);
    assert_int_equal(close_day(DAY1, 0, 49600, 49600), 0);
    assert_int_equal(close_day(DAY1, 0, 49600, 49600), ERR_READ_ONLY);
    /* Nothing reaches a closed day: no bill, not even the same, and no settlement. */
    assert_int_equal(put(&b), ERR_READ_ONLY);
    assert_int_equal(settle(DAY1, 100, 0, "B-2"), ERR_READ_ONLY);
    world_restart(w);
    assert_int_equal(put(&b), ERR_READ_ONLY);
    assert_int_equal(settle(DAY1, 100, 0, "B-2"), ERR_READ_ONLY);
    /* It goes on where it stopped. */
    day_over();
    day_over();
    assert_int_equal(settle(DAY2, 40000, 100, "B-3"), 0);
    assert_int_equal(close_day(DAY2, 0, 9500, 9500), ERR_STALE);
    assert_int_equal(close_day(DAY2, 49600, 9500, 9500), 0);
    const struct row_day_close *d = world_last(w, ROW_DAY_CLOSE);
    assert_int_equal(d->first_day, DAY2);
    assert_int_equal(d->settled, 40100);
    assert_int_equal(balance(ACCOUNT_CHANNEL, wechat), -9500);
}

static void test_bad_settlements(void **state)
{
    (void)state;
    assert_int_equal(settle(DAY1, 20000, 0, ""), ERR_REQUIRED);
    assert_int_equal(settle(DAY1, 0, 0, "B"), ERR_RANGE);
    assert_int_equal(settle(DAY1, -100, 0, "B"), ERR_RANGE);
    assert_int_equal(settle(DAY1, 20050, 0, "B"), ERR_RANGE);
    assert_int_equal(settle(DAY1, 20000, -100, "B"), ERR_RANGE);
    assert_int_equal(settle(DAY2, 20000, 0, "B"), ERR_RANGE); /* tomorrow */
    assert_int_equal(settle(DAY1, 20000, 0, "B"), 0);
    assert_int_equal(settle(DAY1, 20000, 0, "B"), ERR_CONFLICT); /* noted already */
    struct cmd *c = world_web(w, CMD_CHANNEL_SETTLE, w->person, ACTOR_PERSON);
    c->u.channel_settle = (struct cmd_channel_settle){
        .channel = wechat, .bank = alipay, .amount = 100, .day = DAY1, .bank_no = "C"};
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    assert_int_equal(balance(ACCOUNT_BANK, bank), -20000);
    assert_int_equal(balance(ACCOUNT_CHANNEL, wechat), 20000);
}

int core_recon(void);
int core_recon(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_class_is_posted, up, down),
        cmocka_unit_test_setup_teardown(test_bad_bills, up, down),
        cmocka_unit_test_setup_teardown(test_other_half, up, down),
        cmocka_unit_test_setup_teardown(test_bill_of_shares, up, down),
        cmocka_unit_test_setup_teardown(test_ways, up, down),
        cmocka_unit_test_setup_teardown(test_two_people_above_the_limit, up, down),
        cmocka_unit_test_setup_teardown(test_to_a_closed_account, up, down),
        cmocka_unit_test_setup_teardown(test_to_a_party, up, down),
        cmocka_unit_test_setup_teardown(test_many_differences, up, down),
        cmocka_unit_test_setup_teardown(test_ours_only, up, down),
        cmocka_unit_test_setup_teardown(test_payment_after_closed, up, down),
        cmocka_unit_test_setup_teardown(test_package_found, up, down),
        cmocka_unit_test_setup_teardown(test_payment_told_after_its_bill, up, down),
        cmocka_unit_test_setup_teardown(test_payment_of_other_amount, up, down),
        cmocka_unit_test_setup_teardown(test_payout_less_was_paid, up, down),
        cmocka_unit_test_setup_teardown(test_payout_more_was_paid, up, down),
        cmocka_unit_test_setup_teardown(test_payout_was_right_after_all, up, down),
        cmocka_unit_test_setup_teardown(test_payout_not_said, up, down),
        cmocka_unit_test_setup_teardown(test_close, up, down),
        cmocka_unit_test_setup_teardown(test_bad_settlements, up, down),
    };
    return cmocka_run_group_tests_name("core: reconciliation", tests, NULL, NULL);
}
