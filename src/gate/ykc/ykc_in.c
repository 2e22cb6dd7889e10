// SPDX-License-Identifier: Apache-2.0
/* ykc_in.c: what piles say → commands; what needs no decision is answered here (heartbeats).
 *
 * Every frame is decoded by its table into one union; the row of the frame says where its pile
 * number stands, so that a frame of a pile that is not logged in on this connection is dropped in
 * one place. Bodies longer than known are read as far as they are known.
 *
 * A heartbeat that follows a reading is answered when the reading is durable: a pile that hears 04
 * knows that what it said before is kept. */
#include "gate/ykc/ykc_conn.h"

#include <stdio.h>
#include "base/log.h"

union ykc_any {
    struct ykc_Login login;
    struct ykc_Heartbeat heartbeat;
    struct ykc_VerifyModel verify;
    struct ykc_FetchModel fetch;
    struct ykc_RealtimeData data;
    struct ykc_Handshake rated;
    struct ykc_Parameters setup;
    struct ykc_EndPhase end;
    struct ykc_BmsError error;
    struct ykc_BmsAbort abort;
    struct ykc_ChargerAbort abort_pile;
    struct ykc_BmsDemand demand;
    struct ykc_BmsInfo info;
    struct ykc_StartRequest start;
    struct ykc_RemoteStartReply started;
    struct ykc_RemoteStopReply stopped;
    struct ykc_Record record;
    struct ykc_Record17 record17;
    struct ykc_BalanceReply balance;
    struct ykc_CardSyncReply cards;
    struct ykc_CardClearReply cleared;
    struct ykc_CardQueryReply known;
    struct ykc_WorkReply work;
    struct ykc_TimeReply time;
    struct ykc_SetModelReply model;
    struct ykc_LockState lock;
    struct ykc_LockMoveReply moved;
    struct ykc_VinReport vin;
    struct ykc_RebootReply reboot;
    struct ykc_UpdateReply update;
    struct ykc_ParallelRequest parallel;
    struct ykc_ParallelStartReply both;
    struct ykc_QrPrefixReply qr;
    struct ykc_DischargeReply discharging;
    struct ykc_DischargeStopReply undischarged;
    struct ykc_DischargeData discharge;
    struct ykc_DischargeRecord discharged;
};

struct ykc_row;

/* A frame being handled. */
struct ykc_turn {
    struct ykc_gate *g;
    struct ykc_conn *c;
    struct ykc_pile *p;
    const struct frame *f;
    const struct ykc_row *row;
    union ykc_any *u;
};

int64_t ykc_gun(const char *text)
{
    int64_t gun;

    if (str_to_i64(str_from_c(text), &gun) != 0 || gun < 1 || gun > YKC_GUNS_MAX)
        return 0;
    return gun;
}

/* ---- 01 log-in ---- */

/* The answer goes to the log-in that came last. */
static void login_again(const struct ykc_turn *t)
{
    for (struct ykc_wait *w = t->c->waits; w != NULL; w = w->next)
        if (w->pile == t->p && (w->type == 0x01 || w->type == 0x02))
            memcpy(w->seq, t->f->seq, 2);
}

static void login_take(const struct ykc_turn *t)
{
    const struct ykc_Login *in = &t->u->login;
    struct ykc_gate *g = t->g;
    struct ykc_pile *p = t->p != NULL ? t->p : ykc_pile_add(g, t->c, in->pile);
    struct ykc_wait *w;
    struct cmd *cmd;

    if (p == NULL)
        return; /* a limit: the pile will try again */
    p->guns = (uint8_t)in->guns;
    p->kind = (uint8_t)in->kind;
    if (t->p != NULL && p->state != YKC_IN) {
        login_again(t); /* repeated while the first is being decided */
        return;
    }
    p->state = YKC_ASKED;
    memset(p->status, 0, sizeof(p->status));
    cmd = ykc_cmd(g, t->c, CMD_CONN_OPEN, CMD_SIZE(conn_open));
    cmd->u.conn_open.protocol = PROTOCOL_YKC;
    str_copy(cmd->u.conn_open.path, sizeof(cmd->u.conn_open.path), str_from_c(p->number));
    net_peer(g->cfg.net, t->c->net, cmd->u.conn_open.address);
    w = ykc_ask(g, t->c, p, 0x01, t->f->seq);
    if (w == NULL)
        ykc_pile_drop(g, t->c, p, WS_INTERNAL);
    else
        str_copy(w->u.order, sizeof(w->u.order), str_from_c(in->program));
}

