// SPDX-License-Identifier: Apache-2.0
/* ykc_peer.c: see ykc_peer.h. Log-in, price model, then events. Only the record (0x3B) is answered
 * by the platform: it stays the event under way until 0x40 comes, is sent again every 30 s three
 * times and once more after 5 min, then given up, as piles do. Everything else is told and done
 * with. Owns nothing; frames that it does not know are ignored.
 *
 * Piles differ as in the field: those with an odd number write their checksums the other way round,
 * those that end in 7 are of a fork that appends bytes to 03 and 0x13. A DC pile tells what the
 * vehicle says (GB/T 27930): 0x15 and 0x17 before the charge, 0x23 and 0x25 with each reading, 0x1D
 * or 0x21 when it is broken off, 0x19 at the end. It also gives energy back (E1 … E9): E7 every 30 s in
 * the place of 0x13, E9 as the record, acknowledged by E8; a start of the other direction turns it round.
 *
 * A vehicle at both guns (--pairs) is asked for with A1 at each, by its card or, when the card's number
 * is odd, by its VIN; and the platform may start both with A4, where the gun that comes first is the
 * main one. */
#include "sim/ykc_peer.h"

#include "base/calendar.h"
#include "base/err.h"
#include "sim/ykc_give.h"
#include "wire/frame.h"
#include "wire/ykc.h"

#include <stdio.h>

enum {
    RETRY_MS = 10000,
    BEAT_MS = 10000,
    DEAD_BEATS = 3,
    IDLE_MS = 300000,
    RECORD_RETRY_MS = 30000,
    RECORD_LAST_MS = 300000,
    RECORD_TRIES = 5, /* one, three more, one last */
    CHINA_MS = 8 * 3600000,
};
#define NO_ORDER "00000000000000000000000000000000"

/* ---- sending ---- */

/* How many bytes a fork appends to this frame. */
static size_t fork_bytes(const struct peer *p, uint8_t type)
{
    bool fork = p->id[0] && p->id[strlen(p->id) - 1] == '7';
    return !fork ? 0 : type == 0x03 ? 1 : type == 0x13 ? 81 : 0;
}

static bool high_first(const struct peer *p)
{
    return p->id[0] && (p->id[strlen(p->id) - 1] - '0') % 2 == 1;
}

static void send_frame(struct sim *s, struct peer *p, uint8_t type, const uint8_t seq[2],
                       const void *msg)
{
    const struct wire_msg *m = wire_msg_by_code(&ykc_proto, type);
    struct frame f = {.type = type, .seq = {seq[0], seq[1]}, .crc_high_first = high_first(p)};
    buf_reset(&s->body);
    buf_reset(&s->out);
    int err = wire_bin_encode(m->req, msg, &s->body);
    if (fork_bytes(p, type))
        (void)buf_grow(&s->body, fork_bytes(p, type));
    f.body = buf_str(&s->body);
    if (!err)
        err = frame_build(&f, &s->out);
    if (err)
        s->stats.errors++;
    else
        peer_send(s, p);
}

static void send_new(struct sim *s, struct peer *p, uint8_t type, const void *msg)
{
    const uint8_t seq[2] = {(uint8_t)p->call_id, (uint8_t)(p->call_id >> 8)};
    p->call_id++;
    send_frame(s, p, type, seq, msg);
}

static void set_pile(char out[15], const struct peer *p)
{
    (void)str_copy(out, 15, str_from_c(p->id));
}

static void set_gun(char out[3], unsigned gun)
{
    snprintf(out, 3, "%02u", (gun + 1) % 100);
}

/* What the log-in waits for is said now and again until it is answered. */
static void send_stage(struct sim *s, struct peer *p)
{
    p->retry_ms = s->now_ms + peer_real_ms(s, RETRY_MS);
    if (p->stage == STAGE_LOGIN) {
        struct ykc_Login m = {.kind = p->model.traits.dc ? 0 : 1,
                              .guns = p->model.traits.guns,
                              .version = 16,
                              .program = "EVENSIM",
                              .network = 1,
                              .sim = "00000000000000000000",
                              .operator= 4 };
        set_pile(m.pile, p);
        send_new(s, p, 0x01, &m);
    } else if (p->stage == STAGE_VERIFY) {
        struct ykc_VerifyModel m = {0};
        set_pile(m.pile, p);
        (void)str_copy(m.model, sizeof m.model, str_from_c(p->price_no));
        send_new(s, p, 0x05, &m);
    } else if (p->stage == STAGE_FETCH) {
        struct ykc_FetchModel m;
        set_pile(m.pile, p);
        send_new(s, p, 0x09, &m);
    }
}

