// SPDX-License-Identifier: Apache-2.0
/* ykc_out.c: what the core says → frames: answers to questions, and its calls with their answers
 * and deadlines.
 *
 * A log-in is granted in two steps: CONN_OPEN (may it speak here?), then BOOT (does the operator
 * accept it?); only then 02 goes out with 0. A record is acknowledged with 1, which makes the pile
 * forget it, only when it can never be valid; while the core is merely unable it hears nothing and
 * sends it again. */
#include "gate/ykc/ykc_conn.h"

#include <stdio.h>
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"

const struct wire_msg *ykc_msg(uint8_t type)
{
    const struct wire_msg *m = wire_msg_by_code(&ykc_proto, type);

    must(m != NULL); /* only types that the table has are asked for */
    return m;
}

/* ---- log-in ---- */

static void login_answer(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_pile *p,
                         int64_t result)
{
    struct ykc_LoginReply out = {.result = result};

    memcpy(out.pile, p->number, sizeof(out.pile));
    ykc_send(g, c, ykc_msg(0x02), &out, p->login_seq);
}

static void login_refuse(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p, int err)
{
    log_line(LOG_NOTE, "ykc", g->cause, "pile %s refused: %s", p->number, err_name(err));
    login_answer(g, c, p, 1);
    ykc_pile_drop(g, c, p, WS_POLICY);
}

static void opened(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p,
                   const struct out *out)
{
    struct cmd_boot *b;

    if (out->err != 0) {
        login_refuse(g, c, p, out->err);
        return;
    }
    p->charger = out->u.conn.charger;
    p->zone_offset_s = out->u.conn.zone_offset_s;
    p->told_ms = g->cfg.now_ms();
    p->state = YKC_BOOTING;
    b = &ykc_cmd(g, c, CMD_BOOT, CMD_SIZE(boot))->u.boot;
    b->charger = p->charger;
    str_copy(b->model, sizeof(b->model), p->kind == 0 ? STR_LIT("DC") : STR_LIT("AC"));
    str_copy(b->firmware, sizeof(b->firmware), str_from_c(p->program));
    b->guns = p->guns;
    if (ykc_ask(g, c, p, 0x02, p->login_seq) == NULL)
        ykc_pile_drop(g, c, p, WS_INTERNAL);
}

static void booted(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p,
                   const struct out *out)
{
    if (out->err != 0 || out->u.boot.status != 0) {
        login_refuse(g, c, p, out->err != 0 ? out->err : ERR_DENIED);
        return;
    }
    p->state = YKC_IN;
    login_answer(g, c, p, 0);
    ykc_time_send(g, c, p);
}

void ykc_time_send(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p)
{
    struct ykc_Time out = {0};
    int64_t now_ms = g->cfg.now_ms();

    memcpy(out.pile, p->number, sizeof(out.pile));
    out.time = now_ms + (int64_t)p->zone_offset_s * 1000;
    p->sync_ms = now_ms + YKC_SYNC_MS;
    ykc_send(g, c, ykc_msg(0x56), &out, NULL);
}

/* ---- the outcome of a call ---- */

static void result_send(struct ykc_gate *g, struct ykc_conn *c, int64_t charger, int64_t command,
                        int err, const char *status, const char *payload)
{
    struct cmd_call_result *r =
        &ykc_cmd(g, c, CMD_CALL_RESULT, CMD_SIZE(call_result))->u.call_result;
    size_t size;

    r->charger = charger;
    r->command = command;
    r->err = err;
    str_copy(r->status, sizeof(r->status), str_from_c(status));
    r->n = (uint32_t)str_copy(r->payload, sizeof(r->payload), str_from_c(payload));
    size = offsetof(struct cmd, u.call_result.payload) + r->n + 1;
    g->cmd.head.size = (uint32_t)((size + 7) & ~(size_t)7);
    ykc_submit(g);
}

static void call_end(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p,
                     struct ykc_call *call, int err)
{
    int64_t command = call->command;

