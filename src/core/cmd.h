// SPDX-License-Identifier: Apache-2.0
/* cmd.h: what threads say to the core and what the core answers. Every message is flat, pointer-free and versioned: it can be
 * put in a mailbox, written to the flight recorder and replayed. Texts are fixed arrays, NUL-terminated, cut by the sender. A message
 * is sent with the size of its own payload only (CMD_SIZE, OUT_SIZE).
 *
 *   gate  ── struct cmd ──►  core thread  ── sealed batch → committer ──►  struct out ──►  gate, web
 *   web   ── struct cmd ──►
 *
 * Invariants:
 *  1. A command with head.from.ref != 0 gets exactly one OUT_REPLY with the same `from`, after its effects are durable.
 *  2. Commands of one connection are applied in the order sent, and answered in it.
 *  3. Unknown type or wrong size is a bug of the sender (must), never input: gates validate before they send.
 *  4. The gate puts no meaning into money; the core puts no meaning into frames.
 */
#ifndef EVEN_CORE_CMD_H
#define EVEN_CORE_CMD_H

#include <stddef.h>
#include "base/compiler.h"
#include "core/types.h"

#define CMD_VERSION 1

/** Where a command came from and where its reply goes. All zero: nobody waits (timers, system). */
struct origin {
    uint8_t kind;    /* enum origin_kind */
    uint8_t reactor; /* gate: which reactor */
    uint16_t node;
    uint32_t slot, gen; /* connection handle, or the web front's request handle */
    uint32_t ref;       /* sender's own mark of the call; 0 = no reply wanted */
};
enum origin_kind { FROM_NOBODY = 0, FROM_GATE = 1, FROM_WEB = 2 };

/** One normalised sample. Fields not measured hold SAMPLE_NONE. */
struct core_sample {
    int64_t time_ms;                                 /* the charger's time; 0 = none given */
    int64_t energy_mwh;                              /* import register */
    int64_t power_w;                                 /* signed: discharge negative */
    int32_t voltage_mv, current_ma, soc_pm, temp_dc; /* mV, mA, per mille, 0.1 °C */
    uint32_t flags;                                  /* enum sample_flag */
    int64_t cost; /* amount the pile itself computed (1/10,000 yuan), 云快充; else SAMPLE_NONE */
};
#define SAMPLE_NONE   INT64_MIN
#define SAMPLE_NONE32 INT32_MIN
enum sample_flag {
    SAMPLE_BEGIN = 1,
    SAMPLE_END = 2,
    SAMPLE_CLOCK = 4,
    SAMPLE_TRIGGER = 8,
    SAMPLE_UNIT_ASSUMED = 16,
    SAMPLE_SIGNED_DATA = 32,
    SAMPLE_LATE =
        64 /* set by the core: kept by the charger while it was away, its own time counts */
};
#define CMD_SAMPLES_MAX 64

