// SPDX-License-Identifier: Apache-2.0
/* wheel.c: deadlines of connections, see reactor.h.
 *
 * Data: one hashed wheel of 4,096 slots of 100 ms; each slot chains connections by slot number, so
 * a deadline costs 12 bytes of the record and no allocation.
 *
 * Invariants:
 *  1. A live connection sits in at most one chain, that of its due_tick.
 *  2. due_tick is never later than its nearest deadline: hearing bytes does not touch the wheel;
 *     the visit finds that the deadline moved and puts it further on.
 *  3. A deadline fires in the turn that reaches its tick, at most one tick late.
 *
 * Thread: the reactor's. Failure: none. */
#include "io/net/reactor.h"

#include "base/must.h"

static uint32_t earlier(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* The tick at which the protocol itself wants to act. */
static uint32_t protocol_tick(const struct net *n, const struct conn *c)
{
    const struct endpoint *e = conn_end_of(n, c);

    switch ((enum conn_state)c->state) {
    case CONN_CONNECTING:
    case CONN_HANDSHAKE:
        return c->heard_tick + n->handshake_ticks;
    case CONN_ASKED:
        return c->heard_tick + 3 * n->handshake_ticks;
    case CONN_OPEN:
        if ((c->flags & CONN_PAUSED) != 0)
            return n->tick + e->silence_ticks;
        if (e->kind == NET_RAW_SERVER && (c->flags & CONN_FIRST) == 0)
            return c->heard_tick + e->first_ticks;
        if (e->ping_ticks < e->silence_ticks && (c->flags & CONN_PINGED) == 0)
            return c->heard_tick + e->ping_ticks;
        return c->heard_tick + e->silence_ticks;
    case CONN_CLOSING:
    case CONN_LINGER:
        return c->heard_tick + NET_LINGER_MS / NET_TICK_MS;
    case CONN_DEAD:
        break;
    }
    return UINT32_MAX;
}

static void wheel_insert(struct net *n, struct conn *c, uint32_t tick)
{
    uint32_t *head = &n->wheel[tick % NET_WHEEL_SLOTS];

    c->due_tick = tick;
    c->wheel_prev = 0;
    c->wheel_next = *head;
    if (*head != 0)
        conn_at(n, *head - 1)->wheel_prev = c->slot + 1;
    *head = c->slot + 1;
    c->flags |= CONN_IN_WHEEL;
}

void wheel_remove(struct net *n, struct conn *c)
{
    if ((c->flags & CONN_IN_WHEEL) == 0)
        return;
    if (c->wheel_next != 0)
        conn_at(n, c->wheel_next - 1)->wheel_prev = c->wheel_prev;
    if (c->wheel_prev != 0) {
        conn_at(n, c->wheel_prev - 1)->wheel_next = c->wheel_next;
    } else {
        must(n->wheel[c->due_tick % NET_WHEEL_SLOTS] == c->slot + 1);
        n->wheel[c->due_tick % NET_WHEEL_SLOTS] = c->wheel_next;
    }
    c->flags &= (uint16_t)~CONN_IN_WHEEL;
}

void wheel_set(struct net *n, struct conn *c)
{
    uint32_t tick = protocol_tick(n, c);

    if (c->user_tick != 0 && c->state == CONN_OPEN)
        tick = earlier(tick, c->user_tick);
    if (tick <= n->tick)
        tick = n->tick + 1;
    if ((c->flags & CONN_IN_WHEEL) != 0 && c->due_tick <= tick)
        return; /* the visit comes early enough and will look again */
    wheel_remove(n, c);
    if (tick != UINT32_MAX)
        wheel_insert(n, c, tick);
}

/* A protocol deadline is over. */
static void wheel_expire(struct net *n, struct conn *c)
{
    const struct endpoint *e = conn_end_of(n, c);

    switch ((enum conn_state)c->state) {
    case CONN_CONNECTING:
        conn_kill(n, c, NET_END_CONNECT, 0);
        break;
    case CONN_HANDSHAKE:
        if (e->kind == NET_WS_SERVER)
            ws_conn_refuse(n, c, NET_END_SLOW, 408);
        else
            conn_kill(n, c, NET_END_CONNECT, 0);
        break;
    case CONN_ASKED:
        ws_conn_refuse(n, c, NET_END_LOCAL, 503);
        break;
    case CONN_OPEN:
        if ((c->flags & CONN_PAUSED) != 0)
            break;
        if (e->kind == NET_RAW_SERVER && (c->flags & CONN_FIRST) == 0) {
            conn_kill(n, c, NET_END_SLOW, WS_POLICY);
        } else if (n->tick >= c->heard_tick + e->silence_ticks) {
            conn_kill(n, c, NET_END_SILENT, WS_ABNORMAL);
        } else {
            c->flags |= CONN_PINGED;
            if (ws_conn_send(n, c, WS_PING, STR_NONE) != 0)
                break; /* the peer does not read: already being dropped */
        }
        break;
    case CONN_CLOSING:
    case CONN_LINGER:
        conn_kill(n, c, (enum net_why)c->why, c->code);
        break;
    case CONN_DEAD:
        break;
    }
}

static void wheel_visit(struct net *n, struct conn *c)
{
    bool owner = c->state == CONN_OPEN && c->user_tick != 0 && c->user_tick <= n->tick;

    wheel_remove(n, c);
    if (protocol_tick(n, c) <= n->tick)
        wheel_expire(n, c);
    if (owner && c->state == CONN_OPEN) {
        const struct endpoint *e = conn_end_of(n, c);

        c->user_tick = 0;
        if (e->handler->on_timer != NULL)
            e->handler->on_timer(e->ctx, conn_name(n, c));
    }
    wheel_set(n, c);
}

/* True when the connection in slot - 1 is still chained in this wheel slot. */
static bool wheel_chained(const struct net *n, uint32_t slot_1, uint32_t tick)
{
    const struct conn *c = slot_1 != 0 ? conn_at(n, slot_1 - 1) : NULL;

    return c != NULL && (c->flags & CONN_IN_WHEEL) != 0 &&
           c->due_tick % NET_WHEEL_SLOTS == tick % NET_WHEEL_SLOTS;
}

/* Visits every connection of a slot that is due. A visit may move others of the chain; when the
 * next one left it, the walk starts over. Those that stay behind are due in a later revolution. */
static void wheel_slot(struct net *n, uint32_t tick)
{
    uint32_t at = n->wheel[tick % NET_WHEEL_SLOTS];

    while (at != 0) {
        struct conn *c = conn_at(n, at - 1);
        uint32_t next = c->wheel_next;

        if (c->due_tick <= n->tick)
            wheel_visit(n, c);
        if (next != 0 && !wheel_chained(n, next, tick))
            next = n->wheel[tick % NET_WHEEL_SLOTS];
        at = next;
    }
}

void wheel_advance(struct net *n)
{
    uint32_t from = n->wheel_tick + 1;

    if (n->tick - n->wheel_tick >= NET_WHEEL_SLOTS)
        from = n->tick - NET_WHEEL_SLOTS + 1;
    for (uint32_t t = from; t <= n->tick; t++)
        wheel_slot(n, t);
    n->wheel_tick = n->tick;
}

int32_t wheel_wait_ms(const struct net *n)
{
    for (uint32_t k = 1; k < 64; k++)
        if (n->wheel[(n->tick + k) % NET_WHEEL_SLOTS] != 0)
            return (int32_t)k * NET_TICK_MS;
    return 64 * NET_TICK_MS;
}
