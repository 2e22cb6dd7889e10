// SPDX-License-Identifier: Apache-2.0
/* sign.h: RSA signatures and the ciphers that payment providers speak. Keys are read from PEM text
 * once and then only used; a key may be used by several threads at once.
 *
 * Nothing here says why a check failed: a caller answers strangers with one word, and so do we. */
#ifndef EVEN_IO_NET_SIGN_H
#define EVEN_IO_NET_SIGN_H

#include "base/buf.h"

#define SIGN_SERIAL_SIZE 65 /* text of a certificate's serial number, upper-case hex */
#define SIGN_SECRET_SIZE 32 /* AES-256 */
#define SIGN_NONCE_SIZE  12
#define SIGN_TAG_SIZE    16
#define SIGN_TEXT_MAX    1024 /* a signature in Base64: keys of up to 6,144 bits */

struct sign_key;

/** A private RSA key of at least 2,048 bits (PKCS#1 or PKCS#8, no pass phrase). ERR_SYNTAX,
 * ERR_RANGE (too short, no RSA), ERR_NOMEM. */
EV_MUST_USE int sign_key_private(struct str pem, struct sign_key **out);
/** A public RSA key, or the one of a certificate; then sign_key_serial knows its serial number. */
EV_MUST_USE int sign_key_public(struct str pem, struct sign_key **out);
/** NULL is allowed. */
void sign_key_free(struct sign_key *k);
/** Upper-case hex of the certificate's serial number, "" for a bare key. */
const char *sign_key_serial(const struct sign_key *k);
/** MD5 in lower-case hex over issuer and decimal serial number of the first certificate: how Alipay
 * names certificates. With `roots` over every certificate that is signed with RSA, joined by '_'.
 * ERR_SYNTAX when there is none. */
EV_MUST_USE int sign_cert_name(struct str pem, bool roots, struct buf *out);

/** RSA-SHA256 with PKCS#1 v1.5 padding; appends Base64. ERR_RANGE for a public key. */
EV_MUST_USE int sign_make(const struct sign_key *k, struct str msg, struct buf *base64);
/** 0, or ERR_DENIED whatever is wrong with it. */
EV_MUST_USE int sign_check(const struct sign_key *k, struct str msg, struct str base64);
/** RSA-OAEP with SHA-1 (names of payees); appends Base64. ERR_TOO_LARGE. */
EV_MUST_USE int sign_hide(const struct sign_key *k, struct str plain, struct buf *base64);
/** Its reverse, with the private key; ERR_DENIED. */
EV_MUST_USE int sign_show(const struct sign_key *k, struct str base64, struct buf *plain);

/** AES-256-GCM: appends the plain text of `cipher` (tag at its end). ERR_DENIED when anything was
 * changed; then nothing was appended. */
EV_MUST_USE int sign_open(const uint8_t secret[SIGN_SECRET_SIZE], struct str nonce, struct str aad,
                          struct str cipher, struct buf *plain);
/** Appends cipher text and tag. The nonce is SIGN_NONCE_SIZE bytes and never used twice. */
EV_MUST_USE int sign_seal(const uint8_t secret[SIGN_SECRET_SIZE], struct str nonce, struct str aad,
                          struct str plain, struct buf *cipher);

/** A fresh RSA key of 2,048 bits: PEM texts of both halves (PKCS#8 and SubjectPublicKeyInfo). */
EV_MUST_USE int sign_pair_new(struct buf *private_pem, struct buf *public_pem);

#endif
