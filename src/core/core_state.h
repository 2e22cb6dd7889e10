// SPDX-License-Identifier: Apache-2.0
/* core_state.h: what the files of the core share among themselves, and nobody else includes: the
 * objects in memory, their tables, the open batch, and the few functions that cross topics.
 *
 * Objects. A row that the core keeps is an object: struct obj, then the row itself. The object owns
 * the row's texts (obj_own), remembers whether it changed (obj_dirty) and is packed once when the
 * batch is sealed. Journal rows are packed at once (row_put).
 *
 * Invariants:
 *  1. An object that differs from its durable row is on the dirty list.
 *  2. Every directory object is in its table's `ids`, and in `keys` when its natural key is not
 *     empty.
 *  3. An order and its one session are one object with two rows, both always dirty together, so
 *     that what the evidence rules keep in both is one checkpoint. (The second gun of a parallel
 *     charge is an order object of its own: parallel.h.)
 *  4. Handlers return before they change anything, or not at all.
 * One thread. Nothing here knows the time but through core->now. */
#ifndef EVEN_CORE_STATE_H
#define EVEN_CORE_STATE_H

#include <stddef.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/heap.h"
#include "base/map.h"
#include "base/money.h"
#include "base/must.h"
#include "base/slab.h"
#include "core/allot.h"
#include "core/cap.h"
#include "core/core.h"
#include "core/evidence.h"
#include "core/fee.h"
#include "core/ledger.h"
#include "core/rows.h"
#include "core/split.h"
#include "core/tariff.h"

/* The times that are the same for everybody, ms; those that a tenant sets are in its row. */
enum {
    EVICT_MS = 10 * 60 * 1000,     /* what is over stays in memory … */
    ORDER_EVICT_MS = 60 * 1000,    /* … a finished order not as long: it takes 5 KB there */
    IDEM_KEEP_MS = 10 * 60 * 1000, /* an idempotency key stays in memory */
    CHECKPOINT_MS = 5 * 60 * 1000, /* an open session is written at least that often */
    LIVE_CLOCK_MS = 120 * 1000,    /* a charger's clock this near ours is believed */
    BOOT_GRACE_MS = 5 * 60 * 1000, /* after a boot: wait for the old session's stop */
    FREE_GRACE_MS = 60 * 1000,     /* connector reported free while its session is open */
    STOP_GRACE_MS = 3 * 60 * 1000, /* after a stop because of silence: then close anyway */
    RECONNECT_MS = 1000,           /* stops go out so long after a reconnect */
    YKC_SILENT_MS = 30 * 1000,     /* a second log-in is refused while the first speaks */
    QUICK_CALL_S = 5,              /* time for calls that the core makes by itself */
    START_TIMEOUT_MAX_S = 90,      /* hold of a start that nobody answered: released by then */
    START_TIMEOUT_MIN_S = 10,
    LOCK_FAILURES = 10,       /* failed log-ins until a person is locked … */
    LOCK_MS = 15 * 60 * 1000, /* … for so long */
    QUOTA_MSGS_S = 50,        /* messages a second of one charger, beyond: counted */
    QUOTA_TXN_10S = 500,      /* durable ones, or dropped ones, in ten seconds, beyond: closed */
    STATUS_WINDOW_MS = 10000, /* a connector whose state changes … */
    STATUS_LATE_MS = 10 * 60 * 1000, /* … it may have waited so long in the charger */
    STATUS_BURST = 8, /* … more often in it flaps: its last state counts, at the end */
    PRICE_LEAD_MS = 2 * 60 * 1000, /* piles get what changes so long before it does */
    RECORD_MS = 60 * 1000, /* 云快充: idle while its session is open: the record is due */
    WAITING_MAX = 1000,    /* unregistered chargers kept in the list */
    ABSENT_MAX = 128,      /* rows looked up in vain for one command */
    NEXT_MS = 60 * 1000,   /* after an order a charger stays in memory for the next one */
    TX_MAX = 0x7fffffff
};

struct obj {
    struct obj *next_dirty;
    void *row; /* behind this head */
    struct buf texts;
    struct slab_ref ref;
    uint64_t sealed; /* number of the batch that its row last went into */
    uint8_t table;   /* enum row_table */
    bool dirty;
};

