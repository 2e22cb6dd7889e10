// SPDX-License-Identifier: Apache-2.0
/* ykc_in.c: what piles say → commands; what needs no decision is answered here (heartbeats).
 *
 * Every frame is decoded by its table into one union; the row of the frame says where its pile
 * number stands, so that a frame of a pile that is not logged in on this connection is dropped in
 * one place. Bodies longer than known are read as far as they are known. Frames that the product
 * does not use yet (battery details, cards, locks) are counted and left. */
#include "gate/ykc/ykc_conn.h"

#include <stdio.h>
#include "base/log.h"

union ykc_any {
    struct ykc_Login login;
    struct ykc_Heartbeat heartbeat;
    struct ykc_VerifyModel verify;
    struct ykc_FetchModel fetch;
    struct ykc_RealtimeData data;
    struct ykc_StartRequest start;
    struct ykc_RemoteStartReply started;
    struct ykc_RemoteStopReply stopped;
    struct ykc_Record record;
    struct ykc_Record17 record17;
    struct ykc_BalanceReply balance;
    struct ykc_TimeReply time;
    struct ykc_SetModelReply model;
    struct ykc_RebootReply reboot;
};

/* A frame being handled. */
struct ykc_turn {
    struct ykc_gate *g;
    struct ykc_conn *c;
    struct ykc_pile *p;
    const struct frame *f;
    union ykc_any *u;
};

/* Gun number of a frame, 0 when it makes no sense. */
static int64_t gun_of(const char *text)
{
    int64_t gun;

    if (str_to_i64(str_from_c(text), &gun) != 0 || gun < 1 || gun > YKC_GUNS_MAX)
        return 0;
    return gun;
}

/* ---- 01 log-in ---- */

static void login_take(const struct ykc_turn *t)
{
    const struct ykc_Login *in = &t->u->login;
    struct ykc_gate *g = t->g;
    struct ykc_pile *p = t->p != NULL ? t->p : ykc_pile_add(g, t->c, in->pile);
    struct cmd *cmd;

    if (p == NULL)
        return; /* a limit: the pile will try again */
    memcpy(p->login_seq, t->f->seq, 2);
    p->guns = (uint8_t)in->guns;
    p->kind = (uint8_t)in->kind;
    memcpy(p->program, in->program, sizeof(p->program));
    if (t->p != NULL && p->state != YKC_IN)
        return; /* repeated while the first is being decided */
    p->state = YKC_ASKED;
    memset(p->status, 0, sizeof(p->status));
    cmd = ykc_cmd(g, t->c, CMD_CONN_OPEN, CMD_SIZE(conn_open));
    cmd->u.conn_open.protocol = PROTOCOL_YKC;
    str_copy(cmd->u.conn_open.path, sizeof(cmd->u.conn_open.path), str_from_c(p->number));
    net_peer(g->cfg.net, t->c->net, cmd->u.conn_open.address);
    if (ykc_ask(g, t->c, p, 0x01, p->login_seq) == NULL)
        ykc_pile_drop(g, t->c, p, WS_INTERNAL);
}

/* ---- 03 heartbeat ---- */

/* The core learns now and then that an idle pile lives; it needs that to tell a second log-in from
 * a first. */
static void told(const struct ykc_turn *t, int64_t now_ms)
{
    if (now_ms - t->p->told_ms < YKC_TOLD_MS)
        return;
    t->p->told_ms = now_ms;
    ykc_cmd(t->g, t->c, CMD_HEARTBEAT, CMD_SIZE(charger))->u.charger.charger = t->p->charger;
    ykc_submit(t->g);
}

static void status_tell(const struct ykc_turn *t, int64_t gun, enum connector_status status,
                        const char *error)
{
    struct cmd_status *s;

    if (t->p->status[gun - 1] == status)
        return;
    t->p->status[gun - 1] = (uint8_t)status;
    s = &ykc_cmd(t->g, t->c, CMD_STATUS, CMD_SIZE(status))->u.status;
    s->charger = t->p->charger;
    s->connector = (int32_t)gun;
    s->status = (int32_t)status;
    str_copy(s->error, sizeof(s->error), str_from_c(error));
    ykc_submit(t->g);
}

static void heartbeat_take(const struct ykc_turn *t)
{
    const struct ykc_Heartbeat *in = &t->u->heartbeat;
    struct ykc_HeartbeatReply out = {.result = 0};
    int64_t now_ms = t->g->cfg.now_ms(), gun = gun_of(in->gun);

    memcpy(out.pile, in->pile, sizeof(out.pile));
    memcpy(out.gun, in->gun, sizeof(out.gun));
    ykc_send(t->g, t->c, ykc_msg(0x04), &out, t->f->seq);
    told(t, now_ms);
    if (in->state == 1 && gun != 0)
        status_tell(t, gun, CS_FAULTED, "OtherError");
    if (now_ms >= t->p->sync_ms)
        ykc_time_send(t->g, t->c, t->p);
}

