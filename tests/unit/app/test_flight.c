// SPDX-License-Identifier: Apache-2.0
/* test_flight.c: the flight recorder over a real store in a folder of its own: a life that is recorded
 * and lived again, and what must be told apart from it. */
#include "app/flight_replay.h"
#include "app/pulse.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <setjmp.h>
#include <cmocka.h>
#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/money.h"
#include "io/os/file.h"

enum { DRIVERS = 5, TOPUPS = 40, NAMES = 40, ALTERED = 25 };
#define NOW_MS INT64_C(1795305600000)

struct life {
    char base[200], data[300], flight[300], again[300];
    struct store *store;
    struct pulse *pulse;
    struct flight *recorder;
    struct core_batch batch;
    struct cmd cmd;
    int64_t now_ms, tenant, driver[DRIVERS];
    char part[NAMES][400];
    int parts;
};

/* ---- a life ---- */

static void life_open(struct life *l, int64_t flight_bytes)
{
    assert_int_equal(store_open(&(struct store_config){.dir = l->data, .create = true}, &l->store),
                     0);
    assert_int_equal(flight_new(l->flight, flight_bytes, &l->recorder), 0);
    const struct pulse_config pc = {.limits = {.seed = 5, .secret = 7},
                                    .store = l->store,
                                    .flight = l->recorder,
                                    .now_ms = l->now_ms};
    assert_int_equal(pulse_new(&pc, &l->pulse), 0);
    core_batch_init(&l->batch);
}

static void life_close(struct life *l)
{
    pulse_free(l->pulse);
    flight_free(l->recorder);
    store_close(l->store);
    core_batch_free(&l->batch);
    l->pulse = NULL;
}

static struct cmd *cmd_new(struct life *l, enum cmd_type type, size_t size)
{
    memset(&l->cmd, 0, size);
    l->cmd.head = (struct cmd_head){.size = (uint32_t)size,
                                    .version = CMD_VERSION,
                                    .type = (uint16_t)type,
                                    .from = {.kind = FROM_WEB, .ref = 1},
                                    .cause = (uint64_t)l->now_ms,
                                    .tenant = l->tenant,
                                    .actor_kind = ACTOR_PERSON,
                                    .actor = l->tenant + 2,
                                    .role = ROLE_ADMIN};
    return &l->cmd;
}

/* Applies, seals, commits; the id that was made. */
static int64_t life_do(struct life *l)
{
    bool wrote;
    l->now_ms += 40;
    assert_int_equal(pulse_apply(l->pulse, &l->cmd, l->now_ms), 0);
    pulse_tick(l->pulse, l->now_ms);
    pulse_seal(l->pulse, &l->batch);
    assert_int_equal(pulse_commit(l->store, &l->batch, &wrote), 0);
    for (size_t at = 0; at < l->batch.outs.n;) {
        const struct out *o = (const struct out *)(const void *)(l->batch.outs.p + at);
        if (o->type == OUT_REPLY) {
            assert_int_equal(o->err, 0);
            return o->u.made.id;
        }
        at += o->size;
    }
    fail_msg("no reply");
    return 0;
}

static void setup_do(struct life *l)
{
    struct cmd *c = cmd_new(l, CMD_SETUP, CMD_SIZE(setup));
    (void)str_copy(c->u.setup.tenant_name, 101, STR_LIT("Flight"));
    (void)str_copy(c->u.setup.currency, 4, STR_LIT("CNY"));
    (void)str_copy(c->u.setup.zone, 41, STR_LIT("Asia/Shanghai"));
    (void)str_copy(c->u.setup.login, 65, STR_LIT("admin"));
    (void)str_copy(c->u.setup.pass_hash, 129, STR_LIT("hash"));
    l->tenant = life_do(l);
    for (int i = 0; i < DRIVERS; i++) {
        c = cmd_new(l, CMD_REGISTER_DRIVER, CMD_SIZE(register_driver));
        snprintf(c->u.register_driver.phone, sizeof c->u.register_driver.phone, "1380000%04d", i);
        l->driver[i] = life_do(l);
    }
}

