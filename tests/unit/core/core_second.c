// SPDX-License-Identifier: Apache-2.0
/* core_second.c: what one person alone may not do, and what the house does by itself: an account that is
 * closed with principal given up, sub-accounts in another name, payouts in parts and to new payees, rails
 * that contradict themselves, a plug that is still in, expired gift money. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/purse.h"
#include "world.h"

#define KWH     INT64_C(1000000)
#define Y       ((int64_t)MONEY_UNIT)
#define HOUR_MS INT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)

static struct world world, *w = &world;
static int64_t wechat, rail, second;

static int64_t add(enum row_table t, const void *row)
{
    assert_int_equal(world_put(w, t, true, row), 0);
    return w->reply.u.made.id;
}

static void tenant_set(int64_t payout_check, int32_t hold_h)
{
    struct row_tenant t = *(const struct row_tenant *)world_row(w, ROW_TENANT, w->tenant);
    t.payout_check = payout_check;
    t.payout_min = 100;
    t.refund_days = 0;
    t.payee_hold_h = hold_h;
    assert_int_equal(world_put(w, ROW_TENANT, false, &t), 0);
}

static struct row_party owner_row(void)
{
    return *(const struct row_party *)world_row(w, ROW_PARTY, w->owner);
}

static int up(void **state)
{
    (void)state;
    world_init(w);
    assert_int_equal(world_open(w), 0);
    wechat = world_channel(w, CHANNEL_WECHAT);
    rail = world_channel(w, CHANNEL_RAIL);
    second = add(ROW_PERSON,
                 &(struct row_person){
                     .login = "second", .name = "Second", .pass_hash = "x", .role = ROLE_OPERATOR});
    tenant_set(Y, 0);
    world_owner_payee(w, 1, "openid-7");
    return 0;
}

static int down(void **state)
{
    (void)state;
    world_free(w);
    return 0;
}

static int64_t wallet(void)
{
    return world_balance(w, ACCOUNT_WALLET, w->driver);
}

static const struct row_driver *driver(void)
{
    return world_row(w, ROW_DRIVER, w->driver);
}

/* ---- closing ---- */

static int close_by(int64_t actor, enum actor_kind kind, int64_t give_up)
{
    struct cmd *c = world_web(w, CMD_DRIVER_CLOSE, actor, kind);
    c->u.driver_close.driver = w->driver;
    c->u.driver_close.give_up = give_up;
    return world_send(w, c);
}

static int close_end(int64_t actor, enum actor_kind kind)
{
    struct cmd *c = world_web(w, CMD_DRIVER_CLOSE_END, actor, kind);
    c->u.driver_one.driver = w->driver;
    return world_send(w, c);
}

static void test_close_by_two(void **state)
{
    (void)state;
    int64_t all = wallet();
    assert_int_equal(close_by(w->person, ACTOR_PERSON, all - 100), ERR_CONFLICT);
    assert_int_equal(close_by(w->person, ACTOR_PERSON, 0), ERR_CONFLICT);
    assert_int_equal(close_by(w->person, ACTOR_PERSON, all), 0);
    assert_int_equal(driver()->state, ROW_ACTIVE); /* one person alone: nothing but a wish */
    assert_int_equal(driver()->close_ask, all);
    assert_int_equal(driver()->close_by, w->person);
    assert_int_equal(wallet(), all);
    assert_string_equal(((const struct row_audit *)world_last(w, ROW_AUDIT))->action,
                        "driver.close.ask");
    world_restart(w);
    assert_int_equal(close_by(w->person, ACTOR_PERSON, all), ERR_SECOND);
    assert_int_equal(close_by(second, ACTOR_API_KEY, all), ERR_DENIED);
    assert_int_equal(close_by(second, ACTOR_PERSON, all - 100), ERR_CONFLICT);
    assert_int_equal(wallet(), all);
    assert_int_equal(close_by(second, ACTOR_PERSON, all), 0);
    assert_int_equal(driver()->state, ROW_DELETED);
    assert_int_equal(driver()->close_by, 0);
    assert_int_equal(wallet(), 0);
    assert_int_equal(world_balance(w, ACCOUNT_MARKETING, 0), all); /* what he gave up */
    const struct row_audit *a = world_last(w, ROW_AUDIT);
    assert_string_equal(a->action, "driver.close");
    assert_int_equal(a->actor, second);
    assert_int_equal(close_by(w->person, ACTOR_PERSON, 0), ERR_CONFLICT);
    assert_int_equal(close_end(second, ACTOR_PERSON), ERR_CONFLICT);
}

static void test_close_dropped(void **state)
{
    (void)state;
    int64_t all = wallet();
    assert_int_equal(close_end(w->person, ACTOR_PERSON), ERR_CONFLICT);
    assert_int_equal(close_by(77, ACTOR_API_KEY, all), ERR_DENIED);
    assert_int_equal(close_by(w->person, ACTOR_PERSON, all), 0);
    assert_int_equal(close_end(w->driver, ACTOR_DRIVER), ERR_NOT_FOUND);
    assert_int_equal(close_end(second, ACTOR_PERSON), 0); /* refused */
    assert_int_equal(driver()->close_by, 0);
    assert_int_equal(close_by(second, ACTOR_PERSON, all), 0); /* a wish of its own */
    assert_int_equal(driver()->close_by, second);
    assert_int_equal(world_topup(w, Y), 0);
    assert_int_equal(close_by(w->person, ACTOR_PERSON, all), ERR_CONFLICT); /* there is more now */
    assert_int_equal(close_by(second, ACTOR_PERSON, all + Y), 0); /* another amount: asked anew */
    assert_int_equal(close_by(second, ACTOR_PERSON, all + Y), ERR_SECOND);
    struct cmd *c = world_web(w, CMD_DRIVER_CLOSE, w->person, ACTOR_PERSON);
    c->head.tenant++;
    c->u.driver_close.driver = w->driver;
    c->u.driver_close.give_up = all + Y;
    assert_int_equal(world_send(w, c), ERR_NOT_FOUND);
    struct row_driver r = *driver(); /* nor does a change of the row do it */
    r.close_by = 0;
    assert_int_equal(world_put(w, ROW_DRIVER, false, &r), 0);
    assert_int_equal(driver()->close_by, second);
    assert_int_equal(driver()->state, ROW_ACTIVE);
    assert_int_equal(close_by(w->person, ACTOR_PERSON, all + Y), 0);
    assert_int_equal(driver()->state, ROW_DELETED);
}

