// SPDX-License-Identifier: Apache-2.0
/* people.h: what the files that play staff and drivers share; see people.c. Each of them asks for things
 * of one topic, by the chance of t->more, so that a town without the topic is the same with and without it. */
#ifndef EVEN_TOWN_PEOPLE_H
#define EVEN_TOWN_PEOPLE_H

#include "core/rows.h"
#include "town/town.h"

/** A new request of the administrator in t->cmd. */
struct cmd *people_cmd(struct town *t, enum cmd_type type, size_t size);
void people_as_driver(struct town *t, int64_t driver);
/** Asks for what is in t->cmd, with a key of its own. */
void people_ask(struct town *t);
/** In the set-up: the request in t->cmd; a row. Their id. */
int64_t people_made(struct town *t);
int64_t people_row(struct town *t, enum row_table table, const void *row, bool create);

void people_refund(struct town *t);
void people_payout(struct town *t);
void people_payout_decide(struct town *t);

/* ---- people_company.c ---- */

void people_companies_make(struct town *t);
void people_company_act(struct town *t);
/** After everything else: bills are issued and paid. */
void people_month_end(struct town *t);

#endif
