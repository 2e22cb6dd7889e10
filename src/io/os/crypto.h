// SPDX-License-Identifier: Apache-2.0
/* crypto.h: randomness and the few cryptographic jobs of the house. Hashes that need no secret are
 * in base/hash.h. */
#ifndef EVEN_IO_OS_CRYPTO_H
#define EVEN_IO_OS_CRYPTO_H

#include "base/buf.h"

#define CRYPTO_KEY_SIZE      32
#define CRYPTO_HASH_SIZE     32
#define CRYPTO_PASSWORD_SIZE 128 /* text of a password hash, NUL included */
#define CRYPTO_SEAL_OVERHEAD 40  /* bytes that crypto_seal adds */

/** Once, before other threads start. ERR_INTERNAL when the library cannot work here. */
EV_MUST_USE int crypto_init(void);
/** Fills with bytes from the kernel's generator. Cannot fail (must). Any thread. */
void os_random(void *p, size_t n);
uint64_t os_random_u64(void);
/** n characters without look-alikes (a-z, 2-9 but l, o) and a NUL into out[n + 1]: passwords shown
 * once, codes. */
void os_random_text(char *out, size_t n);

/** Argon2id for people (about 65 ms and 64 MiB): text that verify understands. ERR_NOMEM. Any
 * thread. */
EV_MUST_USE int crypto_password_hash(struct str password, char out[CRYPTO_PASSWORD_SIZE]);
/** 0, or ERR_LOGIN_FAILED (also for a hash that is no hash). */
EV_MUST_USE int crypto_password_verify(const char *hash, struct str password);

/** Keyed BLAKE2b-256, for secrets that we generated ourselves (chargers, API keys). Compare in
 * constant time. */
void crypto_keyed_hash(const uint8_t key[CRYPTO_KEY_SIZE], struct str msg,
                       uint8_t out[CRYPTO_HASH_SIZE]);
/** BLAKE2b-256 in pieces, for what may be long: start, any number of adds, end. */
struct crypto_digest {
    _Alignas(64) uint8_t state[384];
};
void crypto_digest_start(struct crypto_digest *d);
void crypto_digest_add(struct crypto_digest *d, const void *p, size_t n);
void crypto_digest_end(struct crypto_digest *d, uint8_t out[CRYPTO_HASH_SIZE]);
/** HMAC-SHA256 with a key of any length (webhooks, payment channels). */
void crypto_hmac_sha256(struct str key, struct str msg, uint8_t out[CRYPTO_HASH_SIZE]);

/** Appends nonce and authenticated cipher text of a secret column to `out`. */
EV_MUST_USE int crypto_seal(const uint8_t key[CRYPTO_KEY_SIZE], struct str plain, struct buf *out);
/** Appends the plain text; ERR_CORRUPT when the bytes or the key are wrong. */
EV_MUST_USE int crypto_unseal(const uint8_t key[CRYPTO_KEY_SIZE], struct str sealed,
                              struct buf *out);

/** Overwrites a secret in a way the compiler may not leave out. */
void crypto_wipe(void *p, size_t n);

#endif
