// SPDX-License-Identifier: Apache-2.0
/* core_pay_file.c: files of payouts for a bank: made of what waits and may still go, all or nothing; no
 * payout stands in two; one leaves its file, or failed in it, by another person's word only; what is over
 * stays where it stood. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/pay_file.h"
#include "core/purse.h"
#include "world.h"

#define KWH    INT64_C(1000000)
#define DAY_MS INT64_C(86400000)

static struct world world, *w = &world;
static int64_t wechat, bank, other_bank, maker, third;

static void tenant_set(int64_t payout_check, int64_t payout_fee)
{
    struct row_tenant t = *(const struct row_tenant *)world_row(w, ROW_TENANT, w->tenant);
    t.refund_days = 7;
    t.payout_check = payout_check;
    t.payee_hold_h = 0;
    t.payout_fee = payout_fee;
    t.payout_min = 100;
    assert_int_equal(world_put(w, ROW_TENANT, false, &t), 0);
}

/* The owner has 2.00 available, and what he asks for goes at once. */
static int up(void **state)
{
    (void)state;
    world_init(w);
    assert_int_equal(world_open(w), 0);
    wechat = world_channel(w, CHANNEL_WECHAT);
    bank = world_channel(w, CHANNEL_BANK);
    other_bank = world_channel(w, CHANNEL_BANK);
    maker = w->person + 1; /* w->person asks for all payouts */
    third = w->person + 2;
    tenant_set(1000000, 0);
    world_owner_payee(w, 1, "6222020200001234567");
    (void)world_order_of(w, 10 * KWH / 3 + 1);
    world_run(w, 8 * DAY_MS);
    return 0;
}

static int down(void **state)
{
    (void)state;
    world_free(w);
    return 0;
}

static int64_t payout_by(int64_t channel, int64_t amount, int64_t who)
{
    struct cmd *c = world_web(w, CMD_PAYOUT_NEW, who, ACTOR_PERSON);
    c->u.payout_new = (struct cmd_payout_new){
        .party = w->owner, .amount = amount, .channel = channel, .note = "October"};
    assert_int_equal(world_send(w, c), 0);
    return w->reply.u.made.id;
}

static int64_t payout(int64_t channel, int64_t amount)
{
    return payout_by(channel, amount, w->person);
}

/* What became of it by that file, as somebody says. */
static int result_by(int64_t id, int64_t file, enum payout_act act, int64_t who,
                     enum actor_kind kind)
{
    struct cmd *c = world_web(w, CMD_PAYOUT_DECIDE, who, kind);
    c->u.payout_decide = (struct cmd_payout_decide){
        .payout = id, .act = (int32_t)act, .bank_no = "B-1", .file = file};
    return world_send(w, c);
}

static int result(int64_t id, int64_t file, enum payout_act act)
{
    return result_by(id, file, act, third, ACTOR_PERSON);
}

static int decide(int64_t id, enum payout_act act)
{
    return result(id, 0, act);
}

static int decide_by(int64_t id, int64_t who)
{
    return result_by(id, 0, PAYOUT_ACT_FAILED, who, ACTOR_PERSON);
}

static const struct row_payout *payout_row(int64_t id)
{
    return world_row(w, ROW_PAYOUT, id);
}

static struct cmd *file_cmd(int64_t channel, const int64_t *ids, int32_t n)
{
    struct cmd *c = world_web(w, CMD_PAY_FILE_NEW, maker, ACTOR_PERSON);
    c->u.pay_file_new.channel = channel;
    c->u.pay_file_new.n = n;
    for (int32_t i = 0; i < n && i < PAY_FILE_MAX; i++)
        c->u.pay_file_new.payout[i] = ids[i];
    return c;
}

static int file_of(int64_t channel, const int64_t *ids, int32_t n)
{
    return world_send(w, file_cmd(channel, ids, n));
}

static int take_out(int64_t id, const char *note, int64_t who, enum actor_kind kind)
{
    struct cmd *c = world_web(w, CMD_PAY_FILE_OUT, who, kind);
    c->u.pay_file_out.payout = id;
    (void)str_copy(c->u.pay_file_out.note, sizeof c->u.pay_file_out.note, str_from_c(note));
    return world_send(w, c);
}

