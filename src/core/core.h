// SPDX-License-Identifier: Apache-2.0
/* core.h: the single writer. One struct core per set of tenants; pure: it sees commands, rows and the time it is told, and nothing
 * else of the world. The thread around it (app/engine.c) takes commands from mailboxes, fetches what core_needs names, applies,
 * seals, commits, and only then delivers.
 *
 * Invariants:
 *  1. Same rows, same commands with the same now_ms → same rows, same outs, byte for byte.
 *  2. A command is validated fully before anything changes; an error reply means that nothing changed (but an audit row).
 *  3. Everything that changed is in the next sealed batch; nothing of a batch is delivered before its rows are durable.
 *  4. Money moves only through core/ledger; a sealed batch sums to zero.
 */
#ifndef EVEN_CORE_CORE_H
#define EVEN_CORE_CORE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/zone.h"
#include "core/cmd.h"
#include "core/rows_gen.h"

struct core;
struct sample_record;

struct core_limits { /* from the configuration; 0 = default */
    uint32_t chargers, connectors, drivers, accounts, orders, commands; /* most in memory */
    /* Idle chargers that stay in memory beside those with an order: while much is done, and when it is
     * quiet again. 0 and 0: the usual ones; hot alone: both. */
    uint32_t hot_busy, hot;
    uint32_t bill_diffs; /* rows of one bill that may differ from the books */
    int32_t heartbeat_s, command_timeout_s;
    uint64_t seed;   /* for hash tables only */
    uint64_t secret; /* of this installation: what must not be guessed from an id (tags, codes) */
};

/** Gives an empty core; ERR_NOMEM. */
EV_MUST_USE int core_new(const struct core_limits *limits, struct core **out);
void core_free(struct core *core);

/** Lends a parsed zone by name; the core keeps the pointer for its life. Call before loading stations that use it. */
EV_MUST_USE int core_zone_add(struct core *core, const char *name, const struct zone *zone);
/** True when the zone is known (web front asks before it accepts a station). */
bool core_zone_known(const struct core *core, const char *name);

/** Loads one row at start or after core_needs. The core copies it. */
EV_MUST_USE int core_load(struct core *core, enum row_table table, const void *row);
/** Ids made from now on are greater than this one: the greatest that the store holds, of rows that are not loaded too (a clock that
 * went back while nobody was running would make them again). Call before core_started. */
void core_id_floor(struct core *core, int64_t id);
/** After the last core_load of the start: arms timers of open orders, requeues stops (never starts). */
void core_started(struct core *core, int64_t now_ms);

/** Replays one record of the sample log, in log order, after all rows and before core_started. Records of sessions that are not
 * open, and those that the session's row contains already (at_ms <= check_ms), are ignored. So every record of an open session with a
 * later at_ms must be given, whether it stands in the log or in a sealed block; at_ms ascends strictly within a session. */
EV_MUST_USE int core_load_sample(struct core *core, const struct sample_record *record);

/** What must be loaded before a command can be applied. Every kind that names an order means all of it: the rows of orders,
 * session, hold, bill_piece and split_part with that order (session). A charger means all its connectors too, a driver all its
 * accounts. Which command needs what: need.c. */
enum need_kind {
    NEED_ORDER = 1, /* order id: orders row + its sessions + hold + partial fee state */
    NEED_TX,        /* (charger, tx): session, then its order */
    NEED_TX_NO,     /* 云快充 number: session, then its order */
    NEED_IDEM,      /* idempotency key */
    NEED_PAYMENT,   /* payment id */
    NEED_PAYOUT,    /* payout id */
    NEED_PAPER,     /* party, text: payouts for which this invoice of the payee was noted */
    NEED_GIFTS,     /* driver id: payments whose gift is not all gone, the newest */
    NEED_UNTIL,     /* driver id: of these, those that are good longest */
    NEED_SHARES, /* order id: shares of it that a channel paid, and what was asked back of them */
    /* Of these, what is not in memory has left it after its commit: a look-up need not wait for the batches in flight. */
    NEED_CHARGER,        /* charger id */
    NEED_CHARGER_PATH,   /* text: path */
    NEED_CONNECTOR,      /* connector id: its charger */
    NEED_CONNECTOR_CODE, /* text: code; its charger */
    NEED_DRIVER,         /* driver id */
    NEED_DRIVER_PHONE,   /* tenant, text: phone */
    NEED_TOKEN,          /* token id */
    NEED_TOKEN_TAG,      /* tenant, text: the tag in lower case */
    NEED_INVOICE,        /* invoice id: with its lines and orders */
    NEED_INVOICE_NUMBER, /* tenant, text: the tax system's number; its invoice */
    NEED_STAYS,          /* driver id: chargers where a stay of his may begin */
    NEED_N
};
struct core_need {
    int32_t kind;
    int64_t a, b;
    char text[65];
};
#define CORE_NEEDS_MAX 64 /* an invoice names many orders */
/** Fills needs[] with rows that are neither in memory nor known to be absent; returns how many. The caller fetches, calls core_load for
 * each row found and core_absent for each not found, and asks again until 0; then it applies that command. head.now_ms is set. */
