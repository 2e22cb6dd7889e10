// SPDX-License-Identifier: Apache-2.0
/* test_gate.c: the OCPP gate over real sockets, with the test in the place of the core: what a
 * charger sends arrives as commands, what the core answers leaves as frames, in order, whatever the
 * charger's habits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "gate/ocpp/ocpp_gate.h"
#include "io/os/clock.h"

enum { CHARGER = 77, TURNS = 1000 };

struct rig {
    struct net *net;
    struct ocpp_gate *gate;
    uint16_t port;
    struct net_conn client;
    struct buf log;  /* what the client got, a line each */
    struct buf cmds; /* what the core got, padded to 8 */
    size_t taken;
    int submit_err;
    bool client_open, client_closed;
    uint16_t close_code;
    uint64_t causes;
    int64_t now_ms;
    struct origin conn;
    struct framelog *frames;
};
static struct rig rig;

static int submit(void *ctx, const struct cmd *cmd)
{
    struct rig *r = ctx;
    static const char zero[8];
    if (r->submit_err)
        return r->submit_err;
    buf_put(&r->cmds, cmd, cmd->head.size);
    buf_put(&r->cmds, zero, (8 - cmd->head.size % 8) % 8);
    return 0;
}

static uint64_t cause(void *ctx)
{
    return ++((struct rig *)ctx)->causes;
}

static int64_t now_ms(void)
{
    return rig.now_ms;
}

static void client_open(void *ctx, struct net_conn c)
{
    (void)c;
    ((struct rig *)ctx)->client_open = true;
}

static void client_message(void *ctx, struct net_conn c, struct str msg, bool binary)
{
    struct rig *r = ctx;
    (void)c;
    assert_false(binary);
    buf_put_str(&r->log, msg);
    buf_put_char(&r->log, '\n');
}

static void client_close(void *ctx, struct net_conn c, enum net_why why, uint16_t code)
{
    struct rig *r = ctx;
    (void)c;
    (void)why;
    r->client_closed = true;
    r->close_code = code;
}

static const struct net_handler client = {
    .on_open = client_open, .on_message = client_message, .on_close = client_close};
static const uint8_t key[CRYPTO_KEY_SIZE] = {1, 2, 3};

static void turns(int n)
{
    while (n--)
        net_turn(rig.net, 1);
}

/* ---- the core's side ---- */

/* The next command, or NULL after some turns without one. */
static const struct cmd *cmd_next(void)
{
    for (int i = 0; i < TURNS && rig.taken == rig.cmds.n; i++)
        net_turn(rig.net, 1);
    if (rig.taken == rig.cmds.n)
        return NULL;
    const struct cmd *c = (const struct cmd *)(const void *)(rig.cmds.p + rig.taken);
    rig.taken += (c->head.size + 7u) & ~7u;
    return c;
}

static const struct cmd *cmd_expect(enum cmd_type type)
{
    const struct cmd *c = cmd_next();
    assert_non_null(c);
    assert_int_equal(c->head.type, type);
    assert_int_equal(c->head.from.kind, FROM_GATE);
    return c;
}

static void no_cmd(void)
{
    turns(5);
    assert_int_equal(rig.taken, rig.cmds.n);
}

static void reply(struct origin to, enum cmd_type type, int err, const struct out *with)
{
    static struct out o;
    memset(&o, 0, sizeof o);
    if (with)
        o = *with;
    o.size = sizeof o;
    o.type = OUT_REPLY;
    o.cmd_type = (uint16_t)type;
    o.to = to;
    o.err = err;
    assert_true(ocpp_gate_deliver(rig.gate, &o));
}

/* ---- the charger's side ---- */

static void say(const char *text)
{
    assert_int_equal(net_send(rig.net, rig.client, str_from_c(text)), 0);
}

/* Waits for this line, the next one of the log, and takes it. */
static void hear(const char *expected)
{
    for (int i = 0; i < TURNS && rig.log.n == 0; i++)
        net_turn(rig.net, 1);
    struct str rest = buf_str(&rig.log);
    struct str line = str_cut(&rest, '\n');
    if (!str_eq_c(line, expected))
        fail_msg("got \"%.*s\", expected \"%s\"", STR_FMT(line), expected);
    buf_drop(&rig.log, line.n + 1);
}

static void silence(void)
{
    turns(5);
    assert_int_equal(rig.log.n, 0);
}

static void dial(const char *path, const char *protocols, const char *password)
{
    struct net_dial d = {.host = "127.0.0.1",
                         .port = rig.port,
                         .kind = NET_WS_CLIENT,
                         .handler = &client,
                         .ctx = &rig,
                         .path = path,
                         .protocols = protocols,
                         .auth_user = password ? "CP1" : NULL,
                         .auth_password = str_from_c(password)};
    rig.client_open = rig.client_closed = false;
    assert_int_equal(net_dial(rig.net, &d, &rig.client), 0);
}

