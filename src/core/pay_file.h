// SPDX-License-Identifier: Apache-2.0
/* pay_file.h: files of payouts for a bank; see pay_file.c. The core's thread. */
#ifndef EVEN_CORE_PAY_FILE_H
#define EVEN_CORE_PAY_FILE_H

#include "core/core_state.h"
#include "core/purse.h"

struct pay_file {
    struct obj o;
    struct row_pay_file row;
};

/** A file of the payouts that are named, all or none. */
int pay_file_new(struct core *c, const struct cmd *cmd);
/** One of them leaves its file, so that the next may list it. */
int pay_file_out(struct core *c, const struct cmd *cmd);
/** Is who sends this somebody else than who made the payout's file, and than who asked for it (second.c)? */
bool pay_file_second(const struct core *c, const struct cmd *cmd, const struct payout *p);

#endif
