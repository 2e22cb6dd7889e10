// SPDX-License-Identifier: Apache-2.0
/* tape_ocpp_gate.c: the life of a charger at the OCPP gate, over the real reactor. A tape is lines:
 *   >text    the charger says this          <bytes   the core answers its oldest command
 *   !bytes   the core calls the charger     ~        the core has no room, or has again
 *   .        time passes
 * Every readable call is answered once, in order; every call of the core has one outcome; a charger
 * that was let in is told once to have gone. */
#include "tape.h"

#include <stdlib.h>
#include "base/err.h"
#include "gate/ocpp/ocpp_frame.h"
#include "gate/ocpp/ocpp_gate.h"
#include "gate_rig.h"

enum { TAPE_MAX = 8192, ANSWERS = 256 };

static struct {
    struct ocpp_gate *gate;
    struct origin conn;                /* as the core knows it; kind 0 = not yet */
    char id[ANSWERS][OCPP_ID_MAX + 1]; /* of the answers that must come, in order */
    int due;
    bool was_full;
} world;

static void open_once(void)
{
    if (world.gate)
        return;
    const struct gate_config cfg = rig_start();
    must(ocpp_gate_new(&cfg, &world.gate) == 0);
    must(ocpp_gate_listen(world.gate, &(struct net_listen){0}, &rig.port) == 0);
}

/* What must be answered, by a reading of our own. */
static void answer_due(struct str msg)
{
    struct arena a;
    struct ocpp_frame f;
    arena_init(&a, 1 << 20);
    bool bad = ocpp_frame_parse(msg, &a, &f) != 0;
    bool call = f.kind == OCPP_CALL || (bad && f.kind == 0);
    if (call && world.due < ANSWERS)
        str_copy(world.id[world.due++], OCPP_ID_MAX + 1, f.id.n ? f.id : STR_LIT("-1"));
    arena_free(&a);
}

static void say(struct str msg)
{
    if (!str_utf8_valid(msg) || world.due == ANSWERS || !net_alive(rig.net, rig.caller))
        return;
    if (net_send(rig.net, rig.caller, msg) == 0)
        answer_due(msg);
    rig_turns(3);
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
        if (o.err == 0)
            rig_let_in(o.u.conn.charger);
    }
    (void)ocpp_gate_deliver(world.gate, &o);
    rig_turns(2);
    return true;
}

static void core_calls(struct tape *t)
{
    static struct out o;
    struct origin to = world.conn;
    if (to.kind == 0 && rig.cmds > 0)
        to = rig.cmd[0].head.from; /* before it was let in */
    rig_call_make(t, to, &o);
    rig.called += ocpp_gate_deliver(world.gate, &o);
    rig_turns(2);
}

static void line_play(struct str line)
{
    struct tape t = {(const uint8_t *)line.p, (const uint8_t *)line.p + line.n};
    switch (tape_byte(&t)) {
    case '>':
        say(tape_rest(&t));
        break;
    case '<':
        (void)core_answers(&t);
        break;
    case '!':
        core_calls(&t);
        break;
    case '~':
        rig.full = !rig.full;
        world.was_full = true;
        break;
    default:
        rig_turns(1);
    }
}

/* The answers among what was heard are the due ones, in their order. */
static int answers_check(void)
{
    struct arena a;
    struct str rest = buf_str(&rig.heard);
    int n = 0;
    arena_init(&a, 1 << 20);
    while (rest.n > 0) {
        struct ocpp_frame f;
        struct str line = str_cut(&rest, '\n');
        must(ocpp_frame_parse(line, &a, &f) == 0);
        if (f.kind != OCPP_CALL) {
            must(n < world.due && str_eq_c(f.id, world.id[n]));
            n++;
        }
        arena_reset(&a);
    }
    arena_free(&a);
    return n;
}

static bool idle(void)
{
    struct gate_stats s;
    ocpp_gate_stats(world.gate, &s);
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
    int heard = answers_check();
    if (rig.open && !rig.gone && !world.was_full)
        must(heard == world.due);
    rig_hang_up(idle);
    do
        ocpp_gate_turn(world.gate);
    while (core_answers(&nothing));
    must(rig.ins == 0 && rig.called == rig.call_result);
}

int tape_ocpp_gate(const uint8_t *p, size_t n)
{
    struct str rest = str_from((const char *)p, n);
    if (n > TAPE_MAX)
        return 0;
    open_once();
    world.conn = (struct origin){0};
    world.due = 0;
    world.was_full = false;
    rig_call_in(NET_WS_CLIENT, "/ocpp/CP1");
    while (rest.n > 0)
        line_play(str_cut(&rest, '\n'));
    end();
    return 0;
}