static void send_heartbeat(struct sim *s, struct peer *p)
{
    p->beat_ms = s->now_ms + BEAT_MS;
    for (unsigned i = 0; i < p->model.traits.guns; i++) {
        struct ykc_Heartbeat m = {.state = p->model.guns[i].state == GUN_FAULTED};
        set_pile(m.pile, p);
        set_gun(m.gun, i);
        send_new(s, p, 0x03, &m);
    }
}

static int64_t state_of(uint8_t state)
{
    switch ((enum model_gun_state)state) {
    case GUN_CHARGING:
    case GUN_SUSPENDED:
        return 3;
    case GUN_FAULTED:
        return 1;
    default:
        return 2;
    }
}

static void fill_charging(const struct peer *p, unsigned gun, struct ykc_RealtimeData *d)
{
    const struct model_gun *g = &p->model.guns[gun];
    struct model_event e;
    model_sample(&p->model, gun, &e);
    int64_t volt = 360 + e.soc_pm * 60 / 1000;
    d->voltage = volt * 10;
    d->current = e.power_w * INT64_C(10) / volt;
    d->cable_temp = 35;
    d->battery_temp = 30;
    d->soc = e.soc_pm / 10;
    d->minutes = (g->at_ms - g->start_ms) / 60000;
    d->energy = d->loss_energy = model_energy_mwh(&p->model, gun) / 100;
    d->amount = model_amount(&p->model, gun);
    (void)str_copy(d->order, sizeof d->order, str_from_c(g->id));
}

static void send_giving(struct sim *s, struct peer *p, unsigned gun, const uint8_t *seq)
{
    struct ykc_DischargeData d;
    ykc_give_data(&p->model, gun, &d);
    set_pile(d.pile, p);
    set_gun(d.gun, gun);
    if (seq)
        send_frame(s, p, 0xE7, seq, &d);
    else
        send_new(s, p, 0xE7, &d);
}

static bool giving(const struct peer *p, unsigned gun)
{
    return p->model.guns[gun].gives && model_busy(&p->model, gun);
}

/* The gun as it is now. seq NULL: nobody asked. */
static void send_data(struct sim *s, struct peer *p, unsigned gun, const uint8_t *seq)
{
    const struct model_gun *g = &p->model.guns[gun];
    struct ykc_RealtimeData d = {.order = NO_ORDER,
                                 .state = state_of(g->state),
                                 .home = g->state == GUN_FREE || g->state == GUN_DISABLED,
                                 .plugged = g->state != GUN_FREE && g->state != GUN_DISABLED,
                                 .cable_temp = -50,
                                 .battery_temp = -50,
                                 .cable_code = "0000000000000000",
                                 .faults = g->state == GUN_FAULTED ? 2 : 0};
    if (giving(p, gun)) {
        send_giving(s, p, gun, seq);
        return;
    }
    set_pile(d.pile, p);
    set_gun(d.gun, gun);
    if (model_busy(&p->model, gun))
        fill_charging(p, gun, &d);
    if (seq)
        send_frame(s, p, 0x13, seq, &d);
    else
        send_new(s, p, 0x13, &d);
}

/* ---- what the vehicle says ---- */

#define VIN_SIM "LEVENSIM000000000"

/* order, pile and gun stand first in all of these frames. */
static void head_fill(const struct peer *p, unsigned gun, char order[33], char pile[15],
                      char number[3])
{
    (void)str_copy(order, 33, str_from_c(p->model.guns[gun].id));
    set_pile(pile, p);
    set_gun(number, gun);
}

static void send_handshake(struct sim *s, struct peer *p, unsigned gun)
{
    const struct model_gun *g = &p->model.guns[gun];
    struct ykc_Handshake h = {.bms_version = "010100",
                              .battery = 3,
                              .capacity = g->capacity_mwh / 40000,
                              .rated_voltage = 4000,
                              .maker = "EVEN",
                              .pack = "00000001",
                              .year = 2024,
                              .month = 6,
                              .day = 12,
                              .cycles = "640000",
                              .owned = 1,
                              .vin = VIN_SIM,
                              .software = "FFFFFFFFFFFFFFFF"};
    struct ykc_Parameters q = {.cell_max = 365,
                               .energy = g->capacity_mwh / 100000,
                               .voltage_max = 4200,
                               .temp_max = 55,
                               .soc = g->soc0_pm,
                               .voltage = 3700,
                               .pile_voltage_max = 7500,
                               .pile_voltage_min = 2000};
    head_fill(p, gun, h.order, h.pile, h.gun);
    head_fill(p, gun, q.order, q.pile, q.gun);
    send_new(s, p, 0x15, &h);
    send_new(s, p, 0x17, &q);
}

