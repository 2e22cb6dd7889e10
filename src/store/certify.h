// SPDX-License-Identifier: Apache-2.0
/* certify.h: makes the certificate of each day that is over, for every tenant, once. Thread: the
 * housekeeping thread, on a reader of its own; what it makes is written by the store with its next
 * commit. */
#ifndef EVEN_STORE_CERTIFY_H
#define EVEN_STORE_CERTIFY_H

#include "store/store.h"

struct certifier;
/** Makes nothing before first_ms: a start has other work. */
EV_MUST_USE int certifier_open(struct store *s, int64_t first_ms, struct certifier **out);
/** NULL is fine. */
void certifier_close(struct certifier *c);
/** Call every second or so: makes the certificates of one day that lack, if there are any, else is
 * done at once. Store errors (logged); nothing is made then, and the next call tries again. */
EV_MUST_USE int certifier_run(struct certifier *c, int64_t now_ms);
/** Did the last run make any? They are durable with the store's next commit. */
bool certifier_made(const struct certifier *c);

#endif
