// SPDX-License-Identifier: Apache-2.0
/* ykc_update.h: how a simulated pile fetches its firmware: over FTP, from where 0x94 says. The bytes
 * are counted and thrown away. A few piles at a time; the rest fail by time-out, as piles do that do
 * not come through.
 *
 * Invariant: each update that began ends once, with ykc_peer_updated. */
#ifndef EVEN_SIM_YKC_UPDATE_H
#define EVEN_SIM_YKC_UPDATE_H

#include "io/net/net.h"

#define YKC_UPDATES 16

struct sim;
struct peer;
struct ykc_Update;

struct ykc_update {
    struct peer *peer; /* NULL = free */
    struct net_conn control, data;
    int64_t size, got;
    bool data_over, all_sent;
    uint8_t step;
    char host[17], user[17], password[17], path[33];
};

/** ERR_FULL, or why there is no connection: nothing began. */
EV_MUST_USE int ykc_update_begin(struct sim *s, struct peer *p, const struct ykc_Update *m);

#endif