/* His own is the driver's to give. */
static void test_close_by_driver(void **state)
{
    (void)state;
    assert_int_equal(close_by(w->driver, ACTOR_DRIVER, wallet()), 0);
    assert_int_equal(driver()->state, ROW_DELETED);
}

/* ---- a plug that is still in ---- */

static void rule_use(void)
{
    struct cmd *c = world_web(w, CMD_OCCUPANCY_PUT, w->person, ACTOR_PERSON);
    struct cmd_occupancy_put *in = &c->u.occupancy_put;
    (void)str_copy(in->name, sizeof in->name, STR_LIT("after 15 minutes"));
    in->free_min = 15;
    in->every_min = 10;
    in->cap_order = 30 * Y;
    in->n = 1;
    in->window[0] = (struct occupancy_window_in){0, 1440, 1000};
    assert_int_equal(world_send(w, c), 0);
    struct row_station s = *(const struct row_station *)world_row(w, ROW_STATION, w->station);
    s.occupancy = w->reply.u.made.id;
    assert_int_equal(world_put(w, ROW_STATION, false, &s), 0);
}

static const struct row_connector *gun(void)
{
    return world_row(w, ROW_CONNECTOR, w->gun);
}

static void charged(void)
{
    int64_t tx;
    (void)world_charging(w, 2 * Y, &tx);
    world_status(w, 1, CS_CHARGING);
    world_run(w, 60000);
    assert_int_equal(world_tx_stop(w, tx, 2 * KWH, w->now), 0);
    assert_true(gun()->after_order);
    assert_int_equal(gun()->after_driver, w->driver);
}

static void test_close_plugged(void **state)
{
    (void)state;
    rule_use();
    charged();
    assert_int_equal(close_by(w->driver, ACTOR_DRIVER, wallet()), ERR_PLUGGED_IN);
    assert_int_equal(close_by(w->person, ACTOR_PERSON, wallet()), ERR_PLUGGED_IN);
    world_run(w, 20 * 60000); /* the order has left memory meanwhile */
    assert_int_equal(close_by(w->driver, ACTOR_DRIVER, wallet()), ERR_PLUGGED_IN);
    world_status(w, 1, CS_FINISHING);
    assert_true(gun()->occupancy);
    assert_int_equal(gun()->after_driver, 0);
    assert_int_equal(close_by(w->driver, ACTOR_DRIVER, wallet()), ERR_BUSY);
    world_status(w, 1, CS_AVAILABLE);
    assert_int_equal(close_by(w->driver, ACTOR_DRIVER, wallet()), 0);
}

static void test_close_unplugged(void **state)
{
    (void)state;
    rule_use();
    charged();
    world_status(w, 1, CS_AVAILABLE);
    assert_int_equal(gun()->after_driver, 0);
    assert_int_equal(close_by(w->driver, ACTOR_DRIVER, wallet()), 0);
}

/* After a restart, and of a charger that never comes back, nothing is waited for for ever. */
static void test_close_charger_gone(void **state)
{
    (void)state;
    rule_use();
    charged();
    world_restart(w);
    (void)world_charger(w); /* away: that is no change by what follows */
    world_seal(w);
    assert_int_equal(close_by(w->driver, ACTOR_DRIVER, wallet()), ERR_PLUGGED_IN);
    world_run(w, 31 * 60000);
    assert_int_equal(close_by(w->driver, ACTOR_DRIVER, wallet()), 0);
}

static void test_close_silent_charger(void **state)
{
    (void)state;
    rule_use();
    charged();
    world_run(w, 23 * HOUR_MS);
    assert_int_equal(close_by(w->driver, ACTOR_DRIVER, wallet()), ERR_PLUGGED_IN);
    world_run(w, 2 * HOUR_MS);
    assert_int_equal(close_by(w->driver, ACTOR_DRIVER, wallet()), 0);
}

/* Without a rule for what follows nobody loses anything. */
static void test_close_no_rule(void **state)
{
    (void)state;
    int64_t tx;
    (void)world_charging(w, 2 * Y, &tx);
    world_run(w, 60000);
    assert_int_equal(world_tx_stop(w, tx, 2 * KWH, w->now), 0);
    assert_int_equal(close_by(w->driver, ACTOR_DRIVER, wallet()), 0);
}

/* ---- sub-accounts ---- */

static const struct out_pay *asked(enum pay_op op)
{
    for (size_t i = 0; i < w->outs_n; i++)
        if (w->outs[i].type == OUT_PAY && w->outs[i].u.pay.op == (int32_t)op)
            return &w->outs[i].u.pay;
    return NULL;
}

