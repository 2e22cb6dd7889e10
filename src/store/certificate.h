// SPDX-License-Identifier: Apache-2.0
/* certificate.h: the zero-sum certificate of a day, as a row, as a text that an accountant files away
 * and as what `even check` is held against. One row a tenant, day and currency; schema.tbl says what
 * its figures are. Pure functions; any thread. The maker is certify.h. */
#ifndef EVEN_STORE_CERTIFICATE_H
#define EVEN_STORE_CERTIFICATE_H

#include "base/buf.h"
#include "store/query.h"

struct certificate {
    int64_t tenant, day, to_ms;
    int64_t transfers, debits, credits;
    int64_t wallets, parties, transit, rest;
    int64_t link, made_ms;
    char currency[4], hash[65];
};

/** What all accounts come to: 0 in right books. */
int64_t certificate_sum(const struct certificate *c);
/** From the columns of check_certificates, which others select in the same order. */
void certificate_read(struct certificate *c, const struct sql_value *v);
/** Appends its text: a line a figure, key and value, explained in Chinese and English. */
void certificate_write(const struct certificate *c, struct buf *out);
/** Takes one certificate off the front of a text that may hold several: 1 = there was one, 0 = none is
 * left, ERR_SYNTAX. */
EV_MUST_USE int certificate_take(struct str *text, struct certificate *out);
/** The name of the first figure in which they differ, or NULL. */
const char *certificate_differs(const struct certificate *a, const struct certificate *b);

#endif
