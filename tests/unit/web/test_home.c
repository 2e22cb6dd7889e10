// SPDX-License-Identifier: Apache-2.0
/* test_home.c: a partner's page adds to what it knows of the month; it must come to what all of it comes
 * to, however shares and looks alternate. */
#include "rig.h"

#include <stdio.h>
#include "base/hash.h"
#include "base/money.h"
#include "core/rows.h"
#include "io/os/clock.h"
#include "web/request.h"

enum { ROUNDS = 60, HAD = 20000 }; /* by the rig's own order */

static struct rig rig;
static int64_t order = 5000, at_ms;

static int start(void **state)
{
    (void)state;
    rig_start(&rig, false);
    rig_login(&rig, FACE_PARTNER, "partner");
    at_ms = os_now_ms() + 1; /* after all that the rig has */
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

/* What a capture or a refund writes of a party's part. */
static void share_put(struct buf *rows, int64_t party, int64_t amount)
{
    const struct row_split_part part = {.order_id = ++order,
                                        .seq = 1,
                                        .tenant = T1,
                                        .transfer = order,
                                        .party = party,
                                        .account = PENDING,
                                        .fee_kind = FEE_SERVICE,
                                        .base = amount,
                                        .ratio = 1,
                                        .ratio_sum = 1,
                                        .amount = amount,
                                        .at_ms = at_ms,
                                        .station = STATION};
    const struct row_party_share_new entry = {
        .transfer = order, .party = party, .at_ms = at_ms, .order_id = order};

    row_pack(rows, ROW_SPLIT_PART, ROW_INSERT, &part);
    row_pack(rows, ROW_PARTY_SHARE_NEW, ROW_INSERT, &entry);
}

/* Several may be of one moment, in one commit or in two. */
static int64_t shares_commit(struct rng *r)
{
    struct buf rows;
    int64_t sum = 0;

    buf_init(&rows, 1 << 20);
    for (uint64_t n = 1 + rng_below(r, 3); n > 0; n--) {
        int64_t amount = ((int64_t)rng_below(r, 900) - 200) * 100;

        at_ms += (int64_t)rng_below(r, 2);
        share_put(&rows, OWNER, amount);
        share_put(&rows, P2, 7700);
        sum += amount;
    }
    assert_int_equal(store_commit(rig.store, buf_str(&rows), STR_NONE), 0);
    buf_free(&rows);
    return sum;
}

static void month_is(int64_t sum, int64_t orders)
{
    const struct reply *r = rig_as(&rig, FACE_PARTNER, "GET", "/api/v1/partner", NULL, NULL);
    char text[MONEY_TEXT_SIZE], want[80];

    assert_int_equal(r->status, 200);
    money_format(MONEY(sum), text);
    snprintf(want, sizeof(want), "\"month\":\"%s\"", text);
    assert_has(r->body, want);
    snprintf(want, sizeof(want), "\"today\":\"%s\",\"today_orders\":%lld,", text,
             (long long)orders);
    assert_has(r->body, want);
}

static void the_month_is_all_of_it(void **state)
{
    struct rng r = {7};
    int64_t sum = HAD, before = order, n = 1;

    (void)state;
    month_is(sum, n);
    for (int i = 0; i < ROUNDS; i++) {
        sum += shares_commit(&r);
        n += (order - before) / 2;
        before = order;
        if (rng_below(&r, 3) > 0)
            month_is(sum, n);
        if (rng_below(&r, 4) == 0)
            month_is(sum, n);
    }
    month_is(sum, n);
}

int home_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_month_is_all_of_it),
    };

    return cmocka_run_group_tests_name("home", tests, start, stop);
}