/* ---- 03 heartbeat ---- */

/* The core learns now and then that an idle pile lives; it needs that to tell a second log-in from
 * a first. */
static void told(const struct ykc_turn *t, uint32_t now_s)
{
    if (now_s - t->p->told_s < YKC_TOLD_S)
        return;
    t->p->told_s = now_s;
    ykc_cmd(t->g, t->c, CMD_HEARTBEAT, CMD_SIZE(charger))->u.charger.charger = t->p->charger;
    ykc_submit(t->g);
}

static void status_tell(const struct ykc_turn *t, int64_t gun, enum connector_status status,
                        const char *error)
{
    struct cmd_status *s;

    if (ykc_told(t->p, gun) == status)
        return;
    ykc_told_set(t->p, gun, status);
    s = &ykc_cmd(t->g, t->c, CMD_STATUS, CMD_SIZE(status))->u.status;
    s->charger = t->p->charger;
    s->connector = (int32_t)gun;
    s->status = (int32_t)status;
    str_copy(s->error, sizeof(s->error), str_from_c(error));
    ykc_submit(t->g);
}

/* A concentrator goes on speaking when one of its piles has died. */
static void silent_drop(const struct ykc_turn *t, uint32_t now_s)
{
    if (t->c->piles_n < 2 || now_s - t->c->looked_s < YKC_TOLD_S)
        return;
    t->c->looked_s = now_s;
    for (struct ykc_pile *p = t->c->piles, *next; p != NULL; p = next) {
        next = p->next;
        if (p->state == YKC_IN && now_s - p->heard_s > YKC_SILENCE_MS / 1000)
            ykc_pile_drop(t->g, t->c, p, WS_ABNORMAL);
    }
}

/* The newest reading of this pile that the core has not answered. */
static struct ykc_wait *reading_open(const struct ykc_turn *t)
{
    struct ykc_wait *w = t->c->waits;

    while (w != NULL && (w->pile != t->p || w->type != 0x13))
        w = w->next;
    return w;
}

static void beat_take(const struct ykc_turn *t, const char *gun)
{
    struct ykc_wait *w = reading_open(t);
    struct ykc_beat *b;

    if (w == NULL) {
        ykc_beat_answer(t->g, t->c, t->p, gun, t->f->seq);
    } else if (w->beats_n < YKC_BEATS_MAX) { /* else it beats again in ten seconds */
        b = &w->u.beat[w->beats_n++];
        b->gun = (uint8_t)ykc_gun(gun);
        memcpy(b->seq, t->f->seq, 2);
    }
}

static void heartbeat_take(const struct ykc_turn *t)
{
    const struct ykc_Heartbeat *in = &t->u->heartbeat;
    uint32_t now_s = ykc_s(t->g);
    int64_t gun = ykc_gun(in->gun);

    beat_take(t, in->gun);
    told(t, now_s);
    if (in->state == 1 && gun != 0)
        status_tell(t, gun, CS_FAULTED, "OtherError");
    if (now_s >= t->p->sync_s)
        ykc_time_send(t->g, t->c, t->p);
    ykc_prices_look(t->g, t->c, t->p);
    silent_drop(t, now_s);
}

/* ---- 05, 09 price model ---- */

