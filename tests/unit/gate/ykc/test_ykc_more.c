// SPDX-License-Identifier: Apache-2.0
/* test_ykc_more.c: the 云快充 gate: cards and VINs at the pile, what vehicles tell, vendors' ways,
 * heartbeats behind readings, silent piles of a concentrator, calls of people with parameters, and
 * that everything the gate sends can be read back. */
#include <setjmp.h> /* cmocka needs these four before itself */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ykc_rig.h"

#include "base/err.h"

#define CARD "00000000D14B0A54"
#define VIN  "LGXC1234567890123"

/* ---- a card or a VIN at the pile ---- */

static void core_decides(const struct cmd *cmd, int32_t reason)
{
    struct out out = answer_to(cmd, 0);

    out.u.pile_start = (struct reply_pile_start){.reason = reason, .balance = 38888};
    if (reason == REFUSAL_NONE)
        str_copy(out.u.pile_start.tx_no, 33, STR_LIT(ORDER));
    core_says(&out);
}

static void test_card(void **state)
{
    struct ykc_StartRequest in = {.pile = PILE, .gun = "02", .kind = 1, .card = CARD};
    struct ykc_StartDecision yes;
    struct frame f;
    struct cmd cmd;

    (void)state;
    log_in();
    pile_says(0x31, &in, 8, 1);
    cmd = core_hears(CMD_PILE_START);
    assert_int_equal(cmd.u.pile_start.charger, CHARGER);
    assert_int_equal(cmd.u.pile_start.connector, 2);
    assert_int_equal(cmd.u.pile_start.kind, START_CARD);
    assert_string_equal(cmd.u.pile_start.tag, CARD);
    pile_hears_nothing(); /* not before the order is durable */
    core_decides(&cmd, REFUSAL_NONE);
    f = pile_hears(0x32, &yes);
    assert_true(f.seq[0] == 8 && f.seq[1] == 1);
    assert_int_equal(yes.result, 1);
    assert_int_equal(yes.reason, 0);
    assert_string_equal(yes.order, ORDER);
    assert_string_equal(yes.gun, "02");
    assert_int_equal(yes.balance, 388); /* whole fen, never more */
    pile_says(0x31, &in, 9, 1);
    cmd = core_hears(CMD_PILE_START);
    core_decides(&cmd, REFUSAL_NO_FUNDS);
    pile_hears(0x32, &yes);
    assert_int_equal(yes.result, 0);
    assert_int_equal(yes.reason, 3);
    assert_int_equal(yes.balance, 0);
    in.kind = 2; /* an account: nobody uses that */
    pile_says(0x31, &in, 9, 1);
    pile_hears(0x32, &yes);
    assert_int_equal(yes.result, 0);
    assert_int_equal(yes.reason, 0x0b);
    core_hears_nothing();
}

static void test_vin(void **state)
{
    struct ykc_StartRequest in = {
        .pile = PILE, .gun = "01", .kind = 3, .card = "", .vin = "3210987654321CXGL"};
    struct ykc_StartDecision no;
    struct cmd cmd;

    (void)state;
    log_in();
    pile_says(0x31, &in, 8, 1);
    cmd = core_hears(CMD_PILE_START);
    assert_int_equal(cmd.u.pile_start.kind, START_VIN);
    assert_string_equal(cmd.u.pile_start.tag, VIN); /* 31 has it reversed */
    core_decides(&cmd, REFUSAL_UNKNOWN_VIN);
    pile_hears(0x32, &no);
    assert_int_equal(no.reason, 9);
}

static void test_plug_and_charge(void **state)
{
    struct ykc_VinReport in = {.pile = PILE, .gun = "01", .soc = 40, .vin = VIN};
    struct ykc_VinReportReply ack;
    struct ykc_RemoteStart start;
    struct cmd cmd;

    (void)state;
    log_in();
    pile_says(0x71, &in, 1, 0);
    pile_hears(0x72, &ack);
    cmd = core_hears(CMD_PILE_START);
    assert_string_equal(cmd.u.pile_start.tag, VIN);
    core_decides(&cmd, REFUSAL_UNKNOWN_VIN);
    pile_hears_nothing(); /* an ordinary car: its driver scans */
    pile_says(0x71, &in, 1, 0);
    pile_hears(0x72, &ack);
    cmd = core_hears(CMD_PILE_START);
    core_decides(&cmd, REFUSAL_NONE);
    pile_hears(0x34, &start);
    assert_string_equal(start.order, ORDER);
    assert_int_equal(start.balance, 388);
    memset(in.vin, 0, sizeof(in.vin)); /* none told */
    pile_says(0x71, &in, 1, 0);
    pile_hears(0x72, &ack);
    core_hears_nothing();
}

/* ---- two guns in one vehicle ---- */

#define ORDER2 "55031412782305022611222130550002"
#define PAIR   "201029112801"

static const struct ykc_ParallelRequest main_gun = {
    .pile = PILE, .gun = "01", .kind = 1, .card = CARD, .parallel = PAIR};
