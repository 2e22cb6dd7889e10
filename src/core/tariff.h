// SPDX-License-Identifier: Apache-2.0
/* tariff.h: what a kilowatt-hour costs at an instant. A tariff version has calendar rows (first
 * match wins) that name a day plan; a plan is a list of slices in minutes of the local day, each
 * with label, electricity price and service price. A tariff is immutable once built; orders are
 * frozen to a version.
 *
 * Invariants: 1. every day of every year finds a plan; 2. every plan starts at minute 0, ascends
 * strictly, has at most 96 slices; 3. prices are 0 … TARIFF_PRICE_MAX; 4. an instant belongs to the
 * slice of its local wall time, so days of 23 and 25 hours need no special rows. Pure; any thread
 * may read. */
#ifndef EVEN_CORE_TARIFF_H
#define EVEN_CORE_TARIFF_H

#include "base/arena.h"
#include "base/zone.h"
#include "core/rows_gen.h"

#define TARIFF_PRICE_MAX   INT64_C(10000000) /* 100 yuan per kWh, electricity and service each */
#define TARIFF_PLAN_SLICES 96
#define TARIFF_PLANS_MAX   64
#define TARIFF_LABEL_SIZE  65 /* 16 characters of UTF-8 */

struct tariff_slice {
    int32_t from_min, label; /* index into the tariff's labels */
    int64_t elec_e5, service_e5;
};
struct tariff_plan {
    int32_t plan, first, n; /* slices first … first+n-1 */
};
struct tariff_rule {
    int32_t first_mmdd, last_mmdd, weekdays, plan; /* plan: index into plans */
};
struct tariff_memo;
struct tariff {
    struct tariff_memo *memo; /* the prices last asked for; so a tariff is one thread's */
    int64_t id, tenant, family, from_ms;
    int32_t rules_n, plans_n, slices_n, labels_n;
    struct tariff_rule *rules;
    struct tariff_plan *plans;
    struct tariff_slice *slices;
    char (*labels)[TARIFF_LABEL_SIZE];
};

struct tariff_price {
    const char *label; /* borrows the tariff */
    int32_t label_i;
    int64_t elec_e5, service_e5;
    int64_t end_ms; /* the price holds from the instant asked until here; the next piece may have
                       the same price */
};

/** Builds and validates; the tariff and all it holds live in `a`. Rows may come in any order.
 * ERR_NOMEM; ERR_RANGE: a price, minute or weekday set out of bounds, a plan that does not start at
 * 0 or has too many slices; ERR_CONFLICT: two slices of one plan at one minute; ERR_NOT_FOUND: a
 * calendar row names no plan; ERR_REQUIRED: a day of the year no calendar row covers. */
EV_MUST_USE int tariff_build(struct arena *a, const struct row_tariff *row,
                             const struct row_tariff_day *days, size_t days_n,
                             const struct row_tariff_slice *slices, size_t slices_n,
                             struct tariff **out);
/** Price at an instant; NULL zone = UTC. */
void tariff_price_at(const struct tariff *t, const struct zone *z, int64_t ms,
                     struct tariff_price *out);
/** Highest electricity + service price in [from_ms, to_ms]; to_ms at most 40 days later is looked
 * at. */
int64_t tariff_price_max(const struct tariff *t, const struct zone *z, int64_t from_ms,
                         int64_t to_ms);
/** Index of a label in the tariff, or -1. */
int32_t tariff_label(const struct tariff *t, const char *label);

/** The tariff of one local day as piles with four price classes and half hours can hold it. */
#define TARIFF_CLASSES    4
#define TARIFF_HALF_HOURS 48
struct tariff_classes {
    int64_t elec_e5[TARIFF_CLASSES], service_e5[TARIFF_CLASSES];
    int32_t label[TARIFF_CLASSES]; /* index into labels, -1 = class not used */
    uint8_t slot[TARIFF_HALF_HOURS];
    int64_t from_ms, until_ms; /* the local day: the next model is due at until_ms */
};
/** Classes 0 … 3 are 尖 峰 平 谷; other labels take a free class, classes without hours carry the
 * day's highest price. ERR_UNSUPPORTED: more than four prices, or one that does not change on a
 * half hour. */
EV_MUST_USE int tariff_classes_of_day(const struct tariff *t, const struct zone *z, int64_t ms,
                                      struct tariff_classes *out);
/** 0 when every day of the tariff can be held so, else ERR_UNSUPPORTED. */
EV_MUST_USE int tariff_classes_check(const struct tariff *t);

#endif
