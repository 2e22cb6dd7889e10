// SPDX-License-Identifier: Apache-2.0
/* test_ykc_gate.c: the 云快充 gate: log-in, prices, readings, calls of the core, records, bad input
 * and load. Cards, vehicles, vendors and calls of people: test_ykc_more.c. */
#include <setjmp.h> /* cmocka needs these four before itself */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ykc_rig.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "gate/backlog.h"
#include "io/os/clock.h"

/* ---- log-in ---- */

static void test_log_in(void **state)
{
    struct ykc_Heartbeat beat = {.pile = PILE, .gun = "01"};
    struct gate_stats st;

    (void)state;
    pile_says(0x03, &beat, 0, 0); /* nobody listens before the log-in */
    core_hears_nothing();
    pile_hears_nothing();
    log_in();
    pile_says(0x01, &login, 5, 0); /* it may do so again at any time */
    core_lets_in(PILE, CHARGER, 0);
    pile_is_in(PILE, 5, 0);
    ykc_gate_stats(rig->gate, &st);
    assert_int_equal(st.connections, 1);
    net_abort(rig->net, rig->pile);
    assert_int_equal(core_hears(CMD_CONN_CLOSED).u.conn_closed.charger, CHARGER);
    core_hears_nothing();
}

static void test_high_first_checksums(void **state)
{
    (void)state;
    rig->high_first = true;
    log_in();
}

static void test_unknown_pile(void **state)
{
    struct ykc_LoginReply reply;
    struct cmd cmd;
    struct out out;

    (void)state;
    pile_says(0x01, &login, 9, 9);
    cmd = core_hears(CMD_CONN_OPEN);
    out = answer_to(&cmd, ERR_NOT_FOUND);
    core_says(&out);
    pile_hears(0x02, &reply);
    assert_int_equal(reply.result, 1);
    turn_until(&rig->pile_gone);
    core_hears_nothing(); /* it never was in, so it does not leave */
}

static void test_waiting_pile(void **state)
{
    struct ykc_LoginReply reply;
    struct cmd cmd;
    struct out out;

    (void)state;
    pile_says(0x01, &login, 9, 9);
    cmd = core_hears(CMD_CONN_OPEN);
    out = answer_to(&cmd, 0);
    out.u.conn.charger = CHARGER;
    core_says(&out);
    cmd = core_hears(CMD_BOOT);
    out = answer_to(&cmd, 0);
    out.u.boot.status = 1;
    core_says(&out);
    pile_hears(0x02, &reply);
    assert_int_equal(reply.result, 1);
    turn_until(&rig->pile_gone);
    assert_int_equal(core_hears(CMD_CONN_CLOSED).u.conn_closed.charger, CHARGER);
}

static void test_gone_before_let_in(void **state)
{
    struct cmd cmd;
    struct out out;

    (void)state;
    pile_says(0x01, &login, 9, 9);
    cmd = core_hears(CMD_CONN_OPEN);
    net_abort(rig->net, rig->pile);
    core_hears_nothing();
    out = answer_to(&cmd, 0);
    out.u.conn.charger = CHARGER;
    core_says(&out);
    cmd = core_hears(CMD_CONN_CLOSED);
    assert_int_equal(cmd.u.conn_closed.charger, CHARGER);
    assert_memory_equal(&cmd.head.from.slot, &out.to.slot, 8);
    assert_false(ykc_gate_deliver(rig->gate, &out)); /* once */
}