    *call = (struct ykc_call){0};
    g->stats.timeouts += err == ERR_TIMEOUT;
    result_send(g, c, p->charger, command, err, "", "");
}

bool ykc_call_answer(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p, uint8_t reply,
                     int64_t gun, const char *order, bool accepted, int64_t reason)
{
    char payload[80];
    struct ykc_call call;
    int i = 0;

    while (i < YKC_CALLS_MAX && (p->call[i].command == 0 || p->call[i].reply != reply ||
                                 (gun != 0 && p->call[i].gun != 0 && p->call[i].gun != gun) ||
                                 (order[0] != '\0' && strcmp(p->call[i].order, order) != 0)))
        i++;
    if (i == YKC_CALLS_MAX)
        return false;
    call = p->call[i];
    p->call[i] = (struct ykc_call){0};
    snprintf(payload, sizeof(payload), "{\"reason\":%lld,\"text\":\"%s\"}", (long long)reason,
             reply == 0x33 ? ykc_start_reason(reason) : "");
    result_send(g, c, p->charger, call.command,
                reply == 0x33 && !accepted ? ykc_start_err(reason) : 0,
                accepted ? "Accepted" : "Rejected", payload);
    if (reply == 0x57 && accepted) {
        struct cmd_price_held *held =
            &ykc_cmd(g, c, CMD_PRICE_HELD, CMD_SIZE(price_held))->u.price_held;

        held->charger = p->charger;
        held->tariff = call.tariff;
        ykc_submit(g);
    }
    return true;
}

void ykc_calls_expire(struct ykc_gate *g, struct ykc_conn *c)
{
    int64_t now_ms = g->cfg.now_ms();

    for (struct ykc_pile *p = c->piles; p != NULL; p = p->next)
        for (int i = 0; i < YKC_CALLS_MAX; i++)
            if (p->call[i].command != 0 && p->call[i].due_ms <= now_ms)
                call_end(g, c, p, &p->call[i], ERR_TIMEOUT);
}

/* A free place for a call; the one that is due first gives way. */
static struct ykc_call *call_place(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p)
{
    struct ykc_call *oldest = &p->call[0];

    for (int i = 0; i < YKC_CALLS_MAX; i++) {
        if (p->call[i].command == 0)
            return &p->call[i];
        if (p->call[i].due_ms < oldest->due_ms)
            oldest = &p->call[i];
    }
    call_end(g, c, p, oldest, ERR_TIMEOUT);
    return oldest;
}

static struct ykc_call *call_begin(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p,
                                   const struct out_call *in, uint8_t reply)
{
    struct ykc_call *call = call_place(g, c, p);

    *call = (struct ykc_call){.command = in->command,
                              .due_ms = g->cfg.now_ms() + (int64_t)in->timeout_s * 1000,
                              .reply = reply};
    g->stats.calls++;
    ykc_calls_watch(g, c);
    return call;
}

/* ---- the calls ---- */

struct ykc_out {
    struct ykc_gate *g;
    struct ykc_conn *c;
    struct ykc_pile *p;
    const struct out_call *in;
    char gun[3];
};

static void remote_start(const struct ykc_out *o)
{
    struct ykc_RemoteStart out = {.balance = ykc_fen(o->in->balance)};
    struct ykc_call *call = call_begin(o->g, o->c, o->p, o->in, 0x33);

    call->gun = (uint8_t)o->in->connector;
    str_copy(call->order, sizeof(call->order), str_from_c(o->in->tx_no));
    memcpy(out.order, call->order, sizeof(out.order));
    memcpy(out.pile, o->p->number, sizeof(out.pile));
    memcpy(out.gun, o->gun, sizeof(out.gun));
    memset(out.card, '0', sizeof(out.card) - 1);
    memset(out.physical, '0', sizeof(out.physical) - 1);
    ykc_send(o->g, o->c, ykc_msg(0x34), &out, NULL);
}

