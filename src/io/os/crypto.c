// SPDX-License-Identifier: Apache-2.0
/* crypto.c: see crypto.h. The one file that knows libsodium.
 *
 * Data: none.
 *
 * Invariants:
 *  1. No key, password or plain text stays in a stack array of ours after the call.
 *  2. Random numbers come from the kernel alone.
 *
 * Thread: any, after crypto_init. Failure: wrong input is an error; a kernel without randomness
 * ends the program. */
#include "io/os/crypto.h"

#include <errno.h>
#include <sodium.h>
#include <sys/random.h>
#include "base/err.h"
#include "base/must.h"

_Static_assert(CRYPTO_PASSWORD_SIZE == crypto_pwhash_STRBYTES, "size of a password hash");
_Static_assert(CRYPTO_KEY_SIZE == crypto_secretbox_KEYBYTES, "size of a column key");
_Static_assert(CRYPTO_SEAL_OVERHEAD == crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES,
               "size of a sealed column");

int crypto_init(void)
{
    return sodium_init() < 0 ? ERR_INTERNAL : 0;
}

void os_random(void *p, size_t n)
{
    uint8_t *at = p;

    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);

        if (got < 0 && errno == EINTR)
            continue;
        must(got > 0);
        at += got;
        n -= (size_t)got;
    }
}

uint64_t os_random_u64(void)
{
    uint64_t v;

    os_random(&v, sizeof(v));
    return v;
}

void os_random_text(char *out, size_t n)
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* 32 of them: 5 bits each */
    uint8_t byte;

    for (size_t i = 0; i < n; i++) {
        os_random(&byte, 1);
        out[i] = letters[byte & 31];
    }
    out[n] = '\0';
}

int crypto_password_hash(struct str password, char out[CRYPTO_PASSWORD_SIZE])
{
    if (crypto_pwhash_str_alg(
            out, password.n != 0 ? password.p : "", password.n, crypto_pwhash_OPSLIMIT_INTERACTIVE,
            crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return ERR_NOMEM;
    return 0;
}

int crypto_password_verify(const char *hash, struct str password)
{
    if (crypto_pwhash_str_verify(hash, password.n != 0 ? password.p : "", password.n) != 0)
        return ERR_LOGIN_FAILED;
    return 0;
}

void crypto_keyed_hash(const uint8_t key[CRYPTO_KEY_SIZE], struct str msg,
                       uint8_t out[CRYPTO_HASH_SIZE])
{
    must(crypto_generichash(out, CRYPTO_HASH_SIZE, (const uint8_t *)msg.p, msg.n, key,
                            CRYPTO_KEY_SIZE) == 0);
}

_Static_assert(sizeof(struct crypto_digest) >= sizeof(crypto_generichash_state) &&
                   _Alignof(struct crypto_digest) >= _Alignof(crypto_generichash_state),
               "room for the library's own");

static crypto_generichash_state *digest_of(struct crypto_digest *d)
{
    return (crypto_generichash_state *)(void *)d->state;
}

void crypto_digest_start(struct crypto_digest *d)
{
    must(crypto_generichash_init(digest_of(d), NULL, 0, CRYPTO_HASH_SIZE) == 0);
}

void crypto_digest_add(struct crypto_digest *d, const void *p, size_t n)
{
    must(crypto_generichash_update(digest_of(d), p, n) == 0);
}

void crypto_digest_end(struct crypto_digest *d, uint8_t out[CRYPTO_HASH_SIZE])
{
    must(crypto_generichash_final(digest_of(d), out, CRYPTO_HASH_SIZE) == 0);
}

void crypto_hmac_sha256(struct str key, struct str msg, uint8_t out[CRYPTO_HASH_SIZE])
{
    crypto_auth_hmacsha256_state st;

    crypto_auth_hmacsha256_init(&st, (const uint8_t *)key.p, key.n);
    crypto_auth_hmacsha256_update(&st, (const uint8_t *)msg.p, msg.n);
    crypto_auth_hmacsha256_final(&st, out);
    sodium_memzero(&st, sizeof(st));
}

int crypto_seal(const uint8_t key[CRYPTO_KEY_SIZE], struct str plain, struct buf *out)
{
    uint8_t *p = buf_grow(out, CRYPTO_SEAL_OVERHEAD + plain.n);

    if (p == NULL)
        return ERR_TOO_LARGE;
    os_random(p, crypto_secretbox_NONCEBYTES);
    must(crypto_secretbox_easy(p + crypto_secretbox_NONCEBYTES, (const uint8_t *)plain.p, plain.n,
                               p, key) == 0);
    return 0;
}

int crypto_unseal(const uint8_t key[CRYPTO_KEY_SIZE], struct str sealed, struct buf *out)
{
    const uint8_t *p = (const uint8_t *)sealed.p;
    size_t before = out->n;
    uint8_t *plain;

    if (sealed.n < CRYPTO_SEAL_OVERHEAD)
        return ERR_CORRUPT;
    if (sealed.n > CRYPTO_SEAL_OVERHEAD) {
        plain = buf_grow(out, sealed.n - CRYPTO_SEAL_OVERHEAD);
        if (plain == NULL)
            return ERR_TOO_LARGE;
    } else {
        plain = NULL;
    }
    if (crypto_secretbox_open_easy(plain, p + crypto_secretbox_NONCEBYTES,
                                   sealed.n - crypto_secretbox_NONCEBYTES, p, key) != 0) {
        out->n = before;
        return ERR_CORRUPT;
    }
    return 0;
}

void crypto_wipe(void *p, size_t n)
{
    sodium_memzero(p, n);
}
