// SPDX-License-Identifier: Apache-2.0
/* town.h: the house test: the whole platform, its chargers and its people in one thread, by one
 * seed.
 *
 *   people ── commands ──► inbox ─► pulse (core) ─► batch ─► store ─► recorded disk
 *     ▲                      ▲                        │
 *     │ replies, events      │ commands               │ delivered when durable
 *   auditor ◄────────────────┼────────────────────────┤
 *     ▲                      │                        ▼
 *     │ truth            real gates ◄── streams (vnet.h) ──► real chargers of the simulator
 *     └──────────────────────────────────────────────────────────┘
 *
 * A seed draws the chargers, the lines between, the disk's pace, who does what when, which requests
 * are repeated or altered, which lines break, when chargers reboot, when the server's clock jumps,
 * and when the power goes: in the middle of a commit, with unsynced writes kept, lost or torn. */
#ifndef EVEN_TOWN_TOWN_H
#define EVEN_TOWN_TOWN_H

#include "town/audit.h"
#include "town/provider.h"
#include "town/server.h"
#include "town/street.h"

enum { TOWN_ASKS = 64, TOWN_STATIONS = 2 };

/** What a test does to the platform, so that the auditor has something to find. */
enum town_control {
    CONTROL_NONE,
    CONTROL_EARLY,   /* answers leave before the commit */
    CONTROL_REFUND,  /* a refund gives back a fen less than was asked and answered */
    CONTROL_COMPANY, /* what a company pays is booked a fen short */
    CONTROL_QUOTA,   /* members have no quotas */
    CONTROL_TAX,     /* tax is withheld at a percent more */
    CONTROL_CLAUSE,  /* clauses per kWh and per order are half as dear again */
    CONTROL_BANK     /* whoever made a file may take out of it */
};

enum town_topic {
    TOPIC_COMPANY,
    TOPIC_DISCHARGE,
    TOPIC_TAX,
    TOPIC_CLAUSE,
    TOPIC_STAY,
    TOPIC_BANK,
    TOPICS
};

/** A request that was made. Kept after its answer, to be repeated. */
struct ask {
    struct cmd *cmd; /* NULL = free */
    bool answered;
};

struct town {
    uint64_t seed;
    enum town_control control;
    struct rng rng;
    struct server server;
    struct street street;
    struct provider provider;
    struct audit audit;
    struct ask ask[TOWN_ASKS];
    uint32_t ref;
    struct cmd cmd; /* scratch */
    bool setting_up, answered;
    struct out last; /* answer of the set-up's request */
    int64_t station[TOWN_STATIONS];
    int64_t open_ms; /* the server starts again then; 0 = it runs */
    uint64_t requests, repeats;
    /* What only some towns have, each with a chance of its own: the others stay as they were. */
    bool has[TOPICS];
    struct rng chance[TOPICS];
};

enum { TOWN_FOLDERS = 4 }; /* two to live in; for a state, for a flight */

/** Plays one seed; t is then closed, the audit's figures stay. flown: each life of the server is
 * recorded and lived again. */
void town_play(struct town *t, uint64_t seed, enum town_control control,
               char folder[TOWN_FOLDERS][400], bool flown);

/* Between town.c and people.c. */
void town_run(struct town *t, int64_t until_ms);
void people_set_up(struct town *t);
/** One of the people does something. */
void people_act(struct town *t);
/** Answers and events of the platform. */
void people_hear(void *ctx, const struct out *out);
void people_pay(void *ctx, const struct out_pay *ask);
int people_pay_result(void *ctx, const struct cmd *cmd);
void people_notice(void *ctx, const struct out_notice *n);
void people_overhear_ask(void *ctx, const struct cmd *cmd);
void people_overhear_answer(void *ctx, const struct out *out);
/** After a restart: what was not answered is asked again. */
void people_ask_again(struct town *t);
void people_forget(struct town *t);

#endif
