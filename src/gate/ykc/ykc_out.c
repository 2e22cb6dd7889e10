// SPDX-License-Identifier: Apache-2.0
/* ykc_out.c: the core's answers to questions → frames.
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

static void login_answer(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_wait *w,
                         int64_t result)
{
    struct ykc_LoginReply out = {.result = result};

    memcpy(out.pile, w->pile->number, sizeof(out.pile));
    ykc_send(g, c, ykc_msg(0x02), &out, w->seq);
}

static void login_refuse(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_wait *w, int err)
{
    log_line(LOG_NOTE, "ykc", g->cause, "pile %s refused: %s", w->pile->number, err_name(err));
    login_answer(g, c, w, 1);
    ykc_pile_drop(g, c, w->pile, WS_POLICY);
}

static void opened(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_wait *w,
                   const struct out *out)
{
    struct ykc_pile *p = w->pile;
    struct cmd_boot *b;

    if (out->err != 0) {
        login_refuse(g, c, w, out->err);
        return;
    }
    p->charger = out->u.conn.charger;
    p->zone_offset_s = out->u.conn.zone_offset_s;
    p->profile = (uint8_t)out->u.conn.profile;
    p->told_s = p->heard_s = ykc_s(g);
    p->state = YKC_BOOTING;
    b = &ykc_cmd(g, c, CMD_BOOT, CMD_SIZE(boot))->u.boot;
    b->charger = p->charger;
    str_copy(b->model, sizeof(b->model), p->kind == 0 ? STR_LIT("DC") : STR_LIT("AC"));
    str_copy(b->firmware, sizeof(b->firmware), str_from_c(w->u.order));
    b->guns = p->guns;
    if (ykc_ask(g, c, p, 0x02, w->seq) == NULL)
        ykc_pile_drop(g, c, p, WS_INTERNAL);
}

static void booted(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_wait *w,
                   const struct out *out)
{
    if (out->err != 0 || out->u.boot.status != 0) {
        login_refuse(g, c, w, out->err != 0 ? out->err : ERR_DENIED);
        return;
    }
    w->pile->state = YKC_IN;
    login_answer(g, c, w, 0);
    ykc_time_send(g, c, w->pile);
}

void ykc_time_send(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p)
{
    struct ykc_Time out = {0};

    memcpy(out.pile, p->number, sizeof(out.pile));
    out.time = g->cfg.now_ms() + (int64_t)p->zone_offset_s * 1000;
    p->sync_s = ykc_s(g) + YKC_SYNC_S;
    ykc_send(g, c, ykc_msg(0x56), &out, NULL);
}

/* ---- heartbeats ---- */

void ykc_beat_answer(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_pile *p,
                     const char *gun, const uint8_t seq[2])
{
    struct ykc_HeartbeatReply out = {.result = 0};

    memcpy(out.pile, p->number, sizeof(out.pile));
    memcpy(out.gun, gun, sizeof(out.gun));
    ykc_send(g, c, ykc_msg(0x04), &out, seq);
}

/* The reading is durable: so may be told. */
static void read_kept(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_wait *w)
{
    for (uint8_t i = 0; i < w->beats_n; i++) {
        const char gun[3] = {(char)('0' + w->u.beat[i].gun / 10),
                             (char)('0' + w->u.beat[i].gun % 10), '\0'};

        ykc_beat_answer(g, c, w->pile, gun, w->u.beat[i].seq);
    }
}

/* ---- answers to questions ---- */

static void verified(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_wait *w,
                     const struct out *out)
{
    struct ykc_VerifyModelReply reply = {.result = 1};
    char number[5];

    ykc_model_number(out->u.prices.number, number);
    if (out->err == 0 && strcmp(number, w->u.order) == 0) {
        reply.result = 0;
        ykc_prices_held(g, c, w->pile, &out->u.prices);
    }
    memcpy(reply.pile, w->pile->number, sizeof(reply.pile));
    str_copy(reply.model, sizeof(reply.model), str_from_c(w->u.order));
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
    ykc_prices_held(g, c, w->pile, &out->u.prices);
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
        log_line(LOG_WARN, "ykc", out->cause, "record %s of pile %s: %s", w->u.order,
                 w->pile->number, err_name(out->err));
        if (!for_ever(out->err))
            return;
    }
    memcpy(reply.order, w->u.order, sizeof(reply.order));
    /* E8 has the layout of 40. */
    ykc_send_as(g, c, w->type == 0xe9 ? 0xe8 : 0x40, &ykc_RecordReply_type, &reply, w->seq);
}

/* ---- 31, 71 a start at the pile ---- */

/* The display shows a decimal number; a card that has none shows zeros. */
void ykc_logical_card(const char *card, char out[17])
{
    bool decimal = card[0] != '\0' && card[strspn(card, "0123456789")] == '\0';

    memset(out, '0', 16);
    out[16] = '\0';
    if (decimal)
        str_copy(out, 17, str_from_c(card));
}

static void start_decided(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_wait *w,
                          const struct out *out)
{
    const struct reply_pile_start *r = &out->u.pile_start;
    struct ykc_StartDecision reply = {0};
    int64_t reason = out->err != 0 ? REFUSAL_DISABLED : r->reason;

    reply.result = reason == 0;
    reply.reason = reason;
    reply.balance = reason == 0 ? ykc_fen(r->balance) : 0;
    memset(reply.order, '0', sizeof(reply.order) - 1);
    if (reason == 0)
        memcpy(reply.order, r->tx_no, sizeof(reply.order));
    memcpy(reply.pile, w->pile->number, sizeof(reply.pile));
    memcpy(reply.gun, w->u.start.gun, sizeof(reply.gun));
    ykc_logical_card(w->u.start.card, reply.card);
    ykc_send(g, c, ykc_msg(0x32), &reply, w->seq);
}

/* Nobody waits at the pile for this one: the vehicle told its VIN as it was plugged in. */
static void vin_decided(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_wait *w,
                        const struct out *out)
{
    const struct reply_pile_start *r = &out->u.pile_start;

    if (out->err == 0 && r->reason == REFUSAL_NONE)
        ykc_start_send(
            g, c, w->pile,
            &(struct ykc_start){
                .order = r->tx_no, .gun = w->u.start.gun, .card = "", .balance = r->balance});
}

void ykc_reply_take(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_wait *w,
                    const struct out *out)
{
    static const struct {
        uint8_t type;
        void (*take)(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_wait *w,
                     const struct out *out);
    } takes[] = {{0x01, opened},      {0x02, booted},          {0x05, verified},
                 {0x09, fetched},     {0x58, ykc_prices_push}, {0x31, start_decided},
                 {0x71, vin_decided}, {0x3b, recorded},        {0x3d, recorded},
                 {0xe9, recorded},    {0xa1, ykc_pair_decided}};

    if (w->type == 0x13)
        read_kept(g, c, w);
    for (size_t i = 0; i < ARRAY_LEN(takes); i++)
        if (takes[i].type == w->type)
            takes[i].take(g, c, w, out);
}
