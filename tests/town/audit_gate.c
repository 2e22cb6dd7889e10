// SPDX-License-Identifier: Apache-2.0
/* audit_gate.c: the auditor hears what chargers ask and are answered, see audit.h: may this card
 * charge, and which transaction is this?
 *
 *  - A card may charge if its driver has the amount that a card start holds, or the company that pays for it
 *    says so, or an order of its runs at this charger (then it may stop it).
 *  - A start by card is accepted under the first of these; below it, it is blocked unless it was kept by a
 *    charger that was away, which only the platform can judge.
 *  - The same start told again gets the same answer, also after a crash; another one gets a number
 *    that the charger never had. */
#include "town/audit.h"

#include <stdlib.h>
#include "base/err.h"
#include "base/must.h"
#include "core/types.h"
#include "town/vnet.h"

static bool same_origin(const struct origin *a, const struct origin *b)
{
    return a->kind == b->kind && a->reactor == b->reactor && a->slot == b->slot &&
           a->gen == b->gen && a->ref == b->ref;
}

void audit_gate_ask(struct audit *a, const struct cmd *cmd)
{
    if ((cmd->head.type != CMD_AUTHORIZE && cmd->head.type != CMD_TX_START) ||
        a->gate_asks == AUDIT_WAITS)
        return;
    struct gate_ask *g = &a->gate_ask[a->gate_asks++];
    *g = (struct gate_ask){
        .from = cmd->head.from, .at_ms = vnet_wall_ms(), .cause = cmd->head.cause};
    if (cmd->head.type == CMD_AUTHORIZE) {
        g->charger = cmd->u.authorize.charger;
        (void)str_copy(g->tag, sizeof g->tag, str_from_c(cmd->u.authorize.tag));
        return;
    }
    g->start = true;
    g->charger = cmd->u.tx_start.charger;
    g->connector = cmd->u.tx_start.connector;
    g->meter_mwh = cmd->u.tx_start.meter_mwh;
    g->time_ms = cmd->u.tx_start.time_ms;
    (void)str_copy(g->tag, sizeof g->tag, str_from_c(cmd->u.tx_start.tag));
}

/* CARD0001 … are the drivers' in their order. */
static int64_t driver_of(const struct audit *a, const char *tag)
{
    int64_t n;
    struct str text = str_from_c(tag);
    if (!str_starts(text, STR_LIT("CARD")) || str_to_i64(str_from(text.p + 4, text.n - 4), &n))
        return 0;
    return n >= 1 && n <= AUDIT_DRIVERS ? a->driver[n - 1] : 0;
}

static bool charges_here(const struct audit *a, int64_t driver, int64_t charger)
{
    for (size_t i = 0; i < a->orders; i++)
        if (a->order[i].driver == driver && a->order[i].charger == charger &&
            a->order[i].connector && /* a bay that stays taken is no charge */
            a->order[i].state >= ORDER_CREATED && a->order[i].state <= ORDER_ENDED)
            return true;
    return false;
}

/* Whoever pays for the card has what it holds: its company, or its driver. */
static bool has_hold(const struct audit *a, const struct gate_ask *g, int64_t driver)
{
    bool may = false, late = false;
    if (audit_company_card(a, driver, g->charger, g->at_ms, &may) &&
        audit_company_card(a, driver, g->charger, vnet_wall_ms(), &late))
        return may || late;
    return !audit_debt(a, driver) && audit_spendable(a, driver) >= a->card_hold;
}

/* What is not a card is the tag of an order, which only the platform can read. */
static void judge_card(struct audit *a, const struct gate_ask *g, const struct out *out)
{
    if (!str_starts(str_from_c(g->tag), STR_LIT("CARD")))
        return;
    int64_t driver = driver_of(a, g->tag);
    int32_t want = !driver                                                         ? TAG_INVALID
                   : has_hold(a, g, driver) || charges_here(a, driver, g->charger) ? TAG_ACCEPTED
                                                                                   : TAG_BLOCKED;
    if (out->err || out->u.tag.status != want)
        audit_differ(a, "card %s was answered %s, status %d, expected %d", g->tag,
                     err_name(out->err), out->u.tag.status, want);
}

static const struct gate_ask *start_told(const struct audit *a, const struct gate_ask *g)
{
    for (size_t i = 0; i < a->starts; i++) {
        const struct gate_ask *s = &a->start[i];
        if (s->charger == g->charger && s->connector == g->connector && s->time_ms == g->time_ms &&
            s->meter_mwh == g->meter_mwh && strcmp(s->tag, g->tag) == 0)
            return s;
    }
    return NULL;
}

static void start_keep(struct audit *a, const struct gate_ask *g, const struct out *out)
{
    for (size_t i = 0; i < a->starts; i++)
        if (a->start[i].charger == g->charger && a->start[i].tx >= out->u.tag.tx)
            audit_differ(a, "transaction %lld of a charger comes after %lld",
                         (long long)out->u.tag.tx, (long long)a->start[i].tx);
    if (a->starts == a->starts_size) {
        a->starts_size = a->starts_size ? 2 * a->starts_size : 64;
        a->start = realloc(a->start, a->starts_size * sizeof *a->start);
        must(a->start);
    }
    a->start[a->starts] = *g;
    a->start[a->starts].status = out->u.tag.status;
    a->start[a->starts++].tx = out->u.tag.tx;
}

static void judge_start(struct audit *a, const struct gate_ask *g, const struct out *out)
{
    const struct gate_ask *before = start_told(a, g);
    int64_t driver = driver_of(a, g->tag);
    int32_t is = out->u.tag.status;
    if (out->err) {
        audit_differ(a, "start of %s was answered %s", g->tag, err_name(out->err));
    } else if (before) {
        if (before->tx != out->u.tag.tx || before->status != is)
            audit_differ(a, "start of %s told again: transaction %lld, status %d; was %lld, %d",
                         g->tag, (long long)out->u.tag.tx, is, (long long)before->tx,
                         before->status);
    } else {
        bool fine = !driver || is == TAG_ACCEPTED || (is == TAG_BLOCKED && !has_hold(a, g, driver));
        if (!fine)
            audit_differ(a, "start of %s was answered status %d", g->tag, is);
        start_keep(a, g, out);
    }
}

void audit_gate_reply(struct audit *a, const struct out *out)
{
    for (int i = 0; i < a->gate_asks; i++) {
        if (!same_origin(&a->gate_ask[i].from, &out->to))
            continue;
        struct gate_ask g = a->gate_ask[i];
        a->gate_ask[i] = a->gate_ask[--a->gate_asks];
        audit_turn(a, g.cause);
        a->gate_replies++;
        if (g.start)
            judge_start(a, &g, out);
        else
            judge_card(a, &g, out);
        audit_settle_events(a);
        return;
    }
}

void audit_gate_forget(struct audit *a)
{
    a->gate_asks = 0;
}
