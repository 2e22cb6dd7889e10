// SPDX-License-Identifier: Apache-2.0
/* ykc_rig.c: see ykc_rig.h. */
#include <setjmp.h> /* cmocka needs these four before itself */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ykc_rig.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "io/os/clock.h"

struct rig *rig;

int rig_submit(void *ctx, const struct cmd *cmd)
{
    struct rig *r = ctx;
    void *at;

    if (r->full)
        return ERR_FULL;
    at = buf_grow(&r->cmds, (cmd->head.size + 7u) & ~7u);
    assert_non_null(at);
    memcpy(at, cmd, cmd->head.size);
    return 0;
}

static int64_t now_ms(void)
{
    return rig->now_ms;
}

static void on_open(void *ctx, struct net_conn c)
{
    struct rig *r = ctx;

    if (memcmp(&c, &r->pile, sizeof(c)) == 0)
        r->pile_open = true;
}

static ptrdiff_t on_raw(void *ctx, struct net_conn c, struct str bytes)
{
    struct rig *r = ctx;

    (void)c;
    buf_put_str(&r->in, bytes);
    return (ptrdiff_t)bytes.n;
}

static void on_close(void *ctx, struct net_conn c, enum net_why why, uint16_t code)
{
    struct rig *r = ctx;

    (void)why;
    (void)code;
    if (memcmp(&c, &r->pile, sizeof(c)) == 0)
        r->pile_gone = true;
}

static const struct net_handler pile_handler = {
    .on_open = on_open, .on_raw = on_raw, .on_close = on_close};

void turn_until(const bool *flag)
{
    int64_t end = os_mono_ns() + PATIENCE;

    while (!*flag && os_mono_ns() < end)
        net_turn(rig->net, 10);
    assert_true(*flag);
}

void turn_for(int32_t ms)
{
    int64_t end = os_mono_ns() + (int64_t)ms * 1000000;

    do
        net_turn(rig->net, 5);
    while (os_mono_ns() < end);
}

void connect_pile(void)
{
    struct net_dial d = {.host = "127.0.0.1",
                         .port = rig->port,
                         .kind = NET_RAW_CLIENT,
                         .handler = &pile_handler,
                         .ctx = rig};

    rig->pile_open = rig->pile_gone = false;
    buf_reset(&rig->in);
    assert_int_equal(net_dial(rig->net, &d, &rig->pile), 0);
    turn_until(&rig->pile_open);
}

int start(void **state)
{
    struct net_config nc = {.node = 2, .reactor = 1, .max_conns = 50};
    struct net_listen l = {.host = "127.0.0.1"};
    struct gate_config gc = {.submit = rig_submit, .now_ms = now_ms, .max_conns = 25};

    (void)state;
    rig = calloc(1, sizeof(*rig));
    rig->now_ms = 1764000000000;
    buf_init(&rig->in, 1 << 20);
    buf_init(&rig->cmds, 1 << 24);
    assert_int_equal(net_new(&nc, &rig->net), 0);
    gc.net = rig->net;
    gc.ctx = rig;
    assert_int_equal(framelog_new(&(struct framelog_config){.recent = 1 << 16}, &rig->frames), 0);
    gc.frames = rig->frames;
    assert_int_equal(ykc_gate_new(&gc, &rig->gate), 0);
    assert_int_equal(ykc_gate_listen(rig->gate, &l, &rig->port), 0);
    connect_pile();
    return 0;
}

int stop(void **state)
{
    (void)state;
    net_free(rig->net);
    ykc_gate_free(rig->gate);
    framelog_free(rig->frames);
    buf_free(&rig->in);
    buf_free(&rig->cmds);
    free(rig);
    return 0;
}

/* ---- the pile ---- */

void put_frame(struct buf *b, uint8_t type, const void *body, uint8_t seq0, uint8_t seq1)
{
    struct frame f = {.seq = {seq0, seq1}, .type = type, .crc_high_first = rig->high_first};
    struct buf bytes;

    buf_init(&bytes, FRAME_BODY_MAX);
    assert_int_equal(wire_bin_encode(wire_msg_by_code(&ykc_proto, type)->req, body, &bytes), 0);
    f.body = buf_str(&bytes);
    assert_int_equal(frame_build(&f, b), 0);
    buf_free(&bytes);
}

