// SPDX-License-Identifier: Apache-2.0
/* ykc_conn.h: what the files of the 云快充 gate share. ykc_gate.c owns connections, piles and the
 * way to the core; ykc_in.c knows what piles say; ykc_call.c the calls to them and their outcome;
 * ykc_out.c the core's answers; ykc_map.c turns numbers of the protocol into ours and back, and
 * nothing else; ykc_profile.c is the table of vendors' ways; ykc_pair.c joins the two requests of
 * a parallel charge.
 *
 * A connected pile that is idle costs sizeof(struct ykc_conn) and sizeof(struct ykc_pile): what is
 * only needed now and then (calls, questions) comes from slabs of its own. */
#ifndef EVEN_GATE_YKC_YKC_CONN_H
#define EVEN_GATE_YKC_YKC_CONN_H

#include "base/buf.h"
#include "base/map.h"
#include "base/slab.h"
#include "gate/backlog.h"
#include "gate/ykc/ykc_gate.h"
#include "wire/frame.h"
#include "wire/ykc.h"

#define YKC_UNANSWERED_MAX 8
#define YKC_PILES_MAX      64 /* on one connection */
#define YKC_GUNS_MAX       16
#define YKC_CALLS_MAX      3 /* the core sends one at a time; others are late ones */
#define YKC_BEATS_MAX      8 /* heartbeats that wait for one reading */
#define YKC_GARBAGE_MAX    2048
#define YKC_LOGIN_MS       30000
#define YKC_SILENCE_MS     35000 /* three heartbeats of 10 s, and some */
#define YKC_TOLD_S         10    /* how often an idle pile's life is told to the core */
#define YKC_SYNC_S         86400
#define YKC_PRICE_S        1800 /* prices are asked for at least that often … */
#define YKC_PRICE_RETRY_S  300  /* … and so soon while the pile cannot take them */
#define YKC_OWN            (-1)
#define YKC_LATE_START_MS  70000 /* a pile may take up a refused start within a minute */

enum ykc_pile_state { YKC_ASKED, YKC_BOOTING, YKC_IN };

/** A call of the core under way; or, with refused, a start that must not begin any more. */
struct ykc_call {
    struct slab_ref self;
    struct ykc_call *next;
    int64_t command; /* YKC_OWN: the gate's own */
    int64_t due_ms;
    int64_t tariff; /* 0x57: whose prices it holds then */
    int32_t number;
    int64_t until_ms;
    uint8_t reply; /* type of the frame that answers it */
    uint8_t gun;
    bool refused;
    char order[33];
};

/** Times are seconds since the gate began (ykc_s). */
struct ykc_pile {
    struct ykc_pile *next;
    struct ykc_call *calls;
    int64_t charger;
    uint32_t self; /* its place in the slab */
    int32_t zone_offset_s;
    uint32_t told_s, heard_s, sync_s;
    uint32_t price_s;  /* when to ask what prices it should hold */
    uint16_t price_no; /* number of the model that it holds; 0 = not known */
    char number[15];
    uint8_t state; /* enum ykc_pile_state */
    uint8_t guns, kind, profile, calls_n;
    uint8_t status[YKC_GUNS_MAX / 2]; /* what the core was told last, four bits by gun - 1 */
};

/** A heartbeat whose answer waits until the reading before it is durable. */
struct ykc_beat {
    uint8_t gun, seq[2];
};

/** A question to the core that will be answered. */
struct ykc_wait {
    struct slab_ref self;
    struct ykc_wait *next;
    struct ykc_pile *pile; /* NULL when it left meanwhile */
    uint32_t ref;
    uint8_t type; /* of the frame that asked, 0x58 for the core's own wish to set prices */
    uint8_t seq[2];
    uint8_t beats_n; /* 0x13 */
    int64_t command;
    union {
        char order[33]; /* of a record; program at a log-in; model at a check of prices */
        struct ykc_beat beat[YKC_BEATS_MAX];
        struct {
            char gun[3];
            char card[17];
        } start; /* 0x31, 0x71 */
    } u;
};

struct ykc_conn {
    struct ykc_pile *piles;
    struct ykc_wait *waits;
    struct net_conn net;
    uint32_t self; /* its place in the slab */
    uint32_t next_ref;
    uint32_t looked_s; /* when silent piles were looked for */
    uint16_t garbage;  /* bytes since the last good frame */
    uint16_t seq;
    uint8_t piles_n, waits_n;
    bool crc_high_first : 1, enc_told : 1, closing : 1;
    bool paused : 1, retrying : 1; /* its timer is the one of the backlog */
};
_Static_assert(sizeof(struct ykc_conn) <= 48 && sizeof(struct ykc_pile) <= 80,
               "one of each for every pile that stands idle");