static void remote_stop(const struct ykc_out *o)
{
    struct ykc_RemoteStop out = {0};

    call_begin(o->g, o->c, o->p, o->in, 0x35)->gun = (uint8_t)o->in->connector;
    memcpy(out.pile, o->p->number, sizeof(out.pile));
    memcpy(out.gun, o->gun, sizeof(out.gun));
    ykc_send(o->g, o->c, ykc_msg(0x36), &out, NULL);
}

static void read_data(const struct ykc_out *o)
{
    struct ykc_ReadData out = {0};

    call_begin(o->g, o->c, o->p, o->in, 0x13)->gun = (uint8_t)o->in->connector;
    memcpy(out.pile, o->p->number, sizeof(out.pile));
    memcpy(out.gun, o->gun, sizeof(out.gun));
    ykc_send(o->g, o->c, ykc_msg(0x12), &out, NULL);
}

static void balance(const struct ykc_out *o)
{
    struct ykc_Balance out = {.balance = ykc_fen(o->in->balance)};

    call_begin(o->g, o->c, o->p, o->in, 0x41)->gun = (uint8_t)o->in->connector;
    memcpy(out.pile, o->p->number, sizeof(out.pile));
    memcpy(out.gun, o->gun, sizeof(out.gun));
    memset(out.card, '0', sizeof(out.card) - 1); /* whoever is charging there */
    ykc_send(o->g, o->c, ykc_msg(0x42), &out, NULL);
}

static void time_call(const struct ykc_out *o)
{
    call_begin(o->g, o->c, o->p, o->in, 0x55);
    ykc_time_send(o->g, o->c, o->p);
}

static void reboot(const struct ykc_out *o)
{
    struct ykc_Reboot out = {.when = 1};

    call_begin(o->g, o->c, o->p, o->in, 0x91);
    memcpy(out.pile, o->p->number, sizeof(out.pile));
    ykc_send(o->g, o->c, ykc_msg(0x92), &out, NULL);
}

/* The core names no prices in the call: the gate asks for those in force, then sends them. */
static void prices_call(const struct ykc_out *o)
{
    const uint8_t seq[2] = {0, 0};
    struct ykc_wait *w;

    call_begin(o->g, o->c, o->p, o->in, 0x57);
    ykc_cmd(o->g, o->c, CMD_PRICE_MODEL, CMD_SIZE(charger))->u.charger.charger = o->p->charger;
    w = ykc_ask(o->g, o->c, o->p, 0x58, seq);
    if (w != NULL)
        w->command = o->in->command;
}

static void unsupported(const struct ykc_out *o)
{
    result_send(o->g, o->c, o->p->charger, o->in->command, ERR_UNSUPPORTED, "", "");
}

/* Calls by name, from people. They carry no parameters. */
static void raw(const struct ykc_out *o)
{
    static const struct {
        const char *action;
        void (*send)(const struct ykc_out *o);
    } names[] = {{"Reboot", reboot},
                 {"ReadData", read_data},
                 {"Time", time_call},
                 {"SetPrices", prices_call}};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(o->in->action, names[i].action) == 0) {
            names[i].send(o);
            return;
        }
    }
    unsupported(o);
}

void ykc_call_take(struct ykc_gate *g, struct ykc_conn *c, const struct out_call *in)
{
    static void (*const send[])(const struct ykc_out *o) = {
        [CALL_RAW] = raw,
        [CALL_REMOTE_START] = remote_start,
        [CALL_REMOTE_STOP] = remote_stop,
        [CALL_TRIGGER_METER] = read_data,
        [CALL_BALANCE] = balance,
        [CALL_PRICES] = prices_call,
        [CALL_TIME] = time_call,
    };
    struct ykc_out o = {.g = g, .c = c, .p = ykc_pile_of(c, in->charger), .in = in};
    bool known = in->kind > 0 && (size_t)in->kind < ARRAY_LEN(send) && send[in->kind] != NULL;

    if (o.p == NULL) {
        result_send(g, c, in->charger, in->command, ERR_CLOSED, "", "");
        return;
    }
    snprintf(o.gun, sizeof(o.gun), "%02d", (int)(in->connector > 0 ? in->connector % 100 : 1));
    if (known)
        send[in->kind](&o);
    else
        unsupported(&o);
}