static const struct ykc_ParallelRequest aux_gun = {
    .pile = PILE, .gun = "02", .kind = 1, .card = CARD, .aux = 1, .parallel = PAIR};

static void core_decides_pair(const struct cmd *cmd)
{
    struct out out = answer_to(cmd, 0);

    out.u.pile_start = (struct reply_pile_start){.balance = 20050, .second_balance = 19950};
    str_copy(out.u.pile_start.tx_no, 33, STR_LIT(ORDER));
    str_copy(out.u.pile_start.second_no, 33, STR_LIT(ORDER2));
    core_says(&out);
}

static void hears_decision(uint8_t seq, const char *gun, const char *order, int64_t fen)
{
    struct ykc_ParallelDecision yes;
    struct frame f = pile_hears(0xa2, &yes);

    assert_int_equal(f.seq[0], seq);
    assert_string_equal(yes.parallel, PAIR);
    assert_string_equal(yes.gun, gun);
    assert_int_equal(yes.result, 1);
    assert_string_equal(yes.order, order);
    assert_int_equal(yes.balance, fen);
}

static void hears_refusal(uint8_t seq, const char *gun, int64_t reason)
{
    struct ykc_ParallelDecision no;
    struct frame f = pile_hears(0xa2, &no);

    assert_int_equal(f.seq[0], seq);
    assert_string_equal(no.gun, gun);
    assert_string_equal(no.parallel, PAIR);
    assert_int_equal(no.result, 0);
    assert_int_equal(no.reason, reason);
    assert_int_equal(no.balance, 0);
}

static void test_parallel(void **state)
{
    struct cmd cmd;

    (void)state;
    for (int turn = 0; turn < 2; turn++) { /* whichever gun comes first */
        log_in();
        pile_says(0xa1, turn ? &aux_gun : &main_gun, 3, 0);
        core_hears_nothing();
        pile_hears_nothing();
        pile_says(0xa1, turn ? &main_gun : &aux_gun, 4, 0);
        cmd = core_hears(CMD_PILE_START);
        assert_int_equal(cmd.u.pile_start.connector, 1);
        assert_int_equal(cmd.u.pile_start.second, 2);
        assert_int_equal(cmd.u.pile_start.kind, START_CARD);
        assert_string_equal(cmd.u.pile_start.tag, CARD);
        pile_says(0xa1, &main_gun, 5, 0); /* again while it is being decided */
        core_hears_nothing();
        core_decides_pair(&cmd);
        hears_decision(5, "01", ORDER, 200);
        hears_decision(turn ? 3 : 4, "02", ORDER2, 199);
        pile_says(0xa1, &aux_gun, 6, 0); /* one answer was lost */
        hears_decision(6, "02", ORDER2, 199);
        core_hears_nothing();
        stop(NULL);
        start(NULL);
    }
}

static void test_parallel_refused(void **state)
{
    struct cmd cmd;

    (void)state;
    log_in();
    pile_says(0xa1, &main_gun, 1, 0);
    pile_says(0xa1, &aux_gun, 2, 0);
    cmd = core_hears(CMD_PILE_START);
    core_decides(&cmd, REFUSAL_NO_FUNDS);
    hears_refusal(1, "01", 3);
    hears_refusal(2, "02", 3);
}

static void test_parallel_that_makes_no_sense(void **state)
{
    struct ykc_ParallelRequest in = aux_gun;

    (void)state;
    log_in();
    in.aux = 2; /* neither */
    pile_says(0xa1, &in, 1, 0);
    hears_refusal(1, "02", 0x0b);
    in = aux_gun;
    str_copy(in.gun, sizeof(in.gun), STR_LIT("99"));
    pile_says(0xa1, &in, 1, 0);
    hears_refusal(1, "99", 0x0b);
    pile_says(0xa1, &main_gun, 1, 0);
    in = aux_gun; /* another card: another vehicle */
    str_copy(in.card, sizeof(in.card), STR_LIT("00000000D14B0A55"));
    pile_says(0xa1, &in, 2, 0);
    hears_refusal(1, "01", 0x0b);
    hears_refusal(2, "02", 0x0b);
    core_hears_nothing();
}

static void test_parallel_alone(void **state)
{
    (void)state;
    log_in();
    pile_says(0xa1, &main_gun, 1, 0); /* the other one never comes */
    core_hears_nothing();
    rig->now_ms += 15000;
    hears_refusal(1, "01", 0x0b);
    core_hears_nothing();
}

static void test_too_many_pairs(void **state)
{
    struct ykc_ParallelRequest in = main_gun;
    struct ykc_ParallelDecision no;

    (void)state;
    log_in();
    for (int i = 0; i < 4; i++) {
        in.parallel[11] = (char)('2' + i);
        pile_says(0xa1, &in, 1, 0);
        core_hears_nothing();
    }
    pile_says(0xa1, &main_gun, 2, 0);
    pile_hears(0xa2, &no);
    assert_int_equal(no.reason, REFUSAL_PILE_BUSY);
}

