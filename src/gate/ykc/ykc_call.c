// SPDX-License-Identifier: Apache-2.0
/* ykc_call.c: the calls of the core to a pile: the frame that goes out, the frame that answers it,
 * the deadline, and the outcome for the core. Calls of people come by name with parameters, which
 * the table pilecall.msg judges; their answer is the pile's frame, decoded.
 *
 * Invariants: 1. each call ends once, with one CMD_CALL_RESULT, unless the pile's CMD_CONN_CLOSED
 * says it all; 2. a start that was refused is remembered for a minute: should the pile take it up
 * when somebody plugs in, it is stopped. */
#include "gate/ykc/ykc_conn.h"

#include <stdio.h>
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "wire/pilecall.h"

/* ---- the outcome ---- */

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

static void call_free(struct ykc_gate *g, struct ykc_pile *p, struct ykc_call *call)
{
    struct ykc_call **at = &p->calls;

    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    p->calls_n--;
    slab_put(&g->calls, call->self);
}

static void call_end(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p,
                     struct ykc_call *call, int err)
{
    int64_t command = call->command;

    call_free(g, p, call);
    if (command <= 0)
        return; /* only the memory of a refused start, or our own */
    g->stats.timeouts += err == ERR_TIMEOUT;
    result_send(g, c, p->charger, command, err, "", "");
}

static bool answers(const struct ykc_call *call, const struct ykc_answer *a)
{
    return call->command != 0 && call->reply == a->reply &&
           (a->gun == 0 || call->gun == 0 || call->gun == a->gun) &&
           (a->order == NULL || a->order[0] == '\0' || strcmp(call->order, a->order) == 0);
}

bool ykc_call_answer(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p,
                     const struct ykc_answer *a)
{
    char reason[80];
    struct ykc_call *call = p->calls, was;
    bool start = a->reply == 0x33 || a->reply == 0xa3 || a->reply == 0xe1;

    while (call != NULL && !answers(call, a))
        call = call->next;
    if (call == NULL)
        return false;
    was = *call;
    if (start && !a->accepted) {
        call->command = 0;
        call->refused = true;
        call->due_ms = g->cfg.now_ms() + YKC_LATE_START_MS;
    } else {
        call_free(g, p, call);
    }
    if (a->reply == 0x57 && a->accepted)
        ykc_prices_held(g, c, p,
                        &(struct reply_prices){
                            .tariff = was.tariff, .number = was.number, .until_ms = was.until_ms});
    if (was.command == YKC_OWN)
        return true;
    snprintf(reason, sizeof(reason), "{\"reason\":%lld,\"text\":\"%s\"}", (long long)a->reason,
             start ? ykc_start_reason(a->reason) : "");
    result_send(g, c, p->charger, was.command, start && !a->accepted ? ykc_start_err(a->reason) : 0,
                a->accepted ? "Accepted" : "Rejected", a->payload != NULL ? a->payload : reason);
    return true;
}

bool ykc_start_refused(struct ykc_gate *g, struct ykc_pile *p, const char *order)
{
    struct ykc_call *call = p->calls;

    while (call != NULL && !(call->refused && strcmp(call->order, order) == 0))
        call = call->next;
    if (call == NULL)
        return false;
    call_free(g, p, call);
    return true;
}

void ykc_calls_expire(struct ykc_gate *g, struct ykc_conn *c)
{
    int64_t now_ms = g->cfg.now_ms();

    for (struct ykc_pile *p = c->piles; p != NULL; p = p->next)
        for (struct ykc_call *call = p->calls, *next; call != NULL; call = next) {
            next = call->next;
            if (call->due_ms <= now_ms)
                call_end(g, c, p, call, ERR_TIMEOUT);
        }
}

void ykc_calls_drop(struct ykc_gate *g, struct ykc_pile *p)
{
    while (p->calls != NULL)
        call_free(g, p, p->calls);
}

/* ---- making one ---- */

/* What the functions that send are given. */
struct ykc_out {
    struct ykc_gate *g;
    struct ykc_conn *c;
    struct ykc_pile *p;
    const struct out_call *in;
    const void *params; /* of a call by name: struct pilecall_<name>_req */
    char gun[3];
};