static void test_concentrator(void **state)
{
    struct ykc_Login second = login;
    struct out out = {.type = OUT_CLOSE};
    struct ykc_Heartbeat beat = {.pile = PILE2, .gun = "01"};
    struct ykc_HeartbeatReply reply;

    (void)state;
    log_in();
    memcpy(second.pile, PILE2, sizeof(second.pile));
    pile_says(0x01, &second, 1, 0);
    core_lets_in(PILE2, CHARGER + 1, 0);
    pile_is_in(PILE2, 1, 0);
    out.to = conn;
    out.to.ref = 0;
    out.u.close = (struct out_close){.charger = CHARGER, .code = 1001};
    core_says(&out); /* one pile is replaced elsewhere: the others stay */
    assert_int_equal(core_hears(CMD_CONN_CLOSED).u.conn_closed.charger, CHARGER);
    pile_says(0x03, &beat, 7, 7);
    pile_hears(0x04, &reply);
    assert_string_equal(reply.pile, PILE2);
    out.u.close.charger = CHARGER + 1;
    core_says(&out);
    assert_int_equal(core_hears(CMD_CONN_CLOSED).u.conn_closed.charger, CHARGER + 1);
    turn_until(&rig->pile_gone);
    core_hears_nothing();
}

/* ---- ordinary life ---- */

static void test_heartbeats(void **state)
{
    struct ykc_Heartbeat beat = {.pile = PILE, .gun = "02"};
    struct ykc_HeartbeatReply reply;
    struct ykc_Time time;
    struct frame f;

    (void)state;
    log_in();
    pile_says(0x03, &beat, 0xaa, 0xbb);
    f = pile_hears(0x04, &reply);
    assert_string_equal(reply.gun, "02");
    assert_true(f.seq[0] == 0xaa && f.seq[1] == 0xbb);
    core_hears_nothing(); /* it heard of the pile just now */
    rig->now_ms += 10000;
    pile_says(0x03, &beat, 0, 0);
    pile_hears(0x04, &reply);
    assert_int_equal(core_hears(CMD_HEARTBEAT).head.from.ref, 0);
    beat.state = 1;
    for (int i = 0; i < 2; i++) { /* a fault is told once */
        pile_says(0x03, &beat, 0, 0);
        pile_hears(0x04, &reply);
    }
    assert_int_equal(core_hears(CMD_STATUS).u.status.status, CS_FAULTED);
    core_hears_nothing();
    rig->now_ms += 86400000;
    pile_says(0x03, &beat, 0, 0); /* the daily time */
    pile_hears(0x04, &reply);
    pile_hears(0x56, &time);
    assert_int_equal(time.time, rig->now_ms + 8 * 3600 * 1000);
}

static struct out prices_for(const struct cmd *cmd)
{
    struct out out = answer_to(cmd, 0);

    out.u.prices = (struct reply_prices){.tariff = 55,
                                         .number = 123,
                                         .elec_e5 = {100000, 80000, 60000, 30000},
                                         .service_e5 = {40000, 40000, 40000, 40000}};
    out.u.prices.slot[47] = 3;
    return out;
}

static void test_price_model(void **state)
{
    struct ykc_VerifyModel verify = {.pile = PILE, .model = "0000"};
    struct ykc_VerifyModelReply verdict;
    struct ykc_FetchModel fetch = {.pile = PILE};
    struct ykc_FetchModelReply model;
    struct cmd cmd;
    struct out out;
    struct frame f;

    (void)state;
    log_in();
    pile_says(0x05, &verify, 1, 2);
    cmd = core_hears(CMD_PRICE_MODEL);
    out = prices_for(&cmd);
    core_says(&out);
    pile_hears(0x06, &verdict);
    assert_int_equal(verdict.result, 1);
    pile_says(0x09, &fetch, 3, 4);
    cmd = core_hears(CMD_PRICE_MODEL);
    out = prices_for(&cmd);
    core_says(&out);
    f = pile_hears(0x0a, &model);
    assert_true(f.seq[0] == 3 && f.seq[1] == 4);
    assert_string_equal(model.model, "0123");
    assert_int_equal(model.prices[3].elec, 30000);
    assert_int_equal(model.prices[3].service, 40000);
    assert_int_equal(model.slots[47], 3);
    assert_int_equal(core_hears(CMD_PRICE_HELD).u.price_held.tariff, 55);
    memcpy(verify.model, model.model, sizeof(verify.model));
    pile_says(0x05, &verify, 1, 2);
    cmd = core_hears(CMD_PRICE_MODEL);
    out = prices_for(&cmd);
    core_says(&out);
    pile_hears(0x06, &verdict);
    assert_int_equal(verdict.result, 0);
    assert_string_equal(verdict.model, "0123");
    assert_int_equal(core_hears(CMD_PRICE_HELD).u.price_held.tariff, 55);
    pile_says(0x09, &fetch, 3, 4);
    cmd = core_hears(CMD_PRICE_MODEL);
    out = answer_to(&cmd, ERR_CONFLICT);
    core_says(&out);
    pile_hears_nothing(); /* no prices, no charging: it asks again */
}