/* A call to one gun of two. */
static void calls_pair(int64_t command, int32_t gun, const char *order)
{
    struct out out = {.type = OUT_CALL, .to = conn};

    out.to.ref = 0;
    out.u.call = (struct out_call){.charger = CHARGER,
                                   .command = command,
                                   .kind = CALL_REMOTE_START,
                                   .connector = gun,
                                   .timeout_s = 30,
                                   .path = PILE,
                                   .parallel = PAIR,
                                   .balance = 20099};
    str_copy(out.u.call.tx_no, 33, str_from_c(order));
    core_says(&out);
}

static void test_parallel_remote_start(void **state)
{
    struct ykc_ParallelStart order;
    struct ykc_RemoteStop stop_it;
    struct ykc_ParallelStartReply reply = {
        .order = ORDER, .pile = PILE, .gun = "01", .result = 1, .parallel = PAIR};

    (void)state;
    log_in();
    calls_pair(12, 1, ORDER);
    pile_hears(0xa4, &order);
    assert_string_equal(order.order, ORDER);
    assert_string_equal(order.gun, "01");
    assert_string_equal(order.parallel, PAIR);
    assert_int_equal(order.balance, 200);
    pile_says(0xa3, &reply, 0, 0);
    (void)result_comes(12, 0, "Accepted");
    calls_pair(13, 2, ORDER2);
    pile_hears(0xa4, &order);
    assert_string_equal(order.order, ORDER2);
    str_copy(reply.gun, sizeof(reply.gun), STR_LIT("02"));
    pile_says(0xa3, &reply, 0, 0); /* of another order: no answer to this one */
    core_hears_nothing();
    str_copy(reply.order, sizeof(reply.order), STR_LIT(ORDER2));
    reply.result = 0;
    reply.reason = 5;
    reply.aux = 1;
    pile_says(0xa3, &reply, 0, 0);
    (void)result_comes(13, ERR_NOT_PLUGGED, "Rejected");
    reply.result = 1;
    pile_says(0xa3, &reply, 0, 0); /* begins all the same: it must not */
    pile_hears(0x36, &stop_it);
    assert_string_equal(stop_it.gun, "02");
}

/* ---- what the vehicle tells ---- */

static struct cmd battery(uint8_t type, const void *body)
{
    pile_says(type, body, 0, 0);
    return core_hears(CMD_BATTERY);
}

static void test_battery(void **state)
{
    struct ykc_Handshake rated = {.order = ORDER,
                                  .pile = PILE,
                                  .gun = "01",
                                  .bms_version = "010100",
                                  .battery = 3,
                                  .capacity = 1440,
                                  .rated_voltage = 4000,
                                  .maker = "BYD",
                                  .pack = "00000000",
                                  .year = 2020,
                                  .month = 6,
                                  .day = 12,
                                  .cycles = "640000",
                                  .vin = VIN,
                                  .software = "FFFFFFFFFFFFFFFF"};
    struct ykc_Parameters setup = {.order = ORDER,
                                   .pile = PILE,
                                   .gun = "01",
                                   .cell_max = 365,
                                   .energy = 576,
                                   .voltage = 3770,
                                   .temp_max = 55,
                                   .soc = 526};
    struct ykc_EndPhase end = {.order = ORDER,
                               .pile = PILE,
                               .gun = "01",
                               .soc = 100,
                               .cell_min = 356,
                               .cell_max = 360,
                               .temp_min = 25,
                               .temp_max = 30,
                               .minutes = 45,
                               .energy = 300,
                               .charger = "00000001"};
    struct ykc_BmsAbort stop = {
        .order = ORDER, .pile = PILE, .gun = "01", .reason = 1, .fault = 0x0102, .error = 4};
    struct cmd cmd;

    (void)state;
    log_in();
    cmd = battery(0x15, &rated);
    assert_string_equal(cmd.u.battery.tx_no, ORDER);
    assert_int_equal(cmd.u.battery.phase, BATTERY_RATED);
    assert_string_equal(cmd.u.battery.vin, VIN);
    assert_int_equal(cmd.u.battery.capacity_mah, 144000);
    assert_int_equal(cmd.u.battery.made, 20200612);
    assert_int_equal(cmd.u.battery.cycles, 100); /* little-endian */
    assert_int_equal(cmd.u.battery.soc_pm, -1);  /* not told here */
    cmd = battery(0x17, &setup);
    assert_int_equal(cmd.u.battery.energy_mwh, 57600000);
    assert_int_equal(cmd.u.battery.voltage_mv, 377000);
    assert_int_equal(cmd.u.battery.soc_pm, 526);
    cmd = battery(0x19, &end);
    assert_int_equal(cmd.u.battery.soc_pm, 1000);
    assert_int_equal(cmd.u.battery.cell_min_mv, 3560);
    assert_int_equal(cmd.u.battery.temp_max_dc, 300);
    cmd = battery(0x1d, &stop);
    assert_int_equal(cmd.u.battery.phase, BATTERY_ABORT);
    assert_string_equal(cmd.u.battery.detail, "01 0102 04");
}

