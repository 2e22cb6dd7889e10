// SPDX-License-Identifier: Apache-2.0
/* cost.c: what a station cost in a month, as staff enter it: purchased electricity, rent, maintenance.
 * It moves no money; the report of the station's month subtracts it. One amount for each station,
 * month and kind: the last one counts, and the audit log has every one.
 *
 * Nothing is kept in memory: the row is written over what is there, an amount of 0 deletes it. */
#include "core/invoice.h"

#include <inttypes.h>
#include <stdio.h>

enum { COST_MONTH_FIRST = 200001, COST_MONTH_LAST = 299912 };
#define COST_MAX (INT64_C(1) << 50)

static int cost_check(const struct core *c, const struct cmd *cmd)
{
    const struct cmd_station_cost *in = &cmd->u.station_cost;
    const struct station *s = station_find(c, in->station);
    if (!s || s->row.tenant != cmd->head.tenant || !station_scope_ok(cmd, in->station))
        return ERR_NOT_FOUND;
    if (in->month < COST_MONTH_FIRST || in->month > COST_MONTH_LAST || in->month % 100 < 1 ||
        in->month % 100 > 12)
        return ERR_RANGE;
    if (in->kind < COST_ELECTRICITY || in->kind > COST_OTHER)
        return ERR_RANGE;
    return in->amount >= 0 && in->amount <= COST_MAX ? 0 : ERR_RANGE;
}

int cost_put(struct core *c, const struct cmd *cmd)
{
    const struct cmd_station_cost *in = &cmd->u.station_cost;
    char detail[120];
    int rc = cost_check(c, cmd);
    if (rc)
        return rc;
    row_put(c, ROW_STATION_COST, in->amount ? ROW_UPSERT : ROW_DELETE,
            &(struct row_station_cost){.station = in->station,
                                       .month = in->month,
                                       .kind = in->kind,
                                       .tenant = cmd->head.tenant,
                                       .amount = in->amount,
                                       .note = in->note,
                                       .at_ms = c->now});
    snprintf(detail, sizeof detail, "%d, kind %d: %" PRId64, (int)in->month, (int)in->kind,
             in->amount);
    audit_put(c, cmd->head.tenant, "station.cost", in->station, detail, 0);
    c->made_id = in->station;
    return 0;
}