static void send_vehicle(struct sim *s, struct peer *p, unsigned gun)
{
    struct model_event e;
    struct ykc_BmsDemand d = {.voltage_demand = 4200, .mode = 2, .voltage = 3900};
    struct ykc_BmsInfo i = {
        .cell = 1, .temp_max = 33, .probe_max = 1, .temp_min = 28, .probe_min = 2};
    model_sample(&p->model, gun, &e);
    d.current = d.current_bms = d.current_demand = -(e.power_w * INT64_C(100) / d.voltage);
    d.soc = e.soc_pm / 10;
    head_fill(p, gun, d.order, d.pile, d.gun);
    head_fill(p, gun, i.order, i.pile, i.gun);
    send_new(s, p, 0x23, &d);
    send_new(s, p, 0x25, &i);
}

static void send_end(struct sim *s, struct peer *p, const struct model_event *e)
{
    struct ykc_EndPhase end = {.soc = e->soc_pm / 10,
                               .cell_min = 356,
                               .cell_max = 360,
                               .temp_min = 27,
                               .temp_max = 34,
                               .charger = "00000001"};
    struct ykc_BmsAbort stop = {.reason = 1};
    bool full = e->reason == STOPPED_FULL;
    head_fill(p, e->gun, end.order, end.pile, end.gun);
    head_fill(p, e->gun, stop.order, stop.pile, stop.gun);
    if (full || e->reason == STOPPED_FAULT)
        send_new(s, p, full ? 0x1D : 0x21, &stop); /* one layout */
    send_new(s, p, 0x19, &end);
}

/* ---- records ---- */

static int64_t reason_of(uint8_t reason)
{
    switch ((enum model_reason)reason) {
    case STOPPED_REMOTE:
    case STOPPED_TURNED:
        return 0x40;
    case STOPPED_FULL:
        return 0x41;
    case STOPPED_BALANCE:
        return 0x43;
    case STOPPED_FAULT:
        return 0x71;
    case STOPPED_RESET:
        return 0x83;
    case STOPPED_REFUSED:
    case STOPPED_LOCAL:
    case STOPPED_UNPLUGGED:
    case STOPPED_UNLOCKED:
    case STOPPED_FLOOR:
        break;
    }
    return 0x45;
}

static int64_t wall(const struct peer *p, int64_t at_ms)
{
    return model_clock_ms(&p->model, at_ms) + CHINA_MS;
}

/* A card that began while the pile was offline has no order of the platform: the pile makes the
 * number itself. */
static bool offline_card(const struct model_gun *g)
{
    return strlen(g->id) != 32;
}

static void record_names(const struct peer *p, unsigned gun, struct ykc_Record *r)
{
    const struct model_gun *g = &p->model.guns[gun];
    struct civil c;
    char number[64];
    set_pile(r->pile, p);
    set_gun(r->gun, gun);
    if (!offline_card(g)) {
        (void)str_copy(r->order, sizeof r->order, str_from_c(g->id));
        return;
    }
    const char *digits = g->id + strcspn(g->id, "0123456789");
    civil_from_ms(wall(p, g->start_ms), &c);
    snprintf(number, sizeof number, "%.14s%.2s%02d%02d%02d%02d%02d%02d9999", r->pile, r->gun,
             c.year % 100, c.month, c.day, c.hour, c.minute, c.second);
    (void)str_copy(r->order, sizeof r->order, str_from_c(number));
    r->mark = 4;
    (void)str_copy(r->card, sizeof r->card, str_from(digits, strspn(digits, "0123456789")));
}