static void topups_do(struct life *l, int n)
{
    for (int i = 0; i < n; i++) {
        struct cmd *c = cmd_new(l, CMD_TOPUP, CMD_SIZE(topup));
        c->u.topup.driver = l->driver[i % DRIVERS];
        c->u.topup.amount = (i + 1) * MONEY_FEN;
        (void)str_copy(c->u.topup.currency, 4, STR_LIT("CNY"));
        (void)life_do(l);
    }
}

/* ---- folders and parts ---- */

static int part_add(void *ctx, const char *name)
{
    struct life *l = ctx;
    assert_true(l->parts < NAMES);
    snprintf(l->part[l->parts++], sizeof l->part[0], "%s/%s", l->flight, name);
    return 0;
}

static void parts_list(struct life *l)
{
    l->parts = 0;
    assert_int_equal(dir_list(l->flight, part_add, l), 0);
}

static int replay(const struct life *l, const char *dir, char **told)
{
    const char *part[NAMES];
    struct flight_score score;
    size_t size;
    FILE *out = open_memstream(told, &size);
    assert_non_null(out);
    for (int i = 0; i < l->parts; i++)
        part[i] = l->part[i];
    int err = flight_replay(dir, part, l->parts, out, &score);
    assert_int_equal(fclose(out), 0);
    return err;
}

/* On an empty state: the answer, and that the text holds these words. */
static void replay_is(struct life *l, int want, const char *words)
{
    char *told = NULL, dir[400];
    snprintf(dir, sizeof dir, "%s/again-XXXXXX", l->base);
    assert_non_null(mkdtemp(dir));
    int err = replay(l, dir, &told);
    if (err != want || !strstr(told, words))
        fail_msg("%s instead of %s: %s", err_name(err), err_name(want), told);
    free(told);
}

static void bytes_read(const char *path, struct buf *b)
{
    buf_init(b, 1 << 28);
    assert_int_equal(file_read(path, 1 << 28, b), 0);
}

static int begin(void **state)
{
    struct life *l = calloc(1, sizeof *l);
    assert_non_null(l);
    /* Nothing here is about the disk: memory serves best. */
    snprintf(l->base, sizeof l->base, "%s/even-flight-XXXXXX",
             file_on_tmpfs("/dev/shm") ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(l->base));
    snprintf(l->data, sizeof l->data, "%s/data", l->base);
    snprintf(l->flight, sizeof l->flight, "%s/flight", l->base);
    l->now_ms = NOW_MS;
    *state = l;
    return 0;
}

static int entry_remove(void *ctx, const char *name)
{
    char path[900];
    snprintf(path, sizeof path, "%s/%s", (const char *)ctx, name);
    if (dir_list(path, entry_remove, path) == 0)
        return rmdir(path) == 0 ? 0 : ERR_IO;
    return file_remove(path);
}

static int end(void **state)
{
    struct life *l = *state;
    int err = dir_list(l->base, entry_remove, l->base);
    if (!err)
        err = rmdir(l->base);
    free(l);
    return err;
}

/* ---- tests ---- */

static void the_same_life(void **state)
{
    struct life *l = *state;
    life_open(l, 1 << 24);
    setup_do(l);
    topups_do(l, TOPUPS);
    life_close(l);
    parts_list(l);
    assert_int_equal(l->parts, 1);
    replay_is(l, 0, "");
}

/* A second start is a flight of its own, from what the first left. */
static void from_another_state(void **state)
{
    struct life *l = *state;
    char *told = NULL, first[400];
    life_open(l, 1 << 24);
    setup_do(l);
    life_close(l);
    parts_list(l);
    (void)str_copy(first, sizeof first, str_from_c(l->part[0]));
    l->now_ms += 1000;
    life_open(l, 1 << 24);
    topups_do(l, TOPUPS);
    life_close(l);
    parts_list(l);
    assert_int_equal(l->parts, 2);
    replay_is(l, ERR_STALE, "another start");
    l->parts = 1;
    assert_int_equal(replay(l, l->data, &told), ERR_STALE); /* the first, on what came of it */
    assert_non_null(strstr(told, "another state"));
    free(told);
    (void)str_copy(l->part[0], sizeof l->part[0], str_from_c(first));
    replay_is(l, 0, "");
}

