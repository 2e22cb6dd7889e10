// SPDX-License-Identifier: Apache-2.0
/* core_must.c: the asserts by which payments, payouts, shares, refunds and months never go on when their own
 * sums do not agree. Input does not get there, so each case breaks memory first: 1.00 of the owner is at the
 * rail, an order of 1.20 is settled, and the owner has rent each month. */
#include "core/purse.h"
#include "unit/core/dies.h"
#include "world.h"

#define DAY_MS  INT64_C(86400000)
#define COUNTER INT64_C(4000000000000000000) /* the most that an account counts */

static struct world world, *w = &world;
static int64_t wechat, out_id, order_id;

/* From now on the owner has a rent of 10.00 a month. */
static void rent(void)
{
    struct cmd *c = world_web(w, CMD_CONTRACT_PUT, w->person, ACTOR_PERSON);
    struct cmd_contract_put *in = &c->u.contract_put;
    (void)str_copy(in->name, 101, STR_LIT("rent"));
    in->family = w->contract;
    in->from_ms = w->now;
    in->unit = 1;
    in->n = 2;
    in->party[0] = (struct contract_party_in){w->platform, 7, 5};
    in->party[1] = (struct contract_party_in){w->owner, 7, 5};
    in->clauses = 1;
    in->clause[0] =
        (struct contract_clause_in){.kind = CLAUSE_RENT, .party = w->owner, .rate = 100000};
    assert_int_equal(world_send(w, c), 0);
}

static int up(void **state)
{
    (void)state;
    world_init(w);
    assert_int_equal(world_open(w), 0);
    wechat = world_channel(w, CHANNEL_WECHAT);
    struct row_tenant t = *(const struct row_tenant *)world_row(w, ROW_TENANT, w->tenant);
    t.payout_check = 100 * MONEY_UNIT;
    assert_int_equal(world_put(w, ROW_TENANT, false, &t), 0);
    struct row_party p = *(const struct row_party *)world_row(w, ROW_PARTY, w->owner);
    p.verified = 1;
    p.payee = "sub-account 7";
    p.payee_name = "owner";
    assert_int_equal(world_put(w, ROW_PARTY, false, &p), 0);
    (void)world_order_of(w, 3000000);
    world_run(w, 8 * DAY_MS);
    struct cmd *c = world_web(w, CMD_PAYOUT_NEW, w->person, ACTOR_PERSON);
    c->u.payout_new =
        (struct cmd_payout_new){.party = w->owner, .amount = 10000, .channel = wechat};
    assert_int_equal(world_send(w, c), 0);
    out_id = w->reply.u.made.id;
    assert_int_equal(((const struct row_payout *)world_row(w, ROW_PAYOUT, out_id))->state,
                     PAYOUT_SENT);
    assert_int_equal(world_topup(w, 4 * MONEY_UNIT), 0);
    assert_int_equal(world_open(w), 0);
    order_id = world_order_of(w, 1000000);
    rent();
    return 0;
}

static int down(void **state)
{
    (void)state;
    world_free(w);
    return 0;
}

/* Memory that only the ledger writes. */
static struct ledger_account *account(int32_t kind, int64_t owner)
{
    int64_t id = purse_account(w->core, w->tenant, kind, owner, "CNY");
    return (struct ledger_account *)(uintptr_t)ledger_account(w->core->ledger, id);
}

static void transit_full(void)
{
    account(ACCOUNT_TRANSIT, w->owner)->posted_in = COUNTER;
}

static void transit_empty(void)
{
    struct ledger_account *a = account(ACCOUNT_TRANSIT, w->owner);
    a->posted_out = a->posted_in;
}

static struct row_payout *out_row(void)
{
    return &payout_find(w->core, out_id)->row;
}

static void rail_says(enum pay_state s, int64_t amount)
{
    const struct cmd_pay_result in = {
        .row = out_id, .channel = wechat, .op = PAY_TRANSFER_QUERY, .state = s, .amount = amount};
    (void)!payout_result(w->core, payout_find(w->core, out_id), &in);
}

/* Of a payout of which the rail said 0.99. */
static void person_says_paid(void)
{
    struct cmd *c = world_web(w, CMD_PAYOUT_DECIDE, w->person + 1, ACTOR_PERSON);
    out_row()->state = PAYOUT_UNKNOWN;
    out_row()->said = 9900;
    out_row()->doubt = PAYOUT_DOUBT_AMOUNT;
    c->u.payout_decide = (struct cmd_payout_decide){
        .payout = out_id, .act = PAYOUT_ACT_PAID, .amount = 9900, .note = "seen"};
    (void)!payout_decide(w->core, c);
}

