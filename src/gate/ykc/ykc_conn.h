// SPDX-License-Identifier: Apache-2.0
/* ykc_conn.h: what the files of the 云快充 gate share. ykc_gate.c owns connections, piles and the
 * way to the core; ykc_in.c knows what piles say; ykc_out.c what the core says; ykc_map.c turns
 * numbers of the protocol into ours and back, and nothing else. */
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
#define YKC_PILES_MAX      32 /* on one connection */
#define YKC_GUNS_MAX       32
#define YKC_CALLS_MAX      2 /* the core sends one at a time; the other is a late one */
#define YKC_GARBAGE_MAX    2048
#define YKC_LOGIN_MS       30000
#define YKC_SILENCE_MS     35000 /* three heartbeats of 10 s, and some */
#define YKC_TOLD_MS        10000 /* how often an idle pile's life is told to the core */
#define YKC_SYNC_MS        86400000

enum ykc_pile_state { YKC_ASKED, YKC_BOOTING, YKC_IN };

/** A call of the core under way. */
struct ykc_call {
    int64_t command; /* 0 = free */
    int64_t due_ms;
    int64_t tariff; /* CALL_PRICES */
    uint8_t reply;  /* type of the frame that answers it */
    uint8_t gun;
    char order[33];
};

struct ykc_pile {
    struct slab_ref self;
    struct ykc_pile *next;
    char number[15];
    char program[9];
    uint8_t state; /* enum ykc_pile_state */
    uint8_t guns, kind;
    uint8_t login_seq[2];
    char refused_order[33]; /* a start that the pile refused; it must not begin later */
    int32_t zone_offset_s;
    int64_t charger;
    int64_t told_ms, sync_ms;
    uint8_t status[YKC_GUNS_MAX]; /* what the core was told last, by gun - 1 */
    struct ykc_call call[YKC_CALLS_MAX];
};

/** A question to the core that will be answered. */
struct ykc_wait {
    struct slab_ref self;
    struct ykc_wait *next;
    struct ykc_pile *pile; /* NULL when it left meanwhile */
    uint32_t ref;
    uint8_t type; /* of the frame that asked, 0x58 for the core's own wish to set prices */
    uint8_t seq[2];
    char order[33];
    int64_t command;
};

struct ykc_conn {
    struct slab_ref self;
    struct net_conn net;
    struct ykc_pile *piles;
    struct ykc_wait *waits;
    uint32_t next_ref;
    uint32_t garbage; /* bytes since the last good frame */
    uint16_t seq;
    uint8_t piles_n, waits_n;
    bool crc_high_first, enc_told, closing;
    bool paused, retrying; /* its timer is the one of the backlog */
};

struct ykc_gate {
    struct gate_config cfg;
    struct slab conns, piles, waits;
    struct map names;   /* (slot, gen) of the connection → struct ykc_conn */
    struct map orphans; /* (slot, gen) → log-ins asked for by connections that are gone */
    struct buf backlog; /* commands that the core had no room for, padded to 8 */
    struct buf body, out;
    struct gate_stats stats;
    uint64_t cause; /* of what is being handled */
    struct cmd cmd; /* the command being written */
};

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
void ykc_calls_watch(struct ykc_gate *g, struct ykc_conn *c);

/* ykc_in.c */
void ykc_frame_take(struct ykc_gate *g, struct ykc_conn *c, const struct frame *f);

/* ykc_out.c */
void ykc_reply_take(struct ykc_gate *g, struct ykc_conn *c, const struct ykc_wait *w,
                    const struct out *out);
void ykc_call_take(struct ykc_gate *g, struct ykc_conn *c, const struct out_call *call);
void ykc_time_send(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p);
/** The answer to a call under way; false when nobody waits for it. gun 0 and order "" match any. */
bool ykc_call_answer(struct ykc_gate *g, struct ykc_conn *c, struct ykc_pile *p, uint8_t reply,
                     int64_t gun, const char *order, bool accepted, int64_t reason);
void ykc_calls_expire(struct ykc_gate *g, struct ykc_conn *c);
const struct wire_msg *ykc_msg(uint8_t type);

/* ykc_map.c */
enum stop_reason ykc_stop_reason(int64_t raw);
/** The connector's state; `before` is what was told last (a full car that stopped is finishing, not
 * preparing). */
enum connector_status ykc_status(const struct ykc_RealtimeData *d, enum connector_status before);
/** Name of the gravest fault bit, "" when none is set. */
const char *ykc_fault(int64_t bits);
void ykc_sample(const struct ykc_RealtimeData *d, struct core_sample *s);
void ykc_record(const struct ykc_Record *r, int32_t zone_offset_s, struct cmd_tx_record *out);
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