/* The row of a payout in a file, or NULL. */
static const struct row_pay_file_row *row_of(int64_t file, int64_t id)
{
    for (size_t i = 0; i < w->rows_n; i++) {
        const struct row_pay_file_row *r;
        if (w->rows[i].table != ROW_PAY_FILE_ROW)
            continue;
        r = world_unpacked_to(&w->kept, &w->rows[i]);
        if (r->file == file && r->payout == id)
            return r;
    }
    return NULL;
}

static const char *audited(void)
{
    return ((const struct row_audit *)world_last(w, ROW_AUDIT))->action;
}

/* ---- making ---- */

static void test_file_is_made(void **state)
{
    (void)state;
    tenant_set(1000000, 100);
    const int64_t a = payout(bank, 5000), b = payout(bank, 3000), rest = payout(bank, 2000);
    const int64_t two[] = {a, b};
    assert_int_equal(file_of(bank, two, 2), 0);
    int64_t id = w->reply.u.made.id;
    const struct row_pay_file *f = world_row(w, ROW_PAY_FILE, id);
    assert_int_equal(f->channel, bank);
    assert_int_equal(f->n, 2);
    assert_int_equal(f->amount, 4900 + 2900); /* what the bank pays: the fee is kept */
    assert_string_equal(f->currency, "CNY");
    assert_int_equal(f->made_kind, ACTOR_PERSON);
    assert_int_equal(f->made_by, maker);
    assert_int_equal(f->made_ms, w->now);
    assert_string_equal(audited(), "payfile.new");
    assert_int_equal(payout_row(a)->file, id);
    assert_int_equal(payout_row(b)->file, id);
    assert_int_equal(payout_row(b)->state, PAYOUT_APPROVED);
    assert_int_equal(payout_row(rest)->file, 0);
    const struct row_pay_file_row *r = row_of(id, b);
    assert_int_equal(r->amount, 2900);
    assert_string_equal(r->payee, "6222020200001234567");
    assert_string_equal(r->payee_name, payout_row(b)->payee_name);
    assert_string_equal(r->note, "October");
    assert_int_equal(r->out_ms, 0);
    assert_null(row_of(id, rest));
    /* Once, also after a restart; what is left may go into the next. */
    world_restart(w);
    assert_int_equal(file_of(bank, two, 2), ERR_CONFLICT);
    const int64_t mixed[] = {b, rest};
    assert_int_equal(file_of(bank, mixed, 2), ERR_CONFLICT);
    assert_int_equal(w->changed, 0);
    assert_int_equal(file_of(bank, &rest, 1), 0);
    assert_int_equal(world_count(w, ROW_PAY_FILE), 2);
    assert_int_equal(world_count(w, ROW_PAY_FILE_ROW), 3);
}

/* Refused whole: not even the first of them stands in a file after. */
static void refused(int64_t channel, int64_t a, int64_t b, int want)
{
    const int64_t ids[] = {a, b};
    assert_int_equal(file_of(channel, ids, 2), want);
    assert_int_equal(w->changed, 0);
    assert_int_equal(payout_find(w->core, a)->row.file, 0);
}