/** A table of objects: directory tables are indexed by enum row_table. */
struct dir {
    struct slab slab;
    struct map ids;
    struct strmap keys;
    uint32_t cap;
};

struct tenant {
    struct obj o;
    struct row_tenant row;
    const struct zone *zone;
    int64_t quota_ms; /* the second in which quota_n calls were asked for */
    int32_t quota_n;
};
struct party {
    struct obj o;
    struct row_party row;
};
struct person {
    struct obj o;
    struct row_person row;
};
struct api_key {
    struct obj o;
    struct row_api_key row;
};
struct driver {
    struct obj o;
    struct row_driver row;
};
struct firmware {
    struct obj o;
    struct row_firmware row;
};
struct token {
    struct obj o;
    struct row_token row;
};
struct station {
    struct obj o;
    struct row_station row;
    const struct zone *zone;
};

struct purse;
struct invoice; /* invoice.h */
struct recon;
struct call;
enum charger_timer { TC_CALL, TC_STATUS, TC_N };
struct charger {
    struct obj o;
    struct row_charger row;
    struct connector *connectors;
    /* The connection. */
    struct origin conn;
    int64_t opened_ms, heard_ms;
    int64_t
        lag_ms; /* least seen (our clock − the charger's) since it connected; INT64_MAX = none */
    bool online;
    int64_t quota_ms, quota_txn_ms;
    uint32_t quota_n, quota_txn_n, quota_over;
    bool quota_again; /* this connection came after one that was closed for it */
    /* Calls: one outstanding, the others wait. */
    struct call *calling, *queue;
    struct timer timer[TC_N];
    struct order *reading; /* whose reading came last, or NULL: a guess, see order_of_tx */
    bool probed;           /* a reading was asked for on this connection, to see whether it comes */
    uint32_t orders;       /* open ones */
    int64_t order_ms;      /* when the last one was over, 0 = none since it came into memory */
    struct charger *newer, *older; /* in the list of those in memory: hot.c */
    int64_t touched_ms;            /* when it was put first there */
};
/** What a charger that is not in memory is known by; there are many of them. Of times that are never
 * long past the low 32 bits are kept. */
enum { LINE_GUNS = 2 };
struct line {
    struct origin conn;
    int64_t opened_ms, lag_ms;
    uint32_t heard_at, quota_at, quota_txn_at, flap_at[LINE_GUNS];
    uint16_t quota_n, quota_txn_n, quota_over;
    uint8_t flap_gun[LINE_GUNS], flap_changes[LINE_GUNS];
    bool online : 1, probed : 1, quota_again : 1;
};
_Static_assert(sizeof(struct line) <= 64, "one for each connection");
struct connector {
    struct obj o;
    struct row_connector row;
    struct charger *charger;
    struct connector *next;
    int64_t turn;   /* 云快充: order that follows the running one when the pile turns round */
    uint64_t stray; /* 云快充: mark of the last session here that belongs to no order */
    int64_t told_at_ms;  /* when the start of row.told_tx came, 0 = not since it came into memory */
    struct {             /* what a connector that flaps said last, while it waits to count */
        int64_t from_ms; /* begin of the window */
        int32_t changes; /* in the window */
        int32_t status;  /* 0 = nothing waits */
        char error[51];
    } flap;
};

/** What it said last: its row lags behind while it flaps. */
static inline int32_t connector_says(const struct connector *k)
{
    return k->flap.status ? k->flap.status : k->row.status;
}

/** Versions of one tariff or contract family, newest from_ms first. */
struct tariff_node {
    struct tariff_node *next;
    struct tariff *t;
};
struct contract_node {
    struct contract_node *next;
    struct split_contract c;
};
/** The running month of a family that counts or posts by month (contract.c). */
#define CONTRACT_MONTH_PARTIES 32
struct contract_month {
    struct contract_month *next; /* all of them */
    int64_t family, tenant, base, energy_mwh;
    int64_t from_id, from_ms, to_ms; /* what counts in it; its bounds, once it is over */
    int32_t month, n;                /* yyyymm in the tenant's zone */
    struct {
        int64_t party, amount, posted, rent;
    } got[CONTRACT_MONTH_PARTIES];
};

