// SPDX-License-Identifier: Apache-2.0
/* keys.h: the keys of one channel, from its folder:
 *
 *   merchant.pem         our private key
 *   merchant.serial      serial number of our certificate, where the provider wants it (text)
 *   merchant.crt         our certificate (Alipay's certificate mode; gives merchant.serial, too)
 *   root.crt             the provider's root certificates (Alipay's certificate mode)
 *   provider/NAME.pem    public keys or certificates of the provider; NAME is the serial number for
 *                        a bare key. Several may be there at once: that is how keys are changed
 *   secret               symmetric key of 32 characters (WeChat's APIv3 key)
 *
 * The files are 0600: a folder that others may read is refused. */
#ifndef EVEN_RAIL_KEYS_H
#define EVEN_RAIL_KEYS_H

#include "io/net/sign.h"

#define RAIL_KEYS_MAX    8
#define RAIL_SERIAL_SIZE 80

struct rail_key {
    char serial[RAIL_SERIAL_SIZE];
    struct sign_key *key;
};
struct rail_keys {
    struct sign_key *own;
    char own_serial[RAIL_SERIAL_SIZE];
    char cert_name[40], root_name[400]; /* Alipay's names of certificates, "" = key mode */
    struct rail_key theirs[RAIL_KEYS_MAX];
    size_t n;
    bool has_secret;
    uint8_t secret[SIGN_SECRET_SIZE];
};

/** See rail_new. `k` is cleared first. */
EV_MUST_USE int rail_keys_load(const char *dir, struct rail_keys *k, char why[160]);
void rail_keys_free(struct rail_keys *k);
/** NULL when it is not there. */
const struct rail_key *rail_keys_find(const struct rail_keys *k, struct str serial);

#endif
