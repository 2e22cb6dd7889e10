// SPDX-License-Identifier: Apache-2.0
/* core_account.c: sub-accounts of parties at an allocation rail: asked for once, asked about until the
 * provider has decided, whatever is lost, late, twice or contradictory; payouts go to what is open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "core/purse.h"
#include "world.h"

#define KWH    INT64_C(1000000)
#define DAY_MS INT64_C(86400000)
#define NAME   "海岸物业"

static struct world world, *w = &world;
static int64_t rail, wechat;

static int up(void **state)
{
    (void)state;
    world_init(w);
    assert_int_equal(world_open(w), 0);
    struct row_tenant t = *(const struct row_tenant *)world_row(w, ROW_TENANT, w->tenant);
    t.payee_hold_h = 0;
    assert_int_equal(world_put(w, ROW_TENANT, false, &t), 0);
    struct row_party p = *(const struct row_party *)world_row(w, ROW_PARTY, w->owner);
    p.payee_name = NAME;
    assert_int_equal(world_put(w, ROW_PARTY, false, &p), 0);
    rail = world_channel(w, CHANNEL_RAIL);
    wechat = world_channel(w, CHANNEL_WECHAT);
    return 0;
}

static int down(void **state)
{
    (void)state;
    world_free(w);
    return 0;
}

static struct cmd *request(int64_t party, int64_t channel)
{
    struct cmd *c = world_web(w, CMD_PARTY_ACCOUNT, w->person, ACTOR_PERSON);
    struct cmd_party_account *in = &c->u.party_account;
    in->party = party;
    in->channel = channel;
    in->payee_kind = PAYEE_COMPANY;
    (void)str_copy(in->name, sizeof in->name, STR_LIT(NAME));
    (void)str_copy(in->id_no, sizeof in->id_no, STR_LIT("c2VhbGVkIGlk"));
    (void)str_copy(in->bank, sizeof in->bank, STR_LIT("c2VhbGVkIGJhbms"));
    (void)str_copy(in->id_tail, sizeof in->id_tail, STR_LIT("789X"));
    (void)str_copy(in->bank_tail, sizeof in->bank_tail, STR_LIT("0001"));
    return c;
}

static int64_t asked_for(void)
{
    assert_int_equal(world_send(w, request(w->owner, rail)), 0);
    return w->reply.u.made.id;
}

static const struct out_pay *asked(enum pay_op op)
{
    for (size_t i = 0; i < w->outs_n; i++)
        if (w->outs[i].type == OUT_PAY && w->outs[i].u.pay.op == (int32_t)op)
            return &w->outs[i].u.pay;
    return NULL;
}

static const struct row_party_account *row(int64_t id)
{
    return world_row(w, ROW_PARTY_ACCOUNT, id);
}

static int told(int64_t id, enum pay_op op, enum pay_state s, int err, const char *number,
                const char *reason)
{
    struct cmd *c = world_web(w, CMD_PAY_RESULT, 0, ACTOR_SYSTEM);
    struct cmd_pay_result *r = &c->u.pay_result;
    r->row = id;
    r->channel = rail;
    r->op = op;
    r->state = s;
    r->err = err;
    r->amount = -1;
    (void)str_copy(r->provider_no, sizeof r->provider_no, str_from_c(number));
    (void)str_copy(r->url, sizeof r->url, str_from_c(reason));
    return world_send(w, c);
}

static void state_is(int64_t id, enum party_account_state s)
{
    assert_int_equal(row(id)->state, s);
}

/* ---- the way ---- */