/* There is always a place: the one that is due first gives way. */
static struct ykc_call *call_place(const struct ykc_out *o)
{
    struct ykc_call *oldest = o->p->calls, *call;
    struct slab_ref ref;

    for (call = o->p->calls; call != NULL; call = call->next)
        if (call->due_ms < oldest->due_ms)
            oldest = call;
    if (oldest != NULL && o->p->calls_n >= YKC_CALLS_MAX)
        call_end(o->g, o->c, o->p, oldest, ERR_TIMEOUT);
    call = slab_get(&o->g->calls, &ref);
    if (call == NULL)
        return NULL;
    call->self = ref;
    call->next = o->p->calls;
    o->p->calls = call;
    o->p->calls_n++;
    return call;
}

/* NULL: no memory, and the core knows. */
static struct ykc_call *call_begin(const struct ykc_out *o, uint8_t reply)
{
    struct ykc_call *call = call_place(o);

    if (call == NULL) {
        result_send(o->g, o->c, o->p->charger, o->in->command, ERR_FULL, "", "");
        return NULL;
    }
    call->command = o->in->command;
    call->due_ms = o->g->cfg.now_ms() + (int64_t)o->in->timeout_s * 1000;
    call->reply = reply;
    o->g->stats.calls++;
    ykc_calls_watch(o->g, o->c);
    return call;
}

static struct ykc_call *gun_call(const struct ykc_out *o, uint8_t reply)
{
    struct ykc_call *call = call_begin(o, reply);

    if (call != NULL)
        call->gun = (uint8_t)o->in->connector;
    return call;
}

/* ---- starts and stops ---- */

void ykc_start_send(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_pile *p,
                    const struct ykc_start *s)
{
    struct ykc_RemoteStart out = {.balance = ykc_fen(s->balance)};
    struct ykc_RemoteStartRelay relay = {0};

    str_copy(out.order, sizeof(out.order), str_from_c(s->order));
    memcpy(out.pile, p->number, sizeof(out.pile));
    memcpy(out.gun, s->gun, sizeof(out.gun));
    memset(out.card, '0', sizeof(out.card) - 1);
    memset(out.physical, '0', sizeof(out.physical) - 1);
    if (s->card[0] != '\0')
        str_copy(out.physical, sizeof(out.physical), str_from_c(s->card));
    if (!(ykc_profile(p->profile)->ways & YKC_START_RELAY)) {
        ykc_send(g, c, ykc_msg(0x34), &out, NULL);
        return;
    }
    memcpy(relay.order, out.order, sizeof(relay.order));
    memcpy(relay.pile, out.pile, sizeof(relay.pile));
    memcpy(relay.gun, out.gun, sizeof(relay.gun));
    memcpy(relay.card, out.card, sizeof(relay.card));
    memcpy(relay.physical, out.physical, sizeof(relay.physical));
    relay.balance = out.balance;
    ykc_send_as(g, c, 0x34, &ykc_RemoteStartRelay_type, &relay, NULL);
}

/* ---- discharge: the same calls in the other direction ---- */

static void discharge_start(const struct ykc_out *o)
{
    struct ykc_Discharge out = {.strategy = 4, .parameter = o->in->to_soc};
    struct ykc_call *call = gun_call(o, 0xe1);

    if (call == NULL)
        return;
    str_copy(call->order, sizeof(call->order), str_from_c(o->in->tx_no));
    memcpy(out.order, call->order, sizeof(out.order));
    memcpy(out.pile, o->p->number, sizeof(out.pile));
    memcpy(out.gun, o->gun, sizeof(out.gun));
    memset(out.password, '0', sizeof(out.password) - 1);
    ykc_send(o->g, o->c, ykc_msg(0xe2), &out, NULL);
}

static void discharge_stop(const struct ykc_out *o)
{
    struct ykc_DischargeStop out = {0};

    if (gun_call(o, 0xe3) == NULL)
        return;
    memcpy(out.pile, o->p->number, sizeof(out.pile));
    memcpy(out.gun, o->gun, sizeof(out.gun));
    ykc_send(o->g, o->c, ykc_msg(0xe4), &out, NULL);
}

