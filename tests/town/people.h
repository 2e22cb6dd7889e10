// SPDX-License-Identifier: Apache-2.0
/* people.h: what the files that play staff and drivers share; see people.c. Each of them asks for things
 * of one topic, by the chance of t->chance, so that a town without the topic is the same with and without it. */
#ifndef EVEN_TOWN_PEOPLE_H
#define EVEN_TOWN_PEOPLE_H

#include "core/rows.h"
#include "town/town.h"

enum { CLERK = 1, CASHIER = 2 }; /* staff, as actors after the administrator's id */

/** A new request of the administrator in t->cmd. */
struct cmd *people_cmd(struct town *t, enum cmd_type type, size_t size);
void people_as_driver(struct town *t, int64_t driver);
/** Asks for what is in t->cmd, with a key of its own. */
void people_ask(struct town *t);
/** In the set-up: the request in t->cmd; a row. Their id. */
int64_t people_made(struct town *t);
int64_t people_row(struct town *t, enum row_table table, const void *row, bool create);

/** Each of the partners as the set-up makes it. */
void people_partner_row(const struct town *t, int partner, struct row_party *row);
/** Asks for a change of that row, or the making of one. */
void people_row_cmd(struct town *t, enum row_table table, const void *row, bool create);
/** The same request once more, or another one under its key; false: there is none. */
bool people_repeat(struct town *t);

int64_t people_tariff(struct town *t, const struct tariff_slice_in *slice, int n);
void people_refund(struct town *t);
void people_payout(struct town *t);
void people_payout_decide(struct town *t);

/* ---- people_company.c ---- */

void people_companies_make(struct town *t);
void people_company_act(struct town *t);
/** After everything else: bills are issued and paid. */
void people_month_end(struct town *t);

/* ---- people_discharge.c ---- */

/** The family at which this station buys, or 0. */
int64_t people_discharge_tariff(struct town *t, int station);
void people_discharge_act(struct town *t);

/* ---- people_tax.c ---- */

int32_t people_payee_kind(struct town *t, int partner);
void people_taxes_make(struct town *t);
void people_tax_act(struct town *t);

/* ---- people_bank.c ---- */

void people_bank_make(struct town *t);
/** quiet: nothing is charged any more, and wallets may be frozen. */
void people_bank_act(struct town *t, bool quiet);
/** All that the bank was told it has done, and says so; people say the same. */
void people_bank_end(struct town *t);
/** What the request in t->cmd says of the bank is so, whoever asks it, when it is taken. */
bool people_bank_honest(const struct town *t);

/* ---- people_clause.c ---- */

/** Instead of percentages only. */
void people_clauses_make(struct town *t, struct cmd_contract_put *in, int64_t owner_ratio);

/* ---- people_stay.c ---- */

void people_stay_act(struct town *t);

#endif