enum cmd_type {
    /* from gates */
    CMD_CONN_OPEN = 1, /* may this charger speak here? reply: reply_conn */
    CMD_CONN_CLOSED,   /* no reply */
    CMD_BOOT,          /* reply_boot */
    CMD_HEARTBEAT,     /* only when the gate may not answer itself; reply_plain */
    CMD_STATUS,        /* reply_plain */
    CMD_AUTHORIZE,     /* reply_tag */
    CMD_TX_START,      /* reply_tag with tx */
    CMD_METER,         /* reply_plain */
    CMD_TX_STOP,       /* reply_tag */
    CMD_TX_RECORD,     /* 云快充 3B; reply_plain: 0 acknowledge, ERR_* refuse for ever */
    CMD_DATA_TRANSFER, /* reply_plain: ERR_UNSUPPORTED for unknown vendor */
    CMD_NOTE,          /* firmware and diagnostics status, security events: kept, reply_plain */
    CMD_CALL_RESULT,   /* outcome of an OUT_CALL; no reply */
    CMD_PRICE_MODEL,   /* which prices should this pile hold? reply_prices */
    CMD_PRICE_HELD,    /* the pile confirmed a price model; no reply */
    CMD_PILE_START,    /* a card or a VIN at the pile asks to charge; reply_pile_start */
    CMD_BATTERY,       /* what the vehicle told of its battery; no reply */
    CMD_PARKING,       /* parking lock and bay of a connector; no reply */
    /* from the web front (actor and tenant in the head) */
    CMD_ROW_PUT = 40, /* create or change a directory row; reply_made */
    CMD_TARIFF_PUT,   /* a tariff version with its days and slices; reply_made */
    CMD_CONTRACT_PUT, /* a contract version with its parties; reply_made */
    CMD_TOPUP,        /* staff top-up of a wallet; reply_made (transfer id) */
    CMD_ORDER_START,  /* reply_made (order id) once held and sent to the charger */
    CMD_ORDER_STOP,   /* reply_made (command id, 0 if stopping already) */
    CMD_CALL,         /* any call to a charger; reply_made (command id) when queued */
    CMD_SESSION_PUT,  /* web log-in session made; reply_made */
    CMD_SESSION_END,  /* … ended */
    CMD_AUDIT,      /* audit entry of something that is no other command (log-in, failed log-in) */
    CMD_SETUP,      /* first-run set-up: tenant, platform party, admin; reply_made (tenant id) */
    CMD_SIM_DRIVER, /* reserved number; never sent */
    CMD_DECIDE,     /* staff decides a doubtful order now; reply_made */
    CMD_REGISTER_DRIVER, /* phone confirmed by code: make or find the driver with wallet; reply_made (driver id) */
    CMD_PAYMENT_NEW, /* a driver wants to top up through a channel; reply_made (payment id) */
    CMD_PAY_RESULT,  /* what a provider answered or told; reply_made (row id) when somebody waits */
    CMD_ORDER_REFUND, /* staff gives back part of an order; reply_made (order id) */
    CMD_PAYOUT_NEW,   /* a withdrawal, or principal back to its source; reply_made (payout id) */
    CMD_PAYOUT_DECIDE, /* approve, refuse, cancel; settled or failed, for a bank's file; reply_made */
    CMD_STATEMENT_NEW, /* a party's month, as the web front added it up; reply_made (statement id) */
    CMD_STATEMENT_DECIDE, /* the party confirms or disputes, staff answer; reply_made */
    CMD_ORDER_RAISE,      /* more prepaid for a running order; reply_made (order id) */
    CMD_COMPANY_PAY,      /* staff took money of a company; reply_made (transfer id) */
    CMD_COMPANY_BILL,     /* a company's bill of a month that is over; reply_made (bill id) */
    CMD_BILL_PART,      /* differences of a bill that is being imported; kept until CMD_BILL_PUT */
    CMD_BILL_PUT,       /* a provider's bill of a day, compared; reply_made (bill id) */
    CMD_DIFF_DECIDE,    /* who looks after a difference, how it is resolved; reply_made */
    CMD_DAY_CLOSE,      /* a channel's account explains itself; reply_made (day_close id) */
    CMD_CHANNEL_SETTLE, /* the provider paid out to our bank; reply_made (settlement id) */
    CMD_OCCUPANCY_PUT = 90, /* a version of an occupancy rule; reply_made */
    CMD_ORDER_WAIVE = 91,   /* staff waive an occupancy order, open or settled; reply_made */
    CMD_INVOICE_NEW = 100,  /* a driver asks for an invoice over paid orders; reply_made (its id) */
    CMD_INVOICE_DECIDE,     /* exported, issued, rejected, cancelled, taken back; reply_made */
    CMD_STATION_COST,       /* what a station cost in a month; reply_made (station id) */
    CMD_PAYOUT_PAPER, /* a company handed in its invoice for a payout; reply_made (payout id) */

    CMD_GIFT,          /* staff gives gift money; reply_made (lot id) */
    CMD_WALLET_FREEZE, /* staff freezes or unfreezes a wallet; reply_made (driver id) */
    CMD_DRIVER_CLOSE,  /* the driver, or staff, closes an account; reply_made (driver id) */

    CMD_PARTY_ACCOUNT = 120,    /* open a party's sub-account at a rail; reply_made (its id) */
    CMD_WITHHOLD_PUT = 130,     /* a rule of tax withheld of persons; reply_made */
    CMD_TAX_PAID = 131,         /* withheld tax was paid to the office; reply_made (tax_paid id) */
    CMD_FETCHED = 160,          /* how far a charger has fetched its firmware; no reply */
    CMD_NOTICE_RESULT = 162,    /* what became of a text to a driver; no reply */
    CMD_DRIVER_CLOSE_END = 163, /* staff drop what CMD_DRIVER_CLOSE asked for; reply_made */
    CMD_PARTY_ACCOUNT_DECIDE = 164, /* a sub-account in another name: approve …; reply_made */
    CMD_GIFT_TURN = 165,            /* the house: this driver's gift money expired; no reply */
    CMD_PAY_FILE_NEW = 170,         /* a file of payouts for a bank; reply_made (its id) */
    CMD_PAY_FILE_OUT =
        171, /* a payout leaves its file, the next may list it; reply_made (payout) */
};

struct cmd_head {
    uint32_t size; /* of the whole message */
    uint16_t version, type;
    struct origin from;
    int64_t now_ms; /* set by the core thread as it takes the message */
    uint64_t cause; /* joins frame, row, log line, event */
    int64_t tenant; /* web: of the actor; gates: 0 (the core knows the charger) */
    int64_t actor;
    uint8_t actor_kind;   /* enum actor_kind */
    uint8_t role;         /* enum role; permission is checked by the web front, scope again here */
    uint16_t idem_set;    /* 1: idem_* hold a key */
    uint32_t sent_us;     /* engine's own: low bits of the monotonic clock when it was sent */
    int64_t station;      /* scope of the actor: 0 = all */
    char idem_key[65];    /* hex SHA-256 of (tenant, scope, key) */
    char idem_finger[65]; /* hex SHA-256 of the request */
    char pad2[6];
};

