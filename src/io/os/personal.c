// SPDX-License-Identifier: Apache-2.0
/* personal.c: see personal.h. Owns nothing; plain texts and derived keys are wiped before it
 * returns. Fails by text: what was changed in any way is ERR_CORRUPT. */
#include "io/os/personal.h"

#include "base/err.h"
#include "base/hash.h"

enum { SEALED_MAX = PERSONAL_PLAIN_SIZE - 1 + CRYPTO_SEAL_OVERHEAD };

static void derive(const uint8_t key[CRYPTO_KEY_SIZE], uint8_t out[CRYPTO_HASH_SIZE])
{
    crypto_keyed_hash(key, STR_LIT("personal numbers"), out);
}

int personal_seal(const uint8_t key[CRYPTO_KEY_SIZE], struct str plain,
                  char out[PERSONAL_TEXT_SIZE])
{
    uint8_t own[CRYPTO_HASH_SIZE];
    struct buf sealed;
    out[0] = 0;
    if (plain.n >= PERSONAL_PLAIN_SIZE)
        return ERR_TOO_LARGE;
    buf_init(&sealed, SEALED_MAX);
    derive(key, own);
    int err = crypto_seal(own, plain, &sealed);
    if (!err)
        (void)base64_encode(sealed.p, sealed.n, out);
    crypto_wipe(own, sizeof own);
    buf_free(&sealed);
    return err;
}

int personal_open(const uint8_t key[CRYPTO_KEY_SIZE], struct str text,
                  char out[PERSONAL_PLAIN_SIZE])
{
    uint8_t own[CRYPTO_HASH_SIZE], sealed[SEALED_MAX + 3];
    struct buf plain;
    size_t n = 0;
    out[0] = 0;
    if (base64_decode(text, sealed, sizeof sealed, &n) != 0)
        return ERR_CORRUPT;
    buf_init(&plain, PERSONAL_PLAIN_SIZE - 1);
    derive(key, own);
    int err = crypto_unseal(own, str_from((const char *)sealed, n), &plain);
    if (!err)
        (void)str_copy(out, PERSONAL_PLAIN_SIZE, buf_str(&plain));
    crypto_wipe(own, sizeof own);
    crypto_wipe(plain.p, plain.n);
    buf_free(&plain);
    return err;
}