enum order_timer {
    TO_START,   /* nothing came of a start */
    TO_CAP,     /* ask cap_decide again */
    TO_SILENCE, /* no sample for too long */
    TO_SUSPEND, /* suspended, or low power, for too long */
    TO_STOP,    /* send the stop again */
    TO_GRACE,   /* booted or free while open: close with the last good reading */
    TO_DECIDE,  /* the doubtful rest is decided by rule */
    TO_EVICT,   /* forget the finished order */
    TO_N
};
/** One order with its one session (invariant 3). */
struct order {
    struct obj o;
    struct row_orders row;
    struct obj so;
    struct row_session srow;
    struct evidence ev;
    struct evidence_limits lim;
    struct fee_bill bill;
    int32_t piece_dirty;               /* pieces from here on differ from their rows */
    int32_t piece_rows;                /* rows of bill_piece that exist */
    bool loaded_order, loaded_session; /* rows came from the store */
    bool ready;                        /* derived state is built */
    bool low_power;                    /* TO_SUSPEND runs because of low power */
    bool stop_open;                    /* a stop is queued or outstanding */
    bool ending;                       /* its stop message is being applied */
    uint32_t stop_tries;
    int64_t stop_sent_ms;
    int64_t accepted_ms; /* the charger accepted the remote start */
    int64_t checked_ms;  /* when the last checkpoint was written */
    /* Live figures for the cap; lost in a restart and soon known again. */
    int64_t reading_ms, power_w, prev_power_w, prev_ms;
    int64_t asked_ms, limit_w, sample_gap_ms;
    int64_t zero_ms, zero_sent_ms; /* the dead-man limit in the charger, 0 = none; when it went */
    int32_t unanswered;
    bool interval_set, near_told; /* interval_set: its charger has a shorter interval for it */
    /* Of an occupancy order: its clock runs; the charger booted since; when the clock stopped, when
     * the driver was told last. */
    bool occ_runs, occ_boot;
    int64_t occ_paused_ms, occ_told_ms;
    struct allot_move allot; /* of the main order of two: a part of the cap that is being moved */
    int64_t lot_now;         /* fee of the lots that the charge at hand took: lotfee.h */
    struct buf parts_buf;    /* rows of split_part: a correction takes back from them */
    struct timer timer[TO_N];
};

/** A call to a charger. Durable ones have a row; what the core asks by itself has none. */
struct call {
    struct obj o;
    struct row_command row;
    struct call *next;
    struct charger *charger;
    int32_t kind; /* enum call_kind */
    int32_t timeout_s, interval_s;
    bool durable;
    int64_t limit_w;
    int32_t zero_after_s;
    int64_t part; /* of CALL_BALANCE: the lower part of the cap that it tells, 0 = what holds */
};

struct idem {
    struct slab_ref ref;
    struct idem *next; /* in the order they came */
    int64_t at_ms, made;
    int32_t outcome;
    char key[65], finger[65];
};

struct core {
    struct core_limits lim;
    struct arena arena;   /* for the core's life: zones' names, tariffs, contracts, ledger frame */
    struct arena scratch; /* for one command */
    struct buf text_scratch;
    struct strmap zones;
    struct dir dir[ROW_TABLE_N];
    struct map tariffs, tariff_families, contracts, contract_families; /* to nodes */
    struct map occ_rules, occ_families;                                /* occupancy.h */
    struct map contract_months; /* of families to struct contract_month */
    struct contract_month *months;
    struct buf load_days, load_slices, load_tariffs, load_contracts, load_parties;
    struct buf load_clauses, load_months;
    struct ledger *ledger;
    struct purse *purse;                          /* purse.h */
    struct invoice *invoice_first, *invoice_last; /* in memory, newest there first */
    struct recon *recon;                          /* recon.h */
    struct withhold_rule *withhold;               /* withhold.h: the newest first */