/* ---- payouts ---- */

static void asked_and_not_taken(void)
{
    struct cmd *c = world_web(w, CMD_PAYOUT_NEW, w->person, ACTOR_PERSON);
    c->u.payout_new = (struct cmd_payout_new){.party = w->owner, .amount = 1000, .channel = wechat};
    transit_full();
    (void)!payout_new(w->core, c);
}

static void paid_and_not_in_transit(void)
{
    transit_empty();
    rail_says(PAY_DONE, 10000);
}

static void failed_and_not_in_transit(void)
{
    transit_empty();
    rail_says(PAY_FAILED, -1);
}

static void paid_other_and_not_in_transit(void)
{
    transit_empty();
    person_says_paid();
}

static void settled_twice(void)
{
    out_row()->settled = 1;
    rail_says(PAY_DONE, 10000);
}

static void settled_and_paid_other(void)
{
    out_row()->settled = 1;
    person_says_paid();
}

static void fee_for_nobody(void)
{
    struct party *platform = dir_find(w->core, ROW_PARTY, w->platform);
    platform->row.kind = PARTY_PROPERTY;
    out_row()->fee = 100;
    rail_says(PAY_DONE, 9900);
}

static void shared_and_not_pending(void)
{
    struct ledger_request q;
    struct row_payout row = *out_row();
    row.id++;
    row.kind = PAYOUT_SHARED;
    purse_request(w->core, &q, w->tenant, TRANSFER_SHARED, "CNY");
    purse_leg(&q, account(ACCOUNT_PENDING, w->owner)->id, -row.amount, w->owner);
    (void)payout_shared(w->core, &row, &q);
}

/* ---- shares that the channel pays, and what comes back of them ---- */

static void channel_shares_less_than_nothing(void)
{
    static const struct row_payment row = {.id = 7, .sharing = SHARING_FLAGGED};
    static const struct order o = {.row = {.state = ORDER_SETTLED, .paid = 40000}};
    struct payment *p = payment_add(w->core, &row);
    p->row.channel = wechat;
    channel_find(w->core, wechat)->row.share_bp = -3000;
    sharing_begin(w->core, p, &o);
}

static void comes_back(int64_t settled)
{
    const struct cmd_pay_result in = {
        .channel = wechat, .op = PAY_RETURN_QUERY, .state = PAY_DONE, .amount = 100};
    struct row_payout row = *out_row();
    row.id++;
    row.kind = PAYOUT_RETURNED;
    row.amount = -100;
    row.settled = settled;
    share_return_result(w->core, payout_add(w->core, &row), &in);
}

static void returned_twice(void)
{
    comes_back(1);
}

static void returned_and_not_posted(void)
{
    account(ACCOUNT_CHANNEL, wechat)->posted_out = COUNTER;
    comes_back(0);
}

/* ---- payments ---- */

static void paid_and_not_credited(void)
{
    int64_t cash = account(ACCOUNT_CASH, 0)->id;
    account(ACCOUNT_WALLET, w->driver)->posted_in = COUNTER;
    (void)payment_credit(w->core, w->tenant, w->driver, cash, "CNY", 100, "");
}

static void paid_other_and_not_in_suspense(void)
{
    const struct cmd_pay_result in = {
        .channel = wechat, .op = PAY_QUERY, .state = PAY_DONE, .amount = 50, .currency = "CNY"};
    const struct row_payment row = {.id = 7,
                                    .tenant = w->tenant,
                                    .driver = w->driver,
                                    .channel = wechat,
                                    .state = PAYMENT_WAITING,
                                    .currency = "CNY",
                                    .amount = 100,
                                    .provider_no = ""};
    account(ACCOUNT_SUSPENSE, 0)->posted_in = COUNTER;
    (void)!payment_result(w->core, payment_add(w->core, &row), &in);
}

/* ---- shares and refunds ---- */

static struct bucket *bucket(void)
{
    return bucket_add(w->core, &(struct row_maturing){.party = w->owner,
                                                      .due_ms = w->now + 100 * DAY_MS,
                                                      .tenant = w->tenant,
                                                      .currency = "CNY",
                                                      .amount = 100});
}

static void matures_and_is_not_pending(void)
{
    struct ledger_account *a = account(ACCOUNT_PENDING, w->owner);
    a->posted_out = a->posted_in;
    share_mature(w->core, bucket());
}