/* ---- charge ---- */

/* One gun of two. Which one is the main gun the pile knows by the order in which they come. */
static void parallel_start(const struct ykc_out *o)
{
    struct ykc_ParallelStart out = {.balance = ykc_fen(o->in->balance)};
    struct ykc_call *call = gun_call(o, 0xa3);

    if (call == NULL)
        return;
    str_copy(call->order, sizeof(call->order), str_from_c(o->in->tx_no));
    memcpy(out.order, call->order, sizeof(out.order));
    memcpy(out.pile, o->p->number, sizeof(out.pile));
    memcpy(out.gun, o->gun, sizeof(out.gun));
    memset(out.card, '0', sizeof(out.card) - 1);
    memset(out.physical, '0', sizeof(out.physical) - 1);
    str_copy(out.parallel, sizeof(out.parallel), str_from_c(o->in->parallel));
    ykc_send(o->g, o->c, ykc_msg(0xa4), &out, NULL);
}

static void remote_start(const struct ykc_out *o)
{
    struct ykc_call *call;

    if (o->in->direction < 0) {
        discharge_start(o);
        return;
    }
    if (o->in->parallel[0] != '\0') {
        parallel_start(o);
        return;
    }
    call = gun_call(o, 0x33);
    if (call == NULL)
        return;
    str_copy(call->order, sizeof(call->order), str_from_c(o->in->tx_no));
    ykc_start_send(
        o->g, o->c, o->p,
        &(struct ykc_start){
            .order = o->in->tx_no, .gun = o->gun, .card = "", .balance = o->in->balance});
}

void ykc_stop_send(struct ykc_gate *g, struct ykc_conn *c, const char *pile, const char *gun)
{
    struct ykc_RemoteStop out = {0};

    str_copy(out.pile, sizeof(out.pile), str_from_c(pile));
    str_copy(out.gun, sizeof(out.gun), str_from_c(gun));
    ykc_send(g, c, ykc_msg(0x36), &out, NULL);
}

static void remote_stop(const struct ykc_out *o)
{
    if (o->in->direction < 0)
        discharge_stop(o);
    else if (gun_call(o, 0x35) != NULL)
        ykc_stop_send(o->g, o->c, o->p->number, o->gun);
}

/* ---- readings, balance, time, prices ---- */

static void read_data(const struct ykc_out *o)
{
    struct ykc_ReadData out = {0};

    if (gun_call(o, 0x13) == NULL)
        return;
    memcpy(out.pile, o->p->number, sizeof(out.pile));
    memcpy(out.gun, o->gun, sizeof(out.gun));
    ykc_send(o->g, o->c, ykc_msg(0x12), &out, NULL);
}

static void balance(const struct ykc_out *o)
{
    struct ykc_Balance out = {.balance = ykc_fen(o->in->balance)};

    if (gun_call(o, 0x41) == NULL)
        return;
    memcpy(out.pile, o->p->number, sizeof(out.pile));
    memcpy(out.gun, o->gun, sizeof(out.gun));
    memset(out.card, '0', sizeof(out.card) - 1); /* whoever is charging there */
    ykc_send(o->g, o->c, ykc_msg(0x42), &out, NULL);
}

static void time_call(const struct ykc_out *o)
{
    if (call_begin(o, 0x55) != NULL)
        ykc_time_send(o->g, o->c, o->p);
}

/* ---- prices: the gate keeps them as the core wants them ---- */

void ykc_prices_held(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p,
                     const struct reply_prices *r)
{
    struct cmd_price_held *held =
        &ykc_cmd(g, c, CMD_PRICE_HELD, CMD_SIZE(price_held))->u.price_held;
    int64_t in_s = (r->until_ms - g->cfg.now_ms()) / 1000;

    p->price_no = (uint16_t)r->number;
    p->price_s = ykc_s(g) + (uint32_t)(in_s < 0 ? 0 : in_s > YKC_PRICE_S ? YKC_PRICE_S : in_s);
    held->charger = p->charger;
    held->tariff = r->tariff;
    ykc_submit(g);
}