/* ---- answers to questions ---- */

static void held_tell(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_pile *p,
                      int64_t tariff)
{
    struct cmd_price_held *held =
        &ykc_cmd(g, c, CMD_PRICE_HELD, CMD_SIZE(price_held))->u.price_held;

    held->charger = p->charger;
    held->tariff = tariff;
    ykc_submit(g);
}

static void verified(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_wait *w,
                     const struct out *out)
{
    struct ykc_VerifyModelReply reply = {.result = 1};
    char number[5];

    ykc_model_number(out->u.prices.number, number);
    if (out->err == 0 && strcmp(number, w->order) == 0) {
        reply.result = 0;
        held_tell(g, c, w->pile, out->u.prices.tariff);
    }
    memcpy(reply.pile, w->pile->number, sizeof(reply.pile));
    str_copy(reply.model, sizeof(reply.model), str_from_c(w->order));
    ykc_send(g, c, ykc_msg(0x06), &reply, w->seq);
}

/* Without prices there is no answer: the pile asks again, and may not charge until then. */
static void fetched(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_wait *w,
                    const struct out *out)
{
    struct ykc_FetchModelReply reply = {0};

    if (out->err != 0) {
        log_line(LOG_WARN, "ykc", out->cause, "no prices for pile %s: %s", w->pile->number,
                 err_name(out->err));
        return;
    }
    ykc_prices(&out->u.prices, &reply);
    memcpy(reply.pile, w->pile->number, sizeof(reply.pile));
    ykc_send(g, c, ykc_msg(0x0a), &reply, w->seq);
    held_tell(g, c, w->pile, out->u.prices.tariff);
}

static void prices_push(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_wait *w,
                        const struct out *out)
{
    struct ykc_FetchModelReply model = {0};
    struct ykc_SetModel set = {0};
    struct ykc_call *call = NULL;

    for (int i = 0; i < YKC_CALLS_MAX; i++)
        if (w->pile->call[i].command == w->command && w->command != 0)
            call = &w->pile->call[i];
    if (call == NULL)
        return; /* timed out meanwhile */
    if (out->err != 0) {
        call_end(g, c, w->pile, call, out->err);
        return;
    }
    call->tariff = out->u.prices.tariff;
    ykc_prices(&out->u.prices, &model);
    memcpy(set.pile, w->pile->number, sizeof(set.pile));
    memcpy(set.model, model.model, sizeof(set.model));
    memcpy(set.prices, model.prices, sizeof(set.prices));
    memcpy(set.slots, model.slots, sizeof(set.slots));
    ykc_send(g, c, ykc_msg(0x58), &set, NULL);
}

/* Errors that say "never" rather than "not now". */
static bool for_ever(int err)
{
    return err == ERR_SYNTAX || err == ERR_RANGE || err == ERR_NOT_FOUND || err == ERR_CONFLICT ||
           err == ERR_DENIED || err == ERR_UNSUPPORTED || err == ERR_CORRUPT;
}

static void recorded(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_wait *w,
                     const struct out *out)
{
    struct ykc_RecordReply reply = {.result = out->err == 0 ? 0 : 1};

    if (out->err != 0) {
        log_line(LOG_WARN, "ykc", out->cause, "record %s of pile %s: %s", w->order, w->pile->number,
                 err_name(out->err));
        if (!for_ever(out->err))
            return;
    }
    memcpy(reply.order, w->order, sizeof(reply.order));
    ykc_send(g, c, ykc_msg(0x40), &reply, w->seq);
}

void ykc_reply_take(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_wait *w,
                    const struct out *out)
{
    switch (w->type) {
    case 0x01:
        opened(g, c, w->pile, out);
        break;
    case 0x02:
        booted(g, c, w->pile, out);
        break;
    case 0x05:
        verified(g, c, w, out);
        break;
    case 0x09:
        fetched(g, c, w, out);
        break;
    case 0x58:
        prices_push(g, c, w, out);
        break;
    default:
        recorded(g, c, w, out);
        break;
    }
}
