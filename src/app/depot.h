// SPDX-License-Identifier: Apache-2.0
/* depot.h: firmware over FTP, for 云快充 piles: joins the FTP server (io/net/ftp.h) with the firmware
 * files, the passwords (web/ftp_pass.h) and the core, which keeps how far a pile has come. A user is
 * the number of a pile whose last Update named a file of ours; it sees that file. */
#ifndef EVEN_APP_DEPOT_H
#define EVEN_APP_DEPOT_H

#include "app/config.h"
#include "core/cmd.h"

struct depot;
struct store;

struct depot_config {
    const struct config *settings; /* borrowed */
    struct store *store;           /* borrowed; must outlive depot_stop */
    /** Puts a command into the core's mailbox. Any thread. */
    int (*submit)(void *ctx, const struct cmd *cmd);
    void *ctx;
    const uint8_t *key; /* the installation's; borrowed */
};

/** Listens at ftp.port. ERR_SYNTAX: ftp.address (or ftp.bind in its place) is no address that can be
 * told to piles; else as ftp_start. */
EV_MUST_USE int depot_start(const struct depot_config *cfg, struct depot **out);
/** The address that is told to piles. */
const char *depot_address(const struct depot *d);
/** NULL is fine. */
void depot_stop(struct depot *d);

#endif