static void test_opens(void **state)
{
    (void)state;
    char no[33];
    int64_t id = asked_for();
    snprintf(no, sizeof no, "A%lld", (long long)id);
    const struct out_pay *ask = asked(PAY_ACCOUNT_OPEN);
    assert_non_null(ask);
    assert_string_equal(ask->no, no);
    assert_string_equal(ask->u.open.name, NAME);
    assert_string_equal(ask->u.open.id_no, "c2VhbGVkIGlk");
    state_is(id, PARTY_ACCOUNT_ASKED);
    assert_int_equal(told(id, PAY_ACCOUNT_OPEN, PAY_PENDING, 0, "", ""), 0);
    state_is(id, PARTY_ACCOUNT_CHECKING);
    assert_int_equal(told(id, PAY_ACCOUNT_QUERY, PAY_DONE, 0, "6200001", ""), 0);
    state_is(id, PARTY_ACCOUNT_OPEN);
    assert_string_equal(row(id)->number, "6200001");
    assert_string_equal(row(id)->id_no, ""); /* nobody needs them any more */
    assert_string_equal(row(id)->bank, "");
    assert_string_equal(row(id)->id_tail, "789X");
    assert_true(row(id)->done_ms > 0);
    world_run(w, DAY_MS);
    assert_null(asked(PAY_ACCOUNT_QUERY)); /* it waits for nothing */
}

static void test_asked_until_known(void **state)
{
    (void)state;
    int64_t id = asked_for();
    assert_int_equal(told(id, PAY_ACCOUNT_OPEN, PAY_UNKNOWN, ERR_TIMEOUT, "", ""), 0);
    state_is(id, PARTY_ACCOUNT_ASKED);
    assert_int_equal(row(id)->err, ERR_TIMEOUT);
    world_tick(w, w->now + 5000);
    assert_non_null(asked(PAY_ACCOUNT_QUERY));
    assert_null(asked(PAY_ACCOUNT_OPEN)); /* it may have come through: it is asked about first */
    assert_int_equal(told(id, PAY_ACCOUNT_QUERY, PAY_UNKNOWN, ERR_NOT_FOUND, "", ""), 0);
    const struct out_pay *again = asked(PAY_ACCOUNT_OPEN);
    assert_non_null(again); /* it was lost: the same again, with all it needs */
    assert_int_equal(again->row, id);
    assert_string_equal(again->u.open.bank, "c2VhbGVkIGJhbms");
}

static void test_restart(void **state)
{
    (void)state;
    int64_t id = asked_for();
    world_restart(w);
    world_tick(w, w->now);
    assert_non_null(asked(PAY_ACCOUNT_QUERY));
    assert_null(asked(PAY_ACCOUNT_OPEN));
    assert_int_equal(told(id, PAY_ACCOUNT_QUERY, PAY_UNKNOWN, ERR_NOT_FOUND, "", ""), 0);
    assert_string_equal(asked(PAY_ACCOUNT_OPEN)->u.open.id_no, "c2VhbGVkIGlk");
    assert_int_equal(told(id, PAY_ACCOUNT_OPEN, PAY_DONE, 0, "6200001", ""), 0);
    world_restart(w);
    world_tick(w, w->now);
    assert_null(asked(PAY_ACCOUNT_QUERY));
    assert_int_equal(world_send(w, request(w->owner, rail)), ERR_CONFLICT); /* still known */
}

/* ---- what providers do ---- */

static void test_refused_and_again(void **state)
{
    (void)state;
    int64_t id = asked_for();
    assert_int_equal(told(id, PAY_ACCOUNT_QUERY, PAY_FAILED, ERR_PROVIDER, "", "证件信息不符"), 0);
    state_is(id, PARTY_ACCOUNT_REFUSED);
    assert_string_equal(row(id)->reason, "证件信息不符");
    assert_string_equal(row(id)->id_no, "");
    int64_t second = asked_for();
    assert_true(second > id);
    assert_int_equal(told(id, PAY_ACCOUNT_QUERY, PAY_DONE, 0, "6200009", ""), 0);
    state_is(id, PARTY_ACCOUNT_REFUSED); /* the old one is out of the game: audited */
    assert_int_equal(told(second, PAY_ACCOUNT_QUERY, PAY_DONE, 0, "6200001", ""), 0);
    state_is(second, PARTY_ACCOUNT_OPEN);
    world_restart(w);
    assert_int_equal(world_send(w, request(w->owner, rail)), ERR_CONFLICT); /* the last counts */
}