    struct slab orders, calls, idems;
    struct map order_ids, session_ids, call_ids;
    struct strmap tx_keys, tx_nos; /* to orders */
    struct strmap idem_keys;
    struct core_need absent[ABSENT_MAX]; /* looked up for the next command, and not there */
    uint32_t absent_n;
    struct idem *idem_head, *idem_tail;
    struct heap timers;
    struct timer idem_timer, month_timer;
    struct timer *alarm; /* taken, not fired yet */

    struct map lines; /* hot.c: of charger ids to struct line */
    uint32_t busy;    /* chargers with an open order */
    struct charger *hot_first, *hot_last;
    bool hot_ebb;             /* hot.c: many are in memory, and who stands idle for long leaves */
    uint32_t hot_peak;        /* most in memory since pages were given back */
    uint64_t sealed, settled; /* batches sealed, and known to be durable */

    int64_t now, last_id;
    bool started, replaying;
    uint64_t commands_total, commands_batch, orders_open, online;

    /* The open batch. */
    struct buf rows, samples, outs;
    struct obj *dirty_head, *dirty_tail;

    /* The command being applied. */
    const struct cmd *cmd;
    uint64_t cause;
    int64_t made_id, made_version;
};

/* ---- keep.c: objects, texts, dirty list, ids, lookup ---- */

int64_t core_id(struct core *c);
/** The one that core_id would give at that time. */
int64_t core_id_next(const struct core *c, int64_t now_ms);
/** Takes over that this id exists. */
void core_id_seen(struct core *c, int64_t id);
void obj_init(struct obj *o, enum row_table t, void *row);
/** Makes the texts that the row points at the object's own. */
void obj_own(struct core *c, struct obj *o);
/** Sets one text of the row; returns whether it changed. */
bool obj_text(struct core *c, struct obj *o, const char **field, const char *value);
struct obj_field {
    const char **field, *value;
};
/** The same with several, which are copied once. */
bool obj_texts(struct core *c, struct obj *o, const struct obj_field *set, size_t n);
void obj_dirty(struct core *c, struct obj *o);
/** Off the dirty list without being written (ephemeral or freed objects). */
void obj_clean(struct core *c, struct obj *o);
void obj_free(struct core *c, struct obj *o);
/** Packs a row into the open batch. */
void row_put(struct core *c, enum row_table t, enum row_op op, const void *row);
void *dir_find(const struct core *c, enum row_table t, int64_t id);
void *dir_find_key(const struct core *c, enum row_table t, const char *key);
/** A new object of the table with a copy of the row; NULL when it is full. */
void *dir_add(struct core *c, enum row_table t, const void *row);
/** Out of the table and out of memory; the row stays where it is stored. */
void dir_drop(struct core *c, struct obj *o);
/** Copies the row into an object that exists, with its key. */
void dir_change(struct core *c, struct obj *o, const void *row);
bool dir_full(const struct core *c, enum row_table t);
/** Many left: gives their memory back. */
void dir_trim(struct core *c, enum row_table t);
/** Natural key of a row, "" when it has none. */
#define DIR_KEY_SIZE 240
void dir_key(enum row_table t, const void *row, char out[DIR_KEY_SIZE]);
/** A tag as it is compared: without case. */
#define TAG_SIZE 37
void tag_fold(const char *tag, char out[TAG_SIZE]);
/** The column of that name in a row, or NULL. */
void *row_field(enum row_table t, const void *row, const char *name);

static inline struct tenant *tenant_find(const struct core *c, int64_t id)
{
    return dir_find(c, ROW_TENANT, id);
}
static inline struct driver *driver_find(const struct core *c, int64_t id)
{
    return dir_find(c, ROW_DRIVER, id);
}
static inline struct station *station_find(const struct core *c, int64_t id)
{
    return dir_find(c, ROW_STATION, id);
}
static inline struct charger *charger_find(const struct core *c, int64_t id)
{
    return dir_find(c, ROW_CHARGER, id);
}
static inline struct connector *connector_find(const struct core *c, int64_t id)
{
    return dir_find(c, ROW_CONNECTOR, id);
}
struct connector *connector_of(const struct charger *ch, int64_t number);
struct token *token_find(const struct core *c, int64_t tenant, const char *tag);
/** A station's zone, its tenant's, or NULL (UTC). */
const struct zone *zone_of(const struct core *c, int64_t station);

