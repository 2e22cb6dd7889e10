// SPDX-License-Identifier: Apache-2.0
/* audit_company.h: what the auditor knows of companies that pay for drivers and vehicles (audit_company.c).
 * Of what happened it keeps facts, as of everything else; a balance, a month's quota, a bill, or what of a
 * party's shares waits for one, is made anew of all of them in the order in which they happened. */
#ifndef EVEN_TOWN_AUDIT_COMPANY_H
#define EVEN_TOWN_AUDIT_COMPANY_H

#include <sqlite3.h>
#include "core/cmd.h"

struct audit;
struct seen_order;
struct fact;

enum { AUDIT_COMPANIES = 2, AUDIT_MEMBERS = 8, AUDIT_BILLS = 12, AUDIT_WISHES = 128 };

struct seen_company {
    int64_t id, credit;
    bool owes;    /* on credit, with monthly bills; else prepaid */
    bool overrun; /* it pays what an order costs over its cap, as far as it has that */
};

/** A driver, or with a token what that starts. Quotas: 0 = none. */
struct seen_member {
    int64_t id, company, driver, token, station; /* station 0 = all */
    int64_t month_most, order_most, month_mwh, month_orders;
    int32_t state, version;
    bool cards;
};

/** A change of a member that staff asked for, under this key. */
struct member_wish {
    char key[65];
    struct seen_member to;
};

struct seen_companies {
    struct seen_company company[AUDIT_COMPANIES];
    int companies;
    struct seen_member member[AUDIT_MEMBERS];
    int members;
    bool comes;       /* the one after them is asked for in the set-up */
    int64_t token[8]; /* the drivers' cards */
    bool exempt;      /* a bay that stays taken costs companies nothing */
    bool vague;       /* a crash hid what came first: what waits for bills is not judged */
    struct member_wish wish[AUDIT_WISHES];
    int wishes;
};

/** A member's month so far. It never goes back to an earlier one, though the clock may. */
struct audit_usage {
    int32_t month;
    int64_t used, mwh, held, orders;
};

struct audit_bill {
    int32_t month, state;
    int64_t id, captured, refunded, orders, collected;
    int64_t waits, late; /* of one party's shares: for the bill, for the window after it */
};
struct audit_books {
    struct audit_bill bill[AUDIT_BILLS];
    int n;
    int64_t advance;
};

/** yyyymm in China's time. */
int32_t audit_month(int64_t ms);
/** When it ends there. */
int64_t audit_month_end(int32_t month);

/** The set-up asks for a member, and for nothing else until it is there. … */
void audit_member_comes(struct audit *a, const struct seen_member *m);
/** … An answer of the set-up, of this cause and with this id: the member's, if one comes. */
void audit_member_made(struct audit *a, uint64_t cause, int64_t id);
/** Staff ask for a change of a member, under the key of this command. */
void audit_member_wish(struct audit *a, const struct cmd *cmd, const struct seen_member *to);
/** CMD_COMPANY_PAY, CMD_COMPANY_BILL, and CMD_ROW_PUT of a member: the answer, … */
int audit_company_expect(struct audit *a, const struct cmd *cmd, int64_t now_ms);
/** … and what it means. */
void audit_company_effect(struct audit *a, const struct cmd *cmd, int64_t id, int64_t now_ms);
/** A start at a company's expense, after everything else was right with it. */
int audit_company_start(const struct audit *a, const struct cmd *cmd, int64_t charger,
                        int64_t now_ms);
void audit_company_started(const struct audit *a, const struct cmd *cmd, struct seen_order *o);
/** Does a company pay what this driver's card starts? *may: it would now. */
bool audit_company_card(const struct audit *a, int64_t driver, int64_t charger, int64_t now_ms,
                        bool *may);
/** An order changes; it is not yet what the event says. */
void audit_company_order(struct audit *a, struct seen_order *o, const struct out_event *e);
/** It may cost its company more than its cap. */
bool audit_company_overruns(const struct audit *a, const struct seen_order *o);
/** Its shares wait for a bill, not for days. */
bool audit_company_credits(const struct audit *a, const struct seen_order *o);
/** What of a party's shares waits for bills, or for the window after one. */
int64_t audit_company_waits(const struct audit *a, int64_t party, int64_t now_ms);
/** The bill of a company and month: what it lacks, 0 when it is not issued or settled. */
int64_t audit_company_lacks(const struct audit *a, int64_t bill);

struct audit_usage audit_usage_of(const struct audit *a, int64_t member, int64_t now_ms);
/** The company's bills, and what of the party's shares waits for them; party 0: nobody's. */
void audit_books_make(const struct audit *a, const struct seen_company *co, int64_t party,
                      struct audit_books *b);

/* ---- audit_company_file.c ---- */

/** The file has all of it. */
void audit_company_file(struct audit *a, sqlite3 *db);
/** Who pays for a bay that stays taken: whoever paid for the charge before it. */
void audit_company_stay(struct audit *a, struct seen_order *o);

#endif