/* As captured in the field: 700.8 V wanted, −343.2 A as the convention counts charging. */
static void test_demand(void **state)
{
    struct ykc_BmsDemand d = {.order = ORDER,
                              .pile = PILE,
                              .gun = "01",
                              .voltage_demand = 7008,
                              .current_demand = -3432,
                              .mode = 2,
                              .soc = 95,
                              .voltage = 6641,
                              .current = -3434,
                              .minutes = 48};
    struct ykc_BmsInfo i = {.order = ORDER, .pile = PILE, .gun = "01", .cell = 1, .temp_max = 31};
    struct core_sample *s;
    struct cmd cmd;

    (void)state;
    log_in();
    i.probe_max = i.probe_min = 1;
    pile_says(0x23, &d, 0, 0);
    cmd = core_hears(CMD_METER);
    assert_string_equal(cmd.u.meter.tx_no, ORDER);
    assert_int_equal(cmd.head.from.ref, 0);
    s = &cmd.u.meter.samples[0];
    assert_true(s->energy_mwh == SAMPLE_NONE); /* no meter: it moves no money */
    assert_int_equal(s->power_w, 228051);
    assert_int_equal(s->current_ma, 343400);
    assert_int_equal(s->soc_pm, 950);
    pile_says(0x25, &i, 0, 0);
    cmd = core_hears(CMD_METER);
    assert_int_equal(cmd.u.meter.samples[0].temp_dc, 310);
    assert_true(cmd.u.meter.samples[0].power_w == SAMPLE_NONE);
}

static void test_parking_lock(void **state)
{
    struct ykc_LockState k = {.pile = PILE, .gun = 2, .lock = 0xff, .bay = 0xff, .battery = 80};
    struct cmd cmd;

    (void)state;
    log_in();
    pile_says(0x61, &k, 0, 0);
    cmd = core_hears(CMD_PARKING);
    assert_int_equal(cmd.u.parking.connector, 2);
    assert_int_equal(cmd.u.parking.lock, LOCK_DOWN);
    assert_int_equal(cmd.u.parking.bay, BAY_TAKEN);
    assert_int_equal(cmd.u.parking.battery_pm, 800);
}

/* ---- heartbeats behind readings, silent piles ---- */

static void test_heartbeat_waits_for_the_reading(void **state)
{
    struct ykc_Heartbeat beat = {.pile = PILE, .gun = "01"};
    struct ykc_HeartbeatReply reply;
    struct cmd first, second;
    struct out out;

    (void)state;
    log_in();
    pile_says(0x13, &charging, 0, 0);
    core_hears(CMD_STATUS);
    first = core_hears(CMD_METER);
    pile_says(0x03, &beat, 1, 0);
    memcpy(beat.gun, "12", 3);
    pile_says(0x03, &beat, 2, 0);
    pile_says(0x13, &charging, 0, 0);
    second = core_hears(CMD_METER);
    memcpy(beat.gun, "02", 3);
    pile_says(0x03, &beat, 3, 0);
    pile_hears_nothing(); /* nothing is on the disk yet */
    out = answer_to(&first, 0);
    core_says(&out);
    assert_int_equal(pile_hears(0x04, &reply).seq[0], 1);
    assert_string_equal(reply.gun, "01");
    assert_int_equal(pile_hears(0x04, &reply).seq[0], 2);
    assert_string_equal(reply.gun, "12");
    pile_hears_nothing();
    out = answer_to(&second, 0);
    core_says(&out);
    assert_int_equal(pile_hears(0x04, &reply).seq[0], 3);
    pile_says(0x03, &beat, 4, 0); /* nothing is open: at once */
    assert_int_equal(pile_hears(0x04, &reply).seq[0], 4);
}

static void test_silent_pile_of_a_concentrator(void **state)
{
    struct ykc_Login second = login;
    struct ykc_Heartbeat beat = {.pile = PILE2, .gun = "01"};
    struct ykc_HeartbeatReply reply;

    (void)state;
    log_in();
    memcpy(second.pile, PILE2, sizeof(second.pile));
    pile_says(0x01, &second, 1, 0);
    core_lets_in(PILE2, CHARGER + 1, 0);
    pile_is_in(PILE2, 1, 0);
    for (int i = 1; i <= 4; i++) { /* only one of the two goes on speaking */
        core_hears_nothing();
        rig->now_ms += 10000;
        pile_says(0x03, &beat, 7, 7);
        pile_hears(0x04, &reply);
        core_hears(CMD_HEARTBEAT);
    }
    assert_int_equal(core_hears(CMD_CONN_CLOSED).u.conn_closed.charger, CHARGER);
    core_hears_nothing();
    assert_false(rig->pile_gone);
}