/* ---- out.c: replies, calls, events, audit ---- */

/** Appends an out of `size` bytes; never NULL. Valid until the next one. */
struct out *out_new(struct core *c, enum out_type type, size_t size);
/** Reply to the command being applied, NULL when nobody waits. */
struct out *reply_new(struct core *c, int err, size_t size);
void reply_err(struct core *c, int err);
void reply_plain(struct core *c);
void reply_tag(struct core *c, int32_t status, int64_t tx);
struct out_event *event_new(struct core *c, enum event_kind kind);
void event_connector(struct core *c, const struct connector *k);
void event_charger(struct core *c, const struct charger *ch);
void event_order(struct core *c, const struct order *o);
void event_wallet(struct core *c, int64_t tenant, int64_t driver, const char *currency);
void close_send(struct core *c, const struct charger *ch, struct origin conn, int32_t code);
void audit_put(struct core *c, int64_t tenant, const char *action, int64_t object,
               const char *detail, int32_t outcome);

/* ---- core.c, hot.c ---- */

bool idem_known(const struct core *c, const char *key);
/** True for commands whose payload begins with a charger's id. */
bool command_of_gate(uint16_t type);

void hot_init(struct core *c);
void hot_free(struct core *c);
/** A charger that came into memory. */
void hot_add(struct core *c, struct charger *ch);
/** One of its connectors, after it. */
void hot_add_gun(struct core *c, struct connector *k);
/** Something was heard of it. */
void hot_touch(struct core *c, struct charger *ch);
/** The line of a charger that left memory after it was connected, or NULL. */
struct line *hot_line(const struct core *c, int64_t charger);

/* ---- directory.c, catalog.c, contract.c ---- */

int directory_put(struct core *c, const struct cmd *cmd);
/** The row of a ROW_PUT, in the scratch arena; what is wrong with it. */
int directory_unpack(struct core *c, const struct cmd *cmd, enum row_table *t, void **row);
/** The short code that a connector with this id gets at its turn-th try. */
#define CODE_SIZE 9
void code_make(const struct core *c, int64_t id, uint64_t turn, char out[CODE_SIZE]);
int directory_load(struct core *c, enum row_table t, const void *row);
int directory_setup(struct core *c, const struct cmd *cmd);
int directory_register(struct core *c, const struct cmd *cmd);
bool station_scope_ok(const struct cmd *cmd, int64_t station);
/** The driver's wallet (made when missing); ERR_FULL. */
int wallet_open(struct core *c, int64_t tenant, int64_t driver, const char *currency, int64_t *id);
int account_open(struct core *c, int64_t tenant, int32_t kind, int64_t owner, const char *currency,
                 int64_t *id);
int64_t debt_of(const struct core *c, int64_t tenant, int64_t driver, const char *currency);

int catalog_put_tariff(struct core *c, const struct cmd *cmd);
int catalog_put_contract(struct core *c, const struct cmd *cmd);
int catalog_load(struct core *c, enum row_table t, const void *row);
/** Builds what catalog_load gathered; ERR_CORRUPT. */
int catalog_build(struct core *c);
const struct tariff *tariff_find(const struct core *c, int64_t version);
/** Version in force at an instant, NULL = none. */
const struct tariff *tariff_in_force(const struct core *c, int64_t family, int64_t ms);
struct split_contract *contract_find(const struct core *c, int64_t version);
struct split_contract *contract_in_force(const struct core *c, int64_t family, int64_t ms);
/** Rows gathered for the start whose first member is `key`, in the scratch. */
void *catalog_rows(struct core *c, const struct buf *from, size_t size, int64_t key, size_t *n);
EV_MUST_USE int contract_load(struct core *c, const struct row_contract *row);
EV_MUST_USE int contract_month_load(struct core *c, const struct row_contract_month *row);
/** The month's timer: set for the next end of a month; it ends those that are over. */
void contract_months_arm(struct core *c);
void contract_months_fire(struct core *c);
/** Ends the months of this contract that are over: before a refund looks at what there is. */
void contract_month_now(struct core *c, int64_t contract);
/** How far the contract's month is, and what an order adds to it; what a refund takes from it. */
void contract_month_before(struct core *c, const struct split_contract *k, struct split_input *in);
void contract_month_after(struct core *c, const struct split_contract *k,
                          const struct split_input *in, const struct split_result *r);