static void an_altered_byte(void **state)
{
    struct life *l = *state;
    struct buf b;
    struct rng rng = {1};
    life_open(l, 1 << 24);
    setup_do(l);
    topups_do(l, 3);
    life_close(l);
    parts_list(l);
    bytes_read(l->part[0], &b);
    for (int i = 0; i < ALTERED; i++) {
        size_t at = (size_t)rng_below(&rng, b.n);
        char bit = (char)(1 << rng_below(&rng, 8));
        char *told = NULL, dir[400];
        b.p[at] ^= bit;
        assert_int_equal(file_write_atomic(l->part[0], buf_str(&b), 0600), 0);
        b.p[at] ^= bit;
        snprintf(dir, sizeof dir, "%s/again-XXXXXX", l->base);
        assert_non_null(mkdtemp(dir));
        if (replay(l, dir, &told) == 0)
            fail_msg("byte %zu of %zu was altered and nothing said so", at, b.n);
        assert_true(told[0] != 0);
        free(told);
    }
    buf_free(&b);
}

/* Another amount, under a checksum that is right: the books differ, and it is told where. */
static void another_command(void **state)
{
    struct life *l = *state;
    struct buf b;
    life_open(l, 1 << 24);
    setup_do(l);
    topups_do(l, TOPUPS);
    life_close(l);
    parts_list(l);
    bytes_read(l->part[0], &b);
    for (size_t at = sizeof(struct flight_head); at < b.n;) {
        struct flight_record r;
        struct cmd c;
        memcpy(&r, b.p + at, sizeof r);
        char *body = b.p + at + sizeof r;
        memcpy(&c, body, r.n < sizeof c ? r.n : sizeof c);
        if (r.kind == FLIGHT_CMD && c.head.type == CMD_TOPUP) {
            c.u.topup.amount += MONEY_FEN;
            memcpy(body, &c, r.n);
            r.body_crc = crc32c(0, body, flight_padded(r.n));
            r.crc = flight_record_crc(&r);
            memcpy(b.p + at, &r, sizeof r);
            break;
        }
        at += sizeof r + flight_padded(r.n);
    }
    assert_int_equal(file_write_atomic(l->part[0], buf_str(&b), 0600), 0);
    buf_free(&b);
    replay_is(l, ERR_CONFLICT,
              "batch 6 at 2026-11-22T00:00:00.280Z differs in its rows answers; "
              "the last command before it: type 43");
}

/* The end that a crash leaves is no damage; the same in the middle is. */
static void a_torn_end(void **state)
{
    struct life *l = *state;
    struct buf b;
    life_open(l, 1 << 24);
    setup_do(l);
    topups_do(l, TOPUPS);
    life_close(l);
    parts_list(l);
    bytes_read(l->part[0], &b);
    assert_int_equal(file_write_atomic(l->part[0], str_from(b.p, b.n - 5), 0600), 0);
    buf_free(&b);
    replay_is(l, 0, "");
}

static void a_ring(void **state)
{
    struct life *l = *state;
    int64_t sum = 0;
    life_open(l, 1 << 16);
    setup_do(l);
    topups_do(l, 400);
    life_close(l);
    parts_list(l);
    assert_true(l->parts > 3);
    for (int i = 0; i < l->parts; i++) {
        int64_t n;
        assert_int_equal(file_size(l->part[i], &n), 0);
        sum += n;
    }
    assert_true(sum <= 1 << 16);
    replay_is(l, ERR_STALE, "the beginning of this run is missing");
}

static void several_parts(void **state)
{
    struct life *l = *state;
    life_open(l, 1 << 20);
    setup_do(l);
    topups_do(l, 400);
    life_close(l);
    parts_list(l);
    assert_true(l->parts > 1);
    replay_is(l, 0, "");
    l->parts--;
    replay_is(l, 0, "");
    memcpy(l->part[0], l->part[1], sizeof l->part[0]);
    replay_is(l, ERR_STALE, "beginning");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_life, begin, end),
        cmocka_unit_test_setup_teardown(from_another_state, begin, end),
        cmocka_unit_test_setup_teardown(an_altered_byte, begin, end),
        cmocka_unit_test_setup_teardown(another_command, begin, end),
        cmocka_unit_test_setup_teardown(a_torn_end, begin, end),
        cmocka_unit_test_setup_teardown(a_ring, begin, end),
        cmocka_unit_test_setup_teardown(several_parts, begin, end),
    };
    log_set_level(LOG_ERROR + 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