struct cmd_conn_open {
    int32_t protocol; /* enum protocol */
    char path[49];
    uint8_t has_secret;   /* a Basic password was given */
    char secret_hash[65]; /* hex of its keyed BLAKE2b-256, made by the gate */
    char address[46];
    uint16_t port;
};
struct cmd_conn_closed {
    int64_t charger;
    int32_t reason; /* WebSocket code, 1006 when it just ended */
    int32_t pad;
};
struct cmd_boot {
    int64_t charger;
    char vendor[51], model[51], serial[51], firmware[51];
    int32_t guns; /* 云快充: number of guns; 0 = unknown */
};
struct cmd_charger { /* HEARTBEAT, PRICE_MODEL */
    int64_t charger;
};
struct cmd_status {
    int64_t charger;
    int32_t connector; /* 0 = the charger itself */
    int32_t status;    /* enum connector_status */
    char error[51], info[51], vendor_error[51];
    int64_t time_ms; /* charger's, 0 = none */
};
struct cmd_authorize {
    int64_t charger;
    char tag[37];
};
struct cmd_tx_start {
    int64_t charger;
    int32_t connector;
    int32_t pad;
    char tag[37];
    int64_t meter_mwh;
    int64_t time_ms;
    int64_t reservation;
};
struct cmd_meter {
    int64_t charger;
    int32_t connector;
    int32_t n;                                   /* samples that follow */
    int64_t tx;                                  /* OCPP transaction id, 0 = none given */
    char tx_no[33];                              /* 云快充 number, "" = none */
    struct core_sample samples[CMD_SAMPLES_MAX]; /* only n are sent */
};
struct cmd_tx_stop {
    int64_t charger;
    int64_t tx;
    char tag[37];
    char reason[33]; /* as sent, "" = none (then Local) */
    int32_t stop;    /* enum stop_reason the gate made of it */
    int32_t n;
    int64_t meter_mwh;
    int64_t time_ms;
    struct core_sample samples[CMD_SAMPLES_MAX];
};
struct cmd_tx_record {
    int64_t charger;
    int32_t connector;
    int32_t stop; /* enum stop_reason */
    char tx_no[33];
    int64_t start_ms, end_ms;
    int64_t class_price_e5[4], class_energy_mwh[4],
        class_amount[4]; /* sharp peak flat valley; loss-adjusted energy */
    int64_t meter_start_mwh, meter_end_mwh, energy_mwh, amount;
    char vin[18];
    uint8_t start_mark;
    uint8_t raw_reason;
    char card[17];
};
struct cmd_data_transfer {
    int64_t charger;
    char vendor[256], message[51];
    char data[1024];
};
struct cmd_note {
    int64_t charger;
    char kind[32], status[51];
};
struct cmd_call_result {
    int64_t charger;
    int64_t command; /* id of the command row */
    int32_t
        err; /* 0 answered; ERR_TIMEOUT, ERR_CLOSED, ERR_REJECTED (CALLERROR); why a start was refused, if told */
    char status[33]; /* "Accepted", "Rejected", … "" = none in the answer */
    uint32_t n;
    char payload
        [16000]; /* answer as JSON (or decoded frame as JSON), n bytes; longer ones say "truncated" */
};
struct cmd_price_held {
    int64_t charger;
    int64_t tariff;
};
struct cmd_pile_start {
    int64_t charger;
    int32_t connector;
    int32_t kind;   /* START_CARD, START_VIN */
    char tag[37];   /* the card's number in the order of the wire, or the VIN */
    int32_t second; /* parallel charge: the other gun, or 0; connector is the main one */
};
/** One phase of the talk with the vehicle (GB/T 27930). What a phase does not tell is -1; texts "".
 */
struct cmd_battery {
    int64_t charger;
    int32_t connector;
    int32_t phase; /* enum battery_phase */
    char tx_no[33];
    char vin[18];
    char detail[33]; /* ABORT, ERROR: the bits as they came, hex */
    int32_t chemistry;
    int32_t made;   /* yyyymmdd */
    int32_t cycles; /* charges so far */
    int64_t capacity_mah, energy_mwh;
    int32_t voltage_mv; /* RATED: rated; SETUP: now */
    int32_t soc_pm;
    int32_t cell_min_mv, cell_max_mv;
    int32_t temp_min_dc, temp_max_dc; /* SAMPLE_NONE32 = not told */
    int32_t minutes;
};
struct cmd_parking {
    int64_t charger;
    int32_t connector;
    int32_t lock; /* enum parking_lock */
    int32_t bay;  /* enum parking_bay */
    int32_t battery_pm;
    int32_t alarm; /* 0 none, 1 arm moved by force, 2 it does not move */
    int32_t pad;
};