static void test_pushed_prices(void **state)
{
    struct ykc_SetModelReply reply = {.pile = PILE, .result = 1};
    struct ykc_SetModel set;
    struct cmd cmd;
    struct out out;

    (void)state;
    log_in();
    core_calls_raw("SetPrices", 901, 0, "{}");
    cmd = core_hears(CMD_PRICE_MODEL);
    out = prices_for(&cmd);
    core_says(&out);
    pile_hears(0x58, &set);
    assert_string_equal(set.model, "0123");
    assert_int_equal(set.prices[0].elec, 100000);
    pile_says(0x57, &reply, 0, 0);
    assert_int_equal(core_hears(CMD_PRICE_HELD).u.price_held.tariff, 55);
    result_comes(901, 0, "Accepted");
    core_calls_raw("SetPrices", 902, 0, "{}");
    cmd = core_hears(CMD_PRICE_MODEL);
    out = answer_to(&cmd, ERR_RANGE);
    core_says(&out);
    result_comes(902, ERR_RANGE, "");
}

/* What the pile holds ends at midnight: shortly before, the core names what follows. */
static void test_prices_follow_the_core(void **state)
{
    struct ykc_Heartbeat beat = {.pile = PILE, .gun = "01"};
    struct ykc_HeartbeatReply beaten;
    struct ykc_FetchModel fetch = {.pile = PILE};
    struct ykc_FetchModelReply model;
    struct ykc_SetModelReply reply = {.pile = PILE, .result = 1};
    struct ykc_SetModel set;
    struct cmd cmd;
    struct out out;

    (void)state;
    log_in();
    pile_says(0x09, &fetch, 3, 4);
    cmd = core_hears(CMD_PRICE_MODEL);
    out = prices_for(&cmd);
    out.u.prices.until_ms = rig->now_ms + 600000;
    core_says(&out);
    pile_hears(0x0a, &model);
    core_hears(CMD_PRICE_HELD);
    rig->now_ms += 599000;
    pile_says(0x03, &beat, 0, 0);
    pile_hears(0x04, &beaten);
    core_hears(CMD_HEARTBEAT);
    core_hears_nothing();
    rig->now_ms += 1000; /* it is time, and the prices are the same */
    pile_says(0x03, &beat, 0, 0);
    pile_hears(0x04, &beaten);
    cmd = core_hears(CMD_PRICE_MODEL);
    out = prices_for(&cmd);
    out.u.prices.until_ms = rig->now_ms + 86400000;
    core_says(&out);
    core_hears(CMD_PRICE_HELD);
    rig->now_ms += YKC_PRICE_S * 1000; /* a new version came meanwhile */
    pile_says(0x13, &charging, 0, 0);  /* but it charges */
    core_hears(CMD_STATUS);
    core_answers(CMD_METER);
    for (int turn = 0; turn < 2; turn++) {
        struct ykc_RealtimeData idle = charging;

        pile_says(0x03, &beat, 0, 0);
        pile_hears(0x04, &beaten);
        cmd = core_hears(turn == 0 ? CMD_PRICE_MODEL : CMD_HEARTBEAT);
        if (turn == 1)
            cmd = core_hears(CMD_PRICE_MODEL);
        out = prices_for(&cmd);
        out.u.prices.number = 124;
        out.u.prices.tariff = 56;
        core_says(&out);
        if (turn == 1)
            break;
        pile_hears_nothing();
        idle.state = 2;
        memset(idle.order, '0', 32);
        pile_says(0x13, &idle, 0, 0);
        core_hears(CMD_STATUS);
        rig->now_ms += YKC_PRICE_RETRY_S * 1000;
    }
    pile_hears(0x58, &set);
    assert_string_equal(set.model, "0124");
    pile_says(0x57, &reply, 0, 0);
    assert_int_equal(core_hears(CMD_PRICE_HELD).u.price_held.tariff, 56);
    core_hears_nothing(); /* nobody asked, so nobody hears of an outcome */
}