static struct cmd *account_cmd(const char *name, const char *tail, enum role role)
{
    struct cmd *c = world_web(w, CMD_PARTY_ACCOUNT, w->person, ACTOR_PERSON);
    struct cmd_party_account *in = &c->u.party_account;
    c->head.role = (uint8_t)role;
    in->party = w->owner;
    in->channel = rail;
    in->payee_kind = PAYEE_COMPANY;
    (void)str_copy(in->name, sizeof in->name, str_from_c(name));
    (void)str_copy(in->id_no, sizeof in->id_no, STR_LIT("c2VhbGVkIGlk"));
    (void)str_copy(in->bank, sizeof in->bank, STR_LIT("c2VhbGVkIGJhbms"));
    (void)str_copy(in->id_tail, sizeof in->id_tail, str_from_c(tail));
    return c;
}

static int decide(int64_t id, enum party_account_act act, int64_t actor, enum actor_kind kind)
{
    struct cmd *c = world_web(w, CMD_PARTY_ACCOUNT_DECIDE, actor, kind);
    c->u.party_account_decide =
        (struct cmd_party_account_decide){.account = id, .act = (int32_t)act};
    return world_send(w, c);
}

static int opened(int64_t id, const char *number)
{
    struct cmd *c = world_web(w, CMD_PAY_RESULT, 0, ACTOR_SYSTEM);
    c->u.pay_result = (struct cmd_pay_result){
        .row = id, .channel = rail, .op = PAY_ACCOUNT_OPEN, .state = PAY_DONE, .amount = -1};
    (void)str_copy(c->u.pay_result.provider_no, 65, str_from_c(number));
    return world_send(w, c);
}

static const struct row_party_account *account(int64_t id)
{
    return world_row(w, ROW_PARTY_ACCOUNT, id);
}

static void test_account_in_another_name(void **state)
{
    (void)state;
    assert_int_equal(world_send(w, account_cmd("Mallory", "0001", ROLE_PARTNER)), ERR_PAYEE_NAME);
    assert_int_equal(world_count(w, ROW_PARTY_ACCOUNT), 0);
    assert_int_equal(world_send(w, account_cmd("Mallory", "0001", ROLE_OPERATOR)), 0);
    int64_t id = w->reply.u.made.id;
    assert_null(asked(PAY_ACCOUNT_OPEN));
    assert_int_equal(account(id)->state, PARTY_ACCOUNT_WAITS);
    assert_int_equal(opened(id, "6200001"), 0); /* nobody was asked: it is no answer */
    assert_int_equal(account(id)->state, PARTY_ACCOUNT_WAITS);
    world_restart(w);
    world_run(w, HOUR_MS);
    assert_null(asked(PAY_ACCOUNT_QUERY));
    assert_int_equal(world_send(w, account_cmd("Mallory", "0001", ROLE_OPERATOR)), ERR_CONFLICT);
    assert_int_equal(decide(id, ACCOUNT_ACT_APPROVE, w->person, ACTOR_PERSON), ERR_SECOND);
    assert_int_equal(decide(id, ACCOUNT_ACT_REFUSE, w->person, ACTOR_PERSON), ERR_SECOND);
    assert_int_equal(decide(id, ACCOUNT_ACT_CANCEL, second, ACTOR_PERSON), ERR_SECOND);
    assert_int_equal(decide(id, ACCOUNT_ACT_APPROVE, second, ACTOR_API_KEY), ERR_SECOND);
    assert_int_equal(decide(id, (enum party_account_act)9, second, ACTOR_PERSON), ERR_RANGE);
    assert_int_equal(decide(id + 1, ACCOUNT_ACT_APPROVE, second, ACTOR_PERSON), ERR_NOT_FOUND);
    assert_int_equal(decide(id, ACCOUNT_ACT_APPROVE, second, ACTOR_PERSON), 0);
    assert_non_null(asked(PAY_ACCOUNT_OPEN));
    assert_int_equal(account(id)->state, PARTY_ACCOUNT_ASKED);
    assert_int_equal(account(id)->checked_by, second);
    assert_int_equal(account(id)->other, 1);
    assert_int_equal(decide(id, ACCOUNT_ACT_APPROVE, second, ACTOR_PERSON), ERR_CONFLICT);
    assert_int_equal(opened(id, "6200001"), 0);
    assert_int_equal(account(id)->state, PARTY_ACCOUNT_OPEN);
}

static void test_account_refused_by_people(void **state)
{
    (void)state;
    for (int own = 0; own < 2; own++) {
        assert_int_equal(world_send(w, account_cmd("Mallory", "", ROLE_OPERATOR)), 0);
        int64_t id = w->reply.u.made.id;
        assert_int_equal(decide(id, own ? ACCOUNT_ACT_CANCEL : ACCOUNT_ACT_REFUSE,
                                own ? w->person : second, ACTOR_PERSON),
                         0);
        assert_int_equal(account(id)->state, own ? PARTY_ACCOUNT_CLOSED : PARTY_ACCOUNT_REFUSED);
        assert_string_equal(account(id)->id_no, "");
        assert_int_equal(opened(id, "6200001"), 0);
        assert_int_not_equal(account(id)->state, PARTY_ACCOUNT_OPEN);
    }
}