struct cmd_row_put {
    int32_t
        table; /* enum row_table; allowed: TENANT PARTY PERSON API_KEY DRIVER TOKEN STATION CHARGER CONNECTOR */
    int32_t create;   /* 1: id is made by the core; 0: `version` must match (ERR_STALE) */
    uint32_t n;       /* bytes of the packed row (row_pack) */
    int32_t on_piles; /* STATION: 1: 云快充 piles stand there; its tariff must fit them */
    char row[4096];
};
struct tariff_day_in {
    int32_t first_mmdd, last_mmdd, weekdays, plan;
};
struct tariff_slice_in {
    int32_t plan, from_min;
    char label[17];
    int64_t elec_e5, service_e5;
};
#define TARIFF_DAYS_MAX   64
#define TARIFF_SLICES_MAX 384
struct cmd_tariff_put {
    int64_t family; /* 0 = a new family */
    int64_t from_ms;
    char name[101];
    int32_t days, slices;
    int32_t on_piles; /* 1: stations with 云快充 piles use the family; it must fit them */
    int32_t pad;
    struct tariff_day_in day[TARIFF_DAYS_MAX];
    struct tariff_slice_in slice[TARIFF_SLICES_MAX];
};
struct contract_party_in {
    int64_t party;
    int32_t lines, ratio;
};
struct contract_clause_in {
    int32_t kind, lines; /* enum clause_kind */
    int64_t party, parent, rate, above;
};
#define CONTRACT_PARTIES_MAX 16
#define CONTRACT_CLAUSES_MAX 24
struct cmd_contract_put {
    int64_t family, from_ms;
    char name[101];
    int64_t unit;
    int32_t n;
    struct contract_party_in party[CONTRACT_PARTIES_MAX];
    int64_t to_ms;
    int32_t rounding, gift_rule, clauses, pad;
    struct contract_clause_in clause[CONTRACT_CLAUSES_MAX];
};
struct cmd_topup {
    int64_t driver, amount;
    char currency[4];
    char note[201];
};
struct cmd_order_start {
    int64_t driver; /* whose wallet, or the company's member; 0 with payer PAYER_NONE */
    int64_t connector;
    int64_t cap;        /* amount to hold, > 0 for PAYER_WALLET and PAYER_COMPANY */
    int32_t payer_kind; /* PAYER_WALLET, PAYER_COMPANY or PAYER_NONE (staff test charge) */
    int32_t
        direction; /* 1 or 0 charge; -1 discharge: PAYER_NONE, 云快充 only; the driver is paid */
    int32_t to_soc; /* discharge: down to this state of charge, percent */
    int32_t pad;
    int64_t second; /* parallel charge: the other connector of the same vehicle, or 0 */
};
struct cmd_order_stop {
    int64_t order;
    int64_t driver; /* 0 = staff; else must own the order */
};
struct cmd_call {
    int64_t charger;
    int32_t connector;
    uint32_t n;
    char action[41];
    char payload[4000]; /* request as JSON, validated against the message table by the web front */
};
struct cmd_session_put {
    char id[65];
    int32_t kind; /* enum actor_kind */
    int64_t actor, expires_ms;
    char csrf[44];
};
struct cmd_audit {
    char action[65], detail[401];
    int64_t object;
    int32_t outcome;
    int32_t failed_login; /* 1: count against the person `object`; 2: successful, reset the count */
};
struct cmd_setup {
    char tenant_name[101], currency[4], zone[41];
    char login[65], name[65], pass_hash[129];
};
struct cmd_order_raise {
    int64_t order;
    int64_t driver; /* 0 = staff; else must own the order */
    int64_t amount; /* to hold in addition */
};
struct cmd_decide {
    int64_t order;
    int32_t accept; /* 1: bill the disputed energy, 0: drop it */
    int32_t pad;
    char note[201];
};
struct cmd_register_driver {
    char phone[21];
    char name[65];
};

struct cmd_payment_new {
    int64_t driver, channel, amount;
    int32_t method; /* enum pay_method */
    char currency[4];
    char payer[121]; /* APP inside WeChat: the payer's open id; H5: the address of the phone */
    char pad[7];
    int64_t package;   /* buys this top-up package, or 0 */
    int64_t connector; /* single payment: charging begins here when it is paid, or 0 */
};
enum { PAY_SHARES_MAX = 8 }; /* parties that a payment is shared among by its channel */
/** What became of one share; its state is PENDING, DONE or FAILED. */
struct pay_shared {
    int64_t payout, amount; /* amount: as the provider says */
    int32_t state, pad;
    char provider_no[65];
    char pad2[7];
};
struct cmd_pay_result {
    int64_t row, channel; /* payment or payout; 0, 0: nothing is known of it here */
    int32_t op, state;    /* enum pay_op, enum pay_state */
    int32_t err;          /* 0 or why nothing is certain */
    char currency[4];
    int64_t amount; /* as the provider says; -1 = it does not */
    char provider_no[65];
    char url[2049]; /* PAY_CREATE: where to pay; PAY_TRANSFER: what the payee confirms with;
                       PAY_ACCOUNT_…: why it was refused */
    int32_t shared_n;
    struct pay_shared shared[PAY_SHARES_MAX]; /* PAY_SHARE, _QUERY: those it spoke of */
};
struct cmd_order_refund {
    int64_t order, amount;
    char note[201];
};
struct cmd_payout_new {
    int64_t party, amount; /* a party's available share … */
    int64_t payment;       /* … or unused principal of this payment */
    int64_t channel;
    char note[201];
    char payee[121], payee_name[101]; /* principal by a bank: where it goes */
    int64_t lot_rest;                 /* what is left in the wallet of what came with it … */
    int32_t lot_version;              /* … as that version of it; 0: nobody looked */
};
enum payout_act {
    PAYOUT_ACT_APPROVE = 1,
    PAYOUT_ACT_REFUSE = 2,
    PAYOUT_ACT_CANCEL = 3,
    PAYOUT_ACT_SETTLED = 4,
    PAYOUT_ACT_FAILED = 5,
    PAYOUT_ACT_PAID = 6 /* the rail paid another amount than was asked for */
};
struct cmd_payout_decide {
    int64_t payout;
    int64_t party; /* 0 = staff; else it must be this party's */
    int32_t act;   /* enum payout_act */
    int32_t pad;
    char bank_no[65]; /* SETTLED: the bank's number of it */
    char note[201];
    int64_t amount; /* PAID: what was paid */
    int64_t file;   /* SETTLED, FAILED: what became of it by this pay_file; 0 = none is named */
};

