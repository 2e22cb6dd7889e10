// SPDX-License-Identifier: Apache-2.0
/* pair_rig.c: see pair_rig.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "pair_rig.h"

struct world pair_world;
struct pair pair;

static struct world *const w = &pair_world;

int64_t pair_gun_add(int64_t charger, int32_t number)
{
    assert_int_equal(world_put(w, ROW_CONNECTOR, true,
                               &(struct row_connector){.charger = charger,
                                                       .number = number,
                                                       .kind = CONNECTOR_DC,
                                                       .max_power_w = 120000}),
                     0);
    return w->reply.u.made.id;
}

void pair_begin(void)
{
    world_init(w);
    memset(&pair, 0, sizeof pair);
    pair.payer = PAYER_WALLET;
    pair.gun[0] = w->pile_gun;
    pair.gun[1] = pair_gun_add(w->pile, 2);
}

int pair_up(void **state)
{
    (void)state;
    pair_begin();
    return 0;
}

int pair_down(void **state)
{
    (void)state;
    world_free(w);
    return 0;
}

/* ---- words of the app and of the pile ---- */

int pair_start(int64_t gun, int64_t second, int64_t cap)
{
    struct cmd *c = world_web(w, CMD_ORDER_START, w->driver, ACTOR_DRIVER);
    c->u.order_start.driver = w->driver;
    c->u.order_start.connector = gun;
    c->u.order_start.second = second;
    c->u.order_start.cap = cap;
    c->u.order_start.payer_kind = pair.payer;
    return world_send(w, c);
}

void pair_reading(int i, int64_t energy, int64_t power)
{
    world_reading(w, i + 1, pair.tx_no[i], energy, power, SAMPLE_NONE32);
}

void pair_record_as(int i, int64_t energy, enum stop_reason stop, int64_t amount)
{
    struct cmd *c = world_pile(w, CMD_TX_RECORD);
    struct cmd_tx_record *r = &c->u.tx_record;
    r->connector = i + 1;
    r->stop = (int32_t)stop;
    (void)str_copy(r->tx_no, 33, str_from_c(pair.tx_no[i]));
    r->start_ms = pair.start_ms;
    r->end_ms = pair.end_ms ? pair.end_ms : pair.start_ms + 600000;
    r->class_energy_mwh[2] = r->energy_mwh = energy;
    r->class_amount[2] = r->amount = amount;
    r->meter_start_mwh = 5 * KWH;
    r->meter_end_mwh = 5 * KWH + energy;
    r->start_mark = 1;
    assert_int_equal(world_send(w, c), 0);
}

void pair_record(int i, int64_t energy)
{
    pair_record_as(i, energy, STOP_LOCAL, 0);
}

const struct row_orders *pair_order(int i)
{
    return world_order(w, pair.order[i]);
}

int64_t pair_wallet(void)
{
    return world_balance(w, ACCOUNT_WALLET, w->driver);
}

int64_t pair_held(void)
{
    const struct ledger_account *a =
        ledger_account_find(w->core->ledger, w->tenant, ACCOUNT_WALLET, w->driver, "CNY");
    return a ? a->held : 0;
}

/* The last call to this gun in the last step, or NULL. */
const struct out *pair_call(int i, enum call_kind kind)
{
    const struct out *last = NULL;
    for (size_t n = 0; n < w->outs_n; n++)
        if (w->outs[n].type == OUT_CALL && w->outs[n].u.call.kind == (int32_t)kind &&
            w->outs[n].u.call.connector == i + 1)
            last = &w->outs[n];
    return last;
}

/* A remote start up to the call for the main gun. */
struct out pair_started(int64_t cap)
{
    assert_int_equal(pair_start(pair.gun[0], pair.gun[1], cap), 0);
    pair.order[0] = w->reply.u.made.id;
    pair.order[1] = pair_order(0)->part;
    pair.start_ms = w->now;
    for (int i = 0; i < 2; i++)
        (void)str_copy(pair.tx_no[i], 33, str_from_c(world_session(w, pair.order[i])->tx_no));
    const struct out *call = pair_call(0, CALL_REMOTE_START);
    assert_non_null(call);
    assert_null(pair_call(1, CALL_REMOTE_START));
    return *call;
}

/* … up to that for the second one. */
struct out pair_accepted(int64_t cap)
{
    struct out call = pair_started(cap);
    world_answer(w, &call, 0, "Accepted");
    const struct out *next = pair_call(1, CALL_REMOTE_START);
    assert_non_null(next);
    return *next;
}

void pair_charging(int64_t cap)
{
    struct out call = pair_accepted(cap);
    world_answer(w, &call, 0, "Accepted");
    pair_reading(0, 0, 30000);
    pair_reading(1, 0, 30000);
    assert_int_equal(pair_order(0)->state, ORDER_CHARGING);
    assert_int_equal(pair_order(1)->state, ORDER_CHARGING);
}

int pair_raise(int i, int64_t amount)
{
    struct cmd *c = world_web(w, CMD_ORDER_RAISE, w->driver, ACTOR_DRIVER);
    c->u.order_raise = (struct cmd_order_raise){pair.order[i], w->driver, amount};
    return world_send(w, c);
}