/* A checksum whose two bytes are the same says nothing about the pile's order. */
static void test_checksum_order_is_remembered(void **state)
{
    struct ykc_Heartbeat beat = {.pile = PILE, .gun = "01"};
    struct ykc_HeartbeatReply reply;
    struct frame f, probe;
    struct buf b;
    size_t used;
    int same = -1;

    (void)state;
    rig->high_first = true;
    log_in();
    buf_init(&b, 100);
    for (int i = 0; i < 65536 && same < 0; i++) {
        buf_reset(&b);
        put_frame(&b, 0x03, &beat, (uint8_t)i, (uint8_t)(i >> 8));
        assert_int_equal(frame_next(buf_str(&b), &probe, &used, NULL), 1);
        same = probe.crc_both ? i : -1;
    }
    assert_true(same >= 0);
    buf_free(&b);
    pile_says(0x03, &beat, (uint8_t)same, (uint8_t)(same >> 8));
    f = pile_hears(0x04, &reply);
    assert_true(f.crc_high_first || f.crc_both);
}

/* ---- calls of people ---- */

static void test_work(void **state)
{
    struct ykc_Work work;
    struct ykc_WorkReply done = {.pile = PILE, .result = 1};
    struct cmd cmd;

    (void)state;
    log_in();
    core_calls_raw("Work", 41, 0, "{\"locked\":false,\"percent\":80}");
    pile_hears(0x52, &work);
    assert_int_equal(work.locked, 0);
    assert_int_equal(work.percent, 80);
    pile_says(0x51, &done, 0, 0);
    cmd = result_comes(41, 0, "Accepted");
    assert_string_equal(cmd.u.call_result.payload, "{\"pile\":\"" PILE "\",\"result\":1}");
    core_calls_raw("Work", 42, 0, "{\"locked\":true,\"percent\":20}"); /* 30 to 100 */
    result_comes(42, ERR_UNSUPPORTED, "");
    core_calls_raw("GunPower", 43, 1, "{\"power_w\":60000}"); /* not by the standard */
    result_comes(43, ERR_UNSUPPORTED, "");
    core_calls_raw("Nonsense", 44, 1, "{}");
    result_comes(44, ERR_UNSUPPORTED, "");
    pile_hears_nothing();
}

static void test_reboot_lock_qr_update(void **state)
{
    struct ykc_Reboot reboot;
    struct ykc_RebootReply rebooted = {.pile = PILE, .result = 1};
    struct ykc_LockMove move;
    struct ykc_LockMoveReply moved = {.pile = PILE, .gun = 2, .result = 0};
    struct ykc_QrPrefix qr;
    struct ykc_QrPrefixReply qr_ok = {.pile = PILE, .result = 0};
    struct ykc_Update update;
    struct ykc_UpdateReply updated = {.pile = PILE, .result = 2};

    (void)state;
    log_in();
    core_calls_raw("Reboot", 51, 0, "{\"when\":\"Idle\"}");
    pile_hears(0x92, &reboot);
    assert_int_equal(reboot.when, 2);
    pile_says(0x91, &rebooted, 0, 0);
    result_comes(51, 0, "Accepted");
    core_calls_raw("ParkingLock", 52, 2, "{\"up\":true}");
    pile_hears(0x62, &move);
    assert_int_equal(move.gun, 2);
    assert_int_equal(move.lock, 0x55);
    pile_says(0x63, &moved, 0, 0);
    result_comes(52, 0, "Rejected");
    core_calls_raw("QrPrefix", 53, 0, "{\"prefix\":\"https://e.cn/c/\",\"with_gun\":true}");
    pile_hears(0xf0, &qr);
    assert_int_equal(qr.format, 1);
    assert_int_equal(qr.prefix_n, 15);
    assert_int_equal(qr.prefix[14], '/');
    pile_says(0xf1, &qr_ok, 0, 0);
    result_comes(53, 0, "Accepted");
    core_calls_raw("Update", 54, 0,
                   "{\"host\":\"10.0.0.9\",\"port\":2100,\"user\":\"u\",\"password\":\"p\","
                   "\"path\":\"AC-7KW.bin\"}");
    pile_hears(0x94, &update);
    assert_string_equal(update.host, "10.0.0.9");
    assert_int_equal(update.port, 2100); /* both bytes of it */
    assert_string_equal(update.path, "AC-7KW.bin");
    result_comes(54, 0, "Accepted");
    pile_says(0x93, &updated, 0, 0);
    assert_string_equal(core_hears(CMD_NOTE).u.note.status, "WrongModel");
}