#define PAY_FILE_MAX 500
struct cmd_pay_file_new {
    int64_t channel; /* of kind bank */
    int32_t n, pad;  /* payouts that follow, their ids ascending */
    int64_t payout[PAY_FILE_MAX];
};
struct cmd_pay_file_out {
    int64_t payout;
    char note[201]; /* why the bank will not pay it by that file: asked for */
    char pad[7];
};

struct cmd_statement_new {
    int64_t party;
    int32_t month; /* yyyymm */
    int32_t orders;
    int64_t from_ms, to_ms; /* what was added up; CONFLICT when it is not that month by now */
    int64_t opening, shares, refunds, withdrawn, fees, tax;
    int64_t corrections, guarantees, rents, suspense, capped;
};
enum statement_act { STATEMENT_CONFIRM = 1, STATEMENT_DISPUTE = 2, STATEMENT_ANSWER = 3 };
struct cmd_statement_decide {
    int64_t statement;
    int64_t party; /* 0 = staff, who only answer; else it must be this party's */
    int32_t act;   /* enum statement_act */
    char note[201];
};

struct cmd_company_pay {
    int64_t company, amount;
    int64_t bill; /* 0: its oldest bills first */
    char currency[4];
    char note[201];
};
struct cmd_company_bill {
    int64_t company;
    int32_t month; /* yyyymm */
    char note[201];
};

#define INVOICE_ORDERS_MAX 50
struct cmd_invoice_new {
    int64_t driver;
    int32_t buyer; /* enum invoice_buyer */
    int32_t n;     /* orders that follow */
    char title[401], tax_no[21], email[101];
    char pad[5];
    int64_t order[INVOICE_ORDERS_MAX];
};
enum invoice_act {
    INVOICE_EXPORT = 1,
    INVOICE_ISSUE = 2,
    INVOICE_REJECT = 3,
    INVOICE_CANCEL = 4,
    INVOICE_REVERSE = 5, /* staff take a whole issued one back: a red one for the rest of it */
    INVOICE_RETRY = 6    /* the tax system did not take it: exported back to requested */
};
struct cmd_invoice_decide {
    int64_t invoice;
    int64_t driver;    /* 0 = staff; else it must be this driver's, who only cancels */
    int32_t act;       /* enum invoice_act */
    int32_t issued_on; /* ISSUE: yyyymmdd */
    char number[41];   /* ISSUE: the tax system's */
    char note[201];    /* REJECT, REVERSE: why */
    char pad[6];
};
struct cmd_station_cost {
    int64_t station;
    int32_t month, kind; /* yyyymm, enum cost_kind */
    int64_t amount;      /* 0 takes the entry away */
    char note[201];
    char pad[7];
};

/** A line of a bill that does not agree, or that the provider does not have. Amounts are signed: what
 * came in is positive. Of a fee: what is due, and what was kept, negative. */
struct bill_diff_in {
    int64_t diff;  /* an earlier open difference, whose other side this is; 0 = a new one */
    int64_t row;   /* our payment or payout, 0 = none */
    int32_t class; /* enum bill_class */
    int32_t kind;  /* 1 payment, 2 payout or refund, 0 not known; 3 share, 4 share that came back */
    int64_t ours, theirs, ours_ms;
    char no[65], provider_no[65];
    char pad[6];
};
#define BILL_PART_MAX 64
struct cmd_bill_part {
    int64_t channel;
    int32_t day;   /* yyyymmdd in China's time */
    int32_t first; /* how many went before; 0 begins a bill anew */
    int32_t n;
    char sha256[65];
    char pad[3];
    struct bill_diff_in diff[BILL_PART_MAX];
};
struct cmd_bill_put {
    int64_t channel;
    int32_t day, rows, matched;
    int32_t differ;                    /* all that went before in parts */
    int64_t took, gave, fees, fee_due; /* as the provider says; the fees as agreed */
    char sha256[65];
    char pad[3];
    int32_t kind; /* enum bill_kind */
};
enum diff_act {
    DIFF_ACT_ASSIGN = 1,
    DIFF_ACT_POST = 2,    /* of what only we have: to suspense */
    DIFF_ACT_RESOLVE = 3, /* above the tenant's limit a second person must approve */
    DIFF_ACT_APPROVE = 4,
    DIFF_ACT_REFUSE = 5
};
struct cmd_diff_decide {
    int64_t diff, owner, target; /* owner: ASSIGN; target: of the way */
    int32_t act, way;            /* enum diff_act, enum diff_way */
    char note[201];
    char pad[7];
};
/** What the web front added up on a snapshot; the core judges what it can and `even check` the rest. */
struct cmd_day_close {
    int64_t channel;
    int32_t day, pad;
    int64_t opening, theirs, held, lines;
};
struct cmd_channel_settle {
    int64_t channel, bank, amount, fee;
    int32_t day, pad;
    char bank_no[65], note[201];
    char pad2[6];
};

