// SPDX-License-Identifier: Apache-2.0
/* sign.c: see sign.h. With tls.c the only file that knows OpenSSL.
 *
 * Data: a key is one EVP_PKEY, whose library counts references and whose use is thread-safe; every
 * operation has a context of its own.
 *
 * Invariants:
 *  1. The library's error queue is left empty, so that no connection takes our error for its own.
 *  2. Plain text is appended only after its tag was right.
 *
 * Thread: any. Fails with one word (ERR_DENIED), whatever was wrong with what a stranger sent. */
#include "io/net/sign.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/hash.h"

enum { BITS_LEAST = 2048, BYTES_MOST = 768, CERTS_MAX = 64 };

struct sign_key {
    EVP_PKEY *pkey;
    char serial[SIGN_SERIAL_SIZE];
};

/* ---- keys ---- */

static int key_wrap(EVP_PKEY *pkey, struct sign_key **out)
{
    struct sign_key *k;
    int bits = pkey ? EVP_PKEY_get_bits(pkey) : 0;
    ERR_clear_error();
    if (!pkey)
        return ERR_SYNTAX;
    if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA || bits < BITS_LEAST || bits > BYTES_MOST * 8) {
        EVP_PKEY_free(pkey);
        return ERR_RANGE;
    }
    k = calloc(1, sizeof *k);
    if (!k) {
        EVP_PKEY_free(pkey);
        return ERR_NOMEM;
    }
    k->pkey = pkey;
    *out = k;
    return 0;
}

static BIO *bio_of(struct str s)
{
    return s.n <= INT32_MAX ? BIO_new_mem_buf(s.p, (int)s.n) : NULL;
}

/* A key that asks for a pass phrase gets none: nobody sits at the terminal. */
static int no_phrase(char *text, int size, int rw, void *ctx)
{
    (void)text;
    (void)size;
    (void)rw;
    (void)ctx;
    return -1;
}

int sign_key_private(struct str pem, struct sign_key **out)
{
    BIO *bio = bio_of(pem);
    if (!bio)
        return ERR_NOMEM;
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, no_phrase, NULL);
    BIO_free(bio);
    return key_wrap(pkey, out);
}

static void serial_text(X509 *cert, char out[SIGN_SERIAL_SIZE])
{
    BIGNUM *n = ASN1_INTEGER_to_BN(X509_get_serialNumber(cert), NULL);
    char *hex = n ? BN_bn2hex(n) : NULL;
    if (hex)
        (void)str_copy(out, SIGN_SERIAL_SIZE, str_from_c(hex));
    OPENSSL_free(hex);
    BN_free(n);
}

int sign_key_public(struct str pem, struct sign_key **out)
{
    char serial[SIGN_SERIAL_SIZE] = "";
    BIO *bio = bio_of(pem);
    if (!bio)
        return ERR_NOMEM;
    EVP_PKEY *pkey = NULL;
    X509 *cert = PEM_read_bio_X509(bio, NULL, no_phrase, NULL);
    if (cert) {
        serial_text(cert, serial);
        pkey = X509_get_pubkey(cert);
        X509_free(cert);
    } else {
        (void)BIO_reset(bio);
        pkey = PEM_read_bio_PUBKEY(bio, NULL, no_phrase, NULL);
    }
    BIO_free(bio);
    int err = key_wrap(pkey, out);
    if (!err)
        (void)str_copy((*out)->serial, sizeof(*out)->serial, str_from_c(serial));
    return err;
}

void sign_key_free(struct sign_key *k)
{
    if (!k)
        return;
    EVP_PKEY_free(k->pkey);
    free(k);
}

const char *sign_key_serial(const struct sign_key *k)
{
    return k->serial;
}