static void test_offline_cards(void **state)
{
    struct ykc_CardSync sync;
    struct ykc_CardSyncReply synced = {.pile = PILE, .result = 1};
    struct ykc_CardQuery query;
    struct ykc_CardQueryReply known = {
        .pile = PILE, .cards = {{CARD, 1}, {"0000000000000007", 0}}, .cards_n = 2};
    struct cmd cmd;

    (void)state;
    synced.has.reason = false;
    log_in();
    core_calls_raw("CardSync", 61, 0,
                   "{\"cards\":[{\"physical\":\"d14b0a54\",\"logical\":\"1000000573\"},"
                   "{\"physical\":\"0000000000000007\"}]}");
    pile_hears(0x44, &sync);
    assert_int_equal(sync.cards_n, 2);
    assert_string_equal(sync.cards[0].physical, CARD);
    assert_string_equal(sync.cards[0].logical, "0000001000000573");
    assert_string_equal(sync.cards[1].logical, "0000000000000007");
    pile_says(0x43, &synced, 0, 0);
    result_comes(61, 0, "Accepted");
    core_calls_raw("CardQuery", 62, 0, "{\"cards\":[{\"physical\":\"d14b0a54\"}]}");
    pile_hears(0x48, &query);
    pile_says(0x47, &known, 0, 0);
    cmd = result_comes(62, 0, "Accepted");
    assert_non_null(strstr(cmd.u.call_result.payload, "{\"physical\":\"" CARD "\",\"known\":1}"));
    core_calls_raw("CardClear", 63, 0, "{\"cards\":[{\"physical\":\"not a number\"}]}");
    result_comes(63, ERR_UNSUPPORTED, "");
}

/* ---- discharge ---- */

static void core_turns(enum call_kind kind, int64_t command)
{
    struct out out = {.type = OUT_CALL, .to = conn};

    out.to.ref = 0;
    out.u.call = (struct out_call){.charger = CHARGER,
                                   .command = command,
                                   .kind = (int32_t)kind,
                                   .connector = 1,
                                   .timeout_s = 30,
                                   .direction = -1,
                                   .to_soc = 40,
                                   .tx_no = ORDER};
    core_says(&out);
}

static void test_discharge(void **state)
{
    struct ykc_Discharge start;
    struct ykc_DischargeReply started = {.order = ORDER, .pile = PILE, .gun = "01", .result = 2};
    struct ykc_DischargeStop stop_it;
    struct ykc_DischargeStopReply stopped = {.pile = PILE, .gun = "01"};
    struct ykc_DischargeData d = {.order = ORDER,
                                  .pile = PILE,
                                  .gun = "01",
                                  .kind = 1,
                                  .state = 4,
                                  .soc = 60,
                                  .energy = 12345,
                                  .outputs = {4000, 500},
                                  .faults = "00"};
    struct cmd cmd;

    (void)state;
    log_in();
    core_turns(CALL_REMOTE_START, 81);
    pile_hears(0xe2, &start);
    assert_int_equal(start.strategy, 4);
    assert_int_equal(start.parameter, 40);
    assert_string_equal(start.order, ORDER);
    pile_says(0xe1, &started, 0, 0);
    result_comes(81, ERR_NOT_PLUGGED, "Rejected");
    core_turns(CALL_REMOTE_START, 82);
    pile_hears(0xe2, &start);
    started.result = 0;
    pile_says(0xe1, &started, 0, 0);
    result_comes(82, 0, "Accepted");
    pile_says(0xe7, &d, 0, 0);
    core_hears(CMD_STATUS);
    cmd = core_answers(CMD_METER);
    assert_int_equal(cmd.u.meter.samples[0].power_w, -20000);
    assert_int_equal(cmd.u.meter.samples[0].energy_mwh, 1234500);
    core_turns(CALL_REMOTE_STOP, 83);
    pile_hears(0xe4, &stop_it);
    pile_says(0xe3, &stopped, 0, 0);
    result_comes(83, 0, "Accepted");
}

static void test_discharge_record(void **state)
{
    struct ykc_DischargeRecord r = {.order = ORDER,
                                    .pile = PILE,
                                    .gun = "01",
                                    .start = 1764028800000,
                                    .end = 1764029400000,
                                    .reason = 0x91,
                                    .energy = 50000,
                                    .meter_start = 1000,
                                    .meter_end = 6000,
                                    .energies = {0, 0, 50000, 0}};
    struct ykc_DischargeRecordReply ack;
    struct cmd cmd;

    (void)state;
    log_in();
    pile_says(0xe9, &r, 5, 6);
    cmd = core_hears(CMD_TX_RECORD);
    assert_int_equal(cmd.u.tx_record.energy_mwh, 5000000);
    assert_int_equal(cmd.u.tx_record.meter_end_mwh - cmd.u.tx_record.meter_start_mwh, 5000000);
    assert_int_equal(cmd.u.tx_record.stop, STOP_NONE);
    pile_hears_nothing();
    core_says(&(struct out){.type = OUT_REPLY, .to = cmd.head.from, .cmd_type = CMD_TX_RECORD});
    assert_int_equal(pile_hears(0xe8, &ack).seq[0], 5);
    assert_int_equal(ack.result, 0);
    assert_string_equal(ack.order, ORDER);
    /* A counter that no meter holds: none is told, the energy still is. */
    r.meter_end = INT64_C(2459565876494606882);
    pile_says(0xe9, &r, 7, 6);
    cmd = core_hears(CMD_TX_RECORD);
    assert_int_equal(cmd.u.tx_record.energy_mwh, 5000000);
    assert_int_equal(cmd.u.tx_record.meter_start_mwh, 0);
    assert_int_equal(cmd.u.tx_record.meter_end_mwh, 0);
}