static struct ykc_wait *prices_ask(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p,
                                   int64_t command)
{
    const uint8_t seq[2] = {0, 0};
    struct ykc_wait *w;

    ykc_cmd(g, c, CMD_PRICE_MODEL, CMD_SIZE(charger))->u.charger.charger = p->charger;
    w = ykc_ask(g, c, p, 0x58, seq);
    if (w != NULL)
        w->command = command;
    return w;
}

void ykc_prices_look(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p)
{
    if (p->price_no == 0 || ykc_s(g) < p->price_s)
        return; /* it asks by itself until it has some */
    p->price_s = ykc_s(g) + YKC_PRICE_RETRY_S;
    (void)prices_ask(g, c, p, YKC_OWN);
}

static void prices_call(const struct ykc_out *o)
{
    if (call_begin(o, 0x57) != NULL)
        (void)prices_ask(o->g, o->c, o->p, o->in->command);
}

static bool charges(const struct ykc_pile *p)
{
    for (int64_t gun = 1; gun <= YKC_GUNS_MAX; gun++)
        if (ykc_told(p, gun) == CS_CHARGING)
            return true;
    return false;
}

/* A call of our own for prices that the pile should hold and does not. NULL: it charges now, or
 * holds them. */
static struct ykc_call *own_push(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_wait *w,
                                 const struct reply_prices *r)
{
    struct out_call in = {.command = YKC_OWN, .timeout_s = YKC_LOGIN_MS / 1000};
    struct ykc_out o = {.g = g, .c = c, .p = w->pile, .in = &in};

    if (r->number == w->pile->price_no)
        ykc_prices_held(g, c, w->pile, r);
    else if (!charges(w->pile))
        return call_begin(&o, 0x57);
    return NULL;
}

void ykc_prices_push(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_wait *w,
                     const struct out *out)
{
    struct ykc_FetchModelReply model = {0};
    struct ykc_SetModel set = {0};
    struct ykc_call *call = w->pile->calls;

    if (w->command == YKC_OWN)
        call = out->err == 0 ? own_push(g, c, w, &out->u.prices) : NULL;
    while (call != NULL && call->command != w->command)
        call = call->next;
    if (call == NULL)
        return; /* timed out meanwhile, or nothing to do */
    if (out->err != 0) {
        call_end(g, c, w->pile, call, out->err);
        return;
    }
    call->tariff = out->u.prices.tariff;
    call->number = out->u.prices.number;
    call->until_ms = out->u.prices.until_ms;
    ykc_prices(&out->u.prices, &model);
    memcpy(set.pile, w->pile->number, sizeof(set.pile));
    memcpy(set.model, model.model, sizeof(set.model));
    memcpy(set.prices, model.prices, sizeof(set.prices));
    memcpy(set.slots, model.slots, sizeof(set.slots));
    ykc_send(g, c, ykc_msg(0x58), &set, NULL);
}

/* ---- by name, with parameters ---- */

static int64_t when(enum pilecall_PileWhen w)
{
    return w == pilecall_PileWhen_Idle ? 2 : 1;
}

static void reboot(const struct ykc_out *o)
{
    const struct pilecall_Reboot_req *in = o->params;
    struct ykc_Reboot out = {.when = when(in->when)};

    if (call_begin(o, 0x91) == NULL)
        return;
    memcpy(out.pile, o->p->number, sizeof(out.pile));
    ykc_send(o->g, o->c, ykc_msg(0x92), &out, NULL);
}

static void work(const struct ykc_out *o)
{
    const struct pilecall_Work_req *in = o->params;
    struct ykc_Work out = {.locked = in->locked ? 1 : 0, .percent = in->percent};

    if (call_begin(o, 0x51) == NULL)
        return;
    memcpy(out.pile, o->p->number, sizeof(out.pile));
    ykc_send(o->g, o->c, ykc_msg(0x52), &out, NULL);
}

static void unsupported(const struct ykc_out *o)
{
    result_send(o->g, o->c, o->p->charger, o->in->command, ERR_UNSUPPORTED, "", "");
}