static void until(const bool *flag)
{
    for (int i = 0; i < TURNS && !*flag; i++)
        net_turn(rig.net, 1);
    assert_true(*flag);
}

/* A connection that the core lets in. */
static void connect_charger(void)
{
    dial("/ocpp/CP1", "ocpp1.6", NULL);
    rig.conn = cmd_expect(CMD_CONN_OPEN)->head.from;
    struct out o = {0};
    o.u.conn.charger = CHARGER;
    reply(rig.conn, CMD_CONN_OPEN, 0, &o);
    until(&rig.client_open);
}

static int setup(void **state)
{
    (void)state;
    memset(&rig, 0, sizeof rig);
    rig.now_ms = INT64_C(1767323045678);
    buf_init(&rig.log, 1 << 20);
    buf_init(&rig.cmds, 1 << 20);
    struct net_config nc = {.max_conns = 16};
    assert_int_equal(net_new(&nc, &rig.net), 0);
    struct gate_config gc = {.net = rig.net,
                             .submit = submit,
                             .ctx = &rig,
                             .key = key,
                             .now_ms = now_ms,
                             .heartbeat_s = 60,
                             .max_conns = 16,
                             .cause = cause};
    assert_int_equal(framelog_new(&(struct framelog_config){.recent = 1 << 16}, &rig.frames), 0);
    gc.frames = rig.frames;
    assert_int_equal(ocpp_gate_new(&gc, &rig.gate), 0);
    struct net_listen l = {0};
    assert_int_equal(ocpp_gate_listen(rig.gate, &l, &rig.port), 0);
    return 0;
}

static int setup_connected(void **state)
{
    setup(state);
    connect_charger();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    net_free(rig.net);
    ocpp_gate_free(rig.gate);
    framelog_free(rig.frames);
    buf_free(&rig.log);
    buf_free(&rig.cmds);
    return 0;
}

/* ---- the handshake ---- */

static void handshake_test(void **state)
{
    (void)state;
    dial("/ocpp/CP%201", "ocpp1.6", "se:cret");
    const struct cmd *c = cmd_expect(CMD_CONN_OPEN);
    uint8_t hash[CRYPTO_HASH_SIZE];
    char hex[2 * CRYPTO_HASH_SIZE + 1];
    crypto_keyed_hash(key, STR_LIT("se:cret"), hash);
    str_to_hex(hash, sizeof hash, hex);
    assert_string_equal(c->u.conn_open.path, "CP 1");
    assert_int_equal(c->u.conn_open.has_secret, 1);
    assert_string_equal(c->u.conn_open.secret_hash, hex);
    assert_string_equal(c->u.conn_open.address, "127.0.0.1");
    reply(c->head.from, CMD_CONN_OPEN, ERR_UNAUTHENTICATED, NULL);
    until(&rig.client_closed);
    assert_int_equal(rig.close_code, 401);
    no_cmd(); /* it never came in, so it does not leave */
}

static void refusals_test(void **state)
{
    (void)state;
    dial("/ocpp/CP1", "ocpp1.6", NULL);
    const struct cmd *c = cmd_expect(CMD_CONN_OPEN);
    assert_int_equal(c->u.conn_open.has_secret, 0);
    reply(c->head.from, CMD_CONN_OPEN, ERR_NOT_FOUND, NULL);
    until(&rig.client_closed);
    assert_int_equal(rig.close_code, 404);
    dial("/other/CP1", "ocpp1.6", NULL);
    until(&rig.client_closed);
    assert_int_equal(rig.close_code, 404);
    dial("/ocpp/CP1", "ocpp2.0.1", NULL);
    until(&rig.client_closed);
    dial("/ocpp/0123456789012345678901234567890123456789012345678", "ocpp1.6", NULL);
    until(&rig.client_closed);
    assert_int_equal(rig.close_code, 404);
    rig.submit_err = ERR_FULL;
    dial("/ocpp/CP1", NULL, NULL);
    until(&rig.client_closed);
    assert_int_equal(rig.close_code, 503);
    rig.submit_err = 0;
    no_cmd();
}

static void no_protocol_test(void **state)
{
    (void)state;
    dial("/ocpp/CP1", NULL, NULL);
    const struct cmd *c = cmd_expect(CMD_CONN_OPEN);
    struct out o = {0};
    o.u.conn.charger = CHARGER;
    reply(c->head.from, CMD_CONN_OPEN, 0, &o);
    until(&rig.client_open);
    say("[2,\"1\",\"Heartbeat\",{}]");
    hear("[3,\"1\",{\"currentTime\":\"2026-01-02T03:04:05.678Z\"}]");
}

/* A charger that leaves before the core has answered is let go again. */
static void orphan_test(void **state)
{
    (void)state;
    dial("/ocpp/CP1", "ocpp1.6", NULL);
    struct origin from = cmd_expect(CMD_CONN_OPEN)->head.from;
    net_abort(rig.net, rig.client);
    turns(20);
    struct out o = {0};
    o.u.conn.charger = CHARGER;
    reply(from, CMD_CONN_OPEN, 0, &o);
    const struct cmd *c = cmd_expect(CMD_CONN_CLOSED);
    assert_int_equal(c->u.conn_closed.charger, CHARGER);
    assert_int_equal(c->head.from.slot, from.slot);
    assert_int_equal(c->head.from.gen, from.gen);
}

