// SPDX-License-Identifier: Apache-2.0
/* cashier.c: `even cashier`: options, keys at the first start, the loop. Every installation makes its
 * own keys: DIR/provider/ has the providers' (0600), DIR/merchant/KIND what a merchant puts below
 * his keys/. Fails at the start with one line; exit code 70. */
#include "cashier.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "io/os/clock.h"
#include "io/os/crypto.h"
#include "io/os/file.h"
#include "io/os/thread.h"
#include "till.h"

enum { NOTICES_AT_ONCE = 64, TURN_MS = 100, BALANCE_YUAN = 1000000 };

struct options {
    const char *dir, *bind;
    int64_t port, seed, balance;
};

static const char *const kinds[TILL_KINDS] = {"wechat", "alipay", "alloc"};
static const char *const faults[TILL_FAULTS] = {"lost",       "late",      "duplicate", "reorder",
                                                "contradict", "timeout",   "error",     "no-funds",
                                                "bill-early", "bill-made", "bill-hash", "bill-cut"};

static int usage(void)
{
    printf("usage: even cashier --dir FOLDER [--bind 127.0.0.1] [--port 9100] [--seed N]\n"
           "       [--balance YUAN] [--faults lost=20,late=20,duplicate=20,reorder=20,\n"
           "       contradict=20,timeout=20,error=20,no-funds=20,bill-early=20,bill-made=20,\n"
           "       bill-hash=20,bill-cut=20] (per cent each)\n");
    return 0;
}

/* ---- keys ---- */

static int path_write(const char *dir, const char *a, const char *b, struct str text)
{
    char path[500];
    snprintf(path, sizeof path, "%s/%s%s", dir, a, b);
    return file_write_atomic(path, text, 0600);
}

static int keys_make(const char *dir, const char *kind)
{
    char at[128], serial[41], merchant_serial[41], secret[33], path[400];
    struct buf own, pub, m_own, m_pub;
    uint8_t bytes[40];
    os_random(bytes, sizeof bytes);
    str_to_hex(bytes, 20, serial);
    str_to_hex(bytes + 20, 20, merchant_serial);
    os_random_text(secret, 32);
    struct buf *all[] = {&own, &pub, &m_own, &m_pub};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        buf_init(all[i], 16384);
    snprintf(path, sizeof path, "%s/merchant/%s/provider", dir, kind);
    int err = dir_make(path, 0700);
    if (!err)
        err = sign_pair_new(&own, &pub);
    if (!err)
        err = sign_pair_new(&m_own, &m_pub);
    snprintf(at, sizeof at, "merchant/%s/", kind);
    const struct {
        const char *file;
        struct str text;
    } files[] = {{"merchant.pem", buf_str(&m_own)},
                 {"merchant.serial", str_from_c(merchant_serial)},
                 {"secret", str_from_c(secret)}};
    for (size_t i = 0; !err && i < ARRAY_LEN(files); i++)
        err = path_write(dir, at, files[i].file, files[i].text);
    snprintf(at, sizeof at, "merchant/%s/provider/%s", kind, serial);
    if (!err)
        err = path_write(dir, at, ".pem", buf_str(&pub));
    snprintf(at, sizeof at, "provider/%s", kind);
    if (!err)
        err = path_write(dir, at, ".merchant.pem", buf_str(&m_pub));
    if (!err)
        err = path_write(dir, at, ".serial", str_from_c(serial));
    if (!err) /* last: its presence says that the set is whole */
        err = path_write(dir, at, ".pem", buf_str(&own));
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        crypto_wipe(all[i]->p, all[i]->n);
        buf_free(all[i]);
    }
    return err;
}

static int text_read(const char *dir, const char *a, const char *b, struct buf *out)
{
    char path[500];
    snprintf(path, sizeof path, "%s/%s%s", dir, a, b);
    buf_reset(out);
    return file_read(path, 16384, out);
}

