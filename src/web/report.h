// SPDX-License-Identifier: Apache-2.0
/* report.h: the operator's reports of a month as h_report.c makes them and h_report_sheet.c writes them
 * down. Everything is read on the snapshot of one request and lives in its arena. */
#ifndef EVEN_WEB_REPORT_H
#define EVEN_WEB_REPORT_H

#include "web/api_gen.h"
#include "web/state.h"

/** Profit and loss of every station in a month (yyyymm; below 1: this month). */
EV_MUST_USE int report_stations_read(struct request *r, int64_t month,
                                     struct api_StationMonth *out);
/** Revenue by month as principal and as agent: rows of api_RevenueMonth; at most twelve. Arguments
 * `from` and `to` of the request, this month where they are missing. */
EV_MUST_USE int report_revenue_read(struct request *r, struct rows *out);

#endif
