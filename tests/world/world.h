// SPDX-License-Identifier: Apache-2.0
/* world.h: a whole operator in one thread and no real time: the real core, a row memory instead of
 * a database, simulated chargers with message delays between, drivers, kills. Everything follows
 * from one seed.
 *
 *   driver ── command ──► core ── sealed batch ──► keep, audit ── outs ──► pile (delay) ──► model
 *                          ▲                                                                  │
 *                          └────────────────────── command (delay) ◄──────────────────────────┘
 *
 * A pile does what a gate does: one message of a charger at a time is unanswered, calls of the
 * platform are handed to the charger and their outcome, a timeout or a broken connection is
 * reported as CMD_CALL_RESULT. Batches are sealed up to 20 ms after their first command; nothing is
 * delivered before. */
#ifndef EVEN_WORLD_WORLD_H
#define EVEN_WORLD_WORLD_H

#include "base/heap.h"
#include "core/core.h"
#include "sim/model.h"
#include "world/audit.h"
#include "world/keep.h"

#define WORLD_START_MS INT64_C(1795305600000) /* 2026-11-22T00:00:00Z */
#define WORLD_TO_CORE  12                     /* messages on their way, each direction */
#define WORLD_TO_PILE  24

/** What a charger, or its gate, tells the core. */
enum word { WORD_OPEN, WORD_BOOT, WORD_PRICES, WORD_HELD, WORD_EVENT, WORD_RESULT };

struct to_core {
    int64_t at_ms;
    int32_t word; /* enum word */
    bool wants_answer;
    struct model_event event;
    char id[33];
    int64_t tx, start_mwh, start_ms, end_ms, class_mwh[4], energy_mwh, command;
    int32_t err;
    const char *status;
};
struct to_pile {
    int64_t at_ms;
    uint16_t type; /* enum out_type: REPLY, CALL or CLOSE */
    uint16_t cmd_type;
    int32_t err, status, kind, connector, interval_s, zero_after_s;
    int64_t id, tx, balance, limit_w; /* id: command, or charger of a log-in */
    char text[37];
    struct model_prices prices;
};

struct pile {
    struct world *w;
    struct model m;
    struct timer timer;
    char path[20];
    int32_t protocol, index;
    int64_t charger, connector[MODEL_GUNS];
    struct rng rng;
    /* The connection. */
    uint32_t gen; /* 0 = never connected */
    bool up, known, waiting, boots;
    int64_t call, call_until_ms; /* a call that waits for its answer, 0 = none */
    struct to_core out[WORLD_TO_CORE];
    struct to_pile in[WORLD_TO_PILE];
    int outs, ins;
    int64_t last_out_ms, last_in_ms;
    bool placeholder[MODEL_GUNS]; /* the running transaction began with a register of 0 */
    bool cut_after_start;         /* the next remote start breaks the connection */
    int64_t tariff;               /* prices to confirm */
    int profiles;                 /* dead-man limits it was given */
};

struct world_reply {
    uint32_t ref;
    int32_t err;
    int64_t id;
};

struct world {
    struct rng rng;
    int64_t now_ms, seal_ms;
    uint64_t settled; /* number of the last batch that is kept */
    struct core *core;
    struct core_batch batch;
    struct keep keep;
    struct audit audit;
    struct zone *zone;
    struct heap timers;
    struct pile *piles;
    int piles_n;
    struct cmd *cmd; /* scratch */
    uint32_t ref, kills;
    struct world_reply reply;
    int64_t tenant, property, platform, flat, steps, contract[2], station[2];
    int64_t *driver;
    int drivers_n;
    bool instant; /* seal after every command */
};

/** Sets up an empty operator: two stations (flat price 0.80 + 0.40, and time of use), two contracts
 * (5:5 in fen, and 2:1), drivers with cards CARD0001 … and no money. */
void world_open(struct world *w, uint64_t seed, int drivers, int piles_max);
void world_close(struct world *w);
/** Adds a charger with its connectors; even the first time it connects by itself. */
struct pile *world_pile(struct world *w, int32_t protocol, const struct model_traits *t,
                        const uint16_t *mix, int station);
/** Plays until then. */
void world_run(struct world *w, int64_t until_ms);
/** The program dies and starts again: what was not sealed is gone, connections break. */
void world_kill(struct world *w);

/** Calls of the web front: the reply of the core, err and id in w->reply. */
int world_topup(struct world *w, int64_t driver, int64_t amount);
int world_start(struct world *w, int64_t driver, int64_t connector, int64_t cap);
int world_stop(struct world *w, int64_t order);
/** The auditor's verdict at the end. */
void world_verdict(struct world *w);

/* Between world.c and pile.c. */
void world_apply(struct world *w, struct cmd *cmd, size_t size);
void pile_init(struct pile *p);
void pile_tick(struct pile *p);
void pile_deliver(struct pile *p, const struct out *out);
void pile_cut(struct pile *p);

#endif
