// SPDX-License-Identifier: Apache-2.0
/* core_statement.c: statements of parties: only of a month that is over, with sums that tie, meeting
 * their neighbours also when the operator's zone changes, and decided by whom it is to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/purse.h"
#include "world.h"

#define DAY_MS INT64_C(86400000)

static struct world world, *w = &world;
static struct zone *utc; /* of the test that moves the operator */

static int up(void **state)
{
    (void)state;
    world_init(w);
    assert_int_equal(world_open(w), 0);
    return 0;
}

static int down(void **state)
{
    (void)state;
    world_free(w);
    zone_free(utc);
    utc = NULL;
    return 0;
}

static int32_t month_of(int64_t ms)
{
    struct civil c;
    zone_civil(NULL, ms, &c);
    return c.year * 100 + c.month;
}

static int32_t month_after(int32_t month)
{
    return month % 100 == 12 ? month + 89 : month + 1;
}

static int64_t month_ms(int32_t month)
{
    return zone_instant(
        w->zone, &(struct civil){.year = month / 100, .month = (int8_t)(month % 100), .day = 1});
}

static int statement_between(int32_t month, int64_t from_ms, int64_t to_ms)
{
    struct cmd *c = world_web(w, CMD_STATEMENT_NEW, w->person, ACTOR_PERSON);
    c->u.statement_new = (struct cmd_statement_new){
        .party = w->owner, .month = month, .from_ms = from_ms, .to_ms = to_ms};
    return world_send(w, c);
}

static int statement(int32_t month, int64_t opening, int64_t shares, int64_t refunds,
                     int64_t withdrawn)
{
    struct cmd *c = world_web(w, CMD_STATEMENT_NEW, w->person, ACTOR_PERSON);
    c->u.statement_new = (struct cmd_statement_new){.party = w->owner,
                                                    .month = month,
                                                    .from_ms = month_ms(month),
                                                    .to_ms = month_ms(month_after(month)),
                                                    .opening = opening,
                                                    .shares = shares,
                                                    .refunds = refunds,
                                                    .withdrawn = withdrawn};
    return world_send(w, c);
}

static int state_decide(int64_t id, int64_t party, int32_t act, const char *note)
{
    struct cmd *c = world_web(w, CMD_STATEMENT_DECIDE, w->person, ACTOR_PERSON);
    c->u.statement_decide.statement = id;
    c->u.statement_decide.party = party;
    c->u.statement_decide.act = act;
    (void)str_copy(c->u.statement_decide.note, 201, str_from_c(note));
    return world_send(w, c);
}

/* A month that is not over has no statement; one that is has one, whose sums tie, and which meets its
 * neighbours. */
static void test_statement_sums(void **state)
{
    (void)state;
    int32_t month = month_of(w->now), next = month_after(month);
    assert_int_equal(statement(month, 0, 10000, 0, 0), ERR_CONFLICT);
    world_run(w, 32 * DAY_MS);
    assert_int_equal(statement(month, 0, -1, 0, 0), ERR_RANGE);
    assert_int_equal(statement(month, 0, 10000, 0, -(INT64_C(1) << 61)), ERR_RANGE);
    assert_int_equal(statement(month - month % 100 + 13, 0, 0, 0, 0), ERR_RANGE);
    assert_int_equal(statement(month, 500, 10000, 2000, 3000), 0);
    int64_t id = w->reply.u.made.id;
    assert_int_equal(((const struct row_statement *)world_row(w, ROW_STATEMENT, id))->closing,
                     5500);
    assert_int_equal(statement(month, 500, 10000, 2000, 3000), ERR_CONFLICT); /* once */
    world_run(w, 31 * DAY_MS);
    assert_int_equal(statement(next, 5499, 0, 0, 0), ERR_CORRUPT);
    assert_int_equal(statement(next, 5500, 0, 0, 0), 0);
}

/* Whatever moved the party's accounts has a line; only what may come back may be of either
 * sign: corrections, suspense, tax, shares that a channel paid. */