/* A name that somebody changed a moment ago is nobody's yet: he might change it back. */
static void test_account_in_a_new_name(void **state)
{
    (void)state;
    tenant_set(Y, 72);
    world_run(w, 80 * HOUR_MS);
    struct row_party p = owner_row();
    p.name = "Mallory";
    assert_int_equal(world_put(w, ROW_PARTY, false, &p), 0);
    assert_int_equal(world_send(w, account_cmd("Mallory", "", ROLE_OPERATOR)), 0);
    int64_t id = w->reply.u.made.id;
    assert_int_equal(account(id)->state, PARTY_ACCOUNT_WAITS);
    assert_int_equal(decide(id, ACCOUNT_ACT_CANCEL, w->person, ACTOR_PERSON), 0);
    struct cmd *c = account_cmd("Mallory", "", ROLE_OPERATOR);
    c->head.actor_kind = ACTOR_API_KEY;
    assert_int_equal(world_send(w, c), ERR_PAYEE_NAME);
    p = owner_row();
    p.named_ms = 0; /* not the sender's */
    assert_int_equal(world_put(w, ROW_PARTY, false, &p), 0);
    world_run(w, 71 * HOUR_MS);
    assert_int_equal(world_send(w, account_cmd("Mallory", "", ROLE_OPERATOR)), 0);
    id = w->reply.u.made.id;
    assert_int_equal(account(id)->state, PARTY_ACCOUNT_WAITS);
    assert_int_equal(decide(id, ACCOUNT_ACT_REFUSE, second, ACTOR_PERSON), 0);
    world_run(w, 2 * HOUR_MS);
    assert_int_equal(world_send(w, account_cmd("Mallory", "", ROLE_OPERATOR)), 0);
    assert_int_equal(account(w->reply.u.made.id)->state, PARTY_ACCOUNT_ASKED);
}

/* Its own name is its name, or the payee's; of a person the number counts, too. */
static void test_account_of_its_own(void **state)
{
    (void)state;
    struct cmd *c = account_cmd("Owner", "0001", ROLE_PARTNER);
    c->u.party_account.other = 1; /* the whole number differs */
    assert_int_equal(world_send(w, c), ERR_PAYEE_NAME);
    struct row_party p = owner_row();
    p.payee_cert = "31010119900101789X";
    assert_int_equal(world_put(w, ROW_PARTY, false, &p), 0);
    assert_int_equal(world_send(w, account_cmd("property", "0001", ROLE_PARTNER)), ERR_PAYEE_NAME);
    assert_int_equal(world_send(w, account_cmd("property", "789X", ROLE_PARTNER)), 0);
    assert_int_equal(account(w->reply.u.made.id)->state, PARTY_ACCOUNT_ASKED);
    assert_non_null(asked(PAY_ACCOUNT_OPEN));
}

/* ---- payouts ---- */

/* The owner has half of what the driver's orders cost. */
static void earn(void)
{
    int64_t tx;
    assert_int_equal(world_topup(w, 20 * Y), 0);
    (void)world_charging(w, 20 * Y, &tx);
    world_run(w, 600000);
    assert_int_equal(world_tx_stop(w, tx, 11 * KWH, w->now), 0);
    world_run(w, 2 * DAY_MS);
    assert_int_equal(world_balance(w, ACCOUNT_AVAILABLE, w->owner), 6 * Y);
}

static int ask(int64_t amount, int64_t channel)
{
    struct cmd *c = world_web(w, CMD_PAYOUT_NEW, w->person, ACTOR_PERSON);
    c->u.payout_new.party = w->owner;
    c->u.payout_new.amount = amount;
    c->u.payout_new.channel = channel;
    return world_send(w, c);
}

static const struct row_payout *payout(int64_t id)
{
    return world_row(w, ROW_PAYOUT, id);
}

static int64_t asked_state(int64_t amount, int64_t channel, enum payout_state s)
{
    assert_int_equal(ask(amount, channel), 0);
    int64_t id = w->reply.u.made.id;
    assert_int_equal(payout(id)->state, s);
    return id;
}

static int act(int64_t id, enum payout_act a, int64_t amount, const char *note, int64_t actor)
{
    struct cmd *c = world_web(w, CMD_PAYOUT_DECIDE, actor, ACTOR_PERSON);
    c->u.payout_decide =
        (struct cmd_payout_decide){.payout = id, .act = (int32_t)a, .amount = amount};
    (void)str_copy(c->u.payout_decide.note, 201, str_from_c(note));
    return world_send(w, c);
}

static int told(int64_t id, enum pay_state s, int64_t amount)
{
    return world_told(w, id, wechat, PAY_TRANSFER_QUERY, s, amount);
}

static void test_day_sum(void **state)
{
    (void)state;
    earn(); /* the limit is 1.00 */
    int64_t first = asked_state(4000, wechat, PAYOUT_SENT);
    int64_t whole = asked_state(6000, wechat, PAYOUT_SENT);
    int64_t part = asked_state(100, wechat, PAYOUT_REQUESTED); /* one cent too many in this day */
    assert_int_equal(owner_row().asked_sum, 10100);
    assert_int_equal(act(part, PAYOUT_ACT_CANCEL, 0, "", w->person), 0);
    assert_int_equal(owner_row().asked_sum, 10000);
    assert_int_equal(told(first, PAY_FAILED, -1), 0);
    assert_int_equal(owner_row().asked_sum, 6000);
    (void)asked_state(4000, wechat, PAYOUT_SENT); /* what came back counts no more */
    (void)asked_state(100, wechat, PAYOUT_REQUESTED);
    struct row_party p = owner_row(); /* nor is it the sender's to set */
    p.asked_sum = p.asked_day = 0;
    assert_int_equal(world_put(w, ROW_PARTY, false, &p), 0);
    world_restart(w);
    assert_int_equal(owner_row().asked_sum, 10100);
    (void)asked_state(100, wechat, PAYOUT_REQUESTED);
    world_run(w, DAY_MS);
    (void)asked_state(Y, wechat, PAYOUT_SENT); /* another day */
    assert_int_equal(owner_row().asked_sum, Y);
    assert_int_equal(told(whole, PAY_FAILED, -1), 0); /* of the day before */
    assert_int_equal(owner_row().asked_sum, Y);
    (void)asked_state(2 * Y, wechat, PAYOUT_REQUESTED);
}