void pile_says(uint8_t type, const void *body, uint8_t seq0, uint8_t seq1)
{
    struct buf b;

    buf_init(&b, 1024);
    put_frame(&b, type, body, seq0, seq1);
    assert_int_equal(net_send(rig->net, rig->pile, buf_str(&b)), 0);
    buf_free(&b);
}

/* Waits for a frame of this type and decodes it; other frames before it fail the test. */
struct frame pile_hears(uint8_t type, void *body)
{
    int64_t end = os_mono_ns() + PATIENCE;
    struct frame f = {0};
    uint64_t garbage = 0;
    size_t used;

    while (frame_next(buf_str(&rig->in), &f, &used, &garbage) != 1) {
        if (os_mono_ns() > end)
            fail_msg("no frame %02x came", type);
        net_turn(rig->net, 10);
    }
    assert_int_equal(garbage, 0);
    assert_int_equal(f.type, type);
    assert_int_equal(wire_bin_decode(wire_msg_by_code(&ykc_proto, type)->req, f.body, body, NULL),
                     0);
    f.body = STR_NONE;
    buf_drop(&rig->in, used);
    return f;
}

void pile_hears_nothing(void)
{
    turn_for(60);
    assert_int_equal(rig->in.n, 0);
}

/* ---- the core ---- */

/* The next command, which must be of this type. Copied: it may be used after the next one came. */
struct cmd core_hears(enum cmd_type type)
{
    int64_t end = os_mono_ns() + PATIENCE;
    struct cmd cmd = {0};

    while (rig->cmds.n == 0) {
        if (os_mono_ns() > end)
            fail_msg("no command %d came", (int)type);
        net_turn(rig->net, 10);
    }
    memcpy(&cmd.head, rig->cmds.p, sizeof(cmd.head));
    assert_int_equal(cmd.head.type, type);
    assert_int_equal(cmd.head.version, CMD_VERSION);
    memcpy(&cmd, rig->cmds.p, cmd.head.size);
    buf_drop(&rig->cmds, (cmd.head.size + 7u) & ~7u);
    return cmd;
}

void core_hears_nothing(void)
{
    turn_for(60);
    if (rig->cmds.n != 0)
        fail_msg("command %d came", ((struct cmd_head *)(void *)rig->cmds.p)->type);
}

struct out answer_to(const struct cmd *cmd, int err)
{
    assert_int_not_equal(cmd->head.from.ref, 0);
    return (struct out){.size = sizeof(struct out),
                        .version = CMD_VERSION,
                        .type = OUT_REPLY,
                        .to = cmd->head.from,
                        .cmd_type = cmd->head.type,
                        .err = err};
}

void core_says(const struct out *out)
{
    assert_true(ykc_gate_deliver(rig->gate, out));
}

struct cmd core_answers(enum cmd_type type)
{
    struct cmd cmd = core_hears(type);
    struct out out = answer_to(&cmd, 0);

    core_says(&out);
    return cmd;
}

struct origin conn;

void core_calls(enum call_kind kind, int64_t command, int32_t gun)
{
    struct out out = {.type = OUT_CALL, .to = conn};

    out.to.ref = 0;
    out.u.call = (struct out_call){.charger = CHARGER,
                                   .command = command,
                                   .kind = (int32_t)kind,
                                   .connector = gun,
                                   .timeout_s = 30,
                                   .path = PILE,
                                   .tx_no = ORDER,
                                   .balance = 40000};
    core_says(&out);
}