struct cmd_payout_paper {
    int64_t payout, amount; /* amount: of the invoice, with tax */
    char number[41];
    char pad[7];
};

struct occupancy_window_in {
    int32_t from_min, to_min;
    int64_t price; /* per minute */
};
#define OCCUPANCY_WINDOWS_MAX 8
struct cmd_occupancy_put {
    int64_t family; /* 0 = a new family */
    int64_t from_ms;
    char name[101];
    int32_t free_min, kinds, exempt, pay, hold, bay, near_min, every_min, n;
    int64_t cap_order, cap_day;
    struct occupancy_window_in window[OCCUPANCY_WINDOWS_MAX];
};
struct cmd_order_waive {
    int64_t order;
    char note[201]; /* why: asked for */
};

struct cmd_gift {
    int64_t driver, amount;
    int32_t days; /* it is good for; 0 = for ever */
    char note[201];
};
struct cmd_wallet_freeze {
    int64_t driver;
    int32_t freeze; /* 1 or 0 */
    char reason[201];
};
struct cmd_driver_close {
    int64_t driver;
    int64_t
        give_up; /* principal that no source takes back, and that the driver waives: all there is */
};
/** Of CMD_DRIVER_CLOSE_END and CMD_GIFT_TURN. */
struct cmd_driver_one {
    int64_t driver;
};
/** What the provider checks an identity by. The numbers are sealed by the web front (io/os/personal.h):
 * the core never sees them. */
struct cmd_party_account {
    int64_t party, channel;
    int32_t payee_kind; /* enum payee_kind, not UNKNOWN */
    char name[101];
    char id_no[161], bank[161];    /* sealed */
    char id_tail[5], bank_tail[5]; /* what is shown of them */
    char account[65];              /* a channel that pays shares: who gets them there */
    char pad[2];
    int32_t other; /* 1: id_no is not the party's, as far as that is known */
};
enum party_account_act { ACCOUNT_ACT_APPROVE = 1, ACCOUNT_ACT_REFUSE = 2, ACCOUNT_ACT_CANCEL = 3 };
struct cmd_party_account_decide {
    int64_t account;
    int32_t act, pad; /* enum party_account_act */
};

struct withhold_rate_in {
    int64_t above;
    int32_t rate_bp, pad;
};
#define WITHHOLD_RATES_MAX 8
struct cmd_withhold_put {
    int64_t from_ms, deduct;
    char name[101];
    int32_t deduct_bp, n; /* brackets that follow; none: nothing is withheld */
    struct withhold_rate_in rate[WITHHOLD_RATES_MAX];
};
struct cmd_tax_paid {
    int64_t bank, amount;
    int32_t month, pad; /* yyyymm */
    char number[65], note[201];
    char pad2[6];
};
/** A charger fetches the file that its last Update named; actor_kind CHARGER. */
enum fetch_stage { FETCH_FLOWS, FETCH_BROKE_OFF, FETCH_WHOLE };
struct cmd_fetched {
    int64_t charger, command, firmware; /* command: the Update */
    int64_t at, size;                   /* bytes */
    int32_t stage;                      /* enum fetch_stage */
    char peer[46];                      /* address */
    char pad[6];
};
/** What became of an OUT_NOTICE; actor_kind SYSTEM. */
struct cmd_notice_result {
    int64_t order, until_ms; /* as it was asked */
    int32_t kind, n;         /* likewise */
    int32_t outcome;         /* enum notice_outcome */
    char word[41];           /* why not: letters and "._-" */
    char pad[3];
};

struct cmd {
    struct cmd_head head;
    union {
        struct cmd_conn_open conn_open;
        struct cmd_conn_closed conn_closed;
        struct cmd_boot boot;
        struct cmd_charger charger;
        struct cmd_status status;
        struct cmd_authorize authorize;
        struct cmd_tx_start tx_start;
        struct cmd_meter meter;
        struct cmd_tx_stop tx_stop;
        struct cmd_tx_record tx_record;
        struct cmd_data_transfer data_transfer;
        struct cmd_note note;
        struct cmd_call_result call_result;
        struct cmd_price_held price_held;
        struct cmd_pile_start pile_start;
        struct cmd_battery battery;
        struct cmd_parking parking;
        struct cmd_row_put row_put;
        struct cmd_tariff_put tariff_put;
        struct cmd_contract_put contract_put;
        struct cmd_topup topup;
        struct cmd_order_start order_start;
        struct cmd_order_stop order_stop;
        struct cmd_call call;
        struct cmd_session_put session_put;
        struct cmd_audit audit;
        struct cmd_setup setup;
        struct cmd_decide decide;
        struct cmd_register_driver register_driver;
        struct cmd_payment_new payment_new;
        struct cmd_pay_result pay_result;
        struct cmd_order_refund order_refund;
        struct cmd_payout_new payout_new;
        struct cmd_payout_decide payout_decide;
        struct cmd_statement_new statement_new;
        struct cmd_statement_decide statement_decide;
        struct cmd_order_raise order_raise;
        struct cmd_company_pay company_pay;
        struct cmd_company_bill company_bill;
        struct cmd_invoice_new invoice_new;
        struct cmd_invoice_decide invoice_decide;
        struct cmd_station_cost station_cost;
        struct cmd_bill_part bill_part;
        struct cmd_bill_put bill_put;
        struct cmd_diff_decide diff_decide;
        struct cmd_day_close day_close;
        struct cmd_channel_settle channel_settle;
        struct cmd_payout_paper payout_paper;
        struct cmd_occupancy_put occupancy_put;
        struct cmd_order_waive order_waive;
        struct cmd_gift gift;
        struct cmd_wallet_freeze wallet_freeze;
        struct cmd_driver_close driver_close;
        struct cmd_party_account party_account;
        struct cmd_withhold_put withhold_put;
        struct cmd_tax_paid tax_paid;
        struct cmd_fetched fetched;
        struct cmd_notice_result notice_result;
        struct cmd_driver_one driver_one;
        struct cmd_party_account_decide party_account_decide;
        struct cmd_pay_file_new pay_file_new;
        struct cmd_pay_file_out pay_file_out;
    } u;
};
/** Bytes to send for a command with payload member m. Arrays at the end (samples, payload, row) may be cut: see cmd_trim. */
#define CMD_SIZE(m) (offsetof(struct cmd, u) + sizeof(((struct cmd *)0)->u.m))

