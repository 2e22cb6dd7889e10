// SPDX-License-Identifier: Apache-2.0
/* audit.h: the second opinion. The auditor knows what clients know: what they asked for, what they
 * were answered, what the live pages were told, and what really flowed at the chargers. From flat
 * lists, added up anew each time it wants a sum, it says beforehand how each request must be
 * answered, and afterwards what every wallet, hold, share, order and payout must be. It shares no
 * code with the core but the numbers of its enums.
 *
 * After a crash, and at the end, it reads the file with SQL of its own (audit_file.c): every fact
 * that anybody was told is there, once; what was under way when the power went is there whole or
 * not at all.
 *
 * A difference is counted and, for the first ones, printed. */
#ifndef EVEN_TOWN_AUDIT_H
#define EVEN_TOWN_AUDIT_H

#include "core/cmd.h"
#include "town/audit_bank.h"
#include "town/audit_clause.h"
#include "town/audit_company.h"
#include "town/audit_tax.h"
#include "town/provider.h"
#include "town/street.h"

enum {
    AUDIT_CONNECTORS = STREET_MAX * MODEL_GUNS,
    AUDIT_DRIVERS = 8,
    AUDIT_WAITS = 64,
    AUDIT_STATIONS = 2
};
/** Who shares in orders beside the operator: the owner by ratio, who maintains by a percentage before the
 * ratios, and an agent by one of the owner's part. */
enum { AUDIT_OWNER, AUDIT_MAINTAINER, AUDIT_AGENT, AUDIT_PARTNERS };

/** One thing that somebody was told has happened. */
enum fact_kind {
    FACT_TOPUP = 1,
    FACT_REFUND,
    FACT_SHARE,
    FACT_PAYOUT,     /* of a share */
    FACT_PAID,       /* a payment through a channel; counts when its state says so */
    FACT_PRINCIPAL,  /* principal on its way back to its source */
    FACT_GIFT,       /* gift money that staff gave */
    FACT_COMPANY_IN, /* those of companies: audit_company.c */
    FACT_CHARGE,
    FACT_BILL,
    FACT_TAX_PAID /* to the office: of a month, who: the slip's number */
};
struct fact {
    enum fact_kind kind;
    int64_t id;  /* transfer, order, order, payout, payment, payout */
    int64_t who; /* driver, driver, party, party */
    int64_t amount, at_ms;
    int32_t state;             /* of a payout or payment */
    int32_t asked_kind, place; /* place: of a payout, which of the party's payees it goes to */
    int64_t asked_by, channel, of;
    int64_t file; /* of a payout: in which it stands for a bank; 0 = none */
    int64_t gift; /* of a payment: comes with it, while nothing of it has gone back */
    int64_t member, mwh;
    int64_t tax; /* of a payout that was approved */
    int32_t tax_month;
    bool paper;
};

/** An idempotency key that was used with success. */
struct known_key {
    char key[65], finger[65];
    int64_t id;
};

struct seen_order {
    /* connector 0: it is no charge, but the fee for a bay that stays taken */
    int64_t id, driver, charger, connector, cap, paid, cost;
    int32_t state, doubt;
    int64_t company, member; /* who pays instead of the driver, or 0 */
    int64_t began_ms, mwh;   /* mwh: counted for the member */
    bool asked;              /* it is known who pays */
    bool gives;              /* energy flows back, and the driver is paid */
    bool waived;             /* of a stay: */
    int64_t waived_ms, stay_held;
};

/** A text to a driver that was asked for. */
struct seen_notice {
    int64_t order, amount;
    int32_t kind, n;
    bool found;
};

struct seen_partner {
    int64_t id;
    int64_t num, den; /* his part of everything that was paid */
    bool owes;        /* had to give back more than was there */
};

struct seen_connector {
    int64_t id, charger;
    int32_t status;
    bool pile; /* may take energy back */
};
struct seen_charger {
    int64_t id, station;
    bool online;
};