static void test_statement_lines(void **state)
{
    (void)state;
    int32_t month = month_of(w->now);
    world_run(w, 32 * DAY_MS);
    struct cmd *c = world_web(w, CMD_STATEMENT_NEW, w->person, ACTOR_PERSON);
    struct cmd_statement_new *in = &c->u.statement_new;
    int64_t *const never[] = {&in->refunds, &in->fees, &in->guarantees, &in->rents, &in->capped};
    *in = (struct cmd_statement_new){.party = w->owner,
                                     .month = month,
                                     .from_ms = month_ms(month),
                                     .to_ms = month_ms(month_after(month)),
                                     .opening = -500,
                                     .shares = 10000,
                                     .refunds = 2000,
                                     .withdrawn = 3000,
                                     .fees = 100,
                                     .tax = -40,
                                     .corrections = -300,
                                     .guarantees = 7000,
                                     .rents = 600,
                                     .suspense = -80,
                                     .capped = 9};
    for (size_t i = 0; i < ARRAY_LEN(never); i++) {
        int64_t was = *never[i];
        *never[i] = -1;
        assert_int_equal(world_send(w, c), ERR_RANGE);
        *never[i] = was;
    }
    in->corrections = INT64_MAX;
    assert_int_equal(world_send(w, c), ERR_RANGE);
    in->corrections = -300;
    assert_int_equal(world_send(w, c), 0);
    const struct row_statement *r = world_row(w, ROW_STATEMENT, w->reply.u.made.id);
    assert_int_equal(r->closing, -500 + 10000 - 2000 - 300 + 7000 + 600 - 80 - 3000 - 100 + 40);
    assert_int_equal(r->capped, 9); /* beside the lines */
}

/* The operator moves to another zone: the next statement still begins where the last one ended, and
 * only then does the calendar of the new zone hold. */
static void test_statement_zone_changes(void **state)
{
    (void)state;
    int32_t month = month_of(w->now), next = month_after(month), third = month_after(next);
    assert_int_equal(zone_fixed(0, &utc), 0);
    assert_int_equal(core_zone_add(w->core, "UTC", utc), 0);
    world_run(w, 95 * DAY_MS);
    assert_int_equal(statement(month, 0, 0, 0, 0), 0);
    struct row_tenant t = *(const struct row_tenant *)world_row(w, ROW_TENANT, w->tenant);
    t.zone = "UTC";
    assert_int_equal(world_put(w, ROW_TENANT, false, &t), 0);
    int64_t joint = month_ms(next);            /* in the old zone */
    int64_t ends = month_ms(third) + 28800000; /* in the new one */
    assert_int_equal(statement_between(next, joint + 28800000, ends), ERR_CONFLICT);
    assert_int_equal(statement_between(next, joint, ends - 28800000), ERR_CONFLICT);
    assert_int_equal(statement_between(next, joint, ends), 0);
}

static void test_statement_decided(void **state)
{
    (void)state;
    int32_t month = month_of(w->now);
    world_run(w, 32 * DAY_MS);
    assert_int_equal(statement(month, 0, 10000, 0, 0), 0);
    int64_t id = w->reply.u.made.id;
    assert_int_equal(state_decide(id, 0, STATEMENT_CONFIRM, ""), ERR_DENIED);
    assert_int_equal(state_decide(id, w->owner + 1, STATEMENT_CONFIRM, ""), ERR_NOT_FOUND);
    assert_int_equal(state_decide(id, w->owner, STATEMENT_DISPUTE, ""), ERR_REQUIRED);
    assert_int_equal(state_decide(id, 0, STATEMENT_ANSWER, "why"), ERR_CONFLICT);
    assert_int_equal(state_decide(id, w->owner, STATEMENT_DISPUTE, "an order is missing"), 0);
    assert_int_equal(state_decide(id, 0, STATEMENT_ANSWER, "it ended in the next month"), 0);
    assert_int_equal(state_decide(id, w->owner, STATEMENT_CONFIRM, ""), 0);
    assert_int_equal(state_decide(id, w->owner, STATEMENT_DISPUTE, "no"), ERR_READ_ONLY);
    assert_int_equal(((const struct row_statement *)world_row(w, ROW_STATEMENT, id))->state,
                     STATEMENT_CONFIRMED);
}

int core_statement(void);
int core_statement(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
    const struct CMUnitTest tests[] = {
        T(test_statement_sums),
        T(test_statement_lines),
        T(test_statement_zone_changes),
        T(test_statement_decided),
    };
    return cmocka_run_group_tests_name("core statement", tests, NULL, NULL);
}