enum out_type {
    OUT_REPLY = 1, /* answers a command; u by the command's type */
    OUT_CALL,      /* to a gate: call this charger */
    OUT_CLOSE,     /* to a gate: close the connection (replaced, disabled) */
    OUT_EVENT,     /* to the web front: live pages */
    OUT_PAY,       /* to an integration worker: ask this of a provider */
    OUT_NOTICE     /* to the sender of texts: tell a driver this */
};

struct reply_conn {
    int64_t charger;
    int32_t guns;
    int32_t heartbeat_s;
    int64_t station;
    int32_t zone_offset_s; /* of the station now: 云快充 clocks are local */
    int32_t profile;       /* 云快充: which vendor's ways (row_charger.profile) */
};
struct reply_boot {
    int32_t status; /* 0 Accepted, 1 Pending, 2 Rejected */
    int32_t interval_s;
    int64_t now_ms;
};
struct reply_tag {
    int32_t status; /* enum tag_status */
    int32_t pad;
    int64_t tx;
};
enum tag_status {
    TAG_ACCEPTED = 0,
    TAG_BLOCKED = 1,
    TAG_EXPIRED = 2,
    TAG_INVALID = 3,
    TAG_CONCURRENT = 4
};
struct reply_prices {
    int64_t tariff; /* version id; 0 = no price can be expressed (err tells) */
    int32_t number; /* 1 … 9999 model number on the wire; the same prices have the same */
    int32_t pad;
    int64_t until_ms; /* ask again then */
    int64_t elec_e5[4], service_e5[4];
    uint8_t slot[48]; /* 0 sharp 1 peak 2 flat 3 valley */
};
/** tx_no and balance only with reason 0. */
struct reply_pile_start {
    int32_t reason; /* enum refusal */
    int32_t pad;
    int64_t balance; /* what the pile may spend at its own prices, 1/10,000 yuan */
    char tx_no[33];
    char second_no[33]; /* of a parallel charge: the other gun's … */
    int64_t second_balance;
};
enum refusal { /* why a start at the pile is refused; the numbers of 云快充 0x32 */
               REFUSAL_NONE = 0,
               REFUSAL_UNKNOWN = 1,
               REFUSAL_FROZEN = 2,
               REFUSAL_NO_FUNDS = 3,
               REFUSAL_CARD_BUSY = 4,
               REFUSAL_DISABLED = 5,
               REFUSAL_NOT_HERE = 6,
               REFUSAL_UNKNOWN_VIN = 9,
               REFUSAL_PILE_BUSY = 10,
               REFUSAL_UNSUPPORTED = 11
};
struct reply_made {
    int64_t id;
    int64_t version;
    int32_t replay; /* 1: the idempotency key was known, nothing was done again */
    int32_t pad;
};
struct out_call {
    int64_t charger;
    int64_t command; /* command row id; the gate uses its decimal text as message id */
    int32_t kind;    /* enum call_kind */
    int32_t connector;
    int32_t timeout_s;
    int32_t interval_s; /* SET_INTERVAL */
    int32_t direction;  /* REMOTE_START, REMOTE_STOP: of the order's session */
    int32_t to_soc;     /* REMOTE_START of a discharge, percent */
    char path[49];      /* pile number, for concentrators */
    char tag[37];       /* REMOTE_START */
    char tx_no[33];     /* 云快充 order number */
    int64_t tx;         /* REMOTE_STOP */
    int64_t balance; /* 云快充 REMOTE_START, BALANCE: what the pile may spend, 1/10,000 yuan */
    int64_t limit_w; /* PROFILE */
    int32_t
        zero_after_s; /* PROFILE: so long after the transaction's start the limit falls to 0 W; 0 = never */
    char action[41];   /* RAW: OCPP action */
    char parallel[13]; /* REMOTE_START of one gun of two: the number they have in common, else "" */
    uint32_t n;
    char payload[4000]; /* RAW: JSON */
};
enum call_kind {
    CALL_RAW = 1,
    CALL_REMOTE_START = 2,
    CALL_REMOTE_STOP = 3,
    CALL_TRIGGER_METER = 4,
    CALL_PROFILE = 5,
    CALL_BALANCE = 6,
    CALL_TIME = 8, /* 7 was the core's push of prices, which is the gate's now */
    CALL_SET_INTERVAL = 9
};
struct out_close {
    int64_t charger;
    int32_t code; /* WebSocket close code */
    int32_t pad;
};
/** One change for live pages. Zero fields say nothing. EVENT_CHARGER: status 1 online, 0 offline. EVENT_SHARE: amount is this order's
 * share of `party`. EVENT_WALLET: amount is the balance, cap what is held of it. EVENT_COMMAND: amount is the command's id,
 * status its enum command_state, reason its error. EVENT_ORDER: cost is the bill, amount what was paid. */
