// SPDX-License-Identifier: Apache-2.0
/* bill.c: `even bill CHANNEL DAY [shares]`: fetches a provider's bill of one day with the channel's keys
 * (`shares`: that of the shares which the channel paid out of payments, where it has one), unpacks it,
 * checks it against the hash that the provider signed, and writes it to standard output. A timer of
 * the machine calls it in the morning and posts what it got to the channel's bill (h_bill.c). Reads the
 * database of a running installation, changes nothing. Ends with 1 when there is no such bill (yet).
 * One thread, three requests at most. */
#include "app/app.h"

#include <inttypes.h>

#include "app/rail_open.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "io/net/fetch.h"
#include "io/os/clock.h"
#include "io/os/crypto.h"
#include "io/os/gunzip.h"
#include "store/store.h"

enum { BILL_MAX = 64 << 20, ASK_MS = 60000 };

struct talk {
    struct fetch *fetch;
    int err, status;
    struct buf body, headers;
};

static void on_answer(void *ctx, void *tag, const struct fetch_answer *a)
{
    struct talk *t = ctx;
    (void)tag;
    t->err = a->err;
    t->status = a->status;
    buf_reset(&t->body);
    buf_reset(&t->headers);
    buf_put_str(&t->body, a->body);
    buf_put_str(&t->headers, a->headers);
}

static int talk(struct talk *t, const struct rail_request *q)
{
    struct fetch_request f = {.method = q->method,
                              .url = q->url.p,
                              .body = buf_str(&q->body),
                              .timeout_ms = ASK_MS,
                              .max = BILL_MAX};
    for (size_t i = 0; i < RAIL_HEADERS_MAX && q->headers[i]; i++)
        f.headers[i] = q->headers[i];
    int err = fetch_send(t->fetch, &f, NULL);
    while (!err && fetch_busy(t->fetch))
        fetch_run(t->fetch, -1, 1000);
    return err ? err : t->err;
}

static struct str answer_header(const void *ctx, const char *name)
{
    return fetch_header(buf_str(&((const struct talk *)ctx)->headers), name);
}

static bool hash_ok(const struct talk *t, const char *hash)
{
    char hex[65];
    uint8_t sum[32];
    if (!hash[0])
        return true; /* the provider signs the address only */
    if (strlen(hash) == 40) {
        sha1(t->body.p, t->body.n, sum);
        str_to_hex(sum, 20, hex);
    } else {
        sha256(t->body.p, t->body.n, sum);
        str_to_hex(sum, 32, hex);
    }
    return str_eq_nocase(str_from_c(hash), str_from_c(hex));
}

/* What came packed, unpacked: the provider's hash is of that. */
static int unpack(struct talk *t)
{
    struct buf plain;
    if (!gunzip_is(buf_str(&t->body)))
        return 0;
    buf_init(&plain, BILL_MAX);
    int err = gunzip(buf_str(&t->body), BILL_MAX, &plain);
    if (err) {
        buf_free(&plain);
        return err == ERR_SYNTAX ? ERR_CORRUPT : err;
    }
    buf_free(&t->body);
    t->body = plain;
    return 0;
}

static int bill_fetch(struct talk *t, const struct rail *rail, enum bill_kind kind, struct str day)
{
    struct rail_request first = {0}, next = {0};
    char nonce[RAIL_NONCE_SIZE], hash[80] = "";
    os_random_text(nonce, sizeof nonce - 1);
    int err = rail_bill(rail, kind, day, os_wall_ms(), nonce, &first);
    if (!err)
        err = talk(t, &first);
    struct rail_reply reply = {.status = t->status,
                               .body = buf_str(&t->body),
                               .header = answer_header,
                               .ctx = t,
                               .now_ms = os_wall_ms()};
    os_random_text(nonce, sizeof nonce - 1);
    if (!err)
        err = rail_bill_answer(rail, &first, &reply, nonce, &next, hash);
    if (!err)
        err = talk(t, &next);
    if (!err && t->status != 200)
        err = ERR_AGAIN;
    if (!err)
        err = unpack(t);
    if (!err && !hash_ok(t, hash))
        err = ERR_CORRUPT;
    rail_request_free(&first);
    rail_request_free(&next);
    return err;
}

static int bill_write(const struct config *c, int64_t channel, enum bill_kind kind, struct str day,
                      char why[160])
{
    char path[300];
    struct rail_row row;
    struct rail *rail = NULL;
    struct store_reader *r = NULL;
    struct talk t = {0};
    snprintf(path, sizeof path, "%s/even.db", c->data_dir);
    buf_init(&t.body, BILL_MAX);
    buf_init(&t.headers, 64 * 1024);
    int err = store_reader_open_path(c->data_db[0] ? c->data_db : path, &r);
    if (!err)
        err = rail_row_read(r, channel, &row);
    if (!err)
        err = rail_open(c, &row, c->web_url, &rail, why);
    if (!err)
        err = fetch_new(1, on_answer, &t, &t.fetch);
    if (!err)
        err = bill_fetch(&t, rail, kind, day);
    if (!err && (fwrite(t.body.p, 1, t.body.n, stdout) != t.body.n || fflush(stdout) != 0))
        err = ERR_IO;
    fetch_free(t.fetch);
    rail_free(rail);
    store_reader_close(r);
    buf_free(&t.body);
    buf_free(&t.headers);
    return err;
}

/* 2026-11-25, a day that a calendar may have. */
static bool day_ok(const char *text)
{
    int64_t year, month, day;
    struct str rest = str_from_c(text);
    if (rest.n != 10 || text[4] != '-' || text[7] != '-')
        return false;
    return str_to_i64(str_cut(&rest, '-'), &year) == 0 && year >= 2020 &&
           str_to_i64(str_cut(&rest, '-'), &month) == 0 && month >= 1 && month <= 12 &&
           str_to_i64(rest, &day) == 0 && day >= 1 && day <= 31;
}

int bill_main(int argc, char **argv)
{
    struct config c;
    char why[160] = "";
    int64_t channel;
    int res = app_options(&argc, argv, &c);
    if (!res)
        res = app_names("bill", argc, argv, 3);
    if (res)
        return res;
    bool shares = argc == 3 && strcmp(argv[2], "shares") == 0;
    if ((argc != 2 && !shares) || str_to_i64(str_from_c(argv[0]), &channel) != 0 || channel <= 0 ||
        !day_ok(argv[1])) {
        fprintf(stderr, "usage: even bill [options] CHANNEL 2026-11-25 [shares]\n");
        return 2;
    }
    log_set_level((enum log_level)c.log_level);
    int err = bill_write(&c, channel, shares ? BILL_SHARES : BILL_TRADE, str_from_c(argv[1]), why);
    if (err)
        fprintf(stderr, "even: bill of %s: %s\n", argv[1], why[0] ? why : err_text(err, LANG_EN));
    return err == ERR_NOT_FOUND ? 1 : err ? 70 : 0;
}