int core_needs(struct core *core, const struct cmd *cmd, struct core_need needs[CORE_NEEDS_MAX]);
/** Not there, or no room for it, or of a kind that is asked for once: good for the next command only. */
void core_absent(struct core *core, const struct core_need *need);
/** True when the look-up must see every batch that was sealed. */
bool core_need_waits(const struct core_need *need);
/** Batches up to this number are durable: lets idle chargers leave memory. now_ms tells how long they have
 * stood idle when no command did since, and nothing else; 0 = not known. Not between core_needs and core_apply.
 * True when much memory was freed that the allocator may give back. */
bool core_rest(struct core *core, uint64_t settled, int64_t now_ms);

/** A command that will be applied soon: begins to fetch what it will touch, each step what the one
 * before it leads to. Changes nothing. Between two readings of a charger a thousand others come, so
 * without it each waits for some twenty cache lines. */
enum core_ahead { AHEAD_KEY, AHEAD_CHARGER, AHEAD_ORDER };
void core_ahead(const struct core *core, const struct cmd *cmd, enum core_ahead step);
/** Applies one command; its reply and effects are appended to the open batch. */
void core_apply(struct core *core, const struct cmd *cmd);
/** Earliest timer, INT64_MAX when none. */
int64_t core_due_ms(struct core *core);
/** Fires every timer due at now_ms. */
void core_tick(struct core *core, int64_t now_ms);

/** A timer that is due, one at a time: for who must know what is being done before it is (the mark of a crash). */
struct core_alarm {
    int64_t object; /* id of the order, charger, payment … it belongs to; 0 = of the whole core */
    int32_t kind;   /* the same number for the same work, in every run of this version */
};
/** Takes the next timer due at now_ms; false when there is none. core_alarm_fire or core_alarm_skip must follow. */
bool core_alarm_next(struct core *core, int64_t now_ms, struct core_alarm *out);
void core_alarm_fire(struct core *core);
/** Leaves the work undone, because it has killed the program before: what it belongs to stays as it is, and the audit of its tenant
 * asks for a person. */
void core_alarm_skip(struct core *core);

/** A sealed batch: rows to commit in one transaction, samples for the log, outs to deliver afterwards. */
struct core_batch {
    struct buf rows;    /* row_pack */
    struct buf samples; /* repeated struct sample_record */
    struct buf outs;    /* repeated struct out, each `size` bytes padded to 8 */
    uint64_t commands;
    uint64_t number; /* 1, 2, 3 … */
};
struct sample_record {
    int64_t tenant, session, at_ms; /* server's time */
    struct core_sample sample;
};
void core_batch_init(struct core_batch *b);
void core_batch_free(struct core_batch *b);
/** True when there is anything to seal. */
bool core_pending(const struct core *core);
/** Moves everything gathered since the last seal into *b (emptied first): dirty rows coalesced, journal rows, samples, outs. */
void core_seal(struct core *core, struct core_batch *b);

/** Gives back buffers that grew with a large batch; nothing may be pending. */
void core_trim(struct core *core);

/** Counters for /metrics, read by the core's thread only. */
struct core_stats {
    uint64_t commands, orders_open, chargers_online, accounts, timers;
};
void core_stats(const struct core *core, struct core_stats *out);

#endif
