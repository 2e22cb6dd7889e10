// SPDX-License-Identifier: Apache-2.0
/* test_peers.c: `even sim` in a child process against a small platform in this one, over loopback:
 * an OCPP charger and a 云快充 pile each live through a whole transaction. */
// clang-format off: cmocka.h needs these before it
#include <setjmp.h> /* cmocka.h asks for it; nothing here jumps */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/calendar.h"
#include "base/err.h"
#include "io/net/net.h"
#include "io/os/clock.h"
#include "sim/options.h"
#include "sim/sim.h"
#include "wire/frame.h"
#include "wire/json.h"
#include "wire/ocpp16.h"
#include "wire/ykc.h"

enum { WAIT_S = 60 };
#define ORDER "32010600019214012611222134300001"

struct platform {
    struct net *net;
    uint16_t ocpp_port, ykc_port;
    struct arena arena;
    struct buf out;
    bool drop_first_start; /* break the connection instead of answering it */
    bool asked_start, start_accepted, stop_accepted;
    int boots, starts, readings, stops, logins, data, records;
    struct ocpp16_StartTransaction_req start;
    int64_t dropped_mwh, dropped_ms; /* meterStart and time of the start that got no answer */
    struct ocpp16_StopTransaction_req stop;
    bool pile_asked, pile_accepted;
    struct ykc_Record record;
    unsigned phases; /* of the talk with the vehicle, by frame type - 0x15 */
    struct model_prices prices;
};

/* ---- OCPP ---- */

static void on_upgrade(void *ctx, struct net_conn c, const struct net_upgrade *u)
{
    struct platform *f = ctx;
    (void)u;
    assert_int_equal(net_accept(f->net, c, STR_LIT("ocpp1.6")), 0);
}

static void say(struct platform *f, struct net_conn c, const char *text)
{
    assert_int_equal(net_send(f->net, c, str_from_c(text)), 0);
}

static void reply(struct platform *f, struct net_conn c, struct str id, const char *payload)
{
    char text[400];
    snprintf(text, sizeof text, "[3,\"%.*s\",%s]", STR_FMT(id), payload);
    say(f, c, text);
}

static void decode(struct platform *f, const struct wire_type *t, struct str payload, void *out)
{
    struct wire_error e;
    assert_int_equal(wire_json_decode(t, payload, &f->arena, out, WIRE_STRICT, &e), 0);
}

static void on_status(struct platform *f, struct net_conn c, struct str payload)
{
    struct ocpp16_StatusNotification_req s;
    decode(f, &ocpp16_StatusNotification_req_type, payload, &s);
    if (s.status == ocpp16_ChargePointStatus_Preparing && !f->asked_start && s.connectorId == 1) {
        f->asked_start = true;
        say(f, c, "[2,\"s1\",\"RemoteStartTransaction\",{\"connectorId\":1,\"idTag\":\"T1\"}]");
    }
}

static void on_call(struct platform *f, struct net_conn c, struct str id, struct str action,
                    struct str payload)
{
    char text[200], now[TIME_TEXT_SIZE];
    if (str_eq_c(action, "BootNotification")) {
        f->boots++;
        time_format(os_now_ms(), now);
        snprintf(text, sizeof text,
                 "{\"status\":\"Accepted\",\"currentTime\":\"%s\",\"interval\":60}", now);
        reply(f, c, id, text);
    } else if (str_eq_c(action, "StatusNotification")) {
        reply(f, c, id, "{}");
        on_status(f, c, payload);
    } else if (str_eq_c(action, "StartTransaction")) {
        f->starts++;
        decode(f, &ocpp16_StartTransaction_req_type, payload, &f->start);
        assert_true(str_eq_c(f->start.idTag, "T1"));
        if (f->drop_first_start && f->starts == 1) {
            f->dropped_mwh = f->start.meterStart;
            f->dropped_ms = f->start.timestamp;
            net_abort(f->net, c);
            return;
        }
        reply(f, c, id, "{\"idTagInfo\":{\"status\":\"Accepted\"},\"transactionId\":77}");
    } else if (str_eq_c(action, "MeterValues")) {
        f->readings++;
        reply(f, c, id, "{}");
        if (f->readings == 2)
            say(f, c, "[2,\"s2\",\"RemoteStopTransaction\",{\"transactionId\":77}]");
    } else if (str_eq_c(action, "StopTransaction")) {
        f->stops++;
        decode(f, &ocpp16_StopTransaction_req_type, payload, &f->stop);
        reply(f, c, id, "{}");
    } else {
        assert_true(str_eq_c(action, "Heartbeat"));
        reply(f, c, id, "{\"currentTime\":\"2026-11-22T00:00:00Z\"}");
    }
}