/** What a charger asked: may this card charge; or it told a start. */
struct gate_ask {
    struct origin from;
    int64_t at_ms;
    uint64_t cause;
    bool start;
    int32_t connector, status;
    int64_t charger, meter_mwh, time_ms, tx;
    char tag[37];
};

struct audit {
    /* terms, as the operator set them */
    int64_t tenant, platform;
    struct seen_partner partner[AUDIT_PARTNERS];
    int64_t flat_station, elec_e5, service_e5;            /* one flat price there */
    int64_t driver[AUDIT_DRIVERS], channel, wechat, rail; /* channel: the bank */
    const struct provider *provider;
    int32_t rounding;
    int64_t refund_days, card_hold;  /* card_hold: what a start by card freezes */
    int64_t occ_free_min, occ_price; /* of a bay that stays taken, a minute */
    struct seen_charger charger[STREET_MAX];
    int chargers;
    struct seen_connector connector[AUDIT_CONNECTORS];
    int connectors;
    struct fact *fact;
    size_t facts, facts_size;
    struct known_key *key;
    size_t keys, keys_size;
    struct seen_order *order;
    size_t orders, orders_size;
    bool wallet_dirty[AUDIT_DRIVERS]; /* the present batch spoke of it: last said … */
    int64_t wallet_said[AUDIT_DRIVERS], held_said[AUDIT_DRIVERS]; /* of both kinds of money */
    int64_t gift_said[AUDIT_DRIVERS], gift_held_said[AUDIT_DRIVERS];
    int64_t package, package_pay, package_gift;
    struct out_event wait[AUDIT_WAITS]; /* heard, not looked at yet */
    int waits;
    uint64_t waits_cause;
    struct gate_ask gate_ask[AUDIT_WAITS]; /* not answered yet */
    int gate_asks;
    struct gate_ask *start; /* answered */
    size_t starts, starts_size;
    bool quiet;     /* differences are only counted: a control */
    char db[600];   /* the file that the server lives in */
    bool reloading; /* what is heard comes from there: only how it ended */
    struct seen_companies co;
    struct seen_taxes tax;
    struct seen_terms terms;
    struct seen_bank bank;
    bool occ_hold; /* a fee for a bay holds its cap in the wallet, as far as that has it */
    bool occ_debt; /* what the wallet does not have of it, the driver owes */
    int64_t occ_cap;
    int64_t debt[AUDIT_DRIVERS]; /* what money that comes in settles first */
    bool debt_vague
        [AUDIT_DRIVERS]; /* by how much a refund did, its gift money decides: the wallet says */
    int64_t give_station[AUDIT_STATIONS],
        give_e5[AUDIT_STATIONS]; /* those that buy, and at what; 0 = none */
    struct seen_notice *notice;
    size_t notices, notices_size;
    /* figures */
    uint64_t differences, replies, gate_replies, refusals, replays, exact, known, settled, failed,
        doubtful, reloads, stays, fees, by_companies, bills, given, given_exact, turned, taxed,
        divided, waived, debts, told;
};

void audit_init(struct audit *a);
void audit_free(struct audit *a);
void audit_differ(struct audit *a, const char *format, ...) EV_PRINTF(2, 3);

/** The answer to a request: judged against what was to be expected, then believed. */
void audit_reply(struct audit *a, const struct cmd *cmd, const struct out *out);
/** A charger that belongs to the street. */
void audit_charger_add(struct audit *a, int64_t id, int64_t station);
/** A change for the live pages. Those of one cause are looked at after the answer to the request
 * that caused them: what it did must not speak against it. */