static void test_twice_late_contradictory(void **state)
{
    (void)state;
    int64_t id = asked_for();
    assert_int_equal(told(id, PAY_NOTICE, PAY_PENDING, 0, "", ""), 0);
    assert_non_null(asked(PAY_ACCOUNT_QUERY)); /* a notice is a reason to ask, whatever it says */
    state_is(id, PARTY_ACCOUNT_ASKED);
    assert_int_equal(told(id, PAY_ACCOUNT_QUERY, PAY_DONE, 0, "6200001", ""), 0);
    int32_t version = row(id)->version;
    assert_int_equal(told(id, PAY_ACCOUNT_QUERY, PAY_DONE, 0, "6200001", ""), 0);
    assert_int_equal(told(id, PAY_ACCOUNT_OPEN, PAY_PENDING, 0, "", ""), 0);
    assert_int_equal(told(id, PAY_ACCOUNT_QUERY, PAY_UNKNOWN, ERR_NOT_FOUND, "", ""), 0);
    assert_int_equal(told(id, PAY_ACCOUNT_QUERY, PAY_DONE, 0, "6299999", ""), 0);
    assert_int_equal(row(id)->version, version);
    assert_string_equal(row(id)->number, "6200001"); /* money never goes to a second number */
    assert_null(asked(PAY_ACCOUNT_OPEN));
    assert_int_equal(told(id, PAY_ACCOUNT_QUERY, PAY_FAILED, ERR_PROVIDER, "", "x"), 0);
    state_is(id, PARTY_ACCOUNT_CLOSED);
    assert_int_equal(row(id)->err, ERR_CONFLICT);
    assert_int_equal(told(id, PAY_ACCOUNT_QUERY, PAY_CLOSED, ERR_CLOSED, "", ""), 0);
    assert_int_equal(told(id, PAY_ACCOUNT_QUERY, PAY_DONE, 0, "6200001", ""), 0);
    state_is(id, PARTY_ACCOUNT_OPEN); /* it was opened again */
}

/* ---- what it is for ---- */

static int payout(int64_t amount)
{
    struct cmd *c = world_web(w, CMD_PAYOUT_NEW, w->person, ACTOR_PERSON);
    c->u.payout_new.party = w->owner;
    c->u.payout_new.amount = amount;
    c->u.payout_new.channel = rail;
    return world_send(w, c);
}

static void available_make(int64_t check)
{
    struct row_tenant t = *(const struct row_tenant *)world_row(w, ROW_TENANT, w->tenant);
    int64_t tx;
    t.payout_check = check;
    t.payee_hold_h = 0;
    assert_int_equal(world_put(w, ROW_TENANT, false, &t), 0);
    (void)world_charging(w, 40000, &tx);
    world_run(w, 200000);
    assert_int_equal(world_tx_stop(w, tx, KWH + 2 * KWH, w->now), 0);
    world_run(w, 8 * DAY_MS);
    assert_int_equal(world_balance(w, ACCOUNT_AVAILABLE, w->owner), 12000);
}

static void test_payout_goes_there(void **state)
{
    (void)state;
    available_make(1000000);
    assert_int_equal(payout(1000), ERR_DENIED); /* nobody verified what staff entered: nothing */
    int64_t id = asked_for();
    assert_int_equal(payout(1000), ERR_ACCOUNT);
    assert_int_equal(told(id, PAY_ACCOUNT_QUERY, PAY_DONE, 0, "6200001", ""), 0);
    assert_int_equal(payout(1000), 0);
    const struct out_pay *ask = asked(PAY_TRANSFER);
    assert_non_null(ask);
    assert_string_equal(ask->payee, "6200001");
    assert_int_equal(told(id, PAY_ACCOUNT_QUERY, PAY_CLOSED, ERR_CLOSED, "", ""), 0);
    assert_int_equal(payout(1000), ERR_ACCOUNT);
    assert_int_equal(world_balance(w, ACCOUNT_AVAILABLE, w->owner), 11000);
}