/* "CN=…,OU=…,O=…,C=…" followed by the serial number in decimal. */
static int cert_name(X509 *cert, struct buf *out)
{
    uint8_t md[EVP_MAX_MD_SIZE];
    char hex[2 * EVP_MAX_MD_SIZE + 1];
    unsigned n = 0;
    BIO *bio = BIO_new(BIO_s_mem());
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get_serialNumber(cert), NULL);
    char *decimal = number ? BN_bn2dec(number) : NULL, *text = NULL;
    int err = ERR_NOMEM;
    if (!bio || !decimal ||
        X509_NAME_print_ex(bio, X509_get_issuer_name(cert), 0, XN_FLAG_RFC2253) < 0)
        goto out;
    (void)BIO_puts(bio, decimal);
    long len = BIO_get_mem_data(bio, &text);
    if (EVP_Digest(text, (size_t)len, md, &n, EVP_md5(), NULL) != 1)
        goto out;
    str_to_hex(md, n, hex);
    buf_put_c(out, hex);
    err = out->err;
out:
    BIO_free(bio);
    BN_free(number);
    OPENSSL_free(decimal);
    ERR_clear_error();
    return err;
}

static bool rsa_signed(X509 *cert)
{
    int nid = X509_get_signature_nid(cert);
    return nid == NID_sha1WithRSAEncryption || nid == NID_sha256WithRSAEncryption;
}

int sign_cert_name(struct str pem, bool roots, struct buf *out)
{
    BIO *bio = bio_of(pem);
    int err = 0, named = 0;
    if (!bio)
        return ERR_NOMEM;
    for (int i = 0; !err && i < CERTS_MAX && (roots || named == 0); i++) {
        X509 *cert = PEM_read_bio_X509(bio, NULL, no_phrase, NULL);
        if (!cert)
            break;
        if (!roots || rsa_signed(cert)) {
            if (named++)
                buf_put_char(out, '_');
            err = cert_name(cert, out);
        }
        X509_free(cert);
    }
    BIO_free(bio);
    ERR_clear_error();
    return err ? err : named ? out->err : ERR_SYNTAX;
}

/* ---- signatures ---- */

static int put_base64(const uint8_t *p, size_t n, struct buf *out)
{
    char text[SIGN_TEXT_MAX + 4];
    buf_put(out, text, base64_encode(p, n, text));
    return out->err;
}

int sign_make(const struct sign_key *k, struct str msg, struct buf *base64)
{
    uint8_t sig[BYTES_MOST];
    size_t n = sizeof sig;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int err = ctx ? ERR_RANGE : ERR_NOMEM;
    if (ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, k->pkey) == 1 &&
        EVP_DigestSign(ctx, sig, &n, (const uint8_t *)msg.p, msg.n) == 1)
        err = put_base64(sig, n, base64);
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return err;
}

int sign_check(const struct sign_key *k, struct str msg, struct str base64)
{
    uint8_t sig[BYTES_MOST];
    size_t n = 0;
    if (base64_decode(base64, sig, sizeof sig, &n) != 0)
        return ERR_DENIED;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, k->pkey) == 1 &&
                EVP_DigestVerify(ctx, sig, n, (const uint8_t *)msg.p, msg.n) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return good ? 0 : ERR_DENIED;
}

int sign_hide(const struct sign_key *k, struct str plain, struct buf *base64)
{
    uint8_t out[BYTES_MOST];
    size_t n = sizeof out;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k->pkey, NULL);
    int err = ctx ? ERR_TOO_LARGE : ERR_NOMEM;
    if (ctx && EVP_PKEY_encrypt_init(ctx) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
        EVP_PKEY_encrypt(ctx, out, &n, (const uint8_t *)plain.p, plain.n) == 1)
        err = put_base64(out, n, base64);
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return err;
}

int sign_show(const struct sign_key *k, struct str base64, struct buf *plain)
{
    uint8_t in[BYTES_MOST], out[BYTES_MOST];
    size_t in_n = 0, n = sizeof out;
    if (base64_decode(base64, in, sizeof in, &in_n) != 0)
        return ERR_DENIED;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k->pkey, NULL);
    int err = ctx ? ERR_DENIED : ERR_NOMEM;
    if (ctx && EVP_PKEY_decrypt_init(ctx) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
        EVP_PKEY_decrypt(ctx, out, &n, in, in_n) == 1) {
        buf_put(plain, out, n);
        err = plain->err;
    }
    OPENSSL_cleanse(out, sizeof out);
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return err;
}