/* ---- calls of the charger ---- */

static void boot_test(void **state)
{
    (void)state;
    say(" [ 2 , \"19223201\" ,\"BootNotification\", {\"chargePointVendor\":\"A vendor with a name "
        "that is far too long\",\r\n"
        "\"chargePointModel\":\"M\",\"chargeBoxSerialNumber\":\"S1\",\"iccid\":\"\",\"imsi\":\"\","
        "\"meterType\":\"\"} ] ");
    const struct cmd *c = cmd_expect(CMD_BOOT);
    assert_int_equal(c->u.boot.charger, CHARGER);
    assert_string_equal(c->u.boot.vendor, "A vendor with a name that is far too long");
    assert_string_equal(c->u.boot.serial, "S1");
    struct out o = {0};
    o.u.boot.interval_s = 300;
    o.u.boot.now_ms = 1000;
    reply(c->head.from, CMD_BOOT, 0, &o);
    hear("[3,\"19223201\",{\"status\":\"Accepted\",\"currentTime\":\"1970-01-01T00:00:01.000Z\","
         "\"interval\":300}]");
}

static void status_test(void **state)
{
    (void)state;
    say("[2,\"1\",\"StatusNotification\",{\"connectorId\":2,\"errorCode\":\"GroundFailure\","
        "\"status\":\"Faulted\","
        "\"info\":\"x\",\"vendorErrorCode\":\"E7\",\"timestamp\":\"\"}]");
    const struct cmd *c = cmd_expect(CMD_STATUS);
    assert_int_equal(c->u.status.connector, 2);
    assert_int_equal(c->u.status.status, CS_FAULTED);
    assert_string_equal(c->u.status.error, "GroundFailure");
    assert_string_equal(c->u.status.vendor_error, "E7");
    assert_int_equal(c->u.status.time_ms, 0);
    reply(c->head.from, CMD_STATUS, 0, NULL);
    hear("[3,\"1\",{}]");
    say("[2,\"2\",\"StatusNotification\",{\"connectorId\":1,\"errorCode\":\"NoError\",\"status\":"
        "\"Dreaming\"}]");
    hear("[3,\"2\",{}]");
    no_cmd();
    say("[2,\"3\",\"StatusNotification\",{\"connectorId\":-1,\"errorCode\":\"NoError\",\"status\":"
        "\"Available\"}]");
    hear("[4,\"3\",\"PropertyConstraintViolation\",\"Value out of range\",{}]");
}

static void transaction_test(void **state)
{
    (void)state;
    say("[2,\"1\",\"Authorize\",{\"idTag\":\"CARD\"}]");
    const struct cmd *c = cmd_expect(CMD_AUTHORIZE);
    assert_string_equal(c->u.authorize.tag, "CARD");
    struct out o = {0};
    o.u.tag.status = TAG_BLOCKED;
    reply(c->head.from, CMD_AUTHORIZE, 0, &o);
    hear("[3,\"1\",{\"idTagInfo\":{\"status\":\"Blocked\"}}]");
    say("[2,\"2\",\"StartTransaction\",{\"connectorId\":1,\"idTag\":\"CARD\",\"meterStart\":"
        "\"1200\",\"timestamp\":"
        "\"2026-01-02 03:04:05+08:00\"}]");
    c = cmd_expect(CMD_TX_START);
    assert_int_equal(c->u.tx_start.connector, 1);
    assert_int_equal(c->u.tx_start.meter_mwh, 1200000);
    assert_int_equal(c->u.tx_start.time_ms, INT64_C(1767294245000));
    assert_int_equal(c->u.tx_start.reservation, 0);
    o.u.tag.status = TAG_ACCEPTED;
    o.u.tag.tx = 9001;
    reply(c->head.from, CMD_TX_START, 0, &o);
    hear("[3,\"2\",{\"idTagInfo\":{\"status\":\"Accepted\"},\"transactionId\":9001}]");
    say("[2,\"3\",\"MeterValues\",{\"connectorId\":1,\"transactionId\":9001,\"meterValue\":[{"
        "\"timestamp\":"
        "\"2026-01-02T03:05:05Z\",\"sampledValue\":[{\"value\":\"1.25\",\"unit\":\"kWh\"}]}]}]");
    c = cmd_expect(CMD_METER);
    assert_int_equal(c->u.meter.n, 1);
    assert_int_equal(c->u.meter.tx, 9001);
    assert_int_equal(c->u.meter.samples[0].energy_mwh, 1250000);
    assert_int_equal(c->head.size,
                     offsetof(struct cmd, u.meter.samples) + sizeof(struct core_sample));
    reply(c->head.from, CMD_METER, 0, NULL);
    hear("[3,\"3\",{}]");
    say("[2,\"4\",\"StopTransaction\",{\"transactionId\":9001,\"meterStop\":1300,\"timestamp\":"
        "\"2026-01-02T03:06:05Z\"}]");
    c = cmd_expect(CMD_TX_STOP);
    assert_int_equal(c->u.tx_stop.stop, STOP_LOCAL);
    assert_string_equal(c->u.tx_stop.reason, "");
    assert_string_equal(c->u.tx_stop.tag, "");
    assert_int_equal(c->u.tx_stop.meter_mwh, 1300000);
    reply(c->head.from, CMD_TX_STOP, 0, NULL);
    hear("[3,\"4\",{}]");
}

