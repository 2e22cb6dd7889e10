// SPDX-License-Identifier: Apache-2.0
/* test_shares.c: where parties find their parts (store/shares.h). Entries come in many commits, of more
 * parties than are moved at once; the store is closed in the middle of a move. What is read is the whole
 * at any time, nothing twice; in the end what waits is few. */
#include "test_store.h"

#include "base/err.h"
#include "core/types.h"

enum { COMMITS = 60, ORDERS = 100, PARTIES = 5, PARTY_N = 700, CLOSED_AT = 37 };

#define BOTH                                                                                       \
    "(SELECT party, at_ms, order_id FROM party_share UNION "                                       \
    "SELECT party, at_ms, order_id FROM party_share_new)"

static void order_put(struct box *b, struct rng *rng, int64_t id)
{
    const int64_t first = rng_range(rng, 1, PARTY_N);
    for (int i = 0; i < PARTIES; i++)
        row_pack(&b->rows, ROW_PARTY_SHARE_NEW, ROW_INSERT,
                 &(struct row_party_share_new){.transfer = id,
                                               .party = (first + i * 31) % PARTY_N + 1,
                                               .at_ms = id / 7,
                                               .order_id = id + 1000000});
}

/* What a commit leaves is a whole, be a move under way or not. */
static void whole_look(struct box *b, int64_t orders)
{
    assert_int_equal(box_number(b, "SELECT count(*) FROM " BOTH), orders * PARTIES);
    assert_int_equal(box_number(b, "SELECT count(DISTINCT order_id) FROM " BOTH), orders);
}

static void entries_are_moved_and_none_is_lost(void **state)
{
    struct box *b = *state;
    struct rng rng = {.s = 5};
    int64_t id = 0, between = 0;

    box_open(b);
    for (int i = 0; i < COMMITS; i++) {
        for (int k = 0; k < ORDERS; k++)
            order_put(b, &rng, ++id);
        box_commit(b);
        if (i == CLOSED_AT) { /* a move is under way, and is forgotten */
            assert_true(box_number(b, "SELECT count(*) FROM party_share") > 0);
            box_close(b);
            box_open(b);
        }
        if (i % 5 == 4)
            whole_look(b, id);
        between += box_number(b, "SELECT count(*) FROM party_share p JOIN party_share_new n ON "
                                 "n.party = p.party AND n.order_id = p.order_id") > 0;
    }
    assert_true(between > 3); /* the whole was looked at while entries stood in both */
    assert_true(box_number(b, "SELECT count(*) FROM party_share") > 10000);
    assert_true(box_number(b, "SELECT count(*) FROM party_share_new") < 20000);
    box_close(b);
}

/* A commit with more than all that waits moves all of it. */
static void a_large_commit_waits_for_nobody(void **state)
{
    struct box *b = *state;
    struct rng rng = {.s = 6};
    int64_t id = 0;

    box_open(b);
    for (int k = 0; k < COMMITS * ORDERS; k++)
        order_put(b, &rng, ++id);
    box_commit(b);
    whole_look(b, id);
    assert_int_equal(box_number(b, "SELECT count(*) FROM party_share_new"), 0);
    box_close(b);
}

int shares_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(entries_are_moved_and_none_is_lost, box_make, box_drop),
        cmocka_unit_test_setup_teardown(a_large_commit_waits_for_nobody, box_make, box_drop),
    };
    return cmocka_run_group_tests_name("shares", tests, NULL, NULL);
}
