// SPDX-License-Identifier: Apache-2.0
/* test_turn.c: the house's daily turn over a real store: whose gift money it finds, page by page, that
 * what it hands the core makes it go, and that it goes on where the core took no more. */
#include "app/pulse.h"
#include "app/turn.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/log.h"
#include "base/money.h"

enum { DRIVERS = 230, GIVEN = 225 }; /* two whole pages and a part of one */
#define NOW_MS  INT64_C(1795305600000)
#define DAY_MS  INT64_C(86400000)
#define HOUR_MS INT64_C(3600000)

struct rig {
    char dir[64];
    struct store *store;
    struct pulse *pulse;
    struct core_batch batch;
    struct cmd cmd;
    int64_t now_ms, tenant, driver[DRIVERS], took[2 * DRIVERS];
    int n, most; /* commands that the turn submitted, and may */
};

static int32_t apply(struct rig *r, struct cmd *cmd, int64_t *made)
{
    bool wrote;
    int32_t err = 0;
    assert_int_equal(pulse_apply(r->pulse, cmd, r->now_ms), 0);
    pulse_seal(r->pulse, &r->batch);
    assert_int_equal(pulse_commit(r->store, &r->batch, &wrote), 0);
    for (size_t at = 0; at < r->batch.outs.n;) {
        const struct out *o = (const struct out *)(const void *)(r->batch.outs.p + at);
        if (o->type == OUT_REPLY) {
            err = o->err;
            *made = o->u.made.id;
        }
        at += (o->size + 7u) & ~7u;
    }
    return err;
}

static struct cmd *cmd_new(struct rig *r, enum cmd_type type, size_t size)
{
    memset(&r->cmd, 0, size);
    r->cmd.head = (struct cmd_head){.size = (uint32_t)size,
                                    .version = CMD_VERSION,
                                    .type = (uint16_t)type,
                                    .from = {.kind = FROM_WEB, .ref = 1},
                                    .tenant = r->tenant,
                                    .actor_kind = ACTOR_PERSON,
                                    .actor = r->tenant + 2,
                                    .role = ROLE_ADMIN};
    return &r->cmd;
}

/* Those with an even place get gift money for a day, the others for ever; the last ones none. */
static void people_make(struct rig *r)
{
    int64_t id;
    struct cmd *c = cmd_new(r, CMD_SETUP, CMD_SIZE(setup));
    (void)str_copy(c->u.setup.tenant_name, 101, STR_LIT("Turn"));
    (void)str_copy(c->u.setup.currency, 4, STR_LIT("CNY"));
    (void)str_copy(c->u.setup.zone, 41, STR_LIT("Asia/Shanghai"));
    (void)str_copy(c->u.setup.login, 65, STR_LIT("admin"));
    (void)str_copy(c->u.setup.pass_hash, 129, STR_LIT("hash"));
    assert_int_equal(apply(r, c, &r->tenant), 0);
    for (int i = 0; i < DRIVERS; i++) {
        c = cmd_new(r, CMD_REGISTER_DRIVER, CMD_SIZE(register_driver));
        snprintf(c->u.register_driver.phone, sizeof c->u.register_driver.phone, "1380000%04d", i);
        assert_int_equal(apply(r, c, &r->driver[i]), 0);
        if (i >= GIVEN)
            continue;
        c = cmd_new(r, CMD_GIFT, CMD_SIZE(gift));
        c->u.gift = (struct cmd_gift){
            .driver = r->driver[i], .amount = 100 * MONEY_FEN, .days = i == 7 ? 0 : 1};
        (void)str_copy(c->u.gift.note, 201, STR_LIT("welcome"));
        assert_int_equal(apply(r, c, &id), 0);
    }
}

static void pulse_open(struct rig *r)
{
    const struct pulse_config pc = {
        .limits = {.seed = 5, .secret = 7}, .store = r->store, .now_ms = r->now_ms};
    assert_int_equal(pulse_new(&pc, &r->pulse), 0);
}