static void test_closed_before_approval(void **state)
{
    (void)state;
    available_make(0);
    int64_t id = asked_for();
    assert_int_equal(told(id, PAY_ACCOUNT_QUERY, PAY_DONE, 0, "6200001", ""), 0);
    assert_int_equal(payout(1000), 0);
    int64_t out = w->reply.u.made.id;
    assert_int_equal(told(id, PAY_ACCOUNT_QUERY, PAY_CLOSED, ERR_CLOSED, "", ""), 0);
    struct cmd *c = world_web(w, CMD_PAYOUT_DECIDE, w->person + 1, ACTOR_PERSON);
    c->u.payout_decide.payout = out;
    c->u.payout_decide.act = PAYOUT_ACT_APPROVE;
    assert_int_equal(world_send(w, c), ERR_ACCOUNT);
    assert_int_equal(world_balance(w, ACCOUNT_TRANSIT, w->owner), 1000);
    c = world_web(w, CMD_PAYOUT_DECIDE, w->person + 1, ACTOR_PERSON);
    c->u.payout_decide.payout = out;
    c->u.payout_decide.act = PAYOUT_ACT_REFUSE;
    assert_int_equal(world_send(w, c), 0);
    assert_int_equal(world_balance(w, ACCOUNT_AVAILABLE, w->owner), 12000);
}

static void test_bad_input(void **state)
{
    (void)state;
    assert_int_equal(world_send(w, request(w->driver, rail)), ERR_NOT_FOUND);
    assert_int_equal(world_send(w, request(w->owner, w->station)), ERR_NOT_FOUND);
    assert_int_equal(world_send(w, request(w->owner, world_channel(w, CHANNEL_BANK))),
                     ERR_UNSUPPORTED);
    assert_int_equal(world_send(w, request(w->owner, wechat)), ERR_REQUIRED); /* paid where? */
    struct cmd *c = request(w->owner, rail);
    c->head.tenant = w->tenant + 1;
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    c = request(w->owner, rail);
    c->head.station = w->station; /* staff of one station open no accounts */
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    c = request(w->owner, rail);
    c->u.party_account.payee_kind = PAYEE_UNKNOWN;
    assert_int_equal(world_send(w, c), ERR_RANGE);
    c = request(w->owner, rail);
    c->u.party_account.id_no[0] = 0;
    assert_int_equal(world_send(w, c), ERR_REQUIRED);
    assert_int_equal(world_count(w, ROW_PARTY_ACCOUNT), 0);
    int64_t id = asked_for();
    assert_int_equal(world_send(w, request(w->owner, rail)), ERR_CONFLICT);
    assert_int_equal(world_count(w, ROW_PARTY_ACCOUNT), 1);
    c = world_web(w, CMD_PAY_RESULT, 0, ACTOR_SYSTEM);
    c->u.pay_result.row = id;
    c->u.pay_result.channel = wechat; /* another channel says nothing of it */
    c->u.pay_result.op = PAY_ACCOUNT_QUERY;
    c->u.pay_result.state = PAY_DONE;
    (void)str_copy(c->u.pay_result.provider_no, 65, STR_LIT("1"));
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    state_is(id, PARTY_ACCOUNT_ASKED);
    assert_int_equal(told(id, PAY_ACCOUNT_QUERY, PAY_DONE, 0, "", ""), 0); /* open, but where? */
    state_is(id, PARTY_ACCOUNT_ASKED);
}

int core_account(void);

int core_account(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_opens, up, down),
        cmocka_unit_test_setup_teardown(test_asked_until_known, up, down),
        cmocka_unit_test_setup_teardown(test_restart, up, down),
        cmocka_unit_test_setup_teardown(test_refused_and_again, up, down),
        cmocka_unit_test_setup_teardown(test_twice_late_contradictory, up, down),
        cmocka_unit_test_setup_teardown(test_payout_goes_there, up, down),
        cmocka_unit_test_setup_teardown(test_closed_before_approval, up, down),
        cmocka_unit_test_setup_teardown(test_bad_input, up, down),
    };
    return cmocka_run_group_tests_name("sub-accounts", tests, NULL, NULL);
}