static void send_record(struct sim *s, struct peer *p, const struct model_event *e)
{
    const struct model_gun *g = &p->model.guns[e->gun];
    struct ykc_Record r = {.start = wall(p, g->start_ms),
                           .end = wall(p, g->end_ms),
                           .time = wall(p, g->end_ms),
                           .meter_start = g->habit == HABIT_PLACEHOLDER ? 0 : g->start_mwh / 100,
                           .meter_end = e->meter_mwh / 100,
                           .mark = 1,
                           .reason = reason_of(e->reason),
                           .card = "0000000000000000"};
    record_names(p, e->gun, &r);
    for (unsigned i = 0; i < 4; i++) {
        struct ykc_ClassFee *c = &r.classes[i];
        c->price = p->model.prices.price_e5[i];
        c->energy = c->loss = g->class_mwh[i] / 100;
        c->amount = model_class_amount(&p->model, e->gun, i);
        r.energy += c->energy;
        r.amount += c->amount;
    }
    r.loss_energy = r.energy;
    send_new(s, p, 0x3B, &r);
}

static void send_given(struct sim *s, struct peer *p, const struct model_event *e)
{
    const struct model_gun *g = &p->model.guns[e->gun];
    struct ykc_DischargeRecord r;
    ykc_give_record(&p->model, e, &r);
    r.start = wall(p, g->start_ms);
    r.end = wall(p, g->end_ms);
    set_pile(r.pile, p);
    set_gun(r.gun, e->gun);
    send_new(s, p, 0xE9, &r);
}

static void tell_record(struct sim *s, struct peer *p, const struct model_event *e)
{
    const struct model_gun *g = &p->model.guns[e->gun];
    p->call = CALL_EVENT;
    p->tries++;
    p->retry_ms = s->now_ms + (p->tries == RECORD_TRIES - 1 ? RECORD_LAST_MS : RECORD_RETRY_MS);
    if (g->habit == HABIT_LOST_RECORD && p->tries == 1)
        return; /* the line swallows it */
    if (g->gives)
        send_given(s, p, e);
    else
        send_record(s, p, e);
}

/* The start or the end of a discharge was carried out. */
static void send_executed(struct sim *s, struct peer *p, unsigned gun, int64_t kind)
{
    struct ykc_DischargeResult m = {.kind = kind};
    (void)str_copy(m.order, sizeof m.order, str_from_c(p->model.guns[gun].id));
    set_pile(m.pile, p);
    set_gun(m.gun, gun);
    send_new(s, p, 0xE5, &m);
}

/* ---- events ---- */

static void record_done(struct sim *s, struct peer *p, unsigned gun)
{
    peer_count_stop(s, p, gun);
    p->call = CALL_NONE;
    p->tries = 0;
    model_pop(&p->model);
}

/* The card's digits are its number. Answered by 0x32, or never: then nobody charges. */
static void send_card(struct sim *s, struct peer *p, unsigned gun)
{
    struct ykc_StartRequest m = {.kind = 1, .card = "0000000000000000"};
    const char *digits = p->model.guns[gun].id;
    digits += strcspn(digits, "0123456789");
    set_pile(m.pile, p);
    set_gun(m.gun, gun);
    (void)str_copy(m.card, sizeof m.card, str_from(digits, strspn(digits, "0123456789")));
    send_new(s, p, 0x31, &m);
}

/* The vehicle of that card. */
static void vin_of(const char *digits, char out[18], bool reversed)
{
    char vin[18], number[10] = "000000000";
    size_t n = strspn(digits, "0123456789");
    n = n < 9 ? n : 9;
    memcpy(number + 9 - n, digits, n);
    snprintf(vin, sizeof vin, "LEVENSIM%s", number);
    for (size_t i = 0; i < 17; i++)
        out[i] = vin[reversed ? 16 - i : i];
    out[17] = 0;
}

/* Both guns at once; the number of the pair is the time of the pile. */
static void send_pair(struct sim *s, struct peer *p, unsigned gun)
{
    const struct model_gun *g = &p->model.guns[gun];
    const char *digits = g->id + strcspn(g->id, "0123456789");
    size_t n = strspn(digits, "0123456789");
    struct ykc_ParallelRequest m = {
        .kind = 1, .card = "0000000000000000", .aux = g->pair == PAIR_AUX};
    struct civil c;
    if (n && digits[n - 1] % 2 == 1) {
        m.kind = 3;
        vin_of(digits, m.vin, true);
    } else {
        (void)str_copy(m.card, sizeof m.card, str_from(digits, n));
    }
    set_pile(m.pile, p);
    set_gun(m.gun, gun);
    if (g->pair == PAIR_MAIN) {
        civil_from_ms(wall(p, s->now_ms), &c);
        snprintf(p->pair_no, sizeof p->pair_no, "%02u%02u%02u%02u%02u%02u", (unsigned)c.year % 100,
                 (unsigned)c.month % 100, (unsigned)c.day % 100, (unsigned)c.hour % 100,
                 (unsigned)c.minute % 100, (unsigned)c.second % 100);
    }
    (void)str_copy(m.parallel, sizeof m.parallel, str_from_c(p->pair_no));
    send_new(s, p, 0xA1, &m);
}