static void test_bad_files(void **state)
{
    (void)state;
    const int64_t a = payout(bank, 1000), b = payout(bank, 1000), rail = payout(wechat, 1000);
    const int64_t there = payout(other_bank, 1000), over = payout(bank, 1000);
    assert_int_equal(decide(over, PAYOUT_ACT_FAILED), 0);
    tenant_set(0, 0);
    const int64_t asked = payout(bank, 1000);
    assert_int_equal(payout_row(asked)->state, PAYOUT_REQUESTED);
    assert_int_equal(file_of(bank, &a, 0), ERR_CONFLICT); /* nothing waits */
    assert_int_equal(file_of(bank, &a, -1), ERR_RANGE);
    struct cmd *c = file_cmd(bank, &a, 1);
    c->u.pay_file_new.n = PAY_FILE_MAX + 1;
    for (int i = 0; i < PAY_FILE_MAX; i++)
        c->u.pay_file_new.payout[i] = a + i;
    assert_int_equal(world_send(w, c), ERR_RANGE);
    c = file_cmd(bank, &a, 1);
    c->head.station = w->station;
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    c = file_cmd(bank, &a, 1);
    c->head.tenant = w->tenant + 1;
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    refused(bank + 99, a, b, ERR_NOT_FOUND);
    refused(wechat, a, b, ERR_UNSUPPORTED);
    refused(bank, a, a, ERR_RANGE);
    refused(bank, b, a, ERR_RANGE);
    refused(bank, a, rail, ERR_CONFLICT);
    refused(bank, a, there, ERR_CONFLICT);
    refused(bank, a, over, ERR_CONFLICT);
    refused(bank, a, asked, ERR_CONFLICT);
    refused(bank, a, asked + 99, ERR_CONFLICT);
    /* What cannot come about by commands: no whole fen, nothing, another currency. */
    struct payout *p = payout_find(w->core, b);
    p->row.fee = 50;
    refused(bank, a, b, ERR_RANGE);
    p->row.fee = 1000;
    refused(bank, a, b, ERR_RANGE);
    p->row.fee = 0;
    const char *currency = p->row.currency;
    p->row.currency = "EUR";
    refused(bank, a, b, ERR_CURRENCY);
    p->row.currency = currency;
    w->core->dir[ROW_PAY_FILE].cap = 0;
    refused(bank, a, b, ERR_FULL);
    w->core->dir[ROW_PAY_FILE].cap = 1;
    const int64_t ids[] = {a, b};
    assert_int_equal(file_of(bank, ids, 2), 0);
    assert_int_equal(world_count(w, ROW_PAY_FILE_ROW), 2);
}

static void test_long_file(void **state)
{
    (void)state;
    int64_t ids[150];
    for (int i = 0; i < 150; i++)
        ids[i] = payout(bank, 100);
    assert_int_equal(file_of(bank, ids, 150), 0);
    const struct row_pay_file *f = world_row(w, ROW_PAY_FILE, w->reply.u.made.id);
    assert_int_equal(f->n, 150);
    assert_int_equal(f->amount, 15000);
    assert_int_equal(world_count(w, ROW_PAY_FILE_ROW), 150);
}

/* The same file again under its key, also when nothing waits any more. */
static void test_same_key_same_file(void **state)
{
    (void)state;
    const int64_t a = payout(bank, 1000);
    struct cmd *c = file_cmd(bank, &a, 1);
    c->head.idem_set = 1;
    (void)str_copy(c->head.idem_key, 65, STR_LIT("k"));
    (void)str_copy(c->head.idem_finger, 65, STR_LIT("f"));
    assert_int_equal(world_send(w, c), 0);
    int64_t id = w->reply.u.made.id;
    c = file_cmd(bank, &a, 0);
    c->head.idem_set = 1;
    (void)str_copy(c->head.idem_key, 65, STR_LIT("k"));
    (void)str_copy(c->head.idem_finger, 65, STR_LIT("f"));
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(w->reply.u.made.id, id);
    assert_true(w->reply.u.made.replay);
    assert_int_equal(world_count(w, ROW_PAY_FILE), 1);
}

/* ---- looking again ---- */

/* 5.00 of a driver's principal to an account that somebody typed in, approved; its id. */
static int64_t principal(void)
{
    assert_int_equal(world_topup(w, 100000), 0);
    const struct row_payment *lot = world_last(w, ROW_PAYMENT);
    struct cmd *c = world_web(w, CMD_PAYOUT_NEW, w->person, ACTOR_PERSON);
    c->u.payout_new = (struct cmd_payout_new){.payment = lot->id,
                                              .amount = 50000,
                                              .channel = bank,
                                              .payee = "6222000011112222",
                                              .payee_name = "Driver"};
    assert_int_equal(world_send(w, c), 0);
    const int64_t id = w->reply.u.made.id;
    assert_int_equal(decide(id, PAYOUT_ACT_APPROVE), 0);
    return id;
}

static void owner_set(int32_t state, const char *payee, const char *name)
{
    struct row_party p = *(const struct row_party *)world_row(w, ROW_PARTY, w->owner);
    p.state = state;
    p.payee = payee;
    p.payee_name = name;
    assert_int_equal(world_put(w, ROW_PARTY, false, &p), 0);
}