static int keys_load(const char *dir, const char *kind, struct till_keys *k)
{
    char at[64], mine[64];
    struct buf b;
    buf_init(&b, 16384);
    snprintf(at, sizeof at, "provider/%s", kind);
    snprintf(mine, sizeof mine, "merchant/%s/", kind);
    int err = text_read(dir, at, ".pem", &b);
    if (!err)
        err = sign_key_private(buf_str(&b), &k->own);
    crypto_wipe(b.p, b.n);
    if (!err)
        err = text_read(dir, at, ".merchant.pem", &b);
    if (!err)
        err = sign_key_public(buf_str(&b), &k->merchant);
    if (!err)
        err = text_read(dir, at, ".serial", &b);
    if (!err)
        (void)str_copy(k->serial, sizeof k->serial, buf_str(&b));
    if (!err)
        err = text_read(dir, mine, "merchant.serial", &b);
    if (!err)
        (void)str_copy(k->merchant_serial, sizeof k->merchant_serial, buf_str(&b));
    if (!err)
        err = text_read(dir, mine, "secret", &b);
    if (!err)
        (void)str_copy((char *)k->secret, sizeof k->secret, buf_str(&b));
    buf_free(&b);
    return err;
}

static int keys_open(struct till *t)
{
    static const char *const folders[] = {"provider", "bills"};
    char path[400];
    int err = 0;
    for (size_t i = 0; !err && i < ARRAY_LEN(folders); i++) {
        snprintf(path, sizeof path, "%s/%s", t->dir, folders[i]);
        err = dir_make(path, 0700);
    }
    for (int i = 0; !err && i < TILL_KINDS; i++) {
        snprintf(path, sizeof path, "%s/provider/%s.pem", t->dir, kinds[i]);
        if (!file_exists(path))
            err = keys_make(t->dir, kinds[i]);
        if (!err)
            err = keys_load(t->dir, kinds[i], &t->keys[i]);
    }
    return err;
}

/* What whoever has texts sent puts below his keys/. */
static int texts_open(struct till *t)
{
    char path[400], secret[TILL_SECRET_SIZE];
    struct buf b;
    snprintf(path, sizeof path, "%s/" CASHIER_TEXTS_KEYS, t->dir);
    int err = dir_make(path, 0700);
    snprintf(path, sizeof path, "%s/" CASHIER_TEXTS_KEYS "/secret", t->dir);
    if (!err && !file_exists(path)) {
        os_random_text(secret, sizeof secret - 1);
        err = path_write(t->dir, CASHIER_TEXTS_KEYS "/", "id", STR_LIT(CASHIER_TEXTS_ID));
        if (!err)
            err = path_write(t->dir, CASHIER_TEXTS_KEYS "/", "secret", str_from_c(secret));
        crypto_wipe(secret, sizeof secret);
    }
    buf_init(&b, 16384);
    if (!err)
        err = text_read(t->dir, CASHIER_TEXTS_KEYS "/", "secret", &b);
    (void)str_copy(t->texts_secret, sizeof t->texts_secret, str_trim(buf_str(&b)));
    crypto_wipe(b.p, b.n);
    buf_free(&b);
    return err;
}

/* ---- options ---- */

/* One line: what is wrong with which argument. */
static bool wrong(const char *what, const char *arg)
{
    fprintf(stderr, "even: cashier: %s%s (even cashier --help)\n", what, arg);
    return false;
}

static bool faults_read(struct till *t, const char *text)
{
    struct str rest = str_from_c(text);
    while (rest.n) {
        struct str value = str_cut(&rest, ','), name = str_cut(&value, '=');
        int64_t v = -1;
        size_t i = 0;
        while (i < TILL_FAULTS && !str_eq_c(name, faults[i]))
            i++;
        if (i == TILL_FAULTS || str_to_i64(value, &v) != 0 || v < 0 || v > 100)
            return false;
        t->fault[i] = (int)v;
    }
    return true;
}

static bool number_read(const char *name, const char *value, int64_t *to, int64_t most)
{
    if (str_to_i64(str_from_c(value), to) == 0 && *to >= 0 && *to <= most)
        return true;
    fprintf(stderr, "even: cashier: %s %s: 0 to %" PRId64 " is expected\n", name, value, most);
    return false;
}