void contract_month_back(struct core *c, int64_t contract, int64_t party, int64_t amount);
const struct party *party_platform(const struct core *c, int64_t tenant);
void catalog_price_model(struct core *c, const struct cmd *cmd, struct charger *ch);
void catalog_price_held(struct core *c, const struct cmd *cmd, struct charger *ch);

/* ---- link.c: connection, boot, status ---- */

void link_open(struct core *c, const struct cmd *cmd);
void link_closed(struct core *c, const struct cmd *cmd, struct charger *ch);
void link_boot(struct core *c, const struct cmd *cmd, struct charger *ch);
void link_heartbeat(struct core *c, const struct cmd *cmd, struct charger *ch);
void link_status(struct core *c, const struct cmd *cmd, struct charger *ch);
void link_data_transfer(struct core *c, const struct cmd *cmd, struct charger *ch);
void link_note(struct core *c, const struct cmd *cmd, struct charger *ch);
int link_fetched(struct core *c, const struct cmd *cmd);
/** Counts a message against the quota; `txn`: one that is written. True when it is to be dropped. */
bool link_quota(struct core *c, struct charger *ch, const struct cmd *cmd, bool txn);
/** The window of a connector that flaps is over. */
void link_status_due(struct core *c, struct charger *ch);
/** Marks every connector away; of the start and of a closed connection. */
void link_away(struct core *c, struct charger *ch);
void link_lag(struct core *c, struct charger *ch, int64_t charger_ms);
/** True when the time was noted by the charger before it could reach us. */
bool link_late(const struct core *c, const struct charger *ch, int64_t charger_ms);

/* ---- command.c: calls to chargers ---- */

struct call_ask {
    int32_t kind, connector, timeout_s, interval_s;
    bool durable, first; /* first: before all that wait */
    int64_t order, limit_w;
    int32_t zero_after_s;
    int64_t part;
    const char *action, *payload;
};
/** Makes and queues a call, sends it when nothing is outstanding; NULL when the table is full. */
struct call *call_add(struct core *c, struct charger *ch, const struct call_ask *ask);
int command_call(struct core *c, const struct cmd *cmd);
/** Counts a call that somebody asks for (a start too, a stop never); ERR_RATE_LIMIT beyond the
 * tenant's quota. */
int command_quota(struct core *c, int64_t tenant);
void command_result(struct core *c, const struct cmd *cmd, struct charger *ch);
void command_timeout(struct core *c, struct charger *ch);
/** The connection is there, or gone. */
void command_pump(struct core *c, struct charger *ch);
void command_gone(struct core *c, struct charger *ch);
/** Sets and clears bits of enum charger_trait. */
void trait_learn(struct core *c, struct charger *ch, int32_t set, int32_t clear);
/** Drops calls of this order that still wait. */
void command_drop(struct core *c, struct charger *ch, int64_t order);
/** Such a call of this order waits, or is outstanding. */
bool command_waits(const struct charger *ch, int32_t kind, int64_t order);
int command_load(struct core *c, const struct row_command *row);

/* ---- order.c: the state machine ---- */

/** A new order with its session; NULL when memory is full. */
struct order *order_new(struct core *c);
struct order *order_find(const struct core *c, int64_t id);
/** The order of a transaction of this charger; mostly that of its last reading, which is looked at
 * first. */
