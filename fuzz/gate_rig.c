// SPDX-License-Identifier: Apache-2.0
/* gate_rig.c: see gate_rig.h. Owns the one rig of the program. */
#include "gate_rig.h"

#include <stdlib.h>
#include "base/err.h"

struct rig rig;

/* ---- the core's door ---- */

static void text(const char *p, size_t size)
{
    const char *end = memchr(p, 0, size);
    must(end);
    must(str_utf8_valid(str_from(p, (size_t)(end - p))));
}

#define TEXT(field) text((field), sizeof(field))

static void samples(int32_t n)
{
    must(n >= 0 && n <= CMD_SAMPLES_MAX);
}

static void texts(const struct cmd *c)
{
    switch ((enum cmd_type)c->head.type) {
    case CMD_CONN_OPEN:
        TEXT(c->u.conn_open.path);
        TEXT(c->u.conn_open.secret_hash);
        break;
    case CMD_BOOT:
        TEXT(c->u.boot.vendor);
        TEXT(c->u.boot.model);
        TEXT(c->u.boot.serial);
        TEXT(c->u.boot.firmware);
        break;
    case CMD_STATUS:
        must(c->u.status.status >= CS_OFFLINE && c->u.status.status <= CS_FAULTED);
        TEXT(c->u.status.error);
        TEXT(c->u.status.info);
        break;
    case CMD_AUTHORIZE:
        TEXT(c->u.authorize.tag);
        break;
    case CMD_TX_START:
        TEXT(c->u.tx_start.tag);
        break;
    case CMD_METER:
        samples(c->u.meter.n);
        TEXT(c->u.meter.tx_no);
        break;
    case CMD_TX_STOP:
        samples(c->u.tx_stop.n);
        TEXT(c->u.tx_stop.tag);
        TEXT(c->u.tx_stop.reason);
        break;
    case CMD_TX_RECORD:
        TEXT(c->u.tx_record.tx_no);
        break;
    case CMD_DATA_TRANSFER:
        TEXT(c->u.data_transfer.vendor);
        TEXT(c->u.data_transfer.data);
        break;
    case CMD_NOTE:
        TEXT(c->u.note.kind);
        TEXT(c->u.note.status);
        break;
    case CMD_CALL_RESULT:
        TEXT(c->u.call_result.status);
        must(c->u.call_result.n <= sizeof c->u.call_result.payload);
        break;
    case CMD_PILE_START:
        TEXT(c->u.pile_start.tag);
        break;
    case CMD_BATTERY:
        TEXT(c->u.battery.tx_no);
        TEXT(c->u.battery.vin);
        TEXT(c->u.battery.detail);
        break;
    case CMD_PARKING:
        break;
    default:
        must(c->head.type == CMD_CONN_CLOSED || c->head.type == CMD_HEARTBEAT ||
             c->head.type == CMD_PRICE_MODEL || c->head.type == CMD_PRICE_HELD);
    }
}

void rig_let_in(int64_t charger)
{
    bool *in = &rig.in[charger - RIG_CHARGER];
    rig.ins += !*in;
    *in = true;
}

/* Once for each that was let in. */
static void let_out(int64_t charger)
{
    must(charger >= RIG_CHARGER && charger < RIG_CHARGER + RIG_CHARGERS);
    must(rig.in[charger - RIG_CHARGER]);
    rig.in[charger - RIG_CHARGER] = false;
    rig.ins--;
}

static int submit(void *ctx, const struct cmd *cmd)
{
    (void)ctx;
    if (rig.full)
        return ERR_FULL;
    must(cmd->head.version == CMD_VERSION && cmd->head.size <= sizeof *cmd);
    must(cmd->head.from.kind == FROM_GATE && cmd->head.actor_kind == ACTOR_CHARGER);
    static struct cmd whole; /* only head.size bytes are lent */
    memset(&whole, 0, sizeof whole);
    memcpy(&whole, cmd, cmd->head.size);
    texts(&whole);
    if (cmd->head.type == CMD_CONN_CLOSED)
        let_out(cmd->u.conn_closed.charger);
    rig.call_result += cmd->head.type == CMD_CALL_RESULT;
    if (cmd->head.from.ref == 0 && cmd->head.type != CMD_CONN_OPEN)
        return 0; /* nobody waits */
    if (rig.cmds == RIG_CMDS)
        return ERR_FULL;
    rig.cmd[rig.cmds++] = whole;
    return 0;
}

static uint64_t cause(void *ctx)
{
    static uint64_t last;
    (void)ctx;
    return ++last;
}

static int64_t now_ms(void)
{
    return INT64_C(1764000000000);
}

/* ---- the caller ---- */

static void on_open(void *ctx, struct net_conn c)
{
    (void)ctx;
    (void)c;
    rig.open = true;
}

static void on_message(void *ctx, struct net_conn c, struct str msg, bool binary)
{
    (void)ctx;
    (void)c;
    must(!binary);
    buf_put_str(&rig.heard, msg);
    buf_put_char(&rig.heard, '\n');
}

static ptrdiff_t on_raw(void *ctx, struct net_conn c, struct str bytes)
{
    (void)ctx;
    (void)c;
    buf_put_str(&rig.heard, bytes);
    return (ptrdiff_t)bytes.n;
}

