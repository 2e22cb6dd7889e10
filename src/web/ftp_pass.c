// SPDX-License-Identifier: Apache-2.0
/* ftp_pass.c: see ftp_pass.h. Numbers are written with 32 digits that nobody mistakes for one
 * another, in lower case, as far as FTP clients keep that. Cannot fail. */
#include "web/ftp_pass.h"

#include <stdio.h>
#include "base/err.h"

enum { FILE_DIGITS = 13, UNTIL_DIGITS = 7, PASSWORD_DIGITS = 15, ENDING_MAX = 4 };

static const char digits[] = "abcdefghijkmnpqrstuvwxyz23456789";

static void number_write(uint64_t v, int n, char *out)
{
    for (int i = n - 1; i >= 0; i--, v >>= 5)
        out[i] = digits[v & 31];
}

static int number_read(const char *p, int n, int64_t *out)
{
    uint64_t v = 0;

    for (int i = 0; i < n; i++) {
        const char *d = p[i] != '\0' ? strchr(digits, p[i]) : NULL;

        if (d == NULL || v >> 58 != 0)
            return ERR_LOGIN_FAILED;
        v = v << 5 | (uint64_t)(d - digits);
    }
    *out = (int64_t)v;
    return 0;
}

static void password_of(const uint8_t key[CRYPTO_KEY_SIZE], const struct ftp_link *l,
                        char out[PASSWORD_DIGITS + 1])
{
    char text[96];
    uint8_t mac[CRYPTO_HASH_SIZE];
    int n = snprintf(text, sizeof(text), "firmware ftp %lld %lld %lld", (long long)l->file,
                     (long long)l->charger, (long long)l->until_s);

    crypto_keyed_hash(key, str_from(text, (size_t)n), mac);
    for (int i = 0; i < PASSWORD_DIGITS; i++)
        out[i] = digits[mac[i] & 31];
    out[PASSWORD_DIGITS] = '\0';
}

/* ".bin", or the file's own ending where any client takes it. */
static void ending_write(const char *name, char out[ENDING_MAX + 2])
{
    const char *dot = strrchr(name, '.');
    size_t n = dot != NULL ? strspn(dot + 1, "abcdefghijklmnopqrstuvwxyz"
                                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
                           : 0;

    if (n == 0 || n > ENDING_MAX || dot[n + 1] != '\0')
        dot = ".bin";
    str_copy(out, ENDING_MAX + 2, str_from_c(dot));
}

void ftp_pass_make(const uint8_t key[CRYPTO_KEY_SIZE], const struct ftp_link *l, const char *name,
                   struct ftp_pass *out)
{
    memset(out, 0, sizeof(*out));
    out->path[0] = '/';
    number_write((uint64_t)l->file, FILE_DIGITS, out->path + 1);
    number_write((uint64_t)l->until_s, UNTIL_DIGITS, out->path + 1 + FILE_DIGITS);
    ending_write(name, out->path + 1 + FILE_DIGITS + UNTIL_DIGITS);
    password_of(key, l, out->password);
}

int ftp_pass_read(const uint8_t key[CRYPTO_KEY_SIZE], struct str path, struct str password,
                  struct ftp_link *l)
{
    char right[PASSWORD_DIGITS + 1];

    if (path.n <= 1 + FILE_DIGITS + UNTIL_DIGITS || path.p[0] != '/' ||
        path.p[1 + FILE_DIGITS + UNTIL_DIGITS] != '.' || password.n != PASSWORD_DIGITS ||
        number_read(path.p + 1, FILE_DIGITS, &l->file) != 0 ||
        number_read(path.p + 1 + FILE_DIGITS, UNTIL_DIGITS, &l->until_s) != 0)
        return ERR_LOGIN_FAILED;
    password_of(key, l, right);
    return str_eq_const_time(right, password.p, PASSWORD_DIGITS) ? 0 : ERR_LOGIN_FAILED;
}