void core_calls_raw(const char *action, int64_t command, int32_t gun, const char *payload)
{
    struct out out = {.type = OUT_CALL, .to = conn};

    out.to.ref = 0;
    out.u.call = (struct out_call){.charger = CHARGER,
                                   .command = command,
                                   .kind = CALL_RAW,
                                   .connector = gun,
                                   .timeout_s = 30};
    str_copy(out.u.call.action, sizeof(out.u.call.action), str_from_c(action));
    out.u.call.n =
        (uint32_t)str_copy(out.u.call.payload, sizeof(out.u.call.payload), str_from_c(payload));
    core_says(&out);
}

struct cmd result_comes(int64_t command, int err, const char *status)
{
    struct cmd cmd = core_hears(CMD_CALL_RESULT);

    assert_int_equal(cmd.u.call_result.charger, CHARGER);
    assert_int_equal(cmd.u.call_result.command, command);
    assert_int_equal(cmd.u.call_result.err, err);
    assert_string_equal(cmd.u.call_result.status, status);
    return cmd;
}

/* ---- log-in ---- */

const struct ykc_Login login = {.pile = PILE,
                                .kind = 0,
                                .guns = 2,
                                .version = 16,
                                .program = "V4.1.50",
                                .network = 1,
                                .sim = "89860AF0123456789012",
                                .operator= 4 };

void core_lets_in(const char *pile, int64_t charger, int32_t profile)
{
    struct cmd cmd = core_hears(CMD_CONN_OPEN);
    struct out out = answer_to(&cmd, 0);

    assert_int_equal(cmd.u.conn_open.protocol, PROTOCOL_YKC);
    assert_string_equal(cmd.u.conn_open.path, pile);
    assert_string_equal(cmd.u.conn_open.address, "127.0.0.1");
    conn = cmd.head.from;
    out.u.conn = (struct reply_conn){
        .charger = charger, .guns = 2, .zone_offset_s = 8 * 3600, .profile = profile};
    core_says(&out);
    cmd = core_hears(CMD_BOOT);
    assert_int_equal(cmd.u.boot.charger, charger);
    assert_int_equal(cmd.u.boot.guns, 2);
    assert_string_equal(cmd.u.boot.firmware, "V4.1.50");
    out = answer_to(&cmd, 0);
    core_says(&out);
}

void pile_is_in(const char *pile, uint8_t seq0, uint8_t seq1)
{
    struct ykc_LoginReply reply;
    struct ykc_Time time;
    struct frame f = pile_hears(0x02, &reply);

    assert_string_equal(reply.pile, pile);
    assert_int_equal(reply.result, 0);
    assert_int_equal(f.seq[0], seq0); /* raw, whatever its byte order means */
    assert_int_equal(f.seq[1], seq1);
    assert_int_equal(f.crc_high_first, rig->high_first);
    f = pile_hears(0x56, &time);
    assert_int_equal(time.time, rig->now_ms + 8 * 3600 * 1000);
    assert_int_equal(f.crc_high_first, rig->high_first);
}

void log_in_as(int32_t profile)
{
    pile_says(0x01, &login, 0x12, 0x34);
    core_lets_in(PILE, CHARGER, profile);
    pile_is_in(PILE, 0x12, 0x34);
}

void log_in(void)
{
    log_in_as(0);
}

const struct ykc_RealtimeData charging = {.order = ORDER,
                                          .pile = PILE,
                                          .gun = "01",
                                          .state = 3,
                                          .plugged = 1,
                                          .voltage = 4000,
                                          .current = 3000,
                                          .cable_code = "0000000000000000",
                                          .soc = 40,
                                          .battery_temp = 30,
                                          .energy = 20000,
                                          .loss_energy = 20000,
                                          .amount = 24000};

const struct ykc_Record record = {
    .order = ORDER,
    .pile = PILE,
    .gun = "01",
    .start = 1764028800000,
    .end = 1764029400000,
    .classes = {{.price = 120000, .energy = 33300, .loss = 33300, .amount = 39960}},
    .meter_start = 1000000,
    .meter_end = 1033300,
    .energy = 33300,
    .loss_energy = 33300,
    .amount = 39960,
    .mark = 1,
    .time = 1764029400000,
    .reason = 0x43,
    .card = "0000000000000000"};