struct ykc_gate {
    struct gate_config cfg;
    int64_t born_ms;
    struct slab conns, piles, waits, calls, pair_slab;
    struct ykc_pair *pairs; /* parallel charges that were asked for lately */
    struct map orphans;     /* (slot, gen) → log-ins asked for by connections that are gone */
    struct buf backlog;     /* commands that the core had no room for, padded to 8 */
    struct buf body, out, text;
    struct arena arena; /* of one call's parameters */
    struct gate_stats stats;
    uint64_t cause; /* of what is being handled */
    int64_t about;  /* charger of the frame at hand, for the frame log; 0 = not known */
    struct cmd cmd; /* the command being written */
};

/** Seconds since the gate began. */
static inline uint32_t ykc_s(const struct ykc_gate *g)
{
    return (uint32_t)((g->cfg.now_ms() - g->born_ms) / 1000);
}

static inline enum connector_status ykc_told(const struct ykc_pile *p, int64_t gun)
{
    return (enum connector_status)(p->status[(gun - 1) / 2] >> (gun % 2 == 0 ? 4 : 0) & 15);
}

/* ykc_gate.c */
struct ykc_pile *ykc_pile_find(struct ykc_conn *c, const char *number);
struct ykc_pile *ykc_pile_of(struct ykc_conn *c, int64_t charger);
/** A new pile on this connection, or NULL at a limit. */
struct ykc_pile *ykc_pile_add(struct ykc_gate *g, struct ykc_conn *c, const char *number);
/** Forgets the pile and tells the core; closes the connection when it was the last. */
void ykc_pile_drop(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p, int32_t reason);
/** Begins a command in g->cmd: zeroed up to size, head filled; no reply is wanted. */
struct cmd *ykc_cmd(struct ykc_gate *g, const struct ykc_conn *c, enum cmd_type type, size_t size);
/** Sends g->cmd, or keeps it while the core has no room. */
void ykc_submit(struct ykc_gate *g);
/** Makes g->cmd a question and sends it; NULL when too many are open (nothing is sent then). */
struct ykc_wait *ykc_ask(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p, uint8_t type,
                         const uint8_t seq[2]);
/** Encodes and sends a frame; seq NULL = a request of ours with the next number. */
void ykc_send(struct ykc_gate *g, struct ykc_conn *c, const struct wire_msg *msg, const void *body,
              const uint8_t *seq);
/** The same with a body that a vendor writes in place of the standard's. */
void ykc_send_as(struct ykc_gate *g, struct ykc_conn *c, uint8_t code, const struct wire_type *type,
                 const void *body, const uint8_t *seq);
void ykc_calls_watch(struct ykc_gate *g, struct ykc_conn *c);
void ykc_told_set(struct ykc_pile *p, int64_t gun, enum connector_status status);

/* ykc_in.c */
void ykc_frame_take(struct ykc_gate *g, struct ykc_conn *c, const struct frame *f);

/** Gun number of a frame, 0 when it makes no sense. */
int64_t ykc_gun(const char *text);

/* ykc_out.c */
void ykc_reply_take(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_wait *w,
                    const struct out *out);
void ykc_time_send(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p);
void ykc_beat_answer(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_pile *p,
                     const char *gun, const uint8_t seq[2]);
const struct wire_msg *ykc_msg(uint8_t type);
/** The number that the display shows: decimal, or zeros. */
void ykc_logical_card(const char *card, char out[17]);

/* ykc_call.c */
void ykc_call_take(struct ykc_gate *g, struct ykc_conn *c, const struct out_call *call);
/** What a pile's frame answers. gun 0 and order "" match any; `payload`: JSON, NULL = the reason. */
struct ykc_answer {
    uint8_t reply;
    bool accepted;
    int64_t gun, reason;
    const char *order, *payload;
};
/** The answer to a call under way; false when nobody waits for it. */
bool ykc_call_answer(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p,
                     const struct ykc_answer *a);
void ykc_calls_expire(struct ykc_gate *g, struct ykc_conn *c);
/** Forgets what was asked of the pile, without a word: the core hears that it left. */
void ykc_calls_drop(struct ykc_gate *g, struct ykc_pile *p);
/** True once for a start that the pile refused and now begins all the same. */
bool ykc_start_refused(struct ykc_gate *g, struct ykc_pile *p, const char *order);
void ykc_stop_send(struct ykc_gate *g, struct ykc_conn *c, const char *pile, const char *gun);
struct ykc_start {
    const char *order, *gun, *card;
    int64_t balance; /* 1/10,000 yuan */
};
void ykc_start_send(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_pile *p,
                    const struct ykc_start *s);
