// SPDX-License-Identifier: Apache-2.0
/* peer.h: a model behind a socket, and the process they all live in. sim.c owns the clock and the
 * loop, peer.c connections and timers; ocpp_peer.c and ykc_peer.c turn events into frames and frames
 * into inputs.
 *
 * Invariants: 1. one thread; 2. a peer has at most one call under way; the event it tells stays in
 * the model's queue until it is answered; 3. every time in a peer is of the simulated clock,
 * waiting for the network is counted in real time (× speed). */
#ifndef EVEN_SIM_PEER_H
#define EVEN_SIM_PEER_H

#include "base/arena.h"
#include "base/heap.h"
#include "io/net/net.h"
#include "sim/model.h"
#include "sim/ykc_update.h"

#define PEER_NEVER INT64_MAX

enum peer_protocol { PEER_OCPP, PEER_YKC };
enum peer_call { CALL_NONE, CALL_BOOT, CALL_HEARTBEAT, CALL_EVENT };
/** 云快充: how far the log-in has come. */
enum peer_stage { STAGE_LOGIN, STAGE_VERIFY, STAGE_FETCH, STAGE_READY };

struct peer {
    struct model model;
    struct timer timer;
    struct net_conn conn;
    struct str password; /* borrows the password file */
    int64_t dial_ms;     /* not before; PEER_NEVER while a connection is there or coming */
    int64_t beat_ms;     /* next heartbeat */
    int64_t retry_ms;    /* the call under way is given up or sent again */
    int64_t idle_ms;     /* 云快充: next data of an idle pile */
    int64_t heard_ms;    /* 云快充: last bytes of the platform */
    int32_t beat_every_ms;
    uint32_t call_id; /* of the last call; 云快充: sequence number */
    uint8_t protocol, call, stage, tries;
    bool open, booted;
    char price_no[5]; /* 云快充: the price model it holds */
    char pair_no[13]; /* … the last parallel charge */
    char id[25];
};

struct sim_stats {
    uint64_t dialled, refused, lost; /* connections */
    uint64_t sent, received, errors; /* messages; errors: calls refused, nonsense received */
    uint64_t starts, stops, failed_starts;
    int64_t energy_mwh, given_mwh; /* given: back, by discharges */
};

struct sim_options;

struct sim {
    const struct sim_options *opt; /* where to dial */
    struct net *net;
    struct heap heap;
    struct peer *peers;
    uint32_t n, up; /* up: connections that are open */
    int32_t speed;
    int64_t now_ms;
    struct arena arena;   /* of the message being handled */
    struct buf out, body; /* the message being written */
    struct sim_stats stats;
    struct ykc_update updates[YKC_UPDATES];
};

/** After anything that happened to a peer: lets it speak and sets its timer. */
void peer_settle(struct sim *s, struct peer *p);
/** Counts a transaction that was told. */
void peer_count_stop(struct sim *s, const struct peer *p, unsigned gun);
/** Waiting for the network: real ms as simulated ms. */
int64_t peer_real_ms(const struct sim *s, int64_t ms);
/** Sends s->out and empties it. */
void peer_send(struct sim *s, struct peer *p);

#endif
