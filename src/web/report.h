// SPDX-License-Identifier: Apache-2.0
/* report.h: the operator's reports of a month as h_report.c makes them and h_report_sheet.c writes them
 * down. Each month is read on one snapshot, and lives in the arena of the request. */
#ifndef EVEN_WEB_REPORT_H
#define EVEN_WEB_REPORT_H

#include "base/map.h"
#include "base/money.h"
#include "web/api_gen.h"
#include "web/state.h"

/* report_parts.c: what was posted in a month. */
enum { REPORT_RATES_MAX = 200 };
struct report_party {
    int64_t id, kind;
    struct str name; /* in the arena */
};
/* Of a station and party (a place among the parties, from 1): shares, and what was taken back. */
struct report_cell {
    int64_t station;
    uint64_t party;
    struct money shares, back;
};
/* Of a kind of fee at a rate of tax: all, and what is the operator's own. */
struct report_rate {
    int64_t fee_kind, tax_bp;
    struct money gross, own;
};
struct report_parts {
    struct buf parties, cells; /* cells in the order of station and party */
    struct report_rate rate[REPORT_RATES_MAX];
    int32_t rates;
};
/** Reads those of the request's tenant and scope that were posted from..to. Free it also after an error. */
EV_MUST_USE int report_parts_read(struct request *r, int64_t from_ms, int64_t to_ms,
                                  struct report_parts *p);
const struct report_party *report_party_at(const struct report_parts *p, uint64_t place);
/** The tax in the price, worked out from the sum of what is at one rate: of all, of the operator's own. */
void report_parts_tax(const struct report_parts *p, struct money *tax, struct money *own);
void report_parts_free(struct report_parts *p);

/** Profit and loss of every station in a month (yyyymm; below 1: this month). */
EV_MUST_USE int report_stations_read(struct request *r, int64_t month,
                                     struct api_StationMonth *out);
/** Revenue by month as principal and as agent: rows of api_RevenueMonth; at most twelve. Arguments
 * `from` and `to` of the request, this month where they are missing. */
EV_MUST_USE int report_revenue_read(struct request *r, struct rows *out);

#endif