/* Each reason that E1 knows says why; data of a gun that does not give, or of no order, are none. */
static void test_discharge_refused(void **state)
{
    static const struct {
        int64_t result;
        int err;
    } rows[] = {{1, ERR_FAULTED}, {2, ERR_NOT_PLUGGED}, {3, ERR_BUSY},     {4, ERR_FAULTED},
                {5, ERR_FAULTED}, {6, ERR_BUSY},        {255, ERR_FAULTED}};
    struct ykc_Discharge start;
    struct ykc_DischargeReply started = {.order = ORDER, .pile = PILE, .gun = "01"};
    struct ykc_DischargeData d = {
        .order = ORDER, .pile = PILE, .gun = "01", .kind = 1, .state = 2, .faults = "00"};
    struct ykc_DischargeResult executed = {.order = ORDER, .pile = PILE, .gun = "01", .kind = 1};

    (void)state;
    log_in();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        core_turns(CALL_REMOTE_START, 90 + (int64_t)i);
        pile_hears(0xe2, &start);
        started.result = rows[i].result;
        pile_says(0xe1, &started, 0, 0);
        result_comes(90 + (int64_t)i, rows[i].err, "Rejected");
    }
    pile_says(0xe7, &d, 0, 0);
    core_hears_nothing();
    d.state = 4;
    memset(d.order, '0', sizeof d.order - 1);
    pile_says(0xe7, &d, 0, 0);
    core_hears_nothing();
    pile_says(0xe5, &executed, 0, 0);
    core_hears_nothing();
}

/* Three phases; why it ended; a record that comes again is told and acknowledged again. */
static void test_discharge_ends(void **state)
{
    static const struct {
        int64_t raw;
        int stop;
    } rows[] = {{0x92, STOP_LIMIT}, {0x93, STOP_LIMIT}, {0x91, STOP_NONE}};
    struct ykc_DischargeData d = {.order = ORDER,
                                  .pile = PILE,
                                  .gun = "01",
                                  .kind = 2,
                                  .state = 4,
                                  .soc = 41,
                                  .amount = 12345,
                                  .outputs = {0, 0, 2300, 2300, 2300, 100, 100, 100},
                                  .faults = "00"};
    struct ykc_DischargeRecord r = {.order = ORDER,
                                    .pile = PILE,
                                    .gun = "01",
                                    .start = 1764028800000,
                                    .end = 1764029400000,
                                    .energy = 50000,
                                    .meter_start = 1000,
                                    .meter_end = 6000,
                                    .amount = 30000,
                                    .energies = {0, 0, 50000, 0}};
    struct ykc_DischargeRecordReply ack;
    struct cmd cmd;

    (void)state;
    log_in();
    pile_says(0xe7, &d, 0, 0);
    core_hears(CMD_STATUS);
    cmd = core_answers(CMD_METER);
    assert_int_equal(cmd.u.meter.samples[0].power_w, -6900);
    assert_int_equal(cmd.u.meter.samples[0].soc_pm, 410);
    assert_int_equal(cmd.u.meter.samples[0].cost, 12345);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        r.reason = rows[i].raw;
        pile_says(0xe9, &r, 7, (uint8_t)i);
        cmd = core_hears(CMD_TX_RECORD);
        assert_int_equal(cmd.u.tx_record.stop, rows[i].stop);
        assert_int_equal(cmd.u.tx_record.amount, 30000);
        assert_int_equal(cmd.u.tx_record.class_energy_mwh[2], 5000000);
        core_says(&(struct out){.type = OUT_REPLY, .to = cmd.head.from, .cmd_type = CMD_TX_RECORD});
        assert_int_equal(pile_hears(0xe8, &ack).seq[1], i);
    }
}

/* ---- vendors ---- */