static void stop_test(void **state)
{
    (void)state;
    say("[2,\"5\",\"StopTransaction\",{\"idTag\":\"CARD\",\"transactionId\":-1,\"meterStop\":1300,"
        "\"timestamp\":"
        "\"2026-01-02T03:06:05Z\",\"reason\":\"EVDisconnected\",\"transactionData\":[{"
        "\"timestamp\":\"2026-01-02T03:06:05Z\","
        "\"sampledValue\":[{\"value\":\"T0NNRg==\",\"format\":\"SignedData\",\"context\":"
        "\"Transaction.End\"},"
        "{\"value\":\"1300\",\"context\":\"Transaction.End\",\"unit\":\"Wh\"}]}]}]");
    const struct cmd *c = cmd_expect(CMD_TX_STOP);
    assert_int_equal(c->u.tx_stop.tx, -1);
    assert_int_equal(c->u.tx_stop.stop, STOP_UNPLUGGED);
    assert_string_equal(c->u.tx_stop.reason, "EVDisconnected");
    assert_int_equal(c->u.tx_stop.n, 1);
    assert_int_equal(c->u.tx_stop.samples[0].flags, SAMPLE_END | SAMPLE_SIGNED_DATA);
    struct out o = {0};
    o.u.tag.status = TAG_INVALID;
    reply(c->head.from, CMD_TX_STOP, 0, &o);
    hear("[3,\"5\",{\"idTagInfo\":{\"status\":\"Invalid\"}}]");
    say("[2,\"6\",\"StopTransaction\",{\"transactionId\":1,\"meterStop\":9223372036854775807,"
        "\"timestamp\":\"\"}]");
    c = cmd_expect(CMD_TX_STOP); /* the session ends, whatever its register says */
    assert_int_equal(c->u.tx_stop.meter_mwh, INT64_C(1000000000) * 1000000);
    reply(c->head.from, CMD_TX_STOP, 0, NULL);
    hear("[3,\"6\",{}]");
}

/* More samples than a command holds: all of them arrive, in order, and one answer leaves. */
static void many_samples_test(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_put_c(&b, "[2,\"m\",\"StopTransaction\",{\"transactionId\":5,\"meterStop\":1,\"timestamp\":"
                  "\"2026-01-02T03:06:05Z\","
                  "\"transactionData\":[");
    for (int i = 0; i < 150; i++)
        buf_printf(&b,
                   "%s{\"timestamp\":\"2026-01-02T03:06:05Z\",\"sampledValue\":[{\"value\":\"%d\","
                   "\"unit\":\"Wh\"}]}",
                   i ? "," : "", i);
    buf_put_c(&b, "]}]");
    buf_put_char(&b, 0);
    say(b.p);
    buf_free(&b);
    int seen = 0;
    for (int i = 0; i < 2; i++) {
        const struct cmd *c = cmd_expect(CMD_METER);
        assert_int_equal(c->head.from.ref, 0);
        assert_int_equal(c->u.meter.tx, 5);
        for (int k = 0; k < c->u.meter.n; k++)
            assert_int_equal(c->u.meter.samples[k].energy_mwh, 1000 * seen++);
    }
    const struct cmd *c = cmd_expect(CMD_TX_STOP);
    for (int k = 0; k < c->u.tx_stop.n; k++)
        assert_int_equal(c->u.tx_stop.samples[k].energy_mwh, 1000 * seen++);
    assert_int_equal(seen, 150);
    reply(c->head.from, CMD_TX_STOP, 0, NULL);
    hear("[3,\"m\",{}]");
}

static void data_and_notes_test(void **state)
{
    (void)state;
    say("[2,\"1\",\"DataTransfer\",{\"vendorId\":\"v\",\"messageId\":\"m\",\"data\":\"d\"}]");
    const struct cmd *c = cmd_expect(CMD_DATA_TRANSFER);
    assert_string_equal(c->u.data_transfer.data, "d");
    reply(c->head.from, CMD_DATA_TRANSFER, ERR_UNSUPPORTED, NULL);
    hear("[3,\"1\",{\"status\":\"UnknownVendorId\"}]");
    say("[2,\"2\",\"FirmwareStatusNotification\",{\"status\":\"Installed\"}]");
    c = cmd_expect(CMD_NOTE);
    assert_string_equal(c->u.note.kind, "firmware");
    assert_string_equal(c->u.note.status, "Installed");
    reply(c->head.from, CMD_NOTE, 0, NULL);
    hear("[3,\"2\",{}]");
    say("[2,\"3\",\"DiagnosticsStatusNotification\",{\"status\":\"Uploading\"}]");
    c = cmd_expect(CMD_NOTE);
    reply(c->head.from, CMD_NOTE, ERR_IO, NULL);
    hear("[4,\"3\",\"InternalError\",\"Input or output failed\",{}]");
}