/* ---- 05, 09 price model ---- */

static void prices_ask(const struct ykc_turn *t, const char *held)
{
    struct ykc_wait *w;

    ykc_cmd(t->g, t->c, CMD_PRICE_MODEL, CMD_SIZE(charger))->u.charger.charger = t->p->charger;
    w = ykc_ask(t->g, t->c, t->p, t->f->type, t->f->seq);
    if (w != NULL)
        str_copy(w->order, sizeof(w->order), str_from_c(held));
}

static void verify_take(const struct ykc_turn *t)
{
    prices_ask(t, t->u->verify.model);
}

static void fetch_take(const struct ykc_turn *t)
{
    prices_ask(t, "");
}

/* ---- 13 real-time data ---- */

static bool order_none(const char *order)
{
    return order[strspn(order, "0")] == '\0';
}

static void data_take(const struct ykc_turn *t)
{
    const struct ykc_RealtimeData *in = &t->u->data;
    int64_t gun = gun_of(in->gun);
    struct cmd_meter *m;
    bool asked;

    if (gun == 0) {
        t->g->stats.lenient++;
        return;
    }
    asked = ykc_call_answer(t->g, t->c, t->p, 0x13, gun, "", true, 0);
    status_tell(t, gun, ykc_status(in, (enum connector_status)t->p->status[gun - 1]),
                ykc_fault(in->faults));
    t->p->told_ms = t->g->cfg.now_ms();
    if (in->state != 3 || order_none(in->order))
        return;
    m = &ykc_cmd(t->g, t->c, CMD_METER,
                 offsetof(struct cmd, u.meter.samples) + sizeof(struct core_sample))
             ->u.meter;
    m->charger = t->p->charger;
    m->connector = (int32_t)gun;
    m->n = 1;
    str_copy(m->tx_no, sizeof(m->tx_no), str_from_c(in->order));
    ykc_sample(in, &m->samples[0]);
    if (asked)
        m->samples[0].flags |= SAMPLE_TRIGGER;
    ykc_submit(t->g);
}

/* ---- 31 card or VIN at the pile ---- */

/* Cards and VINs are not served over this protocol yet: a clear no, so that the screen of the pile
 * says it. */
static void start_take(const struct ykc_turn *t)
{
    const struct ykc_StartRequest *in = &t->u->start;
    struct ykc_StartDecision out = {.result = 0, .reason = 0x0b};

    memset(out.order, '0', sizeof(out.order) - 1);
    memcpy(out.pile, in->pile, sizeof(out.pile));
    memcpy(out.gun, in->gun, sizeof(out.gun));
    memset(out.card, '0', sizeof(out.card) - 1);
    ykc_send(t->g, t->c, ykc_msg(0x32), &out, t->f->seq);
}

/* ---- 33, 35, 41, 55, 57, 91 answers to calls ---- */

/* A start that was refused, for want of a plug above all, may be taken up by the pile within a
 * minute when somebody plugs in. Its order is over and its money released by then: it must not run.
 */
static void refused_start_begins(const struct ykc_turn *t)
{
    struct ykc_RemoteStop stop = {0};

    log_line(LOG_WARN, "ykc", t->g->cause, "pile %s began a start that it had refused: stopped",
             t->p->number);
    memcpy(stop.pile, t->u->started.pile, sizeof(stop.pile));
    memcpy(stop.gun, t->u->started.gun, sizeof(stop.gun));
    ykc_send(t->g, t->c, ykc_msg(0x36), &stop, NULL);
    t->p->refused_order[0] = '\0';
}

static void started_take(const struct ykc_turn *t)
{
    const struct ykc_RemoteStartReply *in = &t->u->started;
    bool ok = in->result == 1;
    bool waited =
        ykc_call_answer(t->g, t->c, t->p, 0x33, gun_of(in->gun), in->order, ok, in->reason);

    if (waited && !ok)
        memcpy(t->p->refused_order, in->order, sizeof(t->p->refused_order));
    else if (!waited && ok && strcmp(in->order, t->p->refused_order) == 0)
        refused_start_begins(t);
}

static void stopped_take(const struct ykc_turn *t)
{
    const struct ykc_RemoteStopReply *in = &t->u->stopped;

    (void)ykc_call_answer(t->g, t->c, t->p, 0x35, gun_of(in->gun), "", in->result == 1, in->reason);
}

