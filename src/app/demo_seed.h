// SPDX-License-Identifier: Apache-2.0
/* demo_seed.h: the demonstration operator: what `even demo` writes into an empty installation,
 * through the REST API like any other client. Passwords are random and stand only in the data
 * folder (0600). */
#ifndef EVEN_APP_DEMO_SEED_H
#define EVEN_APP_DEMO_SEED_H

#include "app/client.h"

#define DEMO_CHARGERS 20
#define DEMO_DRIVERS  6

/** What the demonstration must remember between runs; kept in DIR/demo.txt as `name value` lines.
 */
struct demo_facts {
    char admin_password[24], operator_password[24], partner_password[24], key[96];
    int64_t station[3], driver[DEMO_DRIVERS];
    int64_t connector[DEMO_CHARGERS * 2];
    char code[DEMO_CHARGERS * 2][17];
    int connectors;
};

/** Sets the installation up and fills *f; writes DIR/demo.txt and DIR/chargers.txt (id TAB
 * password). */
EV_MUST_USE int demo_seed(struct client *c, const char *dir, struct demo_facts *f);
/** Reads DIR/demo.txt; ERR_NOT_FOUND on a first run. */
EV_MUST_USE int demo_facts_read(const char *dir, struct demo_facts *f);

#endif