static void on_message(void *ctx, struct net_conn c, struct str msg, bool binary)
{
    struct platform *f = ctx;
    struct json_reader r;
    struct str kind = STR_NONE, id = STR_NONE, action = STR_NONE, payload = STR_NONE;
    assert_false(binary);
    arena_reset(&f->arena);
    json_reader_init(&r, msg);
    assert_true(json_take(&r, '[') && json_number(&r, &kind) == 0 && json_take(&r, ','));
    assert_int_equal(json_string(&r, &f->arena, &id), 0);
    assert_true(json_take(&r, ','));
    if (str_eq_c(kind, "2")) {
        assert_int_equal(json_string(&r, &f->arena, &action), 0);
        assert_true(json_take(&r, ','));
        assert_int_equal(json_skip(&r, WIRE_DEPTH, &payload), 0);
        on_call(f, c, id, action, payload);
        return;
    }
    assert_true(str_eq_c(kind, "3")); /* never a CALLERROR */
    assert_int_equal(json_skip(&r, WIRE_DEPTH, &payload), 0);
    bool accepted = str_eq_c(payload, "{\"status\":\"Accepted\"}");
    f->start_accepted = f->start_accepted || (accepted && str_eq_c(id, "s1"));
    f->stop_accepted = f->stop_accepted || (accepted && str_eq_c(id, "s2"));
}

/* ---- 云快充 ---- */

static void put(struct platform *f, struct net_conn c, uint8_t type, const uint8_t seq[2],
                const void *msg)
{
    struct frame fr = {.type = type, .seq = {seq[0], seq[1]}};
    struct buf body;
    buf_init(&body, 1000);
    buf_reset(&f->out);
    assert_int_equal(wire_bin_encode(wire_msg_by_code(&ykc_proto, type)->req, msg, &body), 0);
    fr.body = buf_str(&body);
    assert_int_equal(frame_build(&fr, &f->out), 0);
    assert_int_equal(net_send(f->net, c, buf_str(&f->out)), 0);
    buf_free(&body);
}

static void send_prices(struct platform *f, struct net_conn c, const uint8_t seq[2])
{
    struct ykc_FetchModelReply m = {.pile = "32010600019214", .model = "0100"};
    for (unsigned i = 0; i < 4; i++) {
        m.prices[i].elec = 40000 + i * 20000;
        m.prices[i].service = 40000;
    }
    for (unsigned i = 0; i < 48; i++)
        m.slots[i] = i % 4;
    put(f, c, 0x0A, seq, &m);
}

static void on_data(struct platform *f, struct net_conn c, const struct ykc_RealtimeData *d)
{
    f->data++;
    if (d->plugged && d->state == 2 && !f->pile_asked) {
        f->pile_asked = true;
        struct ykc_RemoteStart m = {.order = ORDER,
                                    .pile = "32010600019214",
                                    .card = "0000000000000001",
                                    .physical = "0000000000000000",
                                    .balance = 150};
        (void)str_copy(m.gun, sizeof m.gun, str_from_c(d->gun));
        put(f, c, 0x34, (const uint8_t[2]){9, 0}, &m);
    }
}

static void on_record(struct platform *f, struct net_conn c, const struct frame *fr,
                      const struct ykc_Record *r)
{
    f->records++;
    f->record = *r;
    struct ykc_RecordReply m = {.result = 0};
    (void)str_copy(m.order, sizeof m.order, str_from_c(r->order));
    put(f, c, 0x40, fr->seq, &m);
}