static void test_payee_new(void **state)
{
    (void)state;
    earn();
    tenant_set(100 * Y, 72);
    (void)asked_state(100, wechat, PAYOUT_REQUESTED); /* the payee was entered two days ago */
    world_run(w, DAY_MS);
    (void)asked_state(100, wechat, PAYOUT_SENT);
    struct row_party p = owner_row();
    p.name = "Owner Ltd"; /* no other payee */
    assert_int_equal(world_put(w, ROW_PARTY, false, &p), 0);
    (void)asked_state(100, wechat, PAYOUT_SENT);
    world_owner_payee(w, 1, "openid-8");
    int64_t id = asked_state(100, wechat, PAYOUT_REQUESTED);
    assert_int_equal(act(id, PAYOUT_ACT_APPROVE, 0, "", w->person), ERR_DENIED);
    assert_int_equal(act(id, PAYOUT_ACT_APPROVE, 0, "", second), 0);
    assert_int_equal(payout(id)->state, PAYOUT_SENT);
    world_run(w, 71 * HOUR_MS);
    (void)asked_state(100, wechat, PAYOUT_REQUESTED);
    world_run(w, 2 * HOUR_MS);
    (void)asked_state(100, wechat, PAYOUT_SENT);
    tenant_set(100 * Y, 0);
    world_owner_payee(w, 1, "openid-9");
    (void)asked_state(100, wechat, PAYOUT_REQUESTED); /* in three days */
    world_run(w, 73 * HOUR_MS);
    world_owner_payee(w, 1, "openid-10");
    (void)asked_state(100, wechat, PAYOUT_SENT); /* the operator wants it so */
}

static void test_account_new(void **state)
{
    (void)state;
    earn();
    tenant_set(100 * Y, 72);
    world_run(w, 2 * DAY_MS);
    assert_int_equal(world_send(w, account_cmd("Owner", "", ROLE_OPERATOR)), 0);
    assert_int_equal(opened(w->reply.u.made.id, "6200001"), 0);
    (void)asked_state(100, rail, PAYOUT_REQUESTED);
    (void)asked_state(100, wechat, PAYOUT_SENT); /* the other channel's payee is an old one */
    world_run(w, 73 * HOUR_MS);
    (void)asked_state(100, rail, PAYOUT_SENT);
}

/* Whether he is a company decides on paper and tax: who says otherwise needs somebody who looks. */
static void test_payee_of_another_kind(void **state)
{
    (void)state;
    earn();
    tenant_set(100 * Y, 72);
    world_run(w, 2 * DAY_MS);
    (void)asked_state(100, wechat, PAYOUT_SENT);
    struct row_party p = owner_row();
    p.payee_kind = PAYEE_PERSON;
    assert_int_equal(world_put(w, ROW_PARTY, false, &p), 0);
    (void)asked_state(100, wechat, PAYOUT_REQUESTED);
}

/* What waits goes to nobody whom the party's row names no more. */
static void test_payee_found_wrong(void **state)
{
    (void)state;
    earn();
    int64_t id = asked_state(2 * Y, wechat, PAYOUT_REQUESTED);
    world_owner_payee(w, 1, "openid-8");
    assert_int_equal(act(id, PAYOUT_ACT_APPROVE, 0, "", second), ERR_ACCOUNT);
    world_owner_payee(w, 0, "openid-7");
    assert_int_equal(act(id, PAYOUT_ACT_APPROVE, 0, "", second), ERR_ACCOUNT);
    world_owner_payee(w, 1, "openid-7");
    struct row_party p = owner_row();
    p.state = ROW_DISABLED;
    assert_int_equal(world_put(w, ROW_PARTY, false, &p), 0);
    assert_int_equal(act(id, PAYOUT_ACT_APPROVE, 0, "", second), ERR_DISABLED);
    assert_int_equal(payout(id)->state, PAYOUT_REQUESTED);
    p = owner_row();
    p.state = ROW_ACTIVE;
    assert_int_equal(world_put(w, ROW_PARTY, false, &p), 0);
    assert_int_equal(act(id, PAYOUT_ACT_APPROVE, 0, "", second), 0);
    assert_string_equal(payout(id)->payee, "openid-7");
}

/* ---- who is a second person ---- */

/* The house is past its first days, and the owner has 6.00. */
static void settle_in(void)
{
    earn();
    world_run(w, 2 * DAY_MS);
}

static void waits_alone(int64_t amount)
{
    int64_t id = asked_state(amount, wechat, PAYOUT_REQUESTED);
    assert_int_equal(act(id, PAYOUT_ACT_CANCEL, 0, "", w->person), 0);
}

static const struct row_tenant *tenant(void)
{
    return world_row(w, ROW_TENANT, w->tenant);
}