void audit_event(struct audit *a, const struct out_event *e, uint64_t cause);
/** What a gate hands on of its chargers, and what they are answered. */
void audit_gate_ask(struct audit *a, const struct cmd *cmd);
void audit_gate_reply(struct audit *a, const struct out *out);
/** The connections are gone. */
void audit_gate_forget(struct audit *a);
/** An answer of this cause is to be judged: what others did before it counts, … */
void audit_turn(struct audit *a, uint64_t cause);
/** … and what it did itself counts from here on. */
void audit_settle_events(struct audit *a);
/** All answers of one batch were heard: what was said of wallets must be so. */
void audit_settled(struct audit *a);

/* ---- audit_discharge.c ---- */

/** A start in the other direction, where its place is right. */
int audit_discharge_start(const struct audit *a, const struct cmd *cmd,
                          const struct seen_connector *k);
/** A running order of the driver's there may be turned round by this start. */
bool audit_discharge_turns(const struct audit *a, const struct cmd *cmd,
                           const struct seen_connector *k);
/** Nobody asked for it: a discharge that began after it was given up. */
bool audit_discharge_late(const struct audit *a, const struct out_event *e);
/** What a station pays for a mWh, in 1/100,000 yuan a kWh; 0: it does not buy. */
int64_t audit_discharge_price(const struct audit *a, int64_t station);
void audit_discharge_file(struct audit *a, sqlite3 *db);

/* ---- audit_notice.c ---- */

/** The sender is handed it. */
void audit_notice(struct audit *a, const struct out_notice *n);
void audit_notice_file(struct audit *a, sqlite3 *db);

/* ---- audit_stay.c ---- */

/** An order changes that may be a stay; it is not yet what the event says. */
void audit_stay_order(struct audit *a, struct seen_order *o, const struct out_event *e);
/** CMD_ORDER_WAIVE. */
int audit_stay_expect(struct audit *a, const struct cmd *cmd);
void audit_stay_effect(struct audit *a, const struct cmd *cmd, int64_t now_ms);
void audit_stay_reload(struct audit *a, sqlite3 *db);
void audit_stay_file(struct audit *a, sqlite3 *db);
int64_t audit_debt(const struct audit *a, int64_t driver);
/** Money came in for the driver; vague: a part of it may be gift money, which settles nothing. */
void audit_debt_settle(struct audit *a, int64_t driver, int64_t amount, bool vague);
/** What was said of the wallet says what is owed. */
void audit_debt_learn(struct audit *a);
/** What the driver may spend. */
int64_t audit_spendable(const struct audit *a, int64_t driver);

/* ---- sums, from the lists ---- */

int64_t audit_balance(const struct audit *a, int64_t driver);
int64_t audit_held(const struct audit *a, int64_t driver);
/** All gift money that a driver was given and that was not taken back with a refund. */
int64_t audit_gift(const struct audit *a, int64_t driver);
int64_t audit_share(const struct audit *a, int64_t party);
/** What a party may withdraw now. */
int64_t audit_available(const struct audit *a, int64_t party, int64_t now_ms);
int64_t audit_refunded(const struct audit *a, int64_t order);
struct seen_order *audit_order(struct audit *a, int64_t id);
struct seen_order *audit_order_take(struct audit *a, int64_t id);
const struct known_key *audit_key(const struct audit *a, const char *key);
void audit_fact_add(struct audit *a, const struct fact *f);
/** The payout, or the withdrawal of principal, with this id; NULL = none is known. */
struct fact *audit_payout(const struct audit *a, int64_t id);
void audit_key_add(struct audit *a, const struct cmd *cmd, int64_t id);
/** What a request that succeeded means. */
void audit_effect(struct audit *a, const struct cmd *cmd, int64_t id, int64_t now_ms);

/* ---- against the file ---- */

/** After a restart: pending requests that the file knows have happened; everything that was told is
 * there. */
void audit_reload(struct audit *a, const char *db, struct cmd *const *pending, size_t n,
                  const struct street *s);
/** At the end, when everything is over. */
void audit_finish(struct audit *a, const char *db, const struct street *s, int64_t now_ms);

#endif