static void gun_power(const struct ykc_out *o)
{
    const struct pilecall_GunPower_req *in = o->params;
    struct ykc_WorkGun out = {.power = in->power_w / 100,
                              .priority = in->has.priority ? in->priority : 0,
                              .minutes = in->has.minutes ? in->minutes : 0};

    if (!(ykc_profile(o->p->profile)->ways & YKC_WORK_GUN)) {
        unsupported(o);
        return;
    }
    if (call_begin(o, 0x51) == NULL)
        return;
    memcpy(out.pile, o->p->number, sizeof(out.pile));
    memcpy(out.gun, o->gun, sizeof(out.gun));
    ykc_send_as(o->g, o->c, 0x52, &ykc_WorkGun_type, &out, NULL);
}

static void parking_lock(const struct ykc_out *o)
{
    const struct pilecall_ParkingLock_req *in = o->params;
    struct ykc_LockMove out = {.lock = in->up ? 0x55 : 0xff};

    if (call_begin(o, 0x63) == NULL)
        return;
    out.gun = o->in->connector > 0 ? o->in->connector : 1;
    memcpy(out.pile, o->p->number, sizeof(out.pile));
    ykc_send(o->g, o->c, ykc_msg(0x62), &out, NULL);
}

static void qr_prefix(const struct ykc_out *o)
{
    const struct pilecall_QrPrefix_req *in = o->params;
    struct ykc_QrPrefix out = {.format = in->has.with_gun && in->with_gun ? 1 : 0};
    struct ykc_QrPlain plain = {0};

    if (call_begin(o, 0xf1) == NULL)
        return;
    memcpy(out.pile, o->p->number, sizeof(out.pile));
    out.prefix_n = plain.prefix_n = (uint32_t)in->prefix.n;
    for (size_t i = 0; i < in->prefix.n && i < ARRAY_LEN(out.prefix); i++)
        out.prefix[i] = plain.prefix[i] = (uint8_t)in->prefix.p[i];
    memcpy(plain.pile, o->p->number, sizeof(plain.pile));
    if (ykc_profile(o->p->profile)->ways & YKC_QR_PLAIN)
        ykc_send_as(o->g, o->c, 0xf0, &ykc_QrPlain_type, &plain, NULL);
    else
        ykc_send(o->g, o->c, ykc_msg(0xf0), &out, NULL);
}

/* No frame answers it: 93 tells minutes later what became of it, as a note. */
static void update(const struct ykc_out *o)
{
    const struct pilecall_Update_req *in = o->params;
    struct ykc_Update out = {.model = in->has.ac && in->ac ? 2 : 1,
                             .power = in->has.power_kw ? in->power_kw : 0,
                             .port = in->port,
                             .when = when(in->when),
                             .timeout = in->has.minutes ? in->minutes : 30};

    memcpy(out.pile, o->p->number, sizeof(out.pile));
    str_copy(out.host, sizeof(out.host), in->host);
    str_copy(out.user, sizeof(out.user), in->user);
    str_copy(out.password, sizeof(out.password), in->password);
    str_copy(out.path, sizeof(out.path), in->path);
    ykc_send(o->g, o->c, ykc_msg(0x94), &out, NULL);
    result_send(o->g, o->c, o->p->charger, o->in->command, 0, "Accepted", "{}");
}

static void ask_vin(const struct ykc_out *o)
{
    struct ykc_AskVin out = {0};

    memcpy(out.pile, o->p->number, sizeof(out.pile));
    memcpy(out.gun, o->gun, sizeof(out.gun));
    ykc_send(o->g, o->c, ykc_msg(0x73), &out, NULL);
    result_send(o->g, o->c, o->p->charger, o->in->command, 0, "Accepted", "{}");
}

/* ---- cards that may charge offline ---- */

/* A card's number with zeros in front, in the order of this vendor's wire. False: no such number.
 */
static bool card_wire(const struct ykc_pile *p, struct str text, char out[17])
{
    char padded[17] = "0000000000000000";
    uint8_t bytes[8];

    if (text.n > 16)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        padded[16 - text.n + i] = (char)(c >= 'a' && c <= 'f' ? c - 'a' + 'A' : c);
    }
    if (str_from_hex(str_from(padded, 16), bytes, sizeof(bytes)) != 0)
        return false;
    ykc_card(ykc_profile(p->profile), padded, out);
    return true;
}