static void tell_event(struct sim *s, struct peer *p, const struct model_event *head)
{
    struct model_event e = *head;
    bool dc = p->model.traits.dc;
    if (e.type == MODEL_EVENT_STOP) {
        if (p->model.guns[e.gun].gives)
            send_executed(s, p, e.gun, 2);
        else if (dc)
            send_end(s, p, &e);
        tell_record(s, p, &e);
        return;
    }
    model_pop(&p->model);
    if (e.type == MODEL_EVENT_START) {
        s->stats.starts++;
        model_started(&p->model, e.gun, 0, true, s->now_ms);
        if (p->model.guns[e.gun].gives)
            send_executed(s, p, e.gun, 1);
        if (dc)
            send_handshake(s, p, e.gun);
    } else if (e.type == MODEL_EVENT_AUTHORIZE) {
        if (p->model.guns[e.gun].pair)
            send_pair(s, p, e.gun);
        else
            send_card(s, p, e.gun);
        return;
    }
    send_data(s, p, e.gun, NULL);
    if (dc && e.type == MODEL_EVENT_METER && model_busy(&p->model, e.gun) && !giving(p, e.gun))
        send_vehicle(s, p, e.gun);
}

static void retry(struct sim *s, struct peer *p)
{
    if (p->stage != STAGE_READY) {
        send_stage(s, p);
    } else if (p->call && p->tries < RECORD_TRIES) {
        tell_record(s, p, model_head(&p->model));
    } else if (p->call) {
        s->stats.errors++; /* a pile keeps it in its own memory, for the technician */
        record_done(s, p, model_head(&p->model)->gun);
    }
}

void ykc_peer_open(struct sim *s, struct peer *p)
{
    p->stage = STAGE_LOGIN;
    p->call = CALL_NONE;
    p->tries = 0;
    p->call_id = 0;
    p->heard_ms = s->now_ms;
    p->idle_ms = s->now_ms + IDLE_MS;
    p->beat_ms = s->now_ms + BEAT_MS;
    send_stage(s, p);
}

/* A pile whose heartbeats are not answered any more takes its line for dead. */
static bool line_dead(const struct sim *s, const struct peer *p)
{
    return s->now_ms - p->heard_ms > DEAD_BEATS * BEAT_MS + peer_real_ms(s, RETRY_MS);
}

void ykc_peer_pump(struct sim *s, struct peer *p)
{
    if (!p->open)
        return;
    if (line_dead(s, p)) {
        net_abort(s->net, p->conn);
        return;
    }
    if ((p->call || p->stage != STAGE_READY) && s->now_ms >= p->retry_ms)
        retry(s, p);
    if (p->stage != STAGE_READY)
        return;
    p->model.boot_due = false; /* the log-in was the boot */
    for (const struct model_event *e; !p->call && (e = model_head(&p->model));)
        tell_event(s, p, e);
    if (s->now_ms >= p->beat_ms)
        send_heartbeat(s, p);
    for (unsigned i = 0; s->now_ms >= p->idle_ms && i < p->model.traits.guns; i++)
        send_data(s, p, i, NULL);
    if (s->now_ms >= p->idle_ms)
        p->idle_ms = s->now_ms + IDLE_MS;
}

int64_t ykc_peer_next_ms(const struct peer *p)
{
    if (!p->open)
        return PEER_NEVER;
    if (p->stage != STAGE_READY)
        return p->retry_ms;
    int64_t next = p->call ? p->retry_ms : PEER_NEVER;
    if (p->beat_ms < next)
        next = p->beat_ms;
    return p->idle_ms < next ? p->idle_ms : next;
}

/* ---- frames of the platform ---- */

/* A frame being handled; msg is of the type of its table row. */
struct got {
    struct sim *s;
    struct peer *p;
    const uint8_t *seq;
    const void *msg;
};

static bool gun_of(const struct peer *p, const char *text, unsigned *gun)
{
    int64_t n;
    if (str_to_i64(str_from_c(text), &n) || n < 1 || n > p->model.traits.guns)
        return false;
    *gun = (unsigned)(n - 1);
    return true;
}