/* Since its approval the party was disabled, or its payee is another one, or verified no more. */
static void test_party_may_be_paid_no_more(void **state)
{
    (void)state;
    const char card[] = "6222020200001234567";
    const int64_t a = payout(bank, 1000), b = payout(bank, 1000);
    owner_set(ROW_DISABLED, card, "property");
    refused(bank, a, b, ERR_CONFLICT);
    owner_set(ROW_ACTIVE, "6222020200001234568", "property");
    refused(bank, a, b, ERR_CONFLICT);
    owner_set(ROW_ACTIVE, card, "somebody else");
    refused(bank, a, b, ERR_CONFLICT);
    world_owner_payee(w, 0, card);
    refused(bank, a, b, ERR_CONFLICT);
    world_restart(w);
    refused(bank, a, b, ERR_CONFLICT);
    assert_int_equal(decide(b, PAYOUT_ACT_FAILED), 0); /* the way out: its money goes back */
    world_owner_payee(w, 1, card);
    assert_int_equal(file_of(bank, &a, 1), 0); /* as it was approved */
}

static int freeze(int32_t on)
{
    struct cmd *c = world_web(w, CMD_WALLET_FREEZE, w->person, ACTOR_PERSON);
    c->u.wallet_freeze.driver = w->driver;
    c->u.wallet_freeze.freeze = on;
    (void)str_copy(c->u.wallet_freeze.reason, sizeof c->u.wallet_freeze.reason, STR_LIT("lost"));
    return world_send(w, c);
}

/* The core knows it after a restart, too, though drivers are fetched by need. */
static void test_driver_may_be_paid_no_more(void **state)
{
    (void)state;
    const int64_t id = principal(), other = payout(bank, 1000), both[] = {id, other};
    assert_int_equal(freeze(1), 0);
    assert_int_equal(file_of(bank, both, 2), ERR_CONFLICT);
    world_restart(w);
    assert_int_equal(file_of(bank, both, 2), ERR_CONFLICT);
    assert_int_equal(w->changed, 0);
    assert_int_equal(file_of(bank, &other, 1), 0);
    assert_int_equal(freeze(0), 0);
    /* Nobody can close an account while money of it is on its way: closed by hand here. */
    driver_find(w->core, w->driver)->row.state = ROW_DELETED;
    assert_int_equal(file_of(bank, &id, 1), ERR_CONFLICT);
    driver_find(w->core, w->driver)->row.state =
        ROW_DISABLED; /* may not charge, may have its own */
    assert_int_equal(file_of(bank, &id, 1), 0);
}

/* Principal stands in files as shares do. */
static void test_principal_by_bank(void **state)
{
    (void)state;
    const int64_t id = principal();
    assert_int_equal(file_of(bank, &id, 1), 0);
    int64_t file = w->reply.u.made.id;
    assert_int_equal(row_of(file, id)->amount, 50000);
    assert_string_equal(row_of(file, id)->payee, "6222000011112222");
    assert_int_equal(decide(id, PAYOUT_ACT_FAILED), 0);
    assert_int_equal(payout_row(id)->file, file);
}

/* ---- taking out ---- */

static void test_take_out(void **state)
{
    (void)state;
    const int64_t a = payout(bank, 5000), b = payout(bank, 3000), ids[] = {a, b};
    assert_int_equal(take_out(a, "lost", third, ACTOR_PERSON), ERR_CONFLICT); /* in no file */
    assert_int_equal(file_of(bank, ids, 2), 0);
    int64_t first = w->reply.u.made.id;
    world_restart(w);
    assert_int_equal(take_out(a, "lost", maker, ACTOR_PERSON), ERR_SECOND);
    assert_int_equal(take_out(a, "lost", w->person, ACTOR_PERSON), ERR_SECOND); /* asked for it */
    assert_int_equal(take_out(a, "lost", 77, ACTOR_API_KEY), ERR_SECOND);
    assert_int_equal(take_out(a, "", third, ACTOR_PERSON), ERR_REQUIRED);
    assert_int_equal(take_out(a + 99, "lost", third, ACTOR_PERSON), ERR_NOT_FOUND);
    struct cmd *c = world_web(w, CMD_PAY_FILE_OUT, third, ACTOR_PERSON);
    c->u.pay_file_out = (struct cmd_pay_file_out){.payout = a, .note = "lost"};
    c->head.station = w->station;
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    c->head.station = 0;
    c->head.tenant = w->tenant + 1;
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    assert_int_equal(payout_row(a)->file, first);
    assert_int_equal(take_out(a, "lost", third, ACTOR_PERSON), 0);
    assert_int_equal(w->reply.u.made.id, a);
    assert_string_equal(audited(), "payfile.out");
    assert_int_equal(payout_row(a)->file, 0);
    assert_int_equal(payout_row(a)->state, PAYOUT_APPROVED);
    const struct row_pay_file_row *r = row_of(first, a);
    assert_int_equal(r->out_by, third);
    assert_int_equal(r->out_ms, w->now);
    assert_string_equal(r->out_note, "lost");
    assert_int_equal(r->amount, 5000); /* else as it was */
    assert_string_equal(r->payee, "6222020200001234567");
    assert_string_equal(r->note, "October");
    assert_int_equal(row_of(first, b)->out_ms, 0);
    assert_int_equal(take_out(a, "lost", third, ACTOR_PERSON), ERR_CONFLICT); /* once */
    world_restart(w);
    assert_int_equal(file_of(bank, &a, 1), 0); /* the next one lists it */
    assert_int_equal(payout_row(a)->file, w->reply.u.made.id);
    assert_int_equal(row_of(first, a)->out_by, third);
    assert_int_equal(((const struct row_pay_file *)world_row(w, ROW_PAY_FILE, first))->n, 2);
}