/* Who may change the settings lifts for a moment what stops him. */
static void test_limit_lifted(void **state)
{
    (void)state;
    settle_in();
    waits_alone(2 * Y);
    tenant_set(100 * Y, 0);
    assert_int_equal(tenant()->check_was, Y);
    waits_alone(2 * Y);
    tenant_set(Y / 2, 0); /* tighter counts at once */
    assert_int_equal(tenant()->eased_ms, 0);
    waits_alone(Y);
    tenant_set(100 * Y, 0);
    world_restart(w);
    world_run(w, 71 * HOUR_MS);
    struct row_tenant t = *tenant();
    t.eased_ms = t.check_was = 0; /* not the sender's */
    t.name = "Other";
    assert_int_equal(world_put(w, ROW_TENANT, false, &t), 0);
    waits_alone(Y);
    t = *tenant();
    t.payout_check = 90 * Y; /* still looser than what counts: three days from now */
    assert_int_equal(world_put(w, ROW_TENANT, false, &t), 0);
    assert_int_equal(tenant()->check_was, Y / 2);
    world_run(w, 71 * HOUR_MS);
    waits_alone(Y);
    world_run(w, 2 * HOUR_MS);
    (void)asked_state(2 * Y, wechat, PAYOUT_SENT);
}

static void test_hours_lifted(void **state)
{
    (void)state;
    tenant_set(100 * Y, 72);
    settle_in();
    world_owner_payee(w, 1, "openid-8");
    tenant_set(100 * Y, 0);
    waits_alone(100);
    world_run(w, HOUR_MS);
    tenant_set(100 * Y, 72);
    assert_int_equal(tenant()->eased_ms, 0); /* nothing was loose, nothing is */
    waits_alone(100);
    struct row_party p = owner_row();
    p.name = "Mallory"; /* nor does a name get older by it */
    assert_int_equal(world_put(w, ROW_PARTY, false, &p), 0);
    tenant_set(100 * Y, 0);
    assert_int_equal(world_send(w, account_cmd("Mallory", "", ROLE_OPERATOR)), 0);
    assert_int_equal(account(w->reply.u.made.id)->state, PARTY_ACCOUNT_WAITS);
}

static int64_t person_by(int64_t by, const char *login)
{
    int64_t person = w->person;
    w->person = by;
    int64_t id = add(ROW_PERSON,
                     &(struct row_person){
                         .login = login, .name = login, .pass_hash = "x", .role = ROLE_OPERATOR});
    w->person = person;
    return id;
}

/* Whom I let in is no second person, nor whom he lets in, nor whom I gave another password; for three days, in which the
 * others see it. */
static void test_second_self(void **state)
{
    (void)state;
    settle_in();
    int64_t id = asked_state(2 * Y, wechat, PAYOUT_REQUESTED);
    int64_t mine = person_by(w->person, "mine"), his = person_by(mine, "his");
    assert_int_equal(act(id, PAYOUT_ACT_APPROVE, 0, "", mine), ERR_SECOND);
    assert_int_equal(act(id, PAYOUT_ACT_APPROVE, 0, "", his), ERR_SECOND);
    struct row_person r = *(const struct row_person *)world_row(w, ROW_PERSON, second);
    assert_int_equal(r.let_ms, 0); /* of the first days */
    r.pass_hash = "mine";
    assert_int_equal(world_put(w, ROW_PERSON, false, &r), 0);
    assert_int_equal(act(id, PAYOUT_ACT_APPROVE, 0, "", second), ERR_SECOND);
    r = *(const struct row_person *)world_row(w, ROW_PERSON, second);
    assert_int_equal(r.let_by, w->person);
    r.let_by = r.let_ms = 0; /* not the sender's */
    r.name = "Another";
    assert_int_equal(world_put(w, ROW_PERSON, false, &r), 0);
    world_restart(w);
    assert_int_equal(act(id, PAYOUT_ACT_APPROVE, 0, "", second), ERR_SECOND);
    int64_t person = w->person;
    w->person = mine; /* he asks, and one of the same maker agrees, or the maker does */
    int64_t theirs = asked_state(2 * Y, wechat, PAYOUT_REQUESTED);
    w->person = person;
    assert_int_equal(act(theirs, PAYOUT_ACT_APPROVE, 0, "", second), ERR_SECOND);
    assert_int_equal(act(theirs, PAYOUT_ACT_APPROVE, 0, "", w->person), ERR_SECOND);
    world_run(w, 73 * HOUR_MS);
    assert_int_equal(act(id, PAYOUT_ACT_APPROVE, 0, "", second), 0);
    assert_int_equal(act(theirs, PAYOUT_ACT_APPROVE, 0, "", w->person), 0);
}

/* So it is with an account that is closed with principal given up, and a sub-account in another name. */
static void test_second_self_elsewhere(void **state)
{
    (void)state;
    settle_in();
    int64_t mine = person_by(w->person, "mine"), all = wallet();
    assert_int_equal(close_by(w->person, ACTOR_PERSON, all), 0);
    assert_int_equal(close_by(mine, ACTOR_PERSON, all), ERR_SECOND);
    assert_int_equal(driver()->state, ROW_ACTIVE);
    assert_int_equal(world_send(w, account_cmd("Mallory", "", ROLE_OPERATOR)), 0);
    int64_t id = w->reply.u.made.id;
    assert_int_equal(decide(id, ACCOUNT_ACT_APPROVE, mine, ACTOR_PERSON), ERR_SECOND);
    assert_int_equal(account(id)->state, PARTY_ACCOUNT_WAITS);
    assert_int_equal(decide(id, ACCOUNT_ACT_APPROVE, second, ACTOR_PERSON), 0);
    assert_int_equal(close_by(second, ACTOR_PERSON, all), 0);
}