static bool option_read(struct till *t, struct options *o, const char *name, const char *value)
{
    if (strcmp(name, "--port") == 0)
        return number_read(name, value, &o->port, 65535);
    if (strcmp(name, "--seed") == 0)
        return number_read(name, value, &o->seed, INT64_MAX);
    if (strcmp(name, "--balance") == 0)
        return number_read(name, value, &o->balance, 100000000);
    if (strcmp(name, "--faults") == 0)
        return faults_read(t, value) || wrong("not faults with 0 to 100 per cent each: ", value);
    if (strcmp(name, "--dir") == 0)
        o->dir = value;
    else
        o->bind = value;
    return true;
}

static bool options_read(struct till *t, struct options *o, int argc, char **argv)
{
    static const char *const names[] = {"--dir",  "--bind",    "--port",
                                        "--seed", "--balance", "--faults"};
    *o = (struct options){.bind = "127.0.0.1", .port = 9100, .seed = 1, .balance = BALANCE_YUAN};
    for (int i = 0; i < argc; i += 2) {
        size_t k = 0;
        while (k < ARRAY_LEN(names) && strcmp(argv[i], names[k]) != 0)
            k++;
        if (k == ARRAY_LEN(names))
            return wrong("what is ", argv[i]);
        if (i + 1 == argc)
            return wrong("a value is missing behind ", argv[i]);
        if (!option_read(t, o, argv[i], argv[i + 1]))
            return false;
    }
    if (!o->dir || !o->dir[0])
        return wrong("--dir is missing", "");
    return strlen(o->dir) < sizeof t->dir || wrong("a path too long: ", o->dir);
}

/* ---- the loop ---- */

static int till_open(struct till *t, const struct options *o)
{
    snprintf(t->dir, sizeof t->dir, "%s", o->dir);
    t->rng = (struct rng){(uint64_t)o->seed};
    t->trades = calloc(TILL_TRADES, sizeof *t->trades);
    t->moves = calloc(TILL_MOVES, sizeof *t->moves);
    t->accounts = calloc(TILL_ACCOUNTS, sizeof *t->accounts);
    t->notices = calloc(TILL_NOTICES, sizeof *t->notices);
    t->texts = calloc(TILL_TEXTS, sizeof *t->texts);
    t->nonces = calloc(TILL_TEXTS, sizeof *t->nonces);
    if (!t->trades || !t->moves || !t->accounts || !t->notices || !t->texts || !t->nonces)
        return ERR_NOMEM;
    for (int i = 0; i < TILL_KINDS; i++)
        t->balance[i] = o->balance * 100;
    int err = keys_open(t);
    if (!err)
        err = texts_open(t);
    return err ? err : fetch_new(NOTICES_AT_ONCE, till_answered, t, &t->fetch);
}

static void till_close(struct till *t)
{
    fetch_free(t->fetch);
    for (int i = 0; i < TILL_KINDS; i++) {
        sign_key_free(t->keys[i].own);
        sign_key_free(t->keys[i].merchant);
    }
    crypto_wipe(t->keys, sizeof t->keys);
    free(t->trades);
    free(t->moves);
    free(t->accounts);
    free(t->notices);
    free(t->texts);
    free(t->nonces);
    crypto_wipe(t->texts_secret, sizeof t->texts_secret);
}

int cashier_main(int argc, char **argv)
{
    static struct till t; /* one a process */
    struct options o;
    struct http *h = NULL;
    if (argc == 1 && strcmp(argv[0], "--help") == 0)
        return usage();
    if (!options_read(&t, &o, argc, argv))
        return 2;
    int err = till_open(&t, &o);
    if (!err)
        err = http_new(&t, o.bind, (uint16_t)o.port, &h);
    if (err) {
        fprintf(stderr, "even: cashier: %s: %s\n", o.dir, err_text(err, LANG_EN));
        till_close(&t);
        return 70;
    }
    snprintf(t.base, sizeof t.base, "http://%s:%u", o.bind, http_port(h));
    printf("even: cashier  %s/  (keys for merchants in %s/merchant)\n", t.base, t.dir);
    (void)fflush(stdout);
    while (os_signals_wait(0) == 0) {
        int32_t wait = till_turn(&t);
        http_run(h, wait < TURN_MS ? wait : TURN_MS);
    }
    http_free(h);
    till_close(&t);
    return 0;
}