static void balance_take(const struct ykc_turn *t)
{
    const struct ykc_BalanceReply *in = &t->u->balance;

    (void)ykc_call_answer(t->g, t->c, t->p, 0x41, 0, "", in->result == 0, in->result);
}

static void time_take(const struct ykc_turn *t)
{
    (void)ykc_call_answer(t->g, t->c, t->p, 0x55, 0, "", true, 0);
}

static void model_take(const struct ykc_turn *t)
{
    (void)ykc_call_answer(t->g, t->c, t->p, 0x57, 0, "", t->u->model.result == 1, 0);
}

static void reboot_take(const struct ykc_turn *t)
{
    (void)ykc_call_answer(t->g, t->c, t->p, 0x91, 0, "", t->u->reboot.result == 1, 0);
}

/* ---- 3B, 3D transaction record ---- */

static void record_tell(const struct ykc_turn *t, const struct ykc_Record *r)
{
    struct cmd *cmd = ykc_cmd(t->g, t->c, CMD_TX_RECORD, CMD_SIZE(tx_record));
    struct ykc_wait *w;

    cmd->u.tx_record.charger = t->p->charger;
    ykc_record(r, t->p->zone_offset_s, &cmd->u.tx_record);
    w = ykc_ask(t->g, t->c, t->p, t->f->type, t->f->seq);
    if (w != NULL) /* else it is sent again */
        memcpy(w->order, r->order, sizeof(w->order));
}

static void record_take(const struct ykc_turn *t)
{
    record_tell(t, &t->u->record);
}

static void record17_take(const struct ykc_turn *t)
{
    struct ykc_Record r;

    ykc_record17(&t->u->record17, &r);
    record_tell(t, &r);
}

/* ---- the frame ---- */

struct ykc_row {
    uint8_t type;
    uint16_t pile_at; /* of the pile number in the struct */
    void (*take)(const struct ykc_turn *t);
};

static const struct ykc_row rows[] = {
    {0x01, offsetof(struct ykc_Login, pile), login_take},
    {0x03, offsetof(struct ykc_Heartbeat, pile), heartbeat_take},
    {0x05, offsetof(struct ykc_VerifyModel, pile), verify_take},
    {0x09, offsetof(struct ykc_FetchModel, pile), fetch_take},
    {0x13, offsetof(struct ykc_RealtimeData, pile), data_take},
    {0x31, offsetof(struct ykc_StartRequest, pile), start_take},
    {0x33, offsetof(struct ykc_RemoteStartReply, pile), started_take},
    {0x35, offsetof(struct ykc_RemoteStopReply, pile), stopped_take},
    {0x3b, offsetof(struct ykc_Record, pile), record_take},
    {0x3d, offsetof(struct ykc_Record17, pile), record17_take},
    {0x41, offsetof(struct ykc_BalanceReply, pile), balance_take},
    {0x55, offsetof(struct ykc_TimeReply, pile), time_take},
    {0x57, offsetof(struct ykc_SetModelReply, pile), model_take},
    {0x91, offsetof(struct ykc_RebootReply, pile), reboot_take},
};

static const struct ykc_row *row_of(uint8_t type)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].type == type)
            return &rows[i];
    return NULL;
}

static void enc_refused(struct ykc_gate *g, struct ykc_conn *c, uint8_t enc)
{
    char peer[46];

    g->stats.bad_frames++;
    if (c->enc_told)
        return;
    c->enc_told = true;
    net_peer(g->cfg.net, c->net, peer);
    log_line(LOG_WARN, "ykc", g->cause, "encrypted frames (kind %u) from %s are not supported", enc,
             peer);
}

void ykc_frame_take(struct ykc_gate *g, struct ykc_conn *c, const struct frame *f)
{
    const struct ykc_row *row = row_of(f->type);
    union ykc_any any;
    struct ykc_turn t = {.g = g, .c = c, .f = f, .u = &any};
    size_t tail = 0;

    if (f->enc != 0) {
        enc_refused(g, c, f->enc);
        return;
    }
    c->crc_high_first = f->crc_high_first;
    if (row == NULL) {
        g->stats.lenient++;
        return;
    }
    if (wire_bin_decode(ykc_msg(f->type)->req, f->body, &any, &tail) != 0) {
        g->stats.bad_frames++;
        return;
    }
    g->stats.lenient += tail != 0;
    t.p = ykc_pile_find(c, (const char *)&any + row->pile_at);
    if (f->type != 0x01 && (t.p == NULL || t.p->state != YKC_IN)) {
        g->stats.lenient++; /* not logged in here, or not yet */
        return;
    }
    row->take(&t);
}