static void test_realtime_data(void **state)
{
    struct ykc_RealtimeData d = charging;
    struct cmd cmd;

    (void)state;
    log_in();
    d.state = 2;
    memset(d.order, '0', 32);
    pile_says(0x13, &d, 0, 0);
    cmd = core_hears(CMD_STATUS);
    assert_int_equal(cmd.u.status.connector, 1);
    assert_int_equal(cmd.u.status.status, CS_PREPARING);
    pile_says(0x13, &charging, 0, 0);
    assert_int_equal(core_hears(CMD_STATUS).u.status.status, CS_CHARGING);
    cmd = core_hears(CMD_METER);
    assert_int_equal(cmd.u.meter.n, 1);
    assert_string_equal(cmd.u.meter.tx_no, ORDER);
    assert_int_equal(cmd.u.meter.samples[0].power_w, 120000);
    assert_int_equal(cmd.u.meter.samples[0].energy_mwh, 2000000);
    assert_int_equal(cmd.u.meter.samples[0].cost, 24000);
    assert_int_equal(cmd.u.meter.samples[0].flags, 0);
    pile_says(0x13, &charging, 0, 0); /* unchanged state: a reading only */
    core_hears(CMD_METER);
    d.faults = 1;
    d.state = 1;
    pile_says(0x13, &d, 0, 0);
    cmd = core_hears(CMD_STATUS);
    assert_int_equal(cmd.u.status.status, CS_FAULTED);
    assert_string_equal(cmd.u.status.error, "EmergencyStop");
    core_hears_nothing();
}

static void test_longer_body(void **state)
{
    struct frame f = {.type = 0x03};
    struct ykc_Heartbeat beat = {.pile = PILE, .gun = "01"};
    struct ykc_HeartbeatReply reply;
    struct buf body, b;

    (void)state;
    log_in();
    buf_init(&body, 300);
    buf_init(&b, 300);
    assert_int_equal(wire_bin_encode(&ykc_Heartbeat_type, &beat, &body), 0);
    buf_put_char(&body, 77); /* a fork appends the storage's state of charge */
    f.body = buf_str(&body);
    assert_int_equal(frame_build(&f, &b), 0);
    assert_int_equal(net_send(rig->net, rig->pile, buf_str(&b)), 0);
    pile_hears(0x04, &reply);
    buf_free(&body);
    buf_free(&b);
}

/* ---- calls ---- */

static void test_remote_start(void **state)
{
    struct ykc_RemoteStart order;
    struct ykc_RemoteStartReply reply = {.order = ORDER, .pile = PILE, .gun = "02", .result = 1};

    (void)state;
    log_in();
    core_calls(CALL_REMOTE_START, 11, 2);
    pile_hears(0x34, &order);
    assert_string_equal(order.order, ORDER);
    assert_string_equal(order.pile, PILE);
    assert_string_equal(order.gun, "02");
    assert_int_equal(order.balance, 400); /* 4.00 yuan in fen */
    pile_says(0x33, &reply, 0, 0);
    result_comes(11, 0, "Accepted");
    pile_says(0x33, &reply, 0, 0); /* twice */
    core_hears_nothing();
    pile_hears_nothing();
}

