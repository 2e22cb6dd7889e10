// SPDX-License-Identifier: Apache-2.0
/* personal.h: numbers of people that the house keeps only until somebody else has checked them:
 * sealed where they come in, opened where they go out, with a key that is derived from the
 * installation's own. Between the two they are texts that say nothing, in rows, tapes and backups.
 * Any thread. */
#ifndef EVEN_IO_OS_PERSONAL_H
#define EVEN_IO_OS_PERSONAL_H

#include "io/os/crypto.h"

#define PERSONAL_PLAIN_SIZE 65  /* 64 bytes and a NUL */
#define PERSONAL_TEXT_SIZE  141 /* Base64 of that, sealed, and a NUL */

/** ERR_TOO_LARGE for more than 64 bytes. */
EV_MUST_USE int personal_seal(const uint8_t key[CRYPTO_KEY_SIZE], struct str plain,
                              char out[PERSONAL_TEXT_SIZE]);
/** ERR_CORRUPT for anything that this key did not seal. The caller wipes `out`. */
EV_MUST_USE int personal_open(const uint8_t key[CRYPTO_KEY_SIZE], struct str text,
                              char out[PERSONAL_PLAIN_SIZE]);

#endif