static void prices_ask(const struct ykc_turn *t, const char *held)
{
    struct ykc_wait *w;

    ykc_cmd(t->g, t->c, CMD_PRICE_MODEL, CMD_SIZE(charger))->u.charger.charger = t->p->charger;
    w = ykc_ask(t->g, t->c, t->p, t->f->type, t->f->seq);
    if (w != NULL)
        str_copy(w->u.order, sizeof(w->u.order), str_from_c(held));
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

/* Begins a command with one sample of a session. */
static struct cmd_meter *meter_begin(const struct ykc_turn *t, int64_t gun, const char *order)
{
    size_t size = offsetof(struct cmd, u.meter.samples) + sizeof(struct core_sample);
    struct cmd_meter *m = &ykc_cmd(t->g, t->c, CMD_METER, size)->u.meter;

    m->charger = t->p->charger;
    m->connector = (int32_t)gun;
    m->n = 1;
    str_copy(m->tx_no, sizeof(m->tx_no), str_from_c(order));
    return m;
}

static void data_take(const struct ykc_turn *t)
{
    const struct ykc_RealtimeData *in = &t->u->data;
    int64_t gun = ykc_gun(in->gun);
    struct cmd_meter *m;
    bool asked;

    if (gun == 0) {
        t->g->stats.lenient++;
        return;
    }
    asked = ykc_call_answer(t->g, t->c, t->p,
                            &(struct ykc_answer){.reply = 0x13, .accepted = true, .gun = gun});
    status_tell(t, gun, ykc_status(in, ykc_told(t->p, gun)), ykc_fault(in->faults));
    t->p->told_s = ykc_s(t->g);
    if (in->state != 3 || order_none(in->order))
        return;
    m = meter_begin(t, gun, in->order);
    ykc_sample(in, &m->samples[0]);
    if (asked)
        m->samples[0].flags |= SAMPLE_TRIGGER;
    if (ykc_ask(t->g, t->c, t->p, 0x13, t->f->seq) == NULL)
        ykc_submit(t->g); /* kept all the same; only nobody hears of it */
}

/* ---- 15 … 25 the vehicle ---- */

static void vehicle_sample(const struct ykc_turn *t, const char *gun, const char *order,
                           const struct core_sample *s)
{
    if (order_none(order))
        return;
    meter_begin(t, ykc_gun(gun), order)->samples[0] = *s;
    ykc_submit(t->g);
}

static void demand_take(const struct ykc_turn *t)
{
    struct core_sample s;

    ykc_demand(&t->u->demand, &s);
    vehicle_sample(t, t->u->demand.gun, t->u->demand.order, &s);
}

static void info_take(const struct ykc_turn *t)
{
    struct core_sample s;

    ykc_info(&t->u->info, &s);
    vehicle_sample(t, t->u->info.gun, t->u->info.order, &s);
}

static struct cmd_battery *battery_begin(const struct ykc_turn *t, const char *gun,
                                         const char *order)
{
    struct cmd_battery *b = &ykc_cmd(t->g, t->c, CMD_BATTERY, CMD_SIZE(battery))->u.battery;

    b->charger = t->p->charger;
    b->connector = (int32_t)ykc_gun(gun);
    b->phase = t->f->type;
    str_copy(b->tx_no, sizeof(b->tx_no), str_from_c(order));
    b->chemistry = b->made = b->cycles = b->voltage_mv = b->soc_pm = b->minutes = -1;
    b->cell_min_mv = b->cell_max_mv = -1;
    b->capacity_mah = b->energy_mwh = -1;
    b->temp_min_dc = b->temp_max_dc = SAMPLE_NONE32;
    return b;
}

static void rated_take(const struct ykc_turn *t)
{
    ykc_rated(&t->u->rated, battery_begin(t, t->u->rated.gun, t->u->rated.order));
    ykc_submit(t->g);
}

static void setup_take(const struct ykc_turn *t)
{
    ykc_setup(&t->u->setup, battery_begin(t, t->u->setup.gun, t->u->setup.order));
    ykc_submit(t->g);
}

static void end_take(const struct ykc_turn *t)
{
    ykc_end(&t->u->end, battery_begin(t, t->u->end.gun, t->u->end.order));
    ykc_submit(t->g);
}

static void error_take(const struct ykc_turn *t)
{
    struct cmd_battery *b = battery_begin(t, t->u->error.gun, t->u->error.order);

    str_copy(b->detail, sizeof(b->detail), str_from_c(t->u->error.errors));
    ykc_submit(t->g);
}

/* 1D and 21 have one layout. */
static void abort_take(const struct ykc_turn *t)
{
    const struct ykc_BmsAbort *in = &t->u->abort;
    struct cmd_battery *b = battery_begin(t, in->gun, in->order);

    snprintf(b->detail, sizeof(b->detail), "%02X %04X %02X", (unsigned)in->reason,
             (unsigned)in->fault, (unsigned)in->error);
    ykc_submit(t->g);
}

/* ---- 31, 71, A1 card or VIN at the pile ---- */

static void start_refuse(const struct ykc_turn *t, int32_t reason)
{
    const struct ykc_StartRequest *in = &t->u->start;
    struct ykc_StartDecision out = {.result = 0, .reason = reason};

    memset(out.order, '0', sizeof(out.order) - 1);
    memcpy(out.pile, in->pile, sizeof(out.pile));
    memcpy(out.gun, in->gun, sizeof(out.gun));
    memset(out.card, '0', sizeof(out.card) - 1);
    ykc_send(t->g, t->c, ykc_msg(0x32), &out, t->f->seq);
}

static void start_ask(const struct ykc_turn *t, const char *gun, enum start_kind kind,
                      const char *tag, const char *card)
{
    struct cmd_pile_start *s =
        &ykc_cmd(t->g, t->c, CMD_PILE_START, CMD_SIZE(pile_start))->u.pile_start;
    struct ykc_wait *w;

    s->charger = t->p->charger;
    s->connector = (int32_t)ykc_gun(gun);
    s->kind = (int32_t)kind;
    str_copy(s->tag, sizeof(s->tag), str_from_c(tag));
    w = ykc_ask(t->g, t->c, t->p, t->f->type, t->f->seq);
    if (w == NULL)
        return; /* it asks again */
    str_copy(w->u.start.gun, sizeof(w->u.start.gun), str_from_c(gun));
    str_copy(w->u.start.card, sizeof(w->u.start.card), str_from_c(card));
}

/* A password is not asked of cards here: whoever has the card has its credit. */
static void start_take(const struct ykc_turn *t)
{
    const struct ykc_StartRequest *in = &t->u->start;
    char tag[18];

    if (in->kind == 1) {
        ykc_card(ykc_profile(t->p->profile), in->card, tag);
        start_ask(t, in->gun, START_CARD, tag, in->card);
    } else if (in->kind == 3) {
        ykc_vin(in->vin, true, tag);
        start_ask(t, in->gun, START_VIN, tag, "");
    } else {
        start_refuse(t, REFUSAL_UNSUPPORTED);
    }
}

/* The vehicle is known before anybody touches the pile: plug and charge. */
static void vin_take(const struct ykc_turn *t)
{
    const struct ykc_VinReport *in = &t->u->vin;
    struct ykc_VinReportReply out;
    char vin[18];

    memcpy(out.pile, in->pile, sizeof(out.pile));
    memcpy(out.gun, in->gun, sizeof(out.gun));
    ykc_send(t->g, t->c, ykc_msg(0x72), &out, t->f->seq);
    ykc_vin(in->vin, false, vin);
    if (vin[0] != '\0')
        start_ask(t, in->gun, START_VIN, vin, "");
}

static void parallel_take(const struct ykc_turn *t)
{
    ykc_pair_take(t->g, t->c, t->p, &t->u->parallel, t->f->seq);
}

/* ---- 33 … F1 answers to calls ---- */

/* A start that was refused, for want of a plug above all, may be taken up by the pile within a
 * minute when somebody plugs in. Its order is over and its money released by then: it must not run.
 */
static void started(const struct ykc_turn *t, const char *gun, const struct ykc_answer *a)
{
    if (ykc_call_answer(t->g, t->c, t->p, a) || !a->accepted ||
        !ykc_start_refused(t->g, t->p, a->order))
        return;
    log_line(LOG_WARN, "ykc", t->g->cause, "pile %s began a start that it had refused: stopped",
             t->p->number);
    ykc_stop_send(t->g, t->c, t->p->number, gun);
}

static void started_take(const struct ykc_turn *t)
{
    const struct ykc_RemoteStartReply *in = &t->u->started;

    started(t, in->gun,
            &(struct ykc_answer){.reply = 0x33,
                                 .accepted = in->result == 1,
                                 .gun = ykc_gun(in->gun),
                                 .reason = in->reason,
                                 .order = in->order});
}

/* One gun of two: the core asks the second one when the main one has answered. */
static void parallel_started_take(const struct ykc_turn *t)
{
    const struct ykc_ParallelStartReply *in = &t->u->both;

    started(t, in->gun,
            &(struct ykc_answer){.reply = 0xa3,
                                 .accepted = in->result == 1,
                                 .gun = ykc_gun(in->gun),
                                 .reason = in->reason,
                                 .order = in->order});
}

static void stopped_take(const struct ykc_turn *t)
{
    const struct ykc_RemoteStopReply *in = &t->u->stopped;

    (void)ykc_call_answer(t->g, t->c, t->p,
                          &(struct ykc_answer){.reply = 0x35,
                                               .accepted = in->result == 1,
                                               .gun = ykc_gun(in->gun),
                                               .reason = in->reason});
}

/* What the row says is enough: where the result stands, and which one is good. The answer itself
 * goes to whoever called, decoded. */
static void answer_take(const struct ykc_turn *t);

/* One gun's work parameters: the vendor's answer has the gun before the result. */
static void work_take(const struct ykc_turn *t)
{
    if ((ykc_profile(t->p->profile)->ways & YKC_WORK_GUN) && t->f->body.n > 8)
        t->u->work.result = (uint8_t)t->f->body.p[8];
    answer_take(t);
}

static void qr_take(const struct ykc_turn *t)
{
    if (ykc_profile(t->p->profile)->ways & YKC_QR_ONE_IS_OK)
        t->u->qr.result = t->u->qr.result == 1 ? 0 : 1;
    answer_take(t);
}

/* Comes minutes after 94, when the pile has loaded the file and restarted. */
static void update_take(const struct ykc_turn *t)
{
    static const char *const results[] = {"Installed", "WrongPile", "WrongModel", "Timeout"};
    int64_t r = t->u->update.result;
    struct cmd_note *n = &ykc_cmd(t->g, t->c, CMD_NOTE, CMD_SIZE(note))->u.note;

    n->charger = t->p->charger;
    str_copy(n->kind, sizeof(n->kind), STR_LIT("firmware"));
    str_copy(n->status, sizeof(n->status),
             str_from_c(r >= 0 && (size_t)r < ARRAY_LEN(results) ? results[r] : "Failed"));
    ykc_submit(t->g);
}

/* ---- 3B, 3D transaction record ---- */

static void record_tell(const struct ykc_turn *t, const struct ykc_Record *r)
{
    struct cmd *cmd = ykc_cmd(t->g, t->c, CMD_TX_RECORD, CMD_SIZE(tx_record));
    struct ykc_wait *w;

    cmd->u.tx_record.charger = t->p->charger;
    ykc_record(ykc_profile(t->p->profile), r, t->p->zone_offset_s, &cmd->u.tx_record);
    w = ykc_ask(t->g, t->c, t->p, t->f->type, t->f->seq);
    if (w != NULL) /* else it is sent again */
        memcpy(w->u.order, r->order, sizeof(w->u.order));
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

/* ---- 61 parking lock ---- */

static void lock_take(const struct ykc_turn *t)
{
    struct cmd_parking *k = &ykc_cmd(t->g, t->c, CMD_PARKING, CMD_SIZE(parking))->u.parking;

    k->charger = t->p->charger;
    ykc_parking(&t->u->lock, k);
    ykc_submit(t->g);
}

/* ---- E1 … E9 discharge ---- */

static void discharging_take(const struct ykc_turn *t)
{
    const struct ykc_DischargeReply *in = &t->u->discharging;
    static const uint8_t reasons[] = {0, 3, 5, 2, 3, 3, 2}; /* as 33 says the same */
    bool known = in->result >= 0 && (size_t)in->result < ARRAY_LEN(reasons);

    (void)ykc_call_answer(t->g, t->c, t->p,
                          &(struct ykc_answer){.reply = 0xe1,
                                               .accepted = in->result == 0,
                                               .gun = ykc_gun(in->gun),
                                               .reason = known ? reasons[in->result] : 3,
                                               .order = in->order});
}

static void undischarged_take(const struct ykc_turn *t)
{
    const struct ykc_DischargeStopReply *in = &t->u->undischarged;

    (void)ykc_call_answer(t->g, t->c, t->p,
                          &(struct ykc_answer){.reply = 0xe3,
                                               .accepted = in->result == 0,
                                               .gun = ykc_gun(in->gun),
                                               .reason = in->result});
}

static void discharge_take(const struct ykc_turn *t)
{
    const struct ykc_DischargeData *in = &t->u->discharge;
    int64_t gun = ykc_gun(in->gun);

    if (gun == 0 || in->state != 4 || order_none(in->order))
        return;
    status_tell(t, gun, CS_CHARGING, "");
    ykc_discharge(in, &meter_begin(t, gun, in->order)->samples[0]);
    if (ykc_ask(t->g, t->c, t->p, 0x13, t->f->seq) == NULL)
        ykc_submit(t->g);
}

static void discharged_take(const struct ykc_turn *t)
{
    const struct ykc_DischargeRecord *in = &t->u->discharged;
    struct cmd *cmd = ykc_cmd(t->g, t->c, CMD_TX_RECORD, CMD_SIZE(tx_record));
    struct ykc_wait *w;

    cmd->u.tx_record.charger = t->p->charger;
    ykc_discharge_record(in, t->p->zone_offset_s, &cmd->u.tx_record);
    w = ykc_ask(t->g, t->c, t->p, t->f->type, t->f->seq);
    if (w != NULL)
        memcpy(w->u.order, in->order, sizeof(w->u.order));
}

/* ---- the frame ---- */

struct ykc_row {
    uint8_t type, good;          /* good: the result that means yes */
    uint16_t pile_at, result_at; /* in the struct; result_at 0 = the answer itself is the yes */
    void (*take)(const struct ykc_turn *t);
};

#define ROW(code, name, fn)                                                                        \
    {                                                                                              \
        .type = code, .pile_at = offsetof(struct ykc_##name, pile), .take = fn                     \
    }
#define ANSWER(code, name, yes, fn)                                                                \
    {                                                                                              \
        .type = code, .good = yes, .pile_at = offsetof(struct ykc_##name, pile),                   \
        .result_at = offsetof(struct ykc_##name, result), .take = fn                               \
    }

static const struct ykc_row rows[] = {
    ROW(0x01, Login, login_take),
    ROW(0x03, Heartbeat, heartbeat_take),
    ROW(0x05, VerifyModel, verify_take),
    ROW(0x09, FetchModel, fetch_take),
    ROW(0x13, RealtimeData, data_take),
    ROW(0x15, Handshake, rated_take),
    ROW(0x17, Parameters, setup_take),
    ROW(0x19, EndPhase, end_take),
    ROW(0x1b, BmsError, error_take),
    ROW(0x1d, BmsAbort, abort_take),
    ROW(0x21, ChargerAbort, abort_take),
    ROW(0x23, BmsDemand, demand_take),
    ROW(0x25, BmsInfo, info_take),
    ROW(0x31, StartRequest, start_take),
    ROW(0x33, RemoteStartReply, started_take),
    ROW(0x35, RemoteStopReply, stopped_take),
    ROW(0x3b, Record, record_take),
    ROW(0x3d, Record17, record17_take),
    ANSWER(0x41, BalanceReply, 0, answer_take),
    ANSWER(0x43, CardSyncReply, 1, answer_take),
    ROW(0x45, CardClearReply, answer_take),
    ROW(0x47, CardQueryReply, answer_take),
    ANSWER(0x51, WorkReply, 1, work_take),
    ROW(0x55, TimeReply, answer_take),
    ANSWER(0x57, SetModelReply, 1, answer_take),
    ROW(0x61, LockState, lock_take),
    ANSWER(0x63, LockMoveReply, 1, answer_take),
    ROW(0x71, VinReport, vin_take),
    ANSWER(0x91, RebootReply, 1, answer_take),
    ROW(0x93, UpdateReply, update_take),
    ROW(0xa1, ParallelRequest, parallel_take),
    ROW(0xa3, ParallelStartReply, parallel_started_take),
    ROW(0xe1, DischargeReply, discharging_take),
    ROW(0xe3, DischargeStopReply, undischarged_take),
    ROW(0xe7, DischargeData, discharge_take),
    ROW(0xe9, DischargeRecord, discharged_take),
    ANSWER(0xf1, QrPrefixReply, 0, qr_take),
};

static void answer_take(const struct ykc_turn *t)
{
    const char *u = (const char *)t->u;
    int64_t result = t->row->good;

    if (t->row->result_at != 0)
        memcpy(&result, u + t->row->result_at, sizeof(result));
    buf_reset(&t->g->text);
    wire_bin_show(ykc_msg(t->f->type)->req, u, &t->g->text);
    buf_put_char(&t->g->text, '\0');
    (void)ykc_call_answer(t->g, t->c, t->p,
                          &(struct ykc_answer){.reply = t->f->type,
                                               .accepted = result == t->row->good,
                                               .payload = t->g->text.err ? NULL : t->g->text.p});
}

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
    if (!f->crc_both)
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
    g->about = t.p != NULL ? t.p->charger : 0;
    if (f->type != 0x01 && (t.p == NULL || t.p->state != YKC_IN)) {
        g->stats.lenient++; /* not logged in here, or not yet */
        return;
    }
    if (t.p != NULL)
        t.p->heard_s = ykc_s(g);
    t.row = row;
    row->take(&t);
}