struct out_event {
    int32_t kind; /* enum event_kind */
    int32_t status;
    int64_t tenant, station, charger, connector, order, driver, party;
    int64_t at_ms;
    int64_t energy_mwh, power_w, cost, cap, amount;
    int32_t soc_pm, state, reason, doubt;
    int32_t voltage_mv, current_ma;
    int64_t gift,
        gift_held;  /* EVENT_WALLET: the same of gift money; amount and cap: of principal */
    uint64_t cause; /* as in struct out; of the last one where several were merged */
};
enum event_kind {
    EVENT_CONNECTOR = 1,
    EVENT_CHARGER = 2,
    EVENT_ORDER = 3,
    EVENT_METER = 4,
    EVENT_SHARE = 5,
    EVENT_WALLET = 6,
    EVENT_COMMAND = 7,
    EVENT_PAYMENT = 8,
    EVENT_PAYOUT = 9
};

/** PAY_ACCOUNT_OPEN: whom to open it for. The numbers are sealed until the worker opens them for the
 * rail, which hides them for the provider's key. */
struct pay_open {
    int32_t payee_kind;
    char name[101];
    char id_no[161], bank[161];
    char account[65]; /* a channel that pays shares: who gets them there, then no numbers */
};
/** PAY_SHARE, _QUERY: who gets how much of the payment. */
struct pay_receiver {
    int64_t payout, amount;
    int32_t payee_kind, pad;
    char account[65], name[101];
    char pad2[2];
};
struct pay_share {
    int32_t n, pad;
    struct pay_receiver to[PAY_SHARES_MAX];
};

/** One request to a provider; the answer is CMD_PAY_RESULT with the same op and row. It may be asked
 * again with the same numbers at any time: providers treat them as idempotency keys. */
struct out_pay {
    int64_t row, tenant, channel;
    int64_t amount, total; /* total: REFUND, of the payment */
    int64_t expires_ms;
    int32_t op, kind, method; /* enum pay_op, channel_kind, pay_method */
    char currency[4];
    int32_t sharing, pad;             /* CREATE: 1: shares will be paid out of it */
    char no[33], of_no[33];           /* ours; REFUND: of the payment */
    char provider_no[65];             /* of the payment, where known */
    char payee[121], payee_name[101]; /* CREATE: payee is who pays, where the provider must know */
    union {
        struct pay_open open;
        struct pay_share share;
    } u; /* by op */
};

/** A text to a driver, asked for once; the outcome is CMD_NOTICE_RESULT with the same order, n, kind
 * and until_ms. What is not told by worth_ms is not told at all. */
struct out_notice {
    int64_t tenant, driver, order;
    int32_t kind, n;    /* enum notice_kind; how many of its order went before */
    int64_t energy_mwh; /* ENDED, DOUBT: … */
    int64_t amount;     /* … what was paid; FEE, RUNS: what it comes to so far */
    int64_t at_ms;      /* its moment: end of the charge; begin of the fee */
    int64_t until_ms;   /* NEAR: end of the free time; DOUBT: when it is decided; else 0 */
    int64_t worth_ms;
    int32_t zone_offset_s; /* of the station, at the time that the text names */
    int32_t reason;        /* ENDED, DOUBT: enum stop_reason */
    char currency[4], phone[21], station[101];
    char pad[2];
};

struct out {
    uint32_t size;
    uint16_t version, type;
    struct origin to; /* REPLY: the command's `from`; CALL and CLOSE: the charger's connection */
    uint64_t cause;
    uint16_t cmd_type; /* REPLY: what it answers */
    uint16_t pad;
    int32_t err; /* REPLY: 0 or negative ERR_*; with an error, u is zero unless said */
    union {
        struct reply_conn conn;
        struct reply_boot boot;
        struct reply_tag tag;
        struct reply_prices prices;
        struct reply_pile_start pile_start;
        struct reply_made made;
        struct out_call call;
        struct out_close close;
        struct out_event event;
        struct out_pay pay;
        struct out_notice notice;
        int64_t plain; /* reply_plain: server time, ms */
    } u;
};
#define OUT_SIZE(m) (offsetof(struct out, u) + sizeof(((struct out *)0)->u.m))

#endif