static void test_refused_start_that_begins_later(void **state)
{
    struct ykc_RemoteStart order;
    struct ykc_RemoteStop stop_it;
    struct ykc_RemoteStartReply reply = {.order = ORDER, .pile = PILE, .gun = "01", .reason = 5};
    struct cmd cmd;

    (void)state;
    log_in();
    core_calls(CALL_REMOTE_START, 12, 1);
    pile_hears(0x34, &order);
    pile_says(0x33, &reply, 0, 0);
    cmd = result_comes(12, ERR_NOT_PLUGGED, "Rejected");
    assert_string_equal(cmd.u.call_result.payload, "{\"reason\":5,\"text\":\"NotPlugged\"}");
    reply.result = 1;
    reply.reason = 0;
    pile_says(0x33, &reply, 0, 0); /* somebody plugged in within the minute */
    pile_hears(0x36, &stop_it);
    assert_string_equal(stop_it.gun, "01");
    core_hears_nothing();
}

static void test_remote_stop_and_others(void **state)
{
    struct ykc_RemoteStop stop_it;
    struct ykc_RemoteStopReply stopped = {.pile = PILE, .gun = "01", .result = 0, .reason = 2};
    struct ykc_ReadData read;
    struct ykc_Balance balance;
    struct ykc_BalanceReply balanced = {.pile = PILE, .card = "0000000000000000"};
    struct cmd cmd;

    (void)state;
    log_in();
    core_calls(CALL_REMOTE_STOP, 21, 1);
    pile_hears(0x36, &stop_it);
    pile_says(0x35, &stopped, 0, 0);
    result_comes(21, 0, "Rejected");
    core_calls(CALL_TRIGGER_METER, 22, 1);
    pile_hears(0x12, &read);
    pile_says(0x13, &charging, 0, 0);
    result_comes(22, 0, "Accepted");
    core_hears(CMD_STATUS);
    cmd = core_hears(CMD_METER);
    assert_int_equal(cmd.u.meter.samples[0].flags, SAMPLE_TRIGGER);
    core_calls(CALL_BALANCE, 23, 1);
    pile_hears(0x42, &balance);
    assert_int_equal(balance.balance, 400);
    pile_says(0x41, &balanced, 0, 0);
    result_comes(23, 0, "Accepted");
    core_calls(CALL_PROFILE, 24, 1);
    result_comes(24, ERR_UNSUPPORTED, "");
}

static void test_call_without_answer(void **state)
{
    struct ykc_RemoteStart order;
    struct ykc_RemoteStartReply reply = {.order = ORDER, .pile = PILE, .gun = "01", .result = 1};

    (void)state;
    log_in();
    core_calls(CALL_REMOTE_START, 31, 1);
    pile_hears(0x34, &order);
    rig->now_ms += 30000;
    result_comes(31, ERR_TIMEOUT, "");
    pile_says(0x33, &reply, 0, 0); /* too late: the core goes by what follows */
    core_hears_nothing();
    pile_hears_nothing();
}

/* ---- the record ---- */

static void test_record_after_commit(void **state)
{
    struct ykc_RecordReply ack;
    struct cmd cmd;
    struct out out;
    struct frame f;

    (void)state;
    log_in();
    pile_says(0x3b, &record, 0x77, 0x01);
    cmd = core_hears(CMD_TX_RECORD);
    assert_string_equal(cmd.u.tx_record.tx_no, ORDER);
    assert_int_equal(cmd.u.tx_record.energy_mwh, 3330000);
    assert_int_equal(cmd.u.tx_record.stop, STOP_CAP);
    assert_int_equal(cmd.u.tx_record.start_ms, 1764000000000);
    pile_hears_nothing(); /* not before the core answered */
    out = answer_to(&cmd, 0);
    core_says(&out);
    f = pile_hears(0x40, &ack);
    assert_string_equal(ack.order, ORDER);
    assert_int_equal(ack.result, 0);
    assert_true(f.seq[0] == 0x77 && f.seq[1] == 0x01);
    pile_says(0x3b, &record, 0x78, 0x01); /* the acknowledgement got lost */
    cmd = core_hears(CMD_TX_RECORD);
    out = answer_to(&cmd, 0);
    core_says(&out);
    pile_hears(0x40, &ack);
    pile_says(0x3b, &record, 0, 0);
    cmd = core_hears(CMD_TX_RECORD);
    out = answer_to(&cmd, ERR_DISK_FULL);
    core_says(&out);
    pile_hears_nothing(); /* it shall keep it and send it again */
    pile_says(0x3b, &record, 0, 0);
    cmd = core_hears(CMD_TX_RECORD);
    out = answer_to(&cmd, ERR_RANGE);
    core_says(&out);
    pile_hears(0x40, &ack);
    assert_int_equal(ack.result, 1);
}