/* A key is its maker's hand: it approves nothing, and what it asked for its maker does not approve. */
static void test_second_by_key(void **state)
{
    (void)state;
    earn();
    int64_t key =
        add(ROW_API_KEY, &(struct row_api_key){.name = "k", .key_hash = "k", .role = ROLE_ADMIN});
    int64_t id = asked_state(2 * Y, wechat, PAYOUT_REQUESTED);
    static const enum payout_act acts[] = {PAYOUT_ACT_APPROVE, PAYOUT_ACT_REFUSE,
                                           PAYOUT_ACT_SETTLED, PAYOUT_ACT_FAILED, PAYOUT_ACT_PAID};
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        struct cmd *c = world_web(w, CMD_PAYOUT_DECIDE, key, ACTOR_API_KEY);
        c->u.payout_decide = (struct cmd_payout_decide){.payout = id, .act = (int32_t)acts[i]};
        assert_int_equal(world_send(w, c), ERR_SECOND);
    }
    assert_int_equal(payout(id)->state, PAYOUT_REQUESTED);
    struct cmd *c = world_web(w, CMD_PAYOUT_NEW, key, ACTOR_API_KEY);
    c->u.payout_new =
        (struct cmd_payout_new){.party = w->owner, .amount = 2 * Y, .channel = wechat};
    assert_int_equal(world_send(w, c), 0);
    int64_t by_key = w->reply.u.made.id;
    world_restart(w);
    assert_int_equal(act(by_key, PAYOUT_ACT_APPROVE, 0, "", w->person), ERR_SECOND);
    assert_int_equal(payout(by_key)->state, PAYOUT_REQUESTED);
    assert_int_equal(act(by_key, PAYOUT_ACT_APPROVE, 0, "", second), 0);
}

/* ---- a rail that contradicts itself ---- */

static int64_t transit(void)
{
    return world_balance(w, ACCOUNT_TRANSIT, w->owner);
}

static void test_failed_after_another_amount(void **state)
{
    (void)state;
    earn();
    int64_t id = asked_state(5000, wechat, PAYOUT_SENT), audits;
    assert_int_equal(told(id, PAY_DONE, 4000), 0);
    assert_int_equal(payout(id)->doubt, PAYOUT_DOUBT_AMOUNT);
    assert_int_equal(act(id, PAYOUT_ACT_FAILED, 0, "x", second),
                     ERR_CONFLICT); /* it says it paid */
    assert_int_equal(told(id, PAY_FAILED, -1), 0);
    assert_int_equal(payout(id)->state, PAYOUT_UNKNOWN);
    assert_int_equal(payout(id)->doubt, PAYOUT_DOUBT_FAILED);
    assert_int_equal(payout(id)->said, 4000);
    assert_int_equal(transit(), 5000); /* nothing went back */
    audits = (int64_t)world_count(w, ROW_AUDIT);
    assert_int_equal(told(id, PAY_FAILED, -1), 0);
    assert_int_equal(world_count(w, ROW_AUDIT), audits); /* told once */
    world_restart(w);
    assert_int_equal(act(id, PAYOUT_ACT_FAILED, 0, "not at the bank", w->person), ERR_DENIED);
    assert_int_equal(act(id, PAYOUT_ACT_FAILED, 0, "", second), ERR_REQUIRED);
    assert_int_equal(act(id, PAYOUT_ACT_SETTLED, 0, "x", second), ERR_CONFLICT);
    assert_int_equal(act(id, PAYOUT_ACT_FAILED, 0, "not at the bank", second), 0);
    assert_int_equal(payout(id)->state, PAYOUT_FAILED);
    assert_int_equal(payout(id)->doubt, 0);
    assert_int_equal(transit(), 0);
    assert_int_equal(world_balance(w, ACCOUNT_AVAILABLE, w->owner), 6 * Y);
}

/* … or the bank has it after all. */
static void test_paid_after_failed(void **state)
{
    (void)state;
    earn();
    int64_t id = asked_state(5000, wechat, PAYOUT_SENT);
    assert_int_equal(told(id, PAY_DONE, 4000), 0);
    assert_int_equal(told(id, PAY_FAILED, -1), 0);
    assert_int_equal(act(id, PAYOUT_ACT_PAID, 4000, "seen at the bank", second), 0);
    assert_int_equal(payout(id)->state, PAYOUT_SETTLED);
    assert_int_equal(world_balance(w, ACCOUNT_CHANNEL, wechat), 4000);
    assert_int_equal(world_balance(w, ACCOUNT_SUSPENSE, 0), 1000);
    assert_int_equal(transit(), 0);
}

static void test_done_of_nothing(void **state)
{
    (void)state;
    earn();
    int64_t id = asked_state(5000, wechat, PAYOUT_SENT);
    assert_int_equal(told(id, PAY_DONE, 0), 0);
    assert_int_equal(payout(id)->state, PAYOUT_UNKNOWN);
    assert_int_equal(payout(id)->doubt, PAYOUT_DOUBT_NOTHING);
    assert_int_equal(told(id, PAY_UNKNOWN, -1), 0);
    assert_int_equal(payout(id)->doubt, PAYOUT_DOUBT_NOTHING);
    assert_int_equal(act(id, PAYOUT_ACT_FAILED, 0, "nothing", second), 0);
    assert_int_equal(payout(id)->state, PAYOUT_FAILED);
    id = asked_state(5000, wechat, PAYOUT_SENT);
    assert_int_equal(told(id, PAY_DONE, 0), 0);
    assert_int_equal(act(id, PAYOUT_ACT_PAID, 5000, "it is there", second), 0);
    assert_int_equal(payout(id)->state, PAYOUT_SETTLED);
    id = asked_state(5000, wechat, PAYOUT_SENT);
    assert_int_equal(told(id, PAY_DONE, 0), 0);
    assert_int_equal(told(id, PAY_DONE, 5000), 0); /* it says at last what was asked */
    assert_int_equal(payout(id)->state, PAYOUT_SETTLED);
    assert_int_equal(world_balance(w, ACCOUNT_CHANNEL, wechat), 10000);
    id = asked_state(5000, wechat, PAYOUT_REQUESTED);
    assert_int_equal(act(id, PAYOUT_ACT_APPROVE, 0, "", second), 0);
    assert_int_equal(told(id, PAY_FAILED, -1), 0); /* nothing but that: at once */
    assert_int_equal(payout(id)->state, PAYOUT_FAILED);
}

