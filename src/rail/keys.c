// SPDX-License-Identifier: Apache-2.0
/* keys.c: see keys.h. Data: the keys of one channel. Invariant: the bytes of a secret file are
 * wiped before their memory is given back, and stand in no message. Thread: any. Fails as a whole:
 * a channel with half its keys would refuse notices that are good. */
#include "rail/keys.h"

#include <stdio.h>

#include "base/err.h"
#include "io/os/crypto.h"
#include "io/os/file.h"
#include "rail/rail.h"

enum { FILE_MAX = 64 * 1024, PATH_SIZE = 400 };

bool rail_keys_name_ok(struct str name)
{
    if (name.n == 0 || name.p[0] == '.')
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
        if (!ok)
            return false;
    }
    return true;
}

static int told(int err, const char *name, char why[160])
{
    if (err)
        snprintf(why, 160, "%.80s: %s", name, err_text(err, LANG_EN));
    return err;
}

/* Reads a file that only its owner may read. */
static int secret_read(const char *dir, const char *name, struct buf *out)
{
    char path[PATH_SIZE];
    int n = snprintf(path, sizeof path, "%s/%s", dir, name);
    buf_reset(out);
    if ((size_t)n >= sizeof path)
        return ERR_TOO_LARGE;
    if (!file_exists(path))
        return ERR_NOT_FOUND;
    if (!file_private(path))
        return ERR_DENIED;
    return file_read(path, FILE_MAX, out);
}

static void text_take(char *dst, size_t size, const struct buf *b)
{
    (void)str_copy(dst, size, str_trim(buf_str(b)));
}

struct walk {
    struct rail_keys *k;
    const char *dir;
    struct buf *b;
    char *why;
};

static int their_key(void *ctx, const char *name)
{
    struct walk *w = ctx;
    struct str s = str_from_c(name), end = STR_LIT(".pem");
    if (s.n <= end.n || !str_eq(str_from(s.p + s.n - end.n, end.n), end))
        return 0;
    if (w->k->n == RAIL_KEYS_MAX)
        return told(ERR_FULL, name, w->why);
    struct rail_key *key = &w->k->theirs[w->k->n];
    int err = secret_read(w->dir, name, w->b);
    if (!err)
        err = sign_key_public(buf_str(w->b), &key->key);
    if (err)
        return told(err, name, w->why);
    w->k->n++;
    const char *serial = sign_key_serial(key->key);
    (void)str_copy(key->serial, sizeof key->serial,
                   serial[0] ? str_from_c(serial) : str_from(s.p, s.n - end.n));
    return 0;
}

static int own_key(const char *dir, struct rail_keys *k, struct buf *b)
{
    int err = secret_read(dir, "merchant.pem", b);
    if (!err)
        err = sign_key_private(buf_str(b), &k->own);
    crypto_wipe(b->p, b->n);
    return err;
}

/* What is not there is not wanted by every provider. */
static int maybe(int err)
{
    return err == ERR_NOT_FOUND ? 0 : err;
}

static int certs_load(const char *dir, struct rail_keys *k, struct buf *b)
{
    struct sign_key *cert = NULL;
    struct buf name;
    int err = secret_read(dir, "merchant.crt", b);
    if (err)
        return maybe(err);
    buf_init(&name, sizeof k->root_name - 1);
    err = sign_key_public(buf_str(b), &cert);
    if (!err)
        (void)str_copy(k->own_serial, sizeof k->own_serial, str_from_c(sign_key_serial(cert)));
    if (!err)
        err = sign_cert_name(buf_str(b), false, &name);
    text_take(k->cert_name, sizeof k->cert_name, &name);
    buf_reset(&name);
    if (!err)
        err = maybe(secret_read(dir, "root.crt", b));
    if (!err && b->n)
        err = sign_cert_name(buf_str(b), true, &name);
    text_take(k->root_name, sizeof k->root_name, &name);
    buf_free(&name);
    sign_key_free(cert);
    return err;
}

static int secret_load(const char *dir, struct rail_keys *k, struct buf *b)
{
    int err = secret_read(dir, "secret", b);
    struct str text = str_trim(buf_str(b));
    if (!err && text.n != SIGN_SECRET_SIZE)
        err = ERR_SYNTAX;
    if (!err) {
        memcpy(k->secret, text.p, SIGN_SECRET_SIZE);
        k->has_secret = true;
    }
    crypto_wipe(b->p, b->n);
    return maybe(err);
}

int rail_keys_load(const char *dir, struct rail_keys *k, char why[160])
{
    char theirs[PATH_SIZE];
    struct buf b;
    *k = (struct rail_keys){0};
    buf_init(&b, FILE_MAX);
    int err = told(own_key(dir, k, &b), "merchant.pem", why);
    if (!err)
        err = told(certs_load(dir, k, &b), "merchant.crt", why);
    if (!err) {
        err = told(maybe(secret_read(dir, "merchant.serial", &b)), "merchant.serial", why);
        if (!err && b.n && !k->own_serial[0])
            text_take(k->own_serial, sizeof k->own_serial, &b);
    }
    if (!err)
        err = told(secret_load(dir, k, &b), "secret", why);
    snprintf(theirs, sizeof theirs, "%s/provider", dir);
    struct walk w = {k, theirs, &b, why};
    if (!err) {
        err = dir_list(theirs, their_key, &w);
        if (!err && k->n == 0)
            err = ERR_NOT_FOUND;
        if (err && !why[0])
            (void)told(err, "provider", why);
    }
    buf_free(&b);
    if (err)
        rail_keys_free(k);
    return err;
}

void rail_keys_free(struct rail_keys *k)
{
    sign_key_free(k->own);
    for (size_t i = 0; i < k->n; i++)
        sign_key_free(k->theirs[i].key);
    crypto_wipe(k, sizeof *k);
}

const struct rail_key *rail_keys_find(const struct rail_keys *k, struct str serial)
{
    for (size_t i = 0; i < k->n; i++)
        if (str_eq_c(serial, k->theirs[i].serial))
            return &k->theirs[i];
    return NULL;
}