static void on_close(void *ctx, struct net_conn c, enum net_why why, uint16_t code)
{
    (void)ctx;
    (void)c;
    (void)why;
    (void)code;
    rig.gone = true;
}

struct gate_config rig_start(void)
{
    static const uint8_t key[CRYPTO_KEY_SIZE] = {1, 2, 3};
    const struct net_config nc = {.node = 1, .reactor = 1, .max_conns = 64};
    must(net_new(&nc, &rig.net) == 0);
    buf_init(&rig.heard, 1 << 24);
    return (struct gate_config){.net = rig.net,
                                .submit = submit,
                                .ctx = &rig,
                                .key = key,
                                .now_ms = now_ms,
                                .heartbeat_s = 60,
                                .max_conns = 32,
                                .cause = cause};
}

void rig_turns(int n)
{
    while (n-- > 0)
        net_turn(rig.net, 0);
}

void rig_call_in(enum net_kind kind, const char *path)
{
    static const struct net_handler handler = {
        .on_open = on_open, .on_message = on_message, .on_raw = on_raw, .on_close = on_close};
    const struct net_dial d = {.host = "127.0.0.1",
                               .port = rig.port,
                               .kind = kind,
                               .handler = &handler,
                               .ctx = &rig,
                               .path = path,
                               .protocols = path ? "ocpp1.6" : NULL};
    rig.open = rig.gone = rig.full = false;
    rig.cmds = rig.ins = rig.called = rig.call_result = 0;
    memset(rig.in, 0, sizeof rig.in);
    buf_reset(&rig.heard);
    must(net_dial(rig.net, &d, &rig.caller) == 0);
    rig_turns(3);
}

void rig_hang_up(bool (*idle)(void))
{
    rig.full = false;
    net_abort(rig.net, rig.caller);
    for (int i = 0; i < 20000 && !idle(); i++)
        net_turn(rig.net, 1);
    must(idle());
}

/* ---- the core's answers ---- */

bool rig_cmd_take(struct cmd *out)
{
    if (rig.cmds == 0)
        return false;
    *out = rig.cmd[0];
    memmove(rig.cmd, rig.cmd + 1, (size_t)--rig.cmds * sizeof *rig.cmd);
    return true;
}

static int error_take(struct tape *t)
{
    static const int errors[] = {ERR_NOT_FOUND, ERR_DENIED,      ERR_CONFLICT,
                                 ERR_FULL,      ERR_UNSUPPORTED, ERR_UNAUTHENTICATED};
    uint8_t how = tape_byte(t);
    return how < 192 ? 0 : errors[how % ARRAY_LEN(errors)];
}

void rig_reply_make(struct tape *t, const struct cmd *cmd, struct out *o)
{
    memset(o, 0, sizeof *o);
    o->size = sizeof *o;
    o->version = CMD_VERSION;
    o->type = OUT_REPLY;
    o->to = cmd->head.from;
    o->cmd_type = cmd->head.type;
    o->err = error_take(t);
    if (o->err)
        return;
    switch ((enum cmd_type)cmd->head.type) {
    case CMD_CONN_OPEN:
        o->u.conn = (struct reply_conn){
            .charger = RIG_CHARGER, .guns = 1 + tape_byte(t) % 4, .zone_offset_s = 8 * 3600};
        break;
    case CMD_BOOT:
        o->u.boot = (struct reply_boot){tape_byte(t) % 3, tape_byte(t), now_ms()};
        break;
    case CMD_AUTHORIZE:
    case CMD_TX_START:
    case CMD_TX_STOP:
        o->u.tag = (struct reply_tag){.status = tape_byte(t) % 5, .tx = 1 + tape_byte(t)};
        break;
    case CMD_PRICE_MODEL:
        o->u.prices = (struct reply_prices){.tariff = 1 + tape_byte(t), .number = 1 + tape_byte(t)};
        for (int i = 0; i < 48; i++)
            o->u.prices.slot[i] = (uint8_t)(i % 4);
        break;
    default:
        o->u.plain = now_ms();
    }
}

void rig_call_make(struct tape *t, struct origin to, struct out *o)
{
    memset(o, 0, sizeof *o);
    o->size = sizeof *o;
    o->version = CMD_VERSION;
    o->type = OUT_CALL;
    o->to = to;
    struct out_call *c = &o->u.call;
    c->charger = RIG_CHARGER;
    c->command = 1 + rig.called;
    c->kind = 1 + tape_byte(t) % 9;
    c->connector = 1 + tape_byte(t) % 2;
    c->timeout_s = 30;
    c->interval_s = 10;
    c->balance = (int64_t)tape_uint(t, 3);
    c->limit_w = (int64_t)tape_uint(t, 3);
    c->tx = tape_byte(t);
    str_copy(c->tag, sizeof c->tag, STR_LIT("CARD1"));
    str_copy(c->path, sizeof c->path, STR_LIT("55031412782305"));
    str_copy(c->tx_no, sizeof c->tx_no, STR_LIT("55031412782305012611222130550001"));
    if (c->kind == CALL_RAW) {
        str_copy(c->action, sizeof c->action, STR_LIT("Reset"));
        str_copy(c->payload, sizeof c->payload, STR_LIT("{\"type\":\"Soft\"}"));
        c->n = 15;
    }
}