struct order *order_of_tx(const struct core *c, struct charger *ch, int64_t tx);
struct order *order_by_tx(const struct core *c, int64_t charger, int64_t tx);
struct order *order_by_tx_no(const struct core *c, const char *tx_no);
void order_index(struct core *c, struct order *o);
void order_dirty(struct core *c, struct order *o);
void order_event(struct core *c, struct order *o, enum order_event_kind e, const char *detail);
void order_state(struct core *c, struct order *o, enum order_state s);
/** Keeps its charger in memory while it is open: +1, then -1. */
void order_pin(struct core *c, const struct order *o, int by);
bool order_open(const struct order *o);    /* not terminal, not doubtful */
bool order_running(const struct order *o); /* charging, suspended or stopping */
/** Builds what is derived of rows that were loaded. False when rows are missing. */
bool order_ready(struct core *c, struct order *o);
void order_limits(struct core *c, struct order *o);
void order_timer(struct core *c, struct order *o, enum order_timer t, int64_t due_ms);
void order_timer_off(struct core *c, struct order *o, enum order_timer t);
void order_fire(struct core *c, struct order *o, enum order_timer t);
void order_fail(struct core *c, struct order *o, int err, enum order_event_kind e,
                const char *detail);
/** The session begins at start_ms with this register (-1 = unknown). */
void order_begin(struct core *c, struct order *o, int64_t start_ms, int64_t meter_mwh);
void order_suspend(struct core *c, struct order *o, bool by_vehicle);
void order_resume(struct core *c, struct order *o);
void order_fill(struct core *c, struct order *o);
void order_pack_pieces(struct core *c, struct order *o);
void order_evict(struct core *c, struct order *o);
int order_load(struct core *c, const struct row_orders *row);
int order_load_session(struct core *c, const struct row_session *row);
int order_load_piece(struct core *c, const struct row_bill_piece *row);
int order_load_part(struct core *c, const struct row_split_part *row);
void order_restart(struct core *c, struct order *o);
struct charger *order_charger(const struct core *c, const struct order *o);

/* ---- start.c, meter.c, stop.c, settle.c, account.c ---- */

#define ORDER_TAG_SIZE 21
/** The order that such a tag speaks of, or 0; whether it is that order's tag is not judged here. */
int64_t start_tag_order(const char *tag);
int start_order(struct core *c, const struct cmd *cmd);
/** Could this driver's charging begin at this connector now? */
int start_place_check(struct core *c, int64_t tenant, int64_t connector, int64_t driver);
/** Begins the order that a single payment paid for. */
struct payment;
int start_paid(struct core *c, const struct payment *p, struct order **made);
void start_authorize(struct core *c, const struct cmd *cmd, struct charger *ch);
void start_tx(struct core *c, const struct cmd *cmd, struct charger *ch);
/** It begins where another order still runs: that one was turned round, its record will come. */
void start_turned(struct core *c, struct order *o);
void start_pile(struct core *c, const struct cmd *cmd, struct charger *ch);
/** The order of a session that a card began while its pile had no network; NULL with *err when that
 * card may not. */
struct order *start_offline(struct core *c, const struct cmd_tx_record *in,
                            const struct charger *ch, int *err);
int32_t start_tag_status(struct core *c, const struct charger *ch, const char *tag);
/** A session that nobody pays for (late start): the operator's loss; of a discharge one that pays
 * what it would have paid. */
struct order *start_unpaid(struct core *c, const struct order *of, struct connector *k,
                           enum start_kind by);
/** Nothing is plugged in where this order is to start, as far as the charger told. */
bool start_unplugged(const struct core *c, const struct order *o);
void start_result(struct core *c, struct order *o, int err, const char *status);

void meter_apply(struct core *c, const struct cmd *cmd, struct charger *ch);
/** Samples of one message for an open session: to the log, the evidence and the bill. */
void meter_samples(struct core *c, struct order *o, const struct core_sample *s, int32_t n);
void meter_fold(struct core *c, struct order *o, const struct sample_record *r);
void meter_step(struct core *c, struct order *o, const struct evidence_step *step);
void meter_cap(struct core *c, struct order *o);
/** Asks for a reading of this order's gun. */
void meter_read(struct core *c, struct order *o, struct charger *ch);
/** Notes the charger's usual sample interval as this session saw it. */
void interval_note(struct core *c, const struct order *o, struct charger *ch);
/** The answer to a profile: was it taken? */
void profile_result(struct order *o, int err, const char *status);
/** Gives the charger its usual sample interval back when no session needs the short one. */
void interval_restore(struct core *c, struct charger *ch);
/** The answer to such a call: `order` 0 = it was to restore. */
void interval_result(struct core *c, struct charger *ch, int64_t order, int err,
                     const char *status);