/* ---- bad input, load ---- */

static void test_resync(void **state)
{
    struct ykc_Heartbeat beat = {.pile = PILE, .gun = "01"};
    struct ykc_HeartbeatReply reply;
    struct buf b;

    (void)state;
    log_in();
    buf_init(&b, 4096);
    buf_put(&b, "\x00\xff\x68\x68\x02", 5);
    for (uint8_t i = 1; i <= 8; i++) /* the false start claims 108 bytes: enough must follow */
        put_frame(&b, 0x03, &beat, i, 0);
    b.p[5 + 8] ^= 1;                         /* breaks the checksum of the first */
    for (size_t at = 0; at < b.n; at += 3) { /* in small pieces */
        assert_int_equal(
            net_send(rig->net, rig->pile, str_from(b.p + at, b.n - at < 3 ? b.n - at : 3)), 0);
        turn_for(0);
    }
    for (int i = 2; i <= 8; i++)
        assert_int_equal(pile_hears(0x04, &reply).seq[0], i);
    buf_free(&b);
}

static void test_garbage_ends_it(void **state)
{
    char waste[3000];

    (void)state;
    log_in();
    memset(waste, 0x55, sizeof(waste));
    assert_int_equal(net_send(rig->net, rig->pile, str_from(waste, sizeof(waste))), 0);
    turn_until(&rig->pile_gone);
    assert_int_equal(core_hears(CMD_CONN_CLOSED).u.conn_closed.charger, CHARGER);
}

static void test_encrypted_and_unknown_frames(void **state)
{
    struct ykc_Heartbeat beat = {.pile = PILE, .gun = "01"};
    struct ykc_HeartbeatReply reply;
    struct gate_stats before, after;
    struct frame f = {.type = 0x03, .enc = 1, .body = STR_LIT("123456789")};
    struct buf b;

    (void)state;
    log_in();
    ykc_gate_stats(rig->gate, &before);
    buf_init(&b, 4096);
    assert_int_equal(frame_build(&f, &b), 0);
    f = (struct frame){.type = 0x77, .body = STR_LIT("what is this")};
    assert_int_equal(frame_build(&f, &b), 0);
    f = (struct frame){.type = 0x13, .body = STR_LIT("short")};
    assert_int_equal(frame_build(&f, &b), 0);
    put_frame(&b, 0x03, &beat, 4, 0);
    assert_int_equal(net_send(rig->net, rig->pile, buf_str(&b)), 0);
    pile_hears(0x04, &reply);
    ykc_gate_stats(rig->gate, &after);
    assert_int_equal(after.bad_frames - before.bad_frames, 2);
    assert_int_equal(after.lenient - before.lenient, 1);
    core_hears_nothing();
    buf_free(&b);
}

static void test_questions_are_limited(void **state)
{
    struct cmd cmd[20];
    struct ykc_RecordReply ack;
    struct buf b;
    size_t seen = 0;

    (void)state;
    log_in();
    buf_init(&b, 8192);
    for (uint8_t i = 0; i < 20; i++)
        put_frame(&b, 0x3b, &record, i, 0);
    assert_int_equal(net_send(rig->net, rig->pile, buf_str(&b)), 0);
    for (; seen < YKC_UNANSWERED_MAX; seen++)
        cmd[seen] = core_hears(CMD_TX_RECORD);
    core_hears_nothing();
    for (size_t i = 0; i < 20; i++) {
        struct out out = answer_to(&cmd[i], 0);

        core_says(&out);
        assert_int_equal(pile_hears(0x40, &ack).seq[0], i);
        if (seen < 20)
            cmd[seen++] = core_hears(CMD_TX_RECORD);
    }
    core_hears_nothing();
    buf_free(&b);
}