#define ID64 "0123456789012345678901234567890123456789012345678901234567890123"

static void bad_input_test(void **state)
{
    (void)state;
    static const struct {
        const char *say, *hear;
    } cases[] = {
        {"nonsense", "[4,\"-1\",\"FormationViolation\",\"a value is expected\",{}]"},
        {"[2,\"a\",\"Heartbeat\",{]",
         "[4,\"a\",\"FormationViolation\",\"a member name is expected\",{}]"},
        {"[2,\"b\",\"Heartbeat\",[]]",
         "[4,\"b\",\"FormationViolation\",\"the payload is no object\",{}]"},
        {"[2,7,\"Heartbeat\",{}]",
         "[4,\"-1\",\"FormationViolation\",\"the message id is no string\",{}]"},
        {"[2,\"c\",\"Nope\",{}]", "[4,\"c\",\"NotImplemented\",\"unknown action\",{}]"},
        {"[2,\"d\",\"Reset\",{\"type\":\"Hard\"}]",
         "[4,\"d\",\"NotSupported\",\"not a call of chargers\",{}]"},
        {"[2,\"e\",\"Authorize\",{}]",
         "[4,\"e\",\"OccurrenceConstraintViolation\",\"idTag: required member missing\",{}]"},
        {"[2,\"f\",\"Authorize\",{\"idTag\":{}}]",
         "[4,\"f\",\"TypeConstraintViolation\",\"idTag: a string is expected\",{}]"},
        {"[2,\"\\u4e2d\\\"\",\"Heartbeat\"]",
         "[3,\"中\\\"\",{\"currentTime\":\"2026-01-02T03:04:05.678Z\"}]"},
        {"[2,\"g\\u0000h\",\"Heartbeat\",{}]", /* the whole id is the call's */
         "[3,\"g\\u0000h\",{\"currentTime\":\"2026-01-02T03:04:05.678Z\"}]"},
        {"[2,\"\\u0000\",\"Nope\",{}]", "[4,\"\\u0000\",\"NotImplemented\",\"unknown action\",{}]"},
        {"[2,\"" ID64 "\",\"Heartbeat\",{}]",
         "[3,\"" ID64 "\",{\"currentTime\":\"2026-01-02T03:04:05.678Z\"}]"},
        {"[2,\"" ID64 "5\",\"Heartbeat\",{}]",
         "[4,\"-1\",\"FormationViolation\",\"the message id is empty or too long\",{}]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        say(cases[i].say);
        hear(cases[i].hear);
    }
    say("[3,\"999\",{}]"); /* answers that nobody waits for, types that do not exist */
    say("[4,\"999\",\"GenericError\",\"\",{}]");
    say("[3,\"999\"");
    say("[9,\"1\",{}]");
    silence();
    no_cmd();
    struct gate_stats s;
    ocpp_gate_stats(rig.gate, &s);
    assert_int_equal(s.bad_frames, 14);
}

/* Answers keep the order of the calls, local ones too; the ninth call waits outside. */
static void order_test(void **state)
{
    (void)state;
    say("[2,\"1\",\"Authorize\",{\"idTag\":\"A\"}]");
    say("[2,\"2\",\"Nope\",{}]");
    say("[2,\"2\",\"Heartbeat\",{}]"); /* the same id again is another call */
    for (int i = 0; i < 6; i++)
        say("[2,\"x\",\"Authorize\",{\"idTag\":\"A\"}]");
    struct origin first = cmd_expect(CMD_AUTHORIZE)->head.from;
    struct origin beat = cmd_expect(CMD_HEARTBEAT)->head.from;
    for (int i = 0; i < 5; i++)
        cmd_expect(CMD_AUTHORIZE);
    no_cmd(); /* eight are unanswered */
    silence();
    struct out o = {0};
    reply(first, CMD_AUTHORIZE, 0, &o);
    hear("[3,\"1\",{\"idTagInfo\":{\"status\":\"Accepted\"}}]");
    hear("[4,\"2\",\"NotImplemented\",\"unknown action\",{}]");
    o.u.plain = 2000;
    reply(beat, CMD_HEARTBEAT, 0, &o);
    hear("[3,\"2\",{\"currentTime\":\"1970-01-01T00:00:02.000Z\"}]");
    cmd_expect(CMD_AUTHORIZE); /* the ninth */
}

/* No room in the core: the charger waits, and then everything goes on in order. */
static void full_core_test(void **state)
{
    (void)state;
    rig.submit_err = ERR_FULL;
    say("[2,\"1\",\"Authorize\",{\"idTag\":\"A\"}]");
    say("[2,\"2\",\"Authorize\",{\"idTag\":\"B\"}]");
    no_cmd();
    silence();
    rig.submit_err = 0;
    const struct cmd *c = cmd_expect(CMD_AUTHORIZE);
    assert_string_equal(c->u.authorize.tag, "A");
    c = cmd_expect(CMD_AUTHORIZE);
    assert_string_equal(c->u.authorize.tag, "B");
    rig.submit_err = ERR_DISK_FULL; /* refused for good: the charger learns it at once */
    say("[2,\"3\",\"Authorize\",{\"idTag\":\"C\"}]");
    no_cmd();
    silence(); /* behind two unanswered ones */
}

/* What a connection left behind reaches the core, its end last. */
static void full_and_gone_test(void **state)
{
    (void)state;
    rig.submit_err = ERR_FULL;
    say("[2,\"1\",\"Authorize\",{\"idTag\":\"A\"}]");
    turns(10);
    net_abort(rig.net, rig.client);
    turns(20);
    ocpp_gate_turn(rig.gate);
    no_cmd(); /* still full */
    rig.submit_err = 0;
    ocpp_gate_turn(
        rig.gate); /* nobody is connected and the core says nothing: the turn is enough */
    assert_string_equal(cmd_expect(CMD_AUTHORIZE)->u.authorize.tag, "A");
    assert_int_equal(cmd_expect(CMD_CONN_CLOSED)->u.conn_closed.charger, CHARGER);
}

/* ---- calls of the core ---- */

static void call(struct out_call call)
{
    static struct out o;
    memset(&o, 0, sizeof o);
    o.size = sizeof o;
    o.type = OUT_CALL;
    o.to = rig.conn;
    o.u.call = call;
    o.u.call.charger = CHARGER;
    o.u.call.command = 4711;
    if (!o.u.call.timeout_s)
        o.u.call.timeout_s = 30;
    assert_true(ocpp_gate_deliver(rig.gate, &o));
}

static const struct cmd_call_result *result(int err, const char *status)
{
    const struct cmd *c = cmd_expect(CMD_CALL_RESULT);
    assert_int_equal(c->u.call_result.command, 4711);
    assert_int_equal(c->u.call_result.charger, CHARGER);
    assert_int_equal(c->u.call_result.err, err);
    assert_string_equal(c->u.call_result.status, status);
    return &c->u.call_result;
}

static void typed_calls_test(void **state)
{
    (void)state;
    call((struct out_call){.kind = CALL_REMOTE_START, .connector = 1, .tag = "APP1"});
    hear("[2,\"4711\",\"RemoteStartTransaction\",{\"connectorId\":1,\"idTag\":\"APP1\"}]");
    say("[3,\"4711\",{\"status\":\"Accepted\"}]");
    const struct cmd_call_result *r = result(0, "Accepted");
    assert_int_equal(r->n, 21);
    assert_memory_equal(r->payload, "{\"status\":\"Accepted\"}", 21);
    call((struct out_call){.kind = CALL_REMOTE_STOP, .tx = 9001});
    hear("[2,\"4711\",\"RemoteStopTransaction\",{\"transactionId\":9001}]");
    say("[ 4 , \"4711\" , \"InternalError\" , \"no\\nway\" , {} ]");
    r = result(ERR_REJECTED, "InternalError");
    assert_memory_equal(
        r->payload, "{\"errorCode\":\"InternalError\",\"errorDescription\":\"no\\nway\"}", r->n);
    call((struct out_call){.kind = CALL_TRIGGER_METER, .connector = 2});
    hear(
        "[2,\"4711\",\"TriggerMessage\",{\"requestedMessage\":\"MeterValues\",\"connectorId\":2}]");
    say("[3,\"4711\",{\"status\":\"NotImplemented\"}]");
    result(0, "NotImplemented");
    call((struct out_call){.kind = CALL_PROFILE, .connector = 1, .tx = 5, .limit_w = 11000});
    hear("[2,\"4711\",\"SetChargingProfile\",{\"connectorId\":1,\"csChargingProfiles\":{"
         "\"chargingProfileId\":1,\"transactionId\":5,"
         "\"stackLevel\":0,\"chargingProfilePurpose\":\"TxProfile\",\"chargingProfileKind\":"
         "\"Relative\",\"chargingSchedule\":"
         "{\"chargingRateUnit\":\"W\",\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":"
         "11000}]}}}]");
    say("[3,\"4711\"]"); /* no payload at all */
    result(0, "");
    call((struct out_call){
        .kind = CALL_PROFILE, .connector = 2, .tx = 6, .limit_w = 240000, .zero_after_s = 214});
    hear("[2,\"4711\",\"SetChargingProfile\",{\"connectorId\":2,\"csChargingProfiles\":{"
         "\"chargingProfileId\":1,\"transactionId\":6,"
         "\"stackLevel\":0,\"chargingProfilePurpose\":\"TxProfile\",\"chargingProfileKind\":"
         "\"Relative\",\"chargingSchedule\":"
         "{\"chargingRateUnit\":\"W\",\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":"
         "240000},{\"startPeriod\":214,\"limit\":0}]}}}]");
    say("[3,\"4711\",{\"status\":\"Accepted\"}]");
    result(0, "Accepted");
    call((struct out_call){.kind = CALL_SET_INTERVAL, .interval_s = 10});
    hear("[2,\"4711\",\"ChangeConfiguration\",{\"key\":\"MeterValueSampleInterval\",\"value\":"
         "\"10\"}]");
    call((struct out_call){.kind = CALL_BALANCE});
    result(ERR_UNSUPPORTED, "");
}

/* The core may call a charger in the same breath as it lets it in, even before the answer. */
static void early_call_test(void **state)
{
    (void)state;
    dial("/ocpp/CP1", "ocpp1.6", NULL);
    rig.conn = cmd_expect(CMD_CONN_OPEN)->head.from;
    call((struct out_call){.kind = CALL_REMOTE_STOP, .tx = 3});
    silence();
    no_cmd();
    struct out o = {0};
    o.u.conn.charger = CHARGER;
    reply(rig.conn, CMD_CONN_OPEN, 0, &o);
    hear("[2,\"4711\",\"RemoteStopTransaction\",{\"transactionId\":3}]");
    dial("/ocpp/CP2", "ocpp1.6", NULL);
    rig.conn = cmd_expect(CMD_CONN_OPEN)->head.from;
    call((struct out_call){.kind = CALL_REMOTE_STOP, .tx = 4});
    net_abort(rig.net, rig.client);
    result(ERR_CLOSED, "");
}

static struct out_call raw(const char *action, const char *payload)
{
    struct out_call c = {.kind = CALL_RAW, .n = (uint32_t)strlen(payload)};
    str_copy(c.action, sizeof c.action, str_from_c(action));
    memcpy(c.payload, payload, c.n);
    return c;
}

static void raw_calls_test(void **state)
{
    (void)state;
    call(raw("ChangeAvailability", " { \"type\" : \"Inoperative\", \"connectorId\": 0 } "));
    hear("[2,\"4711\",\"ChangeAvailability\",{\"connectorId\":0,\"type\":\"Inoperative\"}]"); /* the
                                                                                                protocol's
                                                                                                order
                                                                                              */
    say("[3,\"4711\",{\"x\":[1,{}],\"status\":\"Scheduled\"}]");
    result(0, "Scheduled");
    call(raw("ClearCache", ""));
    hear("[2,\"4711\",\"ClearCache\",{}]");
    say("[3,\"4711\",{\"status\":\"Accepted\"}]");
    result(0, "Accepted");
    call(raw("Reset", "{\"type\":\"Maybe\"}"));
    result(ERR_RANGE, "");
    call(raw("Heartbeat", "{}"));
    result(ERR_UNKNOWN_ACTION, "");
    call(raw("Nope", "{}"));
    result(ERR_UNKNOWN_ACTION, "");
    silence();
}

static const struct cmd_call_result *settings_result(int keys)
{
    call(raw("GetConfiguration", "{}"));
    hear("[2,\"4711\",\"GetConfiguration\",{}]");
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_put_c(&b, "[3,\"4711\",{\"configurationKey\":[");
    for (int i = 0; i < keys; i++)
        buf_printf(&b, "%s{ \"key\":\"Key%03d\", \"readonly\":false, \"value\":\"%d\"}",
                   i ? "," : "", i, i);
    buf_put_c(&b, "]}]");
    buf_put_char(&b, 0);
    say(b.p);
    buf_free(&b);
    return result(0, "");
}

static bool says(const struct cmd_call_result *r, const char *text)
{
    size_t n = strlen(text);
    for (size_t i = 0; i + n <= r->n; i++)
        if (memcmp(r->payload + i, text, n) == 0)
            return true;
    return false;
}

/* Every key of a charger with many settings arrives; a list that is too long all the same loses its
 * end, not its form, and says so. */
static void long_result_test(void **state)
{
    (void)state;
    const struct cmd_call_result *r = settings_result(200);
    assert_true(r->n > 9000);
    assert_false(says(r, "truncated"));
    assert_true(says(r, "\"Key199\""));
    r = settings_result(1000);
    assert_in_range(r->n, 15800, sizeof r->payload);
    assert_memory_equal(
        r->payload,
        "{\"configurationKey\":[{\"key\":\"Key000\",\"readonly\":false,\"value\":\"0\"},", 64);
    assert_true(says(r, "}],\"truncated\":"));
    assert_int_equal(r->payload[r->n - 1], '}');
}

static void timeout_test(void **state)
{
    (void)state;
    struct out_call c = {.kind = CALL_REMOTE_STOP, .tx = 1, .timeout_s = 1};
    call(c);
    hear("[2,\"4711\",\"RemoteStopTransaction\",{\"transactionId\":1}]");
    rig.now_ms += 1500;
    for (int i = 0; i < 3000 && rig.taken == rig.cmds.n; i++)
        net_turn(rig.net, 1);
    result(ERR_TIMEOUT, "");
    say("[3,\"4711\",{\"status\":\"Accepted\"}]"); /* too late */
    no_cmd();
}

static void close_test(void **state)
{
    (void)state;
    call((struct out_call){.kind = CALL_REMOTE_STOP, .tx = 1});
    hear("[2,\"4711\",\"RemoteStopTransaction\",{\"transactionId\":1}]");
    struct out o = {.type = OUT_CLOSE, .to = rig.conn};
    o.u.close.code = WS_POLICY;
    assert_true(ocpp_gate_deliver(rig.gate, &o));
    until(&rig.client_closed);
    assert_int_equal(rig.close_code, WS_POLICY);
    result(ERR_CLOSED, "");
    assert_int_equal(cmd_expect(CMD_CONN_CLOSED)->u.conn_closed.charger, CHARGER);
    assert_false(ocpp_gate_deliver(rig.gate, &o)); /* the handle is stale now */
    struct gate_stats s;
    ocpp_gate_stats(rig.gate, &s);
    assert_int_equal(s.connections, 0);
}

/* The next row of the log must be this. */
static int64_t logged(struct framelog_reader *r, enum framelog_dir dir, enum framelog_result result,
                      const char *start)
{
    static char bytes[FRAMELOG_BODY_MAX];
    struct framelog_row row;
    assert_true(framelog_next(r, CHARGER, &row, bytes));
    if (!str_starts(str_from(bytes, row.n), str_from_c(start)))
        fail_msg("logged \"%.*s\", expected \"%s\"", (int)row.n, bytes, start);
    assert_int_equal(row.dir, dir);
    assert_int_equal(row.result, result);
    return row.id;
}

static void frames_test(void **state)
{
    struct framelog_reader r;
    (void)state;
    say("[2,\"a\",\"Heartbeat\",{}]");
    say("[2,\"b\",\"StatusNotification\",{\"connectorId\":\"x\"}]");
    say("{nonsense");
    turns(5);
    net_close(rig.net, rig.client, 1000);
    until(&rig.client_closed);
    framelog_read(rig.frames, &r);
    logged(&r, FRAME_NOTE, FRAME_OK, "asks CP1");
    logged(&r, FRAME_NOTE, FRAME_OK, "from 127.0.0.1");
    logged(&r, FRAME_NOTE, FRAME_OK, "open ocpp1.6");
    int64_t call = logged(&r, FRAME_IN, FRAME_OK, "[2,\"a\",\"Heartbeat\"");
    assert_true(logged(&r, FRAME_OUT, FRAME_OK, "[3,\"a\"") > call);
    logged(&r, FRAME_IN, FRAME_REFUSED, "[2,\"b\",\"StatusNotification\"");
    logged(&r, FRAME_OUT, FRAME_OK, "[4,\"b\"");
    logged(&r, FRAME_IN, FRAME_REFUSED, "{nonsense");
    logged(&r, FRAME_OUT, FRAME_OK, "[4,");
    logged(&r, FRAME_NOTE, FRAME_OK, "closed ");
}

static void refused_frames_test(void **state)
{
    struct framelog_reader r;
    (void)state;
    dial("/ocpp/CP1", "ocpp1.6", "hush");
    reply(cmd_expect(CMD_CONN_OPEN)->head.from, CMD_CONN_OPEN, ERR_UNAUTHENTICATED, NULL);
    until(&rig.client_closed);
    framelog_read(rig.frames, &r);
    logged(&r, FRAME_NOTE, FRAME_OK, "asks CP1");
    logged(&r, FRAME_NOTE, FRAME_OK, "secret from 127.0.0.1");
    logged(&r, FRAME_NOTE, FRAME_OK, "refused ");
}

#define FRESH(t)     cmocka_unit_test_setup_teardown(t, setup, teardown)
#define CONNECTED(t) cmocka_unit_test_setup_teardown(t, setup_connected, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(handshake_test),        FRESH(refusals_test),
        FRESH(no_protocol_test),      FRESH(orphan_test),
        CONNECTED(boot_test),         CONNECTED(status_test),
        CONNECTED(transaction_test),  CONNECTED(stop_test),
        CONNECTED(many_samples_test), CONNECTED(data_and_notes_test),
        CONNECTED(bad_input_test),    CONNECTED(order_test),
        CONNECTED(full_core_test),    CONNECTED(full_and_gone_test),
        CONNECTED(typed_calls_test),  CONNECTED(raw_calls_test),
        CONNECTED(long_result_test),  CONNECTED(timeout_test),
        CONNECTED(close_test),        FRESH(early_call_test),
        CONNECTED(frames_test),       FRESH(refused_frames_test),
    };
    return cmocka_run_group_tests_name("ocpp gate", tests, NULL, NULL);
}