/* The bank's answer to the first file comes when the payout stands in the second: "failed" would give the
 * money back while the second file pays it. */
static void test_result_of_another_file(void **state)
{
    (void)state;
    const int64_t a = payout(bank, 5000), b = payout(bank, 3000), ids[] = {a, b};
    assert_int_equal(file_of(bank, ids, 2), 0);
    int64_t first = w->reply.u.made.id;
    assert_int_equal(take_out(a, "lost", third, ACTOR_PERSON), 0);
    assert_int_equal(result(a, first, PAYOUT_ACT_FAILED), ERR_CONFLICT); /* it stands in none */
    assert_int_equal(file_of(bank, &a, 1), 0);
    int64_t second = w->reply.u.made.id;
    assert_int_equal(result(a, first, PAYOUT_ACT_FAILED), ERR_CONFLICT);
    assert_int_equal(result(a, first, PAYOUT_ACT_SETTLED), ERR_CONFLICT);
    assert_int_equal(w->changed, 0);
    assert_int_equal(result(b, second, PAYOUT_ACT_SETTLED), ERR_CONFLICT);
    assert_int_equal(result(b, first, PAYOUT_ACT_SETTLED), 0);
    assert_int_equal(result(a, second, PAYOUT_ACT_FAILED), 0);
    assert_int_equal(payout_row(a)->state, PAYOUT_FAILED);
}

/* If the bank pays it all the same, and its money was given back and asked for again, the payee has it
 * twice: so nobody says that it failed who made the file or asked for it, however small it is. */
static void test_failed_by_another_person(void **state)
{
    (void)state;
    const int64_t a = payout_by(bank, 100, w->person + 3), b = payout(bank, 100), ids[] = {a, b};
    const int64_t none = payout(bank, 100);
    assert_int_equal(file_of(bank, ids, 2), 0);
    int64_t file = w->reply.u.made.id;
    assert_int_equal(result_by(a, file, PAYOUT_ACT_FAILED, maker, ACTOR_PERSON), ERR_SECOND);
    assert_int_equal(result_by(a, 0, PAYOUT_ACT_FAILED, maker, ACTOR_PERSON), ERR_SECOND);
    assert_int_equal(result_by(b, file, PAYOUT_ACT_FAILED, w->person, ACTOR_PERSON), ERR_SECOND);
    assert_int_equal(result_by(a, file, PAYOUT_ACT_FAILED, 77, ACTOR_API_KEY), ERR_SECOND);
    assert_int_equal(payout_row(a)->state, PAYOUT_APPROVED);
    assert_int_equal(w->changed, 0);
    /* What stands in none is not made by anybody; that it was paid keeps its own rule. */
    assert_int_equal(result_by(none, 0, PAYOUT_ACT_FAILED, maker, ACTOR_PERSON), 0);
    assert_int_equal(result_by(b, file, PAYOUT_ACT_SETTLED, w->person, ACTOR_PERSON), ERR_DENIED);
    assert_int_equal(result_by(b, file, PAYOUT_ACT_SETTLED, maker, ACTOR_PERSON), 0);
    world_restart(w);
    assert_int_equal(result(a, file, PAYOUT_ACT_FAILED), 0);
    assert_int_equal(payout_row(a)->state, PAYOUT_FAILED);
    assert_int_equal(payout_row(a)->checked_by, third);
    assert_int_equal(result_by(a, file, PAYOUT_ACT_FAILED, maker, ACTOR_PERSON), ERR_CONFLICT);
}

