// SPDX-License-Identifier: Apache-2.0
/* demo_pay.h: what the demonstration needs of its cashier: the merchant's keys, and channels that
 * name it. */
#ifndef EVEN_APP_DEMO_PAY_H
#define EVEN_APP_DEMO_PAY_H

#include "app/client.h"

/** Copies what the cashier made for merchants (DIR/cashier/merchant) to where channels look for it
 * (DIR/keys). */
EV_MUST_USE int demo_pay_keys(const char *dir);
/** Makes the demonstration's channels through the API. */
EV_MUST_USE int demo_pay_channels(struct client *c, const char *cashier_url);

#endif