static void test_fork(void **state)
{
    struct ykc_RemoteStartRelay start;
    struct ykc_WorkGun work;
    struct buf body, b;
    struct frame f = {.type = 0x51};
    int64_t end = 0;
    size_t used;

    (void)state;
    log_in_as(1);
    core_calls(CALL_REMOTE_START, 71, 1);
    while (frame_next(buf_str(&rig->in), &f, &used, NULL) != 1 && end++ < 1000)
        turn_for(1);
    assert_int_equal(f.type, 0x34);
    assert_int_equal(f.body.n, 45);
    assert_int_equal(wire_bin_decode(&ykc_RemoteStartRelay_type, f.body, &start, NULL), 0);
    assert_int_equal(start.balance, 400);
    buf_drop(&rig->in, used);
    core_calls_raw("GunPower", 72, 2, "{\"power_w\":60000}");
    for (end = 0; frame_next(buf_str(&rig->in), &f, &used, NULL) != 1 && end < 1000; end++)
        turn_for(1);
    assert_int_equal(f.type, 0x52);
    assert_int_equal(wire_bin_decode(&ykc_WorkGun_type, f.body, &work, NULL), 0);
    assert_string_equal(work.gun, "02");
    assert_int_equal(work.power, 600);
    buf_drop(&rig->in, used);
    buf_init(&body, 100);
    buf_init(&b, 100);
    buf_put(&body, "\x55\x03\x14\x12\x78\x23\x05\x02\x01", 9); /* gun 2: done */
    f = (struct frame){.type = 0x51, .body = buf_str(&body)};
    assert_int_equal(frame_build(&f, &b), 0);
    assert_int_equal(net_send(rig->net, rig->pile, buf_str(&b)), 0);
    result_comes(72, 0, "Accepted");
    buf_free(&body);
    buf_free(&b);
}

static void test_reversed_cards(void **state)
{
    struct ykc_StartRequest in = {.pile = PILE, .gun = "01", .kind = 1, .card = "00000000E14C0A54"};
    struct cmd cmd;

    (void)state;
    log_in_as(2);
    pile_says(0x31, &in, 8, 1);
    cmd = core_hears(CMD_PILE_START);
    assert_string_equal(cmd.u.pile_start.tag, "00000000540A4CE1");
}

/* The next row of the log that is not a time or a price matter. */
static struct framelog_row logged(struct framelog_reader *r, char *bytes)
{
    struct framelog_row row = {0};

    assert_true(framelog_next(r, CHARGER, &row, bytes));
    return row;
}

static void test_frames_are_logged(void **state)
{
    struct ykc_Heartbeat beat = {.pile = PILE, .gun = "01"};
    struct ykc_HeartbeatReply reply;
    struct framelog_reader r;
    struct framelog_row row;
    static char bytes[FRAMELOG_BODY_MAX];
    bool in = false, login_reply = false, bad = false, closed = false;
    int64_t beat_id = 0, reply_id = 0;

    (void)state;
    log_in();
    pile_says(0x03, &beat, 5, 6);
    pile_hears(0x04, &reply);
    assert_int_equal(net_send(rig->net, rig->pile, STR_LIT("junk")), 0);
    pile_says(0x03, &beat, 5, 7);
    turn_for(20);
    net_close(rig->net, rig->pile, 1000);
    turn_for(20);
    framelog_read(rig->frames, &r);
    row = logged(&r, bytes);
    assert_int_equal(row.kind, 0x01); /* nobody knew yet whose it was */
    assert_int_equal(row.charger, 0);
    assert_int_equal(row.dir, FRAME_IN);
    assert_int_equal((uint8_t)bytes[0], 0x68);
    while (framelog_next(&r, CHARGER, &row, bytes)) {
        login_reply = login_reply || (row.kind == 0x02 && row.dir == FRAME_OUT);
        in = in || (row.kind == 0x03 && row.charger == CHARGER && row.result == FRAME_OK);
        if (row.kind == 0x03 && beat_id == 0) {
            beat_id = row.id;
            assert_int_equal(row.n, 9 + 8);
            assert_int_equal((uint8_t)bytes[2], 5);
        }
        if (row.kind == 0x04 && reply_id == 0)
            reply_id = row.id;
        bad = bad || (row.result == FRAME_REFUSED && row.n == 4 && memcmp(bytes, "junk", 4) == 0);
        closed = closed || (row.dir == FRAME_NOTE && memcmp(bytes, "closed", 6) == 0);
    }
    assert_true(in && login_reply && bad && closed);
    assert_true(beat_id > 0 && beat_id < reply_id); /* though it was put after its answer */
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_card),
        CASE(test_vin),
        CASE(test_plug_and_charge),
        CASE(test_parallel),
        CASE(test_parallel_refused),
        CASE(test_parallel_that_makes_no_sense),
        CASE(test_parallel_alone),
        CASE(test_too_many_pairs),
        CASE(test_parallel_remote_start),
        CASE(test_battery),
        CASE(test_demand),
        CASE(test_parking_lock),
        CASE(test_heartbeat_waits_for_the_reading),
        CASE(test_silent_pile_of_a_concentrator),
        CASE(test_checksum_order_is_remembered),
        CASE(test_work),
        CASE(test_reboot_lock_qr_update),
        CASE(test_offline_cards),
        CASE(test_discharge),
        CASE(test_discharge_record),
        CASE(test_discharge_refused),
        CASE(test_discharge_ends),
        CASE(test_fork),
        CASE(test_reversed_cards),
        CASE(test_frames_are_logged),
    };

    return cmocka_run_group_tests_name("ykc more", tests, NULL, NULL);
}
