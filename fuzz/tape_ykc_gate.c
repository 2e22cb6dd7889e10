// SPDX-License-Identifier: Apache-2.0
/* tape_ykc_gate.c: the life of a pile at the 云快充 gate, over the real reactor. A tape is lines:
 *   >TTbody  the pile sends a frame of this type and body (hex), rightly summed
 *   }hex     the pile sends these bytes      <bytes  the core answers its oldest command
 *   !bytes   the core calls the pile         ~       the core has no room, or has again
 *   .        time passes
 * What is sent back is whole frames that decode; every call of the core has one outcome, or the pile
 * is told to have gone; each pile that was let in is told so once. */
#include "tape.h"

#include <stdlib.h>
#include "base/err.h"
#include "gate/ykc/ykc_gate.h"
#include "gate_rig.h"
#include "wire/frame.h"
#include "wire/ykc.h"

enum { TAPE_MAX = 16384 };

static struct {
    struct ykc_gate *gate;
    struct origin conn; /* as the core knows it; kind 0 = not yet */
    uint8_t seq;
    char name[RIG_CHARGERS][16]; /* of the piles that asked */
    int names;
} world;

static void open_once(void)
{
    if (world.gate)
        return;
    const struct gate_config cfg = rig_start();
    must(ykc_gate_new(&cfg, &world.gate) == 0);
    must(ykc_gate_listen(world.gate, &(struct net_listen){0}, &rig.port) == 0);
}

/* As many bytes as stand there in hex. */
static size_t hex_take(struct str hex, uint8_t *out, size_t cap)
{
    size_t n = 0;
    while (n < cap && 2 * n + 2 <= hex.n &&
           str_from_hex(str_from(hex.p + 2 * n, 2), out + n, 1) == 0)
        n++;
    return n;
}

static void send_bytes(struct str bytes)
{
    if (bytes.n > 0 && net_alive(rig.net, rig.caller))
        (void)!net_send(rig.net, rig.caller, bytes);
    rig_turns(3);
}

static void send_frame(struct str hex)
{
    uint8_t bytes[1 + FRAME_BODY_MAX];
    size_t n = hex_take(hex, bytes, sizeof bytes);
    struct buf b;
    if (n == 0)
        return;
    struct frame f = {.seq = {++world.seq, 0},
                      .type = bytes[0],
                      .crc_high_first = bytes[0] & 0x80,
                      .body = str_from((const char *)bytes + 1, n - 1)};
    buf_init(&b, FRAME_MAX);
    must(frame_build(&f, &b) == 0);
    send_bytes(buf_str(&b));
    buf_free(&b);
}

/* Each pile's number has a charger of its own. */
static int64_t charger_of(const char *path)
{
    int n = 0;
    while (n < world.names && strcmp(world.name[n], path) != 0)
        n++;
    must(n < RIG_CHARGERS);
    if (n == world.names) {
        must(str_copy(world.name[n], sizeof world.name[n], str_from_c(path)) == strlen(path));
        world.names++;
    }
    return RIG_CHARGER + n;
}

static bool core_answers(struct tape *t)
{
    static struct cmd cmd; /* large, as is the next */
    static struct out o;
    if (!rig_cmd_take(&cmd))
        return false;
    rig_reply_make(t, &cmd, &o);
    if (cmd.head.type == CMD_CONN_OPEN) {
        world.conn = cmd.head.from;
        o.u.conn.charger = charger_of(cmd.u.conn_open.path);
        if (o.err == 0)
            rig_let_in(o.u.conn.charger);
    }
    (void)ykc_gate_deliver(world.gate, &o);
    rig_turns(2);
    return true;
}

static void core_calls(struct tape *t)
{
    static struct out o;
    if (world.conn.kind == 0)
        return;
    rig_call_make(t, world.conn, &o);
    rig.called += ykc_gate_deliver(world.gate, &o);
    rig_turns(2);
}

static void line_play(struct str line)
{
    uint8_t bytes[512];
    struct tape t = {(const uint8_t *)line.p, (const uint8_t *)line.p + line.n};
    switch (tape_byte(&t)) {
    case '>':
        send_frame(tape_rest(&t));
        break;
    case '}':
        send_bytes(str_from((const char *)bytes, hex_take(tape_rest(&t), bytes, sizeof bytes)));
        break;
    case '<':
        (void)core_answers(&t);
        break;
    case '!':
        core_calls(&t);
        break;
    case '~':
        rig.full = !rig.full;
        break;
    default:
        rig_turns(1);
    }
}

/* All that was heard is frames of ours, whole and known. */
static void heard_check(void)
{
    struct str rest = buf_str(&rig.heard);
    uint64_t garbage = 0;
    struct frame f;
    size_t used;
    while (rest.n > 0 && frame_next(rest, &f, &used, &garbage)) {
        const struct wire_msg *m = wire_msg_by_code(&ykc_proto, f.type);
        must(m && (m->dir & WIRE_DOWN));
        void *body = malloc(m->req->size);
        must(body && wire_bin_decode(m->req, f.body, body, NULL) == 0);
        free(body);
        rest = str_from(rest.p + used, rest.n - used);
    }
    must(rest.n == 0 && garbage == 0);
}

static bool idle(void)
{
    struct gate_stats s;
    ykc_gate_stats(world.gate, &s);
    return s.connections == 0;
}

static void end(void)
{
    struct tape nothing = {0};
    for (int quiet = 0; quiet < 4; quiet++) {
        while (!rig.full && core_answers(&nothing))
            quiet = 0;
        rig_turns(2);
    }
    heard_check();
    rig_hang_up(idle);
    do
        ykc_gate_turn(world.gate);
    while (core_answers(&nothing));
    must(rig.ins == 0 && rig.call_result <= rig.called);
}

int tape_ykc_gate(const uint8_t *p, size_t n)
{
    struct str rest = str_from((const char *)p, n);
    if (n > TAPE_MAX)
        return 0;
    open_once();
    world.conn = (struct origin){0};
    world.seq = 0;
    world.names = 0;
    rig_call_in(NET_RAW_CLIENT, NULL);
    while (rest.n > 0)
        line_play(str_cut(&rest, '\n'));
    end();
    return 0;
}