/** Asks the core which prices the pile should hold, when it is time. */
void ykc_prices_look(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p);
/** The prices that the core named: for a call under way, or because it was time. */
void ykc_prices_push(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_wait *w,
                     const struct out *out);
/** The pile holds these prices. */
void ykc_prices_held(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p,
                     const struct reply_prices *r);

/* ykc_pair.c */
size_t ykc_pair_size(void);
/** A1: waits for the other gun's, then asks the core. */
void ykc_pair_take(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p,
                   const struct ykc_ParallelRequest *in, const uint8_t seq[2]);
void ykc_pair_decided(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_wait *w,
                      const struct out *out);
bool ykc_pairs_open(const struct ykc_gate *g, const struct ykc_pile *p);
void ykc_pairs_expire(struct ykc_gate *g, struct ykc_conn *c);
void ykc_pairs_drop(struct ykc_gate *g, const struct ykc_pile *p);

/* ykc_profile.c */
enum ykc_way {
    YKC_CARD_REVERSED = 1, /* the eight bytes of a card stand the other way round */
    YKC_START_RELAY = 2,   /* 0x34 has one byte more */
    YKC_WORK_GUN = 4,      /* 0x52 is for one gun, in tenths of a kilowatt */
    YKC_QR_PLAIN = 8,      /* 0xF0 without the byte of the format */
    YKC_QR_ONE_IS_OK = 16  /* 0xF1: 1 says that it went well */
};
struct ykc_reason {
    uint8_t raw, stop; /* enum stop_reason */
};
struct ykc_profile {
    const char *name, *zh, *en;
    uint32_t ways;                   /* enum ykc_way */
    const struct ykc_reason *reason; /* before those of the standard; ends with raw 0 */
};
/** The vendor's ways; those of the standard for a number that the table does not know. */
const struct ykc_profile *ykc_profile(int32_t number);

/* ykc_map.c */
enum stop_reason ykc_stop_reason(const struct ykc_profile *v, int64_t raw);
/** The connector's state; `before` is what was told last (a full car that stopped is finishing, not
 * preparing). */
enum connector_status ykc_status(const struct ykc_RealtimeData *d, enum connector_status before);
/** Name of the gravest fault bit, "" when none is set. */
const char *ykc_fault(int64_t bits);
void ykc_sample(const struct ykc_RealtimeData *d, struct core_sample *s);
/** The order and the charger are the caller's to fill in. */
void ykc_record(const struct ykc_profile *v, const struct ykc_Record *r, int32_t zone_offset_s,
                struct cmd_tx_record *out);
/** A card's number as the core's tag: in the order that is printed. */
void ykc_card(const struct ykc_profile *v, const char *wire, char out[17]);
/** A VIN as it is read; "" when it is none. */
void ykc_vin(const char *raw, bool reversed, char out[18]);
/** Figures of the vehicle as samples without a register. */
void ykc_demand(const struct ykc_BmsDemand *d, struct core_sample *s);
void ykc_info(const struct ykc_BmsInfo *d, struct core_sample *s);
void ykc_rated(const struct ykc_Handshake *d, struct cmd_battery *out);
void ykc_setup(const struct ykc_Parameters *d, struct cmd_battery *out);
void ykc_end(const struct ykc_EndPhase *d, struct cmd_battery *out);
void ykc_parking(const struct ykc_LockState *d, struct cmd_parking *out);
void ykc_discharge(const struct ykc_DischargeData *d, struct core_sample *s);
void ykc_discharge_record(const struct ykc_DischargeRecord *r, int32_t zone_offset_s,
                          struct cmd_tx_record *out);
void ykc_record17(const struct ykc_Record17 *r, struct ykc_Record *out);
/** The number of a price model as its four digits. */
void ykc_model_number(int32_t number, char out[5]);
void ykc_prices(const struct reply_prices *p, struct ykc_FetchModelReply *out);
/** 1/10,000 yuan → whole fen as the wire carries them, never more than given. */
int64_t ykc_fen(int64_t amount);
const char *ykc_start_reason(int64_t reason);
/** The same as an error of ours; 0 = none says it. */
int ykc_start_err(int64_t reason);

#endif