static void on_frame(struct platform *f, struct net_conn c, const struct frame *fr)
{
    union {
        struct ykc_RealtimeData data;
        struct ykc_Record record;
        struct ykc_RemoteStartReply start;
        char room[4096];
    } m;
    const struct wire_msg *row = wire_msg_by_code(&ykc_proto, fr->type);
    assert_non_null(row);
    assert_true(row->req->size <= sizeof m);
    assert_int_equal(wire_bin_decode(row->req, fr->body, &m, NULL), 0);
    struct ykc_LoginReply login = {.pile = "32010600019214"};
    struct ykc_VerifyModelReply verify = {.pile = "32010600019214", .model = "0000", .result = 1};
    switch (fr->type) {
    case 0x01:
        f->logins++;
        put(f, c, 0x02, fr->seq, &login);
        break;
    case 0x05:
        put(f, c, 0x06, fr->seq, &verify);
        break;
    case 0x09:
        send_prices(f, c, fr->seq);
        break;
    case 0x13:
        on_data(f, c, &m.data);
        break;
    case 0x33:
        f->pile_accepted = m.start.result == 1;
        assert_string_equal(m.start.order, ORDER);
        assert_int_equal(fr->seq[0], 9); /* the request's */
        break;
    case 0x3B:
        on_record(f, c, fr, &m.record);
        break;
    case 0x15:
    case 0x17:
    case 0x23:
    case 0x25:
    case 0x1D:
    case 0x21:
    case 0x19:
        f->phases |= 1u << (fr->type - 0x15);
        assert_int_equal(f->records, 0); /* the record is the last */
        break;
    default:
        assert_int_equal(fr->type, 0x03);
    }
}

static ptrdiff_t on_raw(void *ctx, struct net_conn c, struct str bytes)
{
    struct frame fr;
    size_t used = 0, n = 0;
    uint64_t garbage = 0;
    while (frame_next((struct str){bytes.p + used, bytes.n - used}, &fr, &n, &garbage)) {
        used += n;
        on_frame(ctx, c, &fr);
    }
    assert_int_equal(garbage, 0);
    return (ptrdiff_t)(used + n);
}

static void on_open(void *ctx, struct net_conn c)
{
    (void)ctx;
    (void)c;
}

static void on_close(void *ctx, struct net_conn c, enum net_why why, uint16_t code)
{
    (void)ctx;
    (void)c;
    (void)why;
    (void)code;
}

static const struct net_handler ws = {
    .on_upgrade = on_upgrade, .on_message = on_message, .on_close = on_close};
static const struct net_handler raw = {.on_open = on_open, .on_raw = on_raw, .on_close = on_close};

/* ---- both ---- */

static void platform_open(struct platform *f)
{
    *f = (struct platform){0};
    arena_init(&f->arena, 1 << 20);
    buf_init(&f->out, 1 << 16);
    struct net_config cfg = {0};
    assert_int_equal(net_new(&cfg, &f->net), 0);
    struct net_listen l = {.kind = NET_WS_SERVER, .handler = &ws, .ctx = f};
    assert_int_equal(net_listen(f->net, &l, &f->ocpp_port), 0);
    l = (struct net_listen){.kind = NET_RAW_SERVER, .handler = &raw, .ctx = f};
    assert_int_equal(net_listen(f->net, &l, &f->ykc_port), 0);
}

static pid_t child(const struct platform *f)
{
    char url[80], ykc[40];
    snprintf(url, sizeof url, "ws://127.0.0.1:%u/ocpp/", f->ocpp_port);
    snprintf(ykc, sizeof ykc, "127.0.0.1:%u", f->ykc_port);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid)
        return pid;
    char *argv[] = {"sim", "--url",       url,     "--ykc",   ykc,  "--ocpp",
                    "1",   "--ykc-piles", "1",     "--speed", "60", "--seed",
                    "3",   "--autoplug",  "--for", "120",     NULL};
    if (!freopen("/dev/null", "w", stdout))
        _exit(9);
    _exit(sim_main((int)ARRAY_LEN(argv) - 1, argv));
}