/* ---- the house's daily turn ---- */

static int turn(int64_t of, enum actor_kind kind)
{
    struct cmd *c = world_web(w, CMD_GIFT_TURN, 0, kind);
    c->u.driver_one.driver = of;
    return world_send(w, c);
}

static void test_gift_turn(void **state)
{
    (void)state;
    struct cmd *c = world_web(w, CMD_GIFT, w->person, ACTOR_PERSON);
    c->u.gift = (struct cmd_gift){.driver = w->driver, .amount = 3 * Y, .days = 2};
    (void)str_copy(c->u.gift.note, 201, STR_LIT("welcome"));
    assert_int_equal(world_send(w, c), 0);
    int64_t lot = w->reply.u.made.id, tx;
    assert_int_equal(turn(w->driver, ACTOR_SYSTEM), ERR_NOT_FOUND); /* it is good */
    world_run(w, 2 * DAY_MS - 60000);
    int64_t all = wallet() + Y;
    int64_t order = world_charging(w, all, &tx); /* 1.00 of the gift is held */
    world_run(w, 120000);
    world_restart(w); /* and nothing of the driver is in memory but by need */
    assert_int_equal(turn(w->driver, ACTOR_PERSON), ERR_DENIED);
    assert_int_equal(turn(w->driver + 999, ACTOR_SYSTEM), ERR_NOT_FOUND);
    assert_int_equal(turn(w->driver, ACTOR_SYSTEM), 0);
    assert_int_equal(world_balance(w, ACCOUNT_WALLET_BONUS, w->driver), Y);
    assert_int_equal(world_balance(w, ACCOUNT_MARKETING, 0), -Y);
    assert_int_equal(driver()->gift_lost, 2 * Y);
    assert_int_equal(((const struct row_payment *)world_row(w, ROW_PAYMENT, lot))->gift_lost,
                     2 * Y);
    assert_string_equal(((const struct row_audit *)world_last(w, ROW_AUDIT))->action,
                        "wallet.gift_expired");
    assert_int_equal(turn(w->driver, ACTOR_SYSTEM), ERR_NOT_FOUND); /* the rest is held */
    assert_int_equal(world_open(w), 0);
    assert_int_equal(world_tx_stop(w, tx, KWH, w->now), 0); /* it cost nothing */
    assert_int_equal(world_order(w, order)->paid, 0);
    assert_int_equal(turn(w->driver, ACTOR_SYSTEM), 0);
    assert_int_equal(world_balance(w, ACCOUNT_WALLET_BONUS, w->driver), 0);
    assert_int_equal(world_balance(w, ACCOUNT_MARKETING, 0), 0);
}

int core_second(void);

int core_second(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_close_by_two, up, down),
        cmocka_unit_test_setup_teardown(test_close_dropped, up, down),
        cmocka_unit_test_setup_teardown(test_close_by_driver, up, down),
        cmocka_unit_test_setup_teardown(test_close_plugged, up, down),
        cmocka_unit_test_setup_teardown(test_close_unplugged, up, down),
        cmocka_unit_test_setup_teardown(test_close_charger_gone, up, down),
        cmocka_unit_test_setup_teardown(test_close_silent_charger, up, down),
        cmocka_unit_test_setup_teardown(test_close_no_rule, up, down),
        cmocka_unit_test_setup_teardown(test_account_in_another_name, up, down),
        cmocka_unit_test_setup_teardown(test_account_refused_by_people, up, down),
        cmocka_unit_test_setup_teardown(test_account_in_a_new_name, up, down),
        cmocka_unit_test_setup_teardown(test_account_of_its_own, up, down),
        cmocka_unit_test_setup_teardown(test_day_sum, up, down),
        cmocka_unit_test_setup_teardown(test_payee_new, up, down),
        cmocka_unit_test_setup_teardown(test_account_new, up, down),
        cmocka_unit_test_setup_teardown(test_payee_of_another_kind, up, down),
        cmocka_unit_test_setup_teardown(test_payee_found_wrong, up, down),
        cmocka_unit_test_setup_teardown(test_limit_lifted, up, down),
        cmocka_unit_test_setup_teardown(test_hours_lifted, up, down),
        cmocka_unit_test_setup_teardown(test_second_self, up, down),
        cmocka_unit_test_setup_teardown(test_second_self_elsewhere, up, down),
        cmocka_unit_test_setup_teardown(test_second_by_key, up, down),
        cmocka_unit_test_setup_teardown(test_failed_after_another_amount, up, down),
        cmocka_unit_test_setup_teardown(test_paid_after_failed, up, down),
        cmocka_unit_test_setup_teardown(test_done_of_nothing, up, down),
        cmocka_unit_test_setup_teardown(test_gift_turn, up, down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
