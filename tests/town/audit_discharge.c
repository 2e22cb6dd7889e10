// SPDX-License-Identifier: Apache-2.0
/* audit_discharge.c: energy that vehicles give back, as the auditor sees it: who may begin, what turns round,
 * what it earns. The rules are those of core/discharge.h. An order that gives has no cap, and its `paid` is the
 * driver's gain. */
#include "town/audit.h"

#include "base/err.h"
#include "core/types.h"
#include "town/audit_sql.h"

int64_t audit_discharge_price(const struct audit *a, int64_t station)
{
    for (int i = 0; i < AUDIT_STATIONS; i++)
        if (a->give_station[i] == station)
            return a->give_e5[i];
    return 0;
}

static int64_t station_of(const struct audit *a, const struct seen_connector *k)
{
    for (int i = 0; i < a->chargers; i++)
        if (a->charger[i].id == k->charger)
            return a->charger[i].station;
    return 0;
}

static bool driver_known(const struct audit *a, int64_t id)
{
    bool known = false;
    for (int i = 0; i < AUDIT_DRIVERS; i++)
        known |= a->driver[i] == id;
    return known;
}

int audit_discharge_start(const struct audit *a, const struct cmd *cmd,
                          const struct seen_connector *k)
{
    const struct cmd_order_start *in = &cmd->u.order_start;
    if (in->to_soc < 1 || in->to_soc > 100)
        return ERR_RANGE;
    if (!k->pile)
        return ERR_UNSUPPORTED;
    if (in->payer_kind != PAYER_NONE ||
        (cmd->head.actor_kind == ACTOR_DRIVER && cmd->head.actor != in->driver))
        return ERR_DENIED;
    if (in->cap)
        return ERR_RANGE;
    if (!driver_known(a, in->driver))
        return ERR_NOT_FOUND;
    return audit_discharge_price(a, station_of(a, k)) ? 0 : ERR_NO_DISCHARGE;
}

bool audit_discharge_turns(const struct audit *a, const struct cmd *cmd,
                           const struct seen_connector *k)
{
    const struct cmd_order_start *in = &cmd->u.order_start;
    const struct seen_order *runs = NULL;
    int open = 0;
    for (size_t i = 0; i < a->orders; i++) {
        const struct seen_order *o = &a->order[i];
        if (o->connector != k->id || o->state < ORDER_CREATED || o->state > ORDER_ENDED)
            continue;
        open++;
        if (o->state >= ORDER_CHARGING && o->state <= ORDER_STOPPING)
            runs = o;
    }
    return k->pile && runs && open == 1 && runs->gives != (in->direction < 0) &&
           (!in->driver || runs->driver == in->driver);
}

/* At a pile nothing begins by itself: what a driver has there and did not ask for now he had asked for. */
bool audit_discharge_late(const struct audit *a, const struct out_event *e)
{
    for (int i = 0; i < a->connectors; i++)
        if (a->connector[i].id == e->connector)
            return a->connector[i].pile && e->driver;
    return false;
}

void audit_discharge_file(struct audit *a, sqlite3 *db)
{
    int64_t paid = 0;
    a->given = 0;
    for (size_t i = 0; i < a->orders; i++) {
        const struct seen_order *o = &a->order[i];
        if (!o->gives)
            continue;
        a->given += o->state == ORDER_SETTLED || o->state == ORDER_DOUBTFUL;
        paid += o->paid;
        if (number(db, "SELECT kind FROM orders WHERE id = ?", o->id, 0) != ORDER_DISCHARGE)
            audit_differ(a, "order %lld is no discharge", (long long)o->id);
        if (number(db,
                   "SELECT coalesce(sum(amount), 0) FROM payment WHERE order_id = ? AND method = 5",
                   o->id, 0) < o->paid)
            audit_differ(a, "order %lld earned more than its lots", (long long)o->id);
        if (number(db, "SELECT count(*) FROM split_part WHERE order_id = ?", o->id, 0))
            audit_differ(a, "order %lld: somebody shares in what it earned", (long long)o->id);
    }
    if (number(db, "SELECT coalesce(sum(posted_out - posted_in), 0) FROM account WHERE kind = 18",
               0, 0) != paid)
        audit_differ(a, "the grid did not pay %lld", (long long)paid);
}
