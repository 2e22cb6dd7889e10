// SPDX-License-Identifier: Apache-2.0
/* rail_open.h: from a channel's row to its rail: what the worker and `even bill` share. */
#ifndef EVEN_APP_RAIL_OPEN_H
#define EVEN_APP_RAIL_OPEN_H

#include "app/config.h"
#include "rail/rail.h"
#include "store/query.h"

struct rail_row {
    int64_t id, tenant;
    int32_t kind, version;
    char url[201], app[41], merchant[41], keys[101];
};
/** ERR_NOT_FOUND, ERR_DISABLED (deleted), ERR_UNSUPPORTED (a bank), or the store's. */
EV_MUST_USE int rail_row_read(struct store_reader *r, int64_t id, struct rail_row *out);
/** Opens it with the keys of the installation; `base` is where providers reach us. As rail_new, and
 * ERR_DENIED for an address that is not allowed, ERR_RANGE for a bad name of its folder. */
EV_MUST_USE int rail_open(const struct config *c, const struct rail_row *row, const char *base,
                          struct rail **out, char why[160]);

#endif