static void collected_less_than_nothing(void)
{
    (void)share_collected(w->core, bucket(), -1, w->now + DAY_MS);
}

static void collected_more_than_waits(void)
{
    (void)share_collected(w->core, bucket(), 101, w->now + DAY_MS);
}

/* Places that were free once are taken first. */
static void no_room_for_a_bucket(void)
{
    struct slab *buckets = &w->core->purse->buckets;
    buckets->cap = buckets->room = buckets->len;
    for (int64_t day = 200; day < 300; day++)
        share_given(
            w->core, w->tenant, "CNY",
            &(struct share_part){.party = w->owner, .pending = 1, .due_ms = w->now + day * DAY_MS});
}

static void refunded_and_not_posted(void)
{
    account(ACCOUNT_WALLET, w->driver)->posted_in = COUNTER;
    refund_move(w->core, order_find(w->core, order_id), 100, TRANSFER_REFUND, "");
}

/* ---- months of contracts ---- */

static void month_over(void)
{
    w->core->now += 40 * DAY_MS;
    contract_months_fire(w->core);
}

static void month_of_nobody(void)
{
    w->core->months->tenant = 77;
    month_over();
}

static void month_without_zone(void)
{
    struct tenant *t = tenant_find(w->core, w->tenant);
    t->zone = NULL;
    month_over();
}

static void month_without_operator(void)
{
    struct party *platform = dir_find(w->core, ROW_PARTY, w->platform);
    platform->row.kind = PARTY_PROPERTY;
    month_over();
}

static void month_of_other_parties(void)
{
    w->core->months->n = 0;
    month_over();
}

static void rent_and_not_posted(void)
{
    account(ACCOUNT_PENDING, w->owner)->posted_in = COUNTER;
    month_over();
}

static void no_room_for_the_month(void)
{
    w->core->timers.cap = w->core->timers.n - 1; /* that it takes out first */
    contract_months_arm(w->core);
}

DIES(asked_and_not_taken)
DIES(paid_and_not_in_transit)
DIES(failed_and_not_in_transit)
DIES(paid_other_and_not_in_transit)
DIES(settled_twice)
DIES(settled_and_paid_other)
DIES(fee_for_nobody)
DIES(shared_and_not_pending)
DIES(channel_shares_less_than_nothing)
DIES(returned_twice)
DIES(returned_and_not_posted)
DIES(paid_and_not_credited)
DIES(paid_other_and_not_in_suspense)
DIES(matures_and_is_not_pending)
DIES(collected_less_than_nothing)
DIES(collected_more_than_waits)
DIES(no_room_for_a_bucket)
DIES(refunded_and_not_posted)
DIES(month_of_nobody)
DIES(month_without_zone)
DIES(month_without_operator)
DIES(month_of_other_parties)
DIES(rent_and_not_posted)
DIES(no_room_for_the_month)

/* The cases are what they say: whole memory is not the end. */
static void test_none_dies_whole(void **state)
{
    (void)state;
    comes_back(0);
    rail_says(PAY_DONE, 10000);
    assert_int_equal(out_row()->state, PAYOUT_SETTLED);
    (void)share_collected(w->core, bucket(), 100, w->now + DAY_MS);
    refund_move(w->core, order_find(w->core, order_id), 100, TRANSFER_REFUND, "");
    month_over();
}

int core_must(void);
int core_must(void)
{
#define T(f) cmocka_unit_test_setup_teardown(test_##f, up, down)
    const struct CMUnitTest tests[] = {
        T(asked_and_not_taken),
        T(paid_and_not_in_transit),
        T(failed_and_not_in_transit),
        T(paid_other_and_not_in_transit),
        T(settled_twice),
        T(settled_and_paid_other),
        T(fee_for_nobody),
        T(shared_and_not_pending),
        T(channel_shares_less_than_nothing),
        T(returned_twice),
        T(returned_and_not_posted),
        T(paid_and_not_credited),
        T(paid_other_and_not_in_suspense),
        T(matures_and_is_not_pending),
        T(collected_less_than_nothing),
        T(collected_more_than_waits),
        T(no_room_for_a_bucket),
        T(refunded_and_not_posted),
        T(month_of_nobody),
        T(month_without_zone),
        T(month_without_operator),
        T(month_of_other_parties),
        T(rent_and_not_posted),
        T(no_room_for_the_month),
        T(none_dies_whole),
    };
    return cmocka_run_group_tests_name("core: must", tests, NULL, NULL);
}