static void card_logical(const struct pilecall_PileCard *card, char out[17])
{
    struct str text = card->has.logical ? card->logical : card->physical;

    memset(out, '0', 16);
    out[16] = '\0';
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < '0' || text.p[i] > '9')
            return;
    if (text.n <= 16)
        memcpy(out + 16 - text.n, text.p, text.n);
}

static void card_sync(const struct ykc_out *o)
{
    const struct pilecall_CardSync_req *in = o->params;
    struct ykc_CardSync out = {0};

    memcpy(out.pile, o->p->number, sizeof(out.pile));
    for (uint32_t i = 0; i < in->cards_n; i++) {
        if (!card_wire(o->p, in->cards[i].physical, out.cards[i].physical)) {
            unsupported(o);
            return;
        }
        card_logical(&in->cards[i], out.cards[i].logical);
    }
    out.cards_n = in->cards_n;
    if (call_begin(o, 0x43) != NULL)
        ykc_send(o->g, o->c, ykc_msg(0x44), &out, NULL);
}

/* 46 and 48 have one layout, as have their parameters. */
static void card_list(const struct ykc_out *o, uint8_t frame, uint8_t reply)
{
    const struct pilecall_CardClear_req *in = o->params;
    struct ykc_CardQuery out = {0};

    memcpy(out.pile, o->p->number, sizeof(out.pile));
    for (uint32_t i = 0; i < in->cards_n; i++)
        if (!card_wire(o->p, in->cards[i].physical, out.cards[i].physical)) {
            unsupported(o);
            return;
        }
    out.cards_n = in->cards_n;
    if (call_begin(o, reply) != NULL)
        ykc_send_as(o->g, o->c, frame, &ykc_CardQuery_type, &out, NULL);
}

static void card_clear(const struct ykc_out *o)
{
    card_list(o, 0x46, 0x45);
}

static void card_query(const struct ykc_out *o)
{
    _Static_assert(sizeof(struct pilecall_CardQuery_req) == sizeof(struct pilecall_CardClear_req),
                   "card_list reads both");
    card_list(o, 0x48, 0x47);
}

/* ---- from the core ---- */

static void raw(const struct ykc_out *o)
{
    static const struct {
        const char *action;
        void (*send)(const struct ykc_out *o);
    } names[] = {{"Reboot", reboot},
                 {"ReadData", read_data},
                 {"Time", time_call},
                 {"SetPrices", prices_call},
                 {"Work", work},
                 {"GunPower", gun_power},
                 {"ParkingLock", parking_lock},
                 {"QrPrefix", qr_prefix},
                 {"Update", update},
                 {"AskVin", ask_vin},
                 {"CardSync", card_sync},
                 {"CardClear", card_clear},
                 {"CardQuery", card_query}};
    const struct wire_msg *m = wire_msg_find(&pilecall_proto, str_from_c(o->in->action));
    struct ykc_out with = *o;
    void *params;
    size_t i = 0;

    while (i < ARRAY_LEN(names) && strcmp(o->in->action, names[i].action) != 0)
        i++;
    arena_reset(&o->g->arena);
    params = m != NULL ? arena_alloc(&o->g->arena, m->req->size) : NULL;
    if (i == ARRAY_LEN(names) || params == NULL ||
        wire_json_decode(m->req, str_from(o->in->payload, o->in->n), &o->g->arena, params,
                         WIRE_STRICT, NULL) != 0) {
        unsupported(o);
        return;
    }
    with.params = params;
    names[i].send(&with);
}

void ykc_call_take(struct ykc_gate *g, struct ykc_conn *c, const struct out_call *in)
{
    static void (*const send[])(const struct ykc_out *o) = {
        [CALL_RAW] = raw,
        [CALL_REMOTE_START] = remote_start,
        [CALL_REMOTE_STOP] = remote_stop,
        [CALL_TRIGGER_METER] = read_data,
        [CALL_BALANCE] = balance,
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