static void test_core_without_room(void **state)
{
    struct ykc_RealtimeData d = charging;
    int64_t energy = 0;
    struct cmd cmd;

    (void)state;
    log_in();
    pile_says(0x13, &d, 0, 0);
    core_hears(CMD_STATUS);
    core_answers(CMD_METER);
    rig->full = true;
    for (int i = 1; i <= 30; i++) {
        d.energy = d.loss_energy = i;
        pile_says(0x13, &d, 0, 0);
        turn_for(5);
    }
    assert_int_equal(rig->cmds.n, 0);
    rig->full = false;
    for (int i = 1; i <= 30; i++) { /* nothing lost, nothing out of order */
        cmd = core_answers(CMD_METER);
        assert_int_equal(cmd.u.meter.samples[0].energy_mwh, energy += 100);
    }
    rig->full = true; /* also when the connection ends meanwhile */
    pile_says(0x13, &d, 0, 0);
    turn_for(20);
    net_abort(rig->net, rig->pile);
    turn_for(20);
    rig->full = false;
    connect_pile();
    pile_says(0x01, &login, 0, 0);
    core_hears(CMD_METER);
    core_hears(CMD_CONN_CLOSED);
    core_lets_in(PILE, CHARGER, 0);
    rig->full = true;
    net_abort(rig->net, rig->pile);
    turn_for(20);
    rig->full = false;
    ykc_gate_turn(rig->gate); /* nobody is connected: the turn of the reactor is enough */
    core_hears(CMD_CONN_CLOSED);
}

/* A backlog that found no room once takes messages again as soon as it has some. */
static void test_backlog_after_too_much(void **state)
{
    struct gate_config cfg = {.submit = rig_submit, .ctx = rig};
    struct cmd cmd;
    struct buf b;

    (void)state;
    buf_init(&b, 2 * backlog_padded(CMD_SIZE(conn_closed)) + 8);
    rig->full = true;
    for (int64_t i = 1; i <= 3; i++) {
        gate_cmd_begin(&cmd, NET_CONN_NONE, CMD_CONN_CLOSED, CMD_SIZE(conn_closed), 0);
        cmd.u.conn_closed.charger = i;
        backlog_submit(&b, &cfg, &cmd, "test"); /* the third is lost, and said to be */
    }
    assert_false(backlog_send(&b, &cfg, "test"));
    rig->full = false;
    assert_true(backlog_send(&b, &cfg, "test"));
    assert_int_equal(core_hears(CMD_CONN_CLOSED).u.conn_closed.charger, 1);
    assert_int_equal(core_hears(CMD_CONN_CLOSED).u.conn_closed.charger, 2);
    core_hears_nothing();
    assert_int_equal(backlog_put(&b, &cmd, cmd.head.size), 0);
    assert_true(backlog_send(&b, &cfg, "test"));
    assert_int_equal(core_hears(CMD_CONN_CLOSED).u.conn_closed.charger, 3);
    buf_free(&b);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_log_in),
        CASE(test_high_first_checksums),
        CASE(test_unknown_pile),
        CASE(test_waiting_pile),
        CASE(test_gone_before_let_in),
        CASE(test_concentrator),
        CASE(test_heartbeats),
        CASE(test_price_model),
        CASE(test_pushed_prices),
        CASE(test_prices_follow_the_core),
        CASE(test_realtime_data),
        CASE(test_longer_body),
        CASE(test_remote_start),
        CASE(test_refused_start_that_begins_later),
        CASE(test_remote_stop_and_others),
        CASE(test_call_without_answer),
        CASE(test_record_after_commit),
        CASE(test_resync),
        CASE(test_garbage_ends_it),
        CASE(test_encrypted_and_unknown_frames),
        CASE(test_questions_are_limited),
        CASE(test_core_without_room),
        CASE(test_backlog_after_too_much),
    };

    return cmocka_run_group_tests_name("ykc gate", tests, NULL, NULL);
}