/* Plays until both charger and pile have had a transaction. */
static void play(struct platform *f)
{
    pid_t pid = child(f);
    int64_t end = os_mono_ns() + (int64_t)WAIT_S * 1000000000;
    while (os_mono_ns() < end && (f->stops == 0 || f->records == 0))
        net_turn(f->net, 50);
    assert_int_equal(kill(pid, SIGTERM), 0);
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void platform_close(struct platform *f)
{
    net_free(f->net);
    arena_free(&f->arena);
    buf_free(&f->out);
}

static void a_lost_answer_is_asked_for_again(void **state)
{
    (void)state;
    struct platform f;
    platform_open(&f);
    f.drop_first_start = true;
    play(&f);
    assert_int_equal(f.boots, 1); /* a lost link is no reason to boot */
    assert_int_equal(f.starts, 2);
    assert_int_equal(f.start.meterStart, f.dropped_mwh);
    assert_true(f.start.timestamp == f.dropped_ms);
    assert_int_equal(f.stops, 1);
    assert_int_equal(f.stop.transactionId, 77);
    platform_close(&f);
}

static void whole_transactions(void **state)
{
    (void)state;
    struct platform f;
    platform_open(&f);
    play(&f);
    assert_int_equal(f.boots, 1);
    assert_int_equal(f.starts, 1);
    assert_true(f.start_accepted && f.stop_accepted && f.readings >= 2);
    assert_int_equal(f.stops, 1);
    assert_int_equal(f.stop.transactionId, 77);
    assert_int_equal(f.stop.reason, ocpp16_Reason_Remote);
    assert_true(f.stop.meterStop > f.start.meterStart);
    assert_true(f.stop.timestamp > f.start.timestamp);
    assert_int_equal(f.logins, 1);
    assert_true(f.pile_accepted);
    assert_int_equal(f.records, 1);
    assert_int_equal(f.phases, 1u | 1u << 2 | 1u << 4 | 1u << 14 | 1u << 16); /* 15 17 19 23 25 */
    assert_string_equal(f.record.order, ORDER);
    assert_int_equal(f.record.reason, 0x43); /* it stopped at its balance by itself */
    assert_in_range(f.record.amount, 15000, 15400);
    int64_t energy = 0, amount = 0;
    for (unsigned i = 0; i < 4; i++) {
        const struct ykc_ClassFee *c = &f.record.classes[i];
        assert_int_equal(c->price, 80000 + i * 20000);
        assert_int_equal(c->amount, muldiv_half_up(c->energy, c->price, 100000));
        energy += c->energy;
        amount += c->amount;
    }
    assert_int_equal(amount, f.record.amount);
    assert_int_equal(energy, f.record.energy);
    assert_in_range(f.record.meter_end - f.record.meter_start - energy, 0, 4);
    platform_close(&f);
}

/* ---- the command line ---- */

static int parse(struct sim_options *o, const char *a, const char *b)
{
    char first[64], second[64],
        *argv[] = {"sim", "--ocpp", "3", "--url", "ws://localhost:9/o/", first, second, NULL};
    (void)str_copy(first, sizeof first, str_from_c(a));
    (void)str_copy(second, sizeof second, str_from_c(b));
    return sim_options_read(b ? 7 : 6, argv, o);
}

static void options(void **state)
{
    (void)state;
    struct sim_options o;
    assert_int_equal(parse(&o, "--speed", "60"), 0);
    assert_int_equal(o.speed, 60);
    assert_string_equal(o.ocpp_host, "127.0.0.1");
    assert_string_equal(o.ocpp_path, "/o/");
    assert_int_equal(o.ocpp_port, 9);
    assert_int_equal(o.mix[HABIT_NORMAL], 1);
    assert_int_equal(parse(&o, "--power", "7-250"), 0);
    assert_int_equal(o.power_hi_w, 250000);
    assert_int_equal(parse(&o, "--behaviours", "normal:90,full:5,fault"), 0);
    assert_int_equal(o.mix[HABIT_NORMAL], 90);
    assert_int_equal(o.mix[HABIT_FULL], 5);
    assert_int_equal(o.mix[HABIT_FAULT], 1);
    assert_int_equal(parse(&o, "--behaviours", "all"), 0);
    assert_int_equal(o.mix[HABIT_MUTE_START], 1);
    static const char *const bad[][2] = {
        {"--speed", "0"},         {"--speed", "x"},     {"--behaviours", "nice"},
        {"--power", "9-7"},       {"--nonsense", "1"},  {"--first-pile", "123"},
        {"--url", "http://x:1/"}, {"--url", "ws://x/"}, {"--for", NULL},
        {"--ykc-piles", "1"},     {"--reading", "-1"},  {"--stop-latency", "1-99"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(parse(&o, bad[i][0], bad[i][1]), ERR_SYNTAX);
}

static void ids(void **state)
{
    (void)state;
    char id[25];
    assert_int_equal(sim_id("EVEN-001", 13, id, sizeof id), 0);
    assert_string_equal(id, "EVEN-014");
    assert_int_equal(sim_id("CP", 7, id, sizeof id), 0);
    assert_string_equal(id, "CP7");
    assert_int_equal(sim_id("32010600019214", 5, id, 15), 0);
    assert_string_equal(id, "32010600019219");
    assert_int_equal(sim_id("99999999999999", 1, id, 15), ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_transactions),
        cmocka_unit_test(a_lost_answer_is_asked_for_again),
        cmocka_unit_test(options),
        cmocka_unit_test(ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