static int begin(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    (void)str_copy(r->dir, sizeof r->dir, STR_LIT("/tmp/even-turn-XXXXXX"));
    assert_non_null(mkdtemp(r->dir));
    r->now_ms = NOW_MS;
    assert_int_equal(store_open(&(struct store_config){.dir = r->dir, .create = true}, &r->store),
                     0);
    core_batch_init(&r->batch);
    pulse_open(r);
    people_make(r);
    *state = r;
    return 0;
}

static int drop_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static int end(void **state)
{
    struct rig *r = *state;
    pulse_free(r->pulse);
    store_close(r->store);
    core_batch_free(&r->batch);
    int err = nftw(r->dir, drop_one, 16, FTW_DEPTH | FTW_PHYS);
    free(r);
    return err;
}

static int take(void *ctx, const struct cmd *cmd)
{
    struct rig *r = ctx;
    assert_int_equal(cmd->head.type, CMD_GIFT_TURN);
    assert_int_equal(cmd->head.tenant, r->tenant);
    assert_int_equal(cmd->head.from.ref, 0);
    if (r->n == r->most)
        return ERR_FULL;
    r->took[r->n++] = cmd->u.driver_one.driver;
    return 0;
}

static struct turn *turn_new(struct rig *r, int64_t first_ms)
{
    struct turn *t;
    const struct turn_config tc = {
        .store = r->store, .submit = take, .ctx = r, .first_ms = first_ms};
    assert_int_equal(turn_open(&tc, &t), 0);
    r->n = 0;
    r->most = 2 * DRIVERS;
    return t;
}

static int runs(struct turn *t, int64_t now_ms, struct rig *r)
{
    int had = r->n;
    assert_int_equal(turn_run(t, now_ms), 0);
    return r->n - had;
}

static void test_pages(void **state)
{
    struct rig *r = *state;
    struct turn *t = turn_new(r, NOW_MS + 1000);
    assert_int_equal(runs(t, NOW_MS, r), 0);        /* not yet */
    assert_int_equal(runs(t, NOW_MS + 1000, r), 0); /* all is good */
    r->now_ms = NOW_MS + DAY_MS;
    assert_int_equal(runs(t, r->now_ms, r), 100);
    assert_int_equal(runs(t, r->now_ms + 1000, r), 100);
    assert_int_equal(runs(t, r->now_ms + 2000, r), GIVEN - 201);
    assert_int_equal(runs(t, r->now_ms + 3000, r), 0); /* until the hour is over */
    for (int i = 0; i < r->n; i++) {
        assert_int_not_equal(r->took[i], r->driver[7]); /* for ever */
        assert_true(i == 0 || r->took[i] > r->took[i - 1]);
    }
    turn_close(t);
}

static void test_the_core_is_full(void **state)
{
    struct rig *r = *state;
    struct turn *t = turn_new(r, 0);
    r->now_ms = NOW_MS + DAY_MS;
    r->most = 30;
    assert_int_equal(turn_run(t, r->now_ms), ERR_FULL);
    r->most = 2 * DRIVERS;
    assert_int_equal(runs(t, r->now_ms, r), 100);
    assert_int_equal(runs(t, r->now_ms, r), GIVEN - 131); /* none twice, none left out */
    turn_close(t);
}

/* With nobody in memory, as after a start; then nothing is found any more. */
static void test_it_goes(void **state)
{
    struct rig *r = *state;
    struct turn *t = turn_new(r, 0);
    int64_t made;
    r->now_ms = NOW_MS + DAY_MS;
    pulse_free(r->pulse);
    pulse_open(r);
    while (runs(t, r->now_ms, r) > 0)
        ;
    assert_int_equal(r->n, GIVEN - 1);
    for (int i = 0; i < r->n; i++) {
        struct cmd *c = cmd_new(r, CMD_GIFT_TURN, CMD_SIZE(driver_one));
        c->head.actor_kind = ACTOR_SYSTEM;
        c->head.actor = 0;
        c->u.driver_one.driver = r->took[i];
        assert_int_equal(apply(r, c, &made), 0);
        assert_int_equal(made, r->took[i]);
    }
    assert_int_equal(runs(t, r->now_ms + HOUR_MS, r), 0);
    turn_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pages, begin, end),
        cmocka_unit_test_setup_teardown(test_the_core_is_full, begin, end),
        cmocka_unit_test_setup_teardown(test_it_goes, begin, end),
    };
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