static void login_replied(struct got *g)
{
    const struct ykc_LoginReply *m = g->msg;
    if (g->p->stage != STAGE_LOGIN)
        return;
    if (m->result != 0) {
        g->s->stats.refused++; /* tried again after RETRY_MS */
        return;
    }
    g->p->stage = STAGE_VERIFY;
    send_stage(g->s, g->p);
}

static void verify_replied(struct got *g)
{
    const struct ykc_VerifyModelReply *m = g->msg;
    if (g->p->stage != STAGE_VERIFY)
        return;
    bool same = m->result == 0 && g->p->model.priced;
    g->p->stage = same ? STAGE_READY : STAGE_FETCH;
    send_stage(g->s, g->p);
}

static void hold_prices(struct got *g, const struct ykc_SetModel *m)
{
    struct model_prices prices;
    for (unsigned i = 0; i < 4; i++)
        prices.price_e5[i] = (int32_t)((m->prices[i].elec + m->prices[i].service) & INT32_MAX);
    for (unsigned i = 0; i < 48; i++)
        prices.slot[i] = (uint8_t)(m->slots[i] & 3);
    model_set_prices(&g->p->model, &prices);
    (void)str_copy(g->p->price_no, sizeof g->p->price_no, str_from_c(m->model));
}

static void model_fetched(struct got *g)
{
    _Static_assert(sizeof(struct ykc_FetchModelReply) == sizeof(struct ykc_SetModel),
                   "0x0A and 0x58 have one layout");
    struct ykc_SetModel m;
    memcpy(&m, g->msg, sizeof m);
    hold_prices(g, &m);
    if (g->p->stage == STAGE_FETCH)
        g->p->stage = STAGE_READY;
}

static void model_set(struct got *g)
{
    struct ykc_SetModelReply r = {.result = 1};
    hold_prices(g, g->msg);
    set_pile(r.pile, g->p);
    send_frame(g->s, g->p, 0x57, g->seq, &r);
}

static void data_read(struct got *g)
{
    const struct ykc_ReadData *m = g->msg;
    unsigned gun;
    if (gun_of(g->p, m->gun, &gun) && g->p->model.traits.obeys_trigger)
        send_data(g->s, g->p, gun, g->seq);
}

static int64_t start_reason(int err)
{
    return err == ERR_NOT_PLUGGED ? 5 : err == ERR_BUSY ? 2 : err == ERR_RANGE ? 1 : 3;
}

static void remote_start(struct got *g)
{
    const struct ykc_RemoteStart *m = g->msg;
    struct ykc_RemoteStartReply r = {.result = 1};
    unsigned gun = 0;
    int err = ERR_RANGE;
    if (gun_of(g->p, m->gun, &gun))
        err = !g->p->model.priced ? ERR_FAULTED
                                  : model_remote_start(&g->p->model, gun, str_from_c(m->order),
                                                       m->balance * MONEY_FEN, g->s->now_ms);
    if (err == ERR_TIMEOUT)
        return;
    if (err) {
        r.result = 0;
        r.reason = start_reason(err);
        g->s->stats.failed_starts++;
    }
    set_pile(r.pile, g->p);
    (void)str_copy(r.order, sizeof r.order, str_from_c(m->order));
    (void)str_copy(r.gun, sizeof r.gun, str_from_c(m->gun));
    send_frame(g->s, g->p, 0x33, g->seq, &r);
}

static void start_decided(struct got *g)
{
    const struct ykc_StartDecision *m = g->msg;
    unsigned gun;
    if (!gun_of(g->p, m->gun, &gun))
        return;
    g->s->stats.failed_starts += m->result != 1;
    if (m->result == 1)
        model_granted(&g->p->model, gun, str_from_c(m->order), m->balance * MONEY_FEN,
                      g->s->now_ms);
    else
        model_authorized(&g->p->model, gun, false, g->s->now_ms);
}

/* One gun refused is both refused. */
static void pair_decided(struct got *g)
{
    const struct ykc_ParallelDecision *m = g->msg;
    unsigned gun;
    if (!gun_of(g->p, m->gun, &gun))
        return;
    g->s->stats.failed_starts += m->result != 1;
    if (m->result == 1)
        model_granted(&g->p->model, gun, str_from_c(m->order), m->balance * MONEY_FEN,
                      g->s->now_ms);
    for (unsigned i = 0; m->result != 1 && i < g->p->model.traits.guns; i++)
        model_authorized(&g->p->model, i, false, g->s->now_ms);
}