/* ---- AES-256-GCM ---- */

static EVP_CIPHER_CTX *gcm_new(const uint8_t *secret, struct str nonce, struct str aad, bool seal)
{
    int n;
    EVP_CIPHER_CTX *ctx = nonce.n == SIGN_NONCE_SIZE ? EVP_CIPHER_CTX_new() : NULL;
    if (ctx &&
        EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, secret, (const uint8_t *)nonce.p, seal) ==
            1 &&
        (aad.n == 0 || EVP_CipherUpdate(ctx, NULL, &n, (const uint8_t *)aad.p, (int)aad.n) == 1))
        return ctx;
    EVP_CIPHER_CTX_free(ctx);
    ERR_clear_error();
    return NULL;
}

int sign_open(const uint8_t secret[SIGN_SECRET_SIZE], struct str nonce, struct str aad,
              struct str cipher, struct buf *plain)
{
    uint8_t tag[SIGN_TAG_SIZE];
    int n = 0, err = ERR_DENIED;
    size_t before = plain->n;
    if (cipher.n < sizeof tag || cipher.n > INT32_MAX || aad.n > INT32_MAX)
        return ERR_DENIED;
    size_t len = cipher.n - sizeof tag;
    memcpy(tag, cipher.p + len, sizeof tag);
    EVP_CIPHER_CTX *ctx = gcm_new(secret, nonce, aad, false);
    uint8_t *to = ctx ? buf_grow(plain, len + 1) : NULL;
    if (to && EVP_CipherUpdate(ctx, to, &n, (const uint8_t *)cipher.p, (int)len) == 1 &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, sizeof tag, tag) == 1 &&
        EVP_CipherFinal_ex(ctx, to + n, &n) == 1)
        err = 0;
    if (to && err)
        OPENSSL_cleanse(to, len);
    if (to)
        plain->n = err ? before : before + len;
    EVP_CIPHER_CTX_free(ctx);
    ERR_clear_error();
    return err;
}

int sign_seal(const uint8_t secret[SIGN_SECRET_SIZE], struct str nonce, struct str aad,
              struct str plain, struct buf *cipher)
{
    int n = 0, err = ERR_NOMEM;
    size_t before = cipher->n;
    if (plain.n > INT32_MAX - SIGN_TAG_SIZE || aad.n > INT32_MAX)
        return ERR_TOO_LARGE;
    EVP_CIPHER_CTX *ctx = gcm_new(secret, nonce, aad, true);
    uint8_t *to = ctx ? buf_grow(cipher, plain.n + SIGN_TAG_SIZE) : NULL;
    if (to && EVP_CipherUpdate(ctx, to, &n, (const uint8_t *)plain.p, (int)plain.n) == 1 &&
        EVP_CipherFinal_ex(ctx, to + n, &n) == 1 &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, SIGN_TAG_SIZE, to + plain.n) == 1)
        err = 0;
    if (to && err)
        cipher->n = before;
    EVP_CIPHER_CTX_free(ctx);
    ERR_clear_error();
    return err;
}

/* ---- fresh keys ---- */

static int bio_take(BIO *bio, struct buf *out)
{
    char *p = NULL;
    long n = BIO_get_mem_data(bio, &p);
    buf_put(out, p, (size_t)n);
    return out->err;
}

int sign_pair_new(struct buf *private_pem, struct buf *public_pem)
{
    EVP_PKEY *pkey = EVP_RSA_gen(BITS_LEAST);
    BIO *secret = BIO_new(BIO_s_secmem()), *open = BIO_new(BIO_s_mem());
    int err = ERR_NOMEM;
    if (pkey && secret && open &&
        PEM_write_bio_PKCS8PrivateKey(secret, pkey, NULL, NULL, 0, NULL, NULL) == 1 &&
        PEM_write_bio_PUBKEY(open, pkey) == 1) {
        err = bio_take(secret, private_pem);
        if (!err)
            err = bio_take(open, public_pem);
    }
    BIO_free(secret);
    BIO_free(open);
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    return err;
}