void stop_tx(struct core *c, const struct cmd *cmd, struct charger *ch);
void stop_record(struct core *c, const struct cmd *cmd, struct charger *ch);
int stop_order(struct core *c, const struct cmd *cmd);
/** Asks the charger to stop, now and until the session ends. Returns the command's id, 0 when none
 * was made now. */
int64_t stop_begin(struct core *c, struct order *o, enum stop_reason reason);
int64_t stop_again(struct core *c, struct order *o);
/** A session that was closed by estimate still draws: ask it to end, at most once a minute. */
void stop_stray(struct core *c, struct order *o);
void stop_result(struct core *c, struct order *o, int err, const char *status);
/** Closes without a stop message: the last good reading counts. */
void stop_estimated(struct core *c, struct order *o, enum stop_reason reason);
/** The session is over and its evidence settled: bill, capture, split. */
void stop_end(struct core *c, struct order *o, enum stop_reason reason, int64_t end_ms);

void settle_order(struct core *c, struct order *o);
int settle_decide(struct core *c, const struct cmd *cmd);
void settle_rule(struct core *c, struct order *o);
/** A fee line of the order, the next one; what an order adds to its station's day. */
void settle_line(struct core *c, struct order *o, const struct fee_line *l);
void settle_stat(struct core *c, const struct order *o, const struct row_stat_day *delta);
/** The true end of an order that was closed by estimate; `billed_mwh` is what was billed, `kept_mwh` of
 * it a doubtful rest of the other gun that was accepted (parallel_own). */
void settle_correct(struct core *c, struct order *o, int64_t billed_mwh, int64_t kept_mwh);

/* ---- pile.c: what only 云快充 has ---- */

#define PILE_MARK_OFFLINE 4 /* start_mark of a record: a card while the pile was offline */

/** What a pile may spend on the order, at the prices it holds. */
int64_t pile_balance(const struct core *c, const struct charger *ch, const struct order *o);
/** The same energy at the pile's own prices. */
int64_t pile_list_amount(const struct core *c, const struct charger *ch, const struct order *o,
                         int64_t amount);
/** Tells it to the pile while the order charges; `part`: less than that, 0 = no. False: nobody hears. */
bool pile_balance_tell(struct core *c, const struct order *o, int64_t part);
int pile_raise(struct core *c, const struct cmd *cmd);
/** Keeps a record, or a session seen charging, that belongs to no order. */
void pile_stray_record(struct core *c, const struct cmd_tx_record *in, const struct charger *ch,
                       int err);
void pile_stray_meter(struct core *c, const struct cmd_meter *in, const struct charger *ch);
/** It has an order after all. */
void pile_stray_end(struct core *c, const char *tx_no, const struct charger *ch);
/** What the list prices that the pile held make of a record, by class; false: they are not known. */
bool pile_list_amounts(const struct core *c, const struct order *o, const struct cmd_tx_record *in,
                       int64_t out[TARIFF_CLASSES]);
/** Compares the amount of a record with the list prices that the pile held; what it charged less
 * stays in doubt. After evidence_settle_record. */
void pile_amount_judge(struct core *c, struct order *o, const struct cmd_tx_record *in);
void pile_battery(struct core *c, const struct cmd *cmd, struct charger *ch);
void pile_parking(struct core *c, const struct cmd *cmd, struct charger *ch);

int account_topup(struct core *c, const struct cmd *cmd);
int account_session_put(struct core *c, const struct cmd *cmd);
int account_session_end(struct core *c, const struct cmd *cmd);
int account_audit(struct core *c, const struct cmd *cmd);

struct ledger_ctx ledger_ctx_now(struct core *c);

/** A limit of money: what it lets through is posted or held, and half a fen of that could never be
 * paid. */
static inline bool money_limit_ok(int64_t v, int64_t most)
{
    return v >= 0 && v <= most && v % MONEY_FEN == 0;
}

#endif