static void pair_start(struct got *g)
{
    const struct ykc_ParallelStart *m = g->msg;
    struct ykc_ParallelStartReply r = {.result = 1};
    struct peer *p = g->p;
    unsigned gun = 0;
    int err = ERR_RANGE;
    if (gun_of(p, m->gun, &gun))
        err = !p->model.priced ? ERR_FAULTED
                               : model_remote_start(&p->model, gun, str_from_c(m->order),
                                                    m->balance * MONEY_FEN, g->s->now_ms);
    r.aux = str_eq(str_from_c(p->pair_no), str_from_c(m->parallel)); /* the second that names it */
    (void)str_copy(p->pair_no, sizeof p->pair_no, str_from_c(m->parallel));
    if (err == ERR_TIMEOUT)
        return;
    if (err) {
        r.result = 0;
        r.reason = start_reason(err);
        g->s->stats.failed_starts++;
    }
    set_pile(r.pile, p);
    (void)str_copy(r.order, sizeof r.order, str_from_c(m->order));
    (void)str_copy(r.gun, sizeof r.gun, str_from_c(m->gun));
    (void)str_copy(r.parallel, sizeof r.parallel, str_from_c(m->parallel));
    send_frame(g->s, p, 0xA3, g->seq, &r);
}

static void remote_stop(struct got *g)
{
    const struct ykc_RemoteStop *m = g->msg;
    struct ykc_RemoteStopReply r = {.result = 1};
    unsigned gun;
    if (!gun_of(g->p, m->gun, &gun))
        r = (struct ykc_RemoteStopReply){.reason = 1};
    else if (model_remote_stop(&g->p->model, gun, g->s->now_ms))
        r = (struct ykc_RemoteStopReply){.reason = 2};
    set_pile(r.pile, g->p);
    (void)str_copy(r.gun, sizeof r.gun, str_from_c(m->gun));
    send_frame(g->s, g->p, 0x35, g->seq, &r);
}

static void record_replied(struct got *g)
{
    _Static_assert(sizeof(struct ykc_RecordReply) == sizeof(struct ykc_DischargeRecordReply),
                   "0x40 and 0xE8 have one layout");
    const struct ykc_RecordReply *m = g->msg;
    const struct model_event *e = model_head(&g->p->model);
    struct ykc_Record r = {0};
    if (g->p->call != CALL_EVENT || !e)
        return;
    record_names(g->p, e->gun, &r);
    if (strcmp(m->order, r.order) != 0)
        return;
    if (g->p->model.guns[e->gun].habit == HABIT_LOST_ACK && g->p->tries == 1)
        return; /* it never came */
    g->s->stats.errors += m->result != 0;
    record_done(g->s, g->p, e->gun);
}

static void discharge_start(struct got *g)
{
    const struct ykc_Discharge *m = g->msg;
    struct ykc_DischargeReply r = {.result = 255};
    struct model *model = &g->p->model;
    unsigned gun = 0;
    int err = ERR_RANGE;
    if (gun_of(g->p, m->gun, &gun)) {
        err = !model->priced ? ERR_FAULTED
                             : model_discharge(model, gun, str_from_c(m->order),
                                               (int32_t)m->parameter * 10, g->s->now_ms);
        r.result = ykc_give_result(model, gun, err);
    }
    if (err == ERR_TIMEOUT)
        return;
    g->s->stats.failed_starts += err != 0;
    set_pile(r.pile, g->p);
    (void)str_copy(r.order, sizeof r.order, str_from_c(m->order));
    (void)str_copy(r.gun, sizeof r.gun, str_from_c(m->gun));
    send_frame(g->s, g->p, 0xE1, g->seq, &r);
}

static void discharge_stop(struct got *g)
{
    const struct ykc_DischargeStop *m = g->msg;
    struct ykc_DischargeStopReply r = {.result = 1};
    unsigned gun;
    if (gun_of(g->p, m->gun, &gun) && giving(g->p, gun))
        r.result = model_remote_stop(&g->p->model, gun, g->s->now_ms) != 0;
    set_pile(r.pile, g->p);
    (void)str_copy(r.gun, sizeof r.gun, str_from_c(m->gun));
    send_frame(g->s, g->p, 0xE3, g->seq, &r);
}

static void discharge_read(struct got *g)
{
    const struct ykc_ReadDischarge *m = g->msg;
    unsigned gun;
    if (gun_of(g->p, m->gun, &gun) && giving(g->p, gun))
        send_giving(g->s, g->p, gun, g->seq);
}