/* Whom the maker let in a moment ago is his hand, and a key is its maker's. */
static void test_failed_by_a_hand(void **state)
{
    (void)state;
    const struct row_api_key key = {
        .name = "k", .key_hash = "0123456789abcdef", .role = ROLE_OPERATOR};
    const int64_t a = payout_by(bank, 5000, w->person + 3);
    assert_int_equal(world_put(w, ROW_API_KEY, true, &key), 0); /* by w->person */
    struct cmd *c = file_cmd(bank, &a, 1);
    c->head.actor = w->reply.u.made.id;
    c->head.actor_kind = ACTOR_API_KEY;
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(decide_by(a, w->person), ERR_SECOND);
    struct row_person p = {.login = "new", .name = "New", .pass_hash = "x", .role = ROLE_OPERATOR};
    assert_int_equal(world_put(w, ROW_PERSON, true, &p), 0); /* by w->person, who is not new */
    int64_t let_in = w->reply.u.made.id;
    assert_int_equal(decide_by(a, let_in), ERR_SECOND);
    world_run(w, 3 * DAY_MS);
    assert_int_equal(decide_by(a, let_in), 0);
}

/* A key is its maker's hand. */
static void test_take_out_of_a_key(void **state)
{
    (void)state;
    const struct row_api_key key = {
        .name = "k", .key_hash = "0123456789abcdef", .role = ROLE_OPERATOR};
    assert_int_equal(world_put(w, ROW_API_KEY, true, &key), 0); /* by w->person */
    int64_t id = w->reply.u.made.id, a = payout_by(bank, 5000, maker);
    struct cmd *c = file_cmd(bank, &a, 1);
    c->head.actor = id;
    c->head.actor_kind = ACTOR_API_KEY;
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(take_out(a, "lost", w->person, ACTOR_PERSON), ERR_SECOND);
    assert_int_equal(take_out(a, "lost", maker, ACTOR_PERSON), ERR_SECOND);
    assert_int_equal(take_out(a, "lost", third, ACTOR_PERSON), 0);
}

/* What came of it changes no file, and what is over is not paid again. */
static void test_over_stays_where_it_stood(void **state)
{
    (void)state;
    const int64_t a = payout(bank, 5000), b = payout(bank, 3000), ids[] = {a, b};
    assert_int_equal(file_of(bank, ids, 2), 0);
    int64_t file = w->reply.u.made.id;
    assert_int_equal(decide(a, PAYOUT_ACT_SETTLED), 0);
    assert_int_equal(decide(b, PAYOUT_ACT_FAILED), 0);
    assert_int_equal(payout_row(a)->file, file);
    assert_int_equal(payout_row(b)->file, file);
    assert_int_equal(row_of(file, a)->out_ms + row_of(file, b)->out_ms, 0);
    assert_int_equal(take_out(a, "again", third, ACTOR_PERSON), ERR_CONFLICT);
    assert_int_equal(take_out(b, "again", third, ACTOR_PERSON), ERR_CONFLICT);
    world_run(w, DAY_MS); /* they leave memory */
    assert_null(payout_find(w->core, a));
    assert_int_equal(take_out(a, "again", third, ACTOR_PERSON), ERR_CONFLICT);
    assert_int_equal(file_of(bank, ids, 2), ERR_CONFLICT);
    assert_int_equal(payout_row(a)->file, file);
}

int core_pay_file(void);
int core_pay_file(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
    const struct CMUnitTest tests[] = {
        T(test_file_is_made),
        T(test_bad_files),
        T(test_long_file),
        T(test_same_key_same_file),
        T(test_party_may_be_paid_no_more),
        T(test_driver_may_be_paid_no_more),
        T(test_principal_by_bank),
        T(test_take_out),
        T(test_take_out_of_a_key),
        T(test_over_stays_where_it_stood),
        T(test_result_of_another_file),
        T(test_failed_by_another_person),
        T(test_failed_by_a_hand),
    };
    return cmocka_run_group_tests_name("core pay file", tests, NULL, NULL);
}