static void balance_set(struct got *g)
{
    const struct ykc_Balance *m = g->msg;
    struct ykc_BalanceReply r = {.result = 1};
    unsigned gun;
    if (g->p->model.traits.no_balance)
        return;
    if (gun_of(g->p, m->gun, &gun)) {
        model_set_balance(&g->p->model, gun, m->balance * MONEY_FEN);
        r.result = 0;
    }
    set_pile(r.pile, g->p);
    (void)str_copy(r.card, sizeof r.card, str_from_c(m->card));
    send_frame(g->s, g->p, 0x41, g->seq, &r);
}

static void work_set(struct got *g)
{
    const struct ykc_Work *m = g->msg;
    struct ykc_WorkReply r = {.result = 1};
    struct model *model = &g->p->model;
    int32_t limit_w = m->percent >= 100 ? -1 : (int32_t)(model->traits.power_w * m->percent / 100);
    for (unsigned i = 0; i < model->traits.guns; i++) {
        if (model_limit(model, i, limit_w, g->s->now_ms))
            r.result = 0;
        (void)model_enable(model, i, m->locked == 0, g->s->now_ms);
    }
    set_pile(r.pile, g->p);
    send_frame(g->s, g->p, 0x51, g->seq, &r);
}

static void time_set(struct got *g)
{
    const struct ykc_Time *m = g->msg;
    struct ykc_TimeReply r = {.time = m->time};
    if (m->time > CHINA_MS)
        model_set_clock(&g->p->model, m->time - CHINA_MS, g->s->now_ms);
    set_pile(r.pile, g->p);
    send_frame(g->s, g->p, 0x55, g->seq, &r);
}

static void rebooted(struct got *g)
{
    struct ykc_RebootReply r = {.result = 1};
    set_pile(r.pile, g->p);
    send_frame(g->s, g->p, 0x91, g->seq, &r);
    model_reset(&g->p->model, g->s->now_ms);
}

void ykc_peer_updated(struct sim *s, struct peer *p, int64_t result)
{
    struct ykc_UpdateReply r = {.result = result};
    set_pile(r.pile, p);
    if (p->open)
        send_new(s, p, 0x93, &r);
}

static void update_asked(struct got *g)
{
    const struct ykc_Update *m = g->msg;
    bool kind = m->model == (g->p->model.traits.dc ? 1 : 2);
    if (!kind || strcmp(m->pile, g->p->id) != 0)
        ykc_peer_updated(g->s, g->p, kind ? 1 : 2);
    else if (ykc_update_begin(g->s, g->p, m) != 0)
        ykc_peer_updated(g->s, g->p, 3);
}

static const struct {
    uint8_t type;
    void (*take)(struct got *g);
} frames[] = {
    {0x02, login_replied},   {0x06, verify_replied}, {0x0A, model_fetched},  {0x12, data_read},
    {0x32, start_decided},   {0x34, remote_start},   {0x36, remote_stop},    {0x40, record_replied},
    {0x42, balance_set},     {0x52, work_set},       {0x56, time_set},       {0x58, model_set},
    {0x94, update_asked},    {0x92, rebooted},       {0xA2, pair_decided},   {0xA4, pair_start},
    {0xE2, discharge_start}, {0xE4, discharge_stop}, {0xE6, discharge_read}, {0xE8, record_replied},
};

static void take_frame(struct sim *s, struct peer *p, const struct frame *f)
{
    const struct wire_msg *m = wire_msg_by_code(&ykc_proto, f->type);
    s->stats.received++;
    arena_reset(&s->arena);
    for (size_t i = 0; m && f->enc == 0 && i < ARRAY_LEN(frames); i++) {
        if (frames[i].type != f->type)
            continue;
        void *msg = arena_alloc(&s->arena, m->req->size);
        struct got g = {.s = s, .p = p, .seq = f->seq, .msg = msg};
        if (!msg || wire_bin_decode(m->req, f->body, msg, NULL))
            s->stats.errors++;
        else
            frames[i].take(&g);
    }
}

size_t ykc_peer_bytes(struct sim *s, struct peer *p, struct str bytes)
{
    struct frame f;
    size_t used = 0, n = 0;
    uint64_t garbage = 0;
    p->heard_ms = s->now_ms;
    while (frame_next((struct str){bytes.p + used, bytes.n - used}, &f, &n, &garbage)) {
        used += n;
        take_frame(s, p, &f);
    }
    s->stats.errors += garbage != 0;
    return used + n;
}
