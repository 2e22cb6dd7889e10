// SPDX-License-Identifier: Apache-2.0
/* replay.c: `even replay`: a file of real sessions against a running platform, and the account of
 * what became of each row.
 *
 * It is a client of the platform and nothing more: by the API it makes a tariff, a contract, a
 * station for each site, the chargers and connectors of the file, and a driver whose card starts
 * every session; by the chargers' socket it tells the sessions; by the API it reads the orders. No
 * charger that is there already is touched: then it ends before it begins.
 *
 * A row is *billed* when its order took all of its energy, *held* when a part is kept apart because
 * an evidence rule doubts it, *rejected* when no charger could have told it or the rules refuse its
 * energy. Invariant: billed + held + rejected is the file, to the row and to the mWh, or the exit
 * status says so. */
#include "app/replay.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "app/client.h"
#include "base/err.h"
#include "base/money.h"
#include "core/types.h"
#include "io/os/clock.h"
#include "io/os/file.h"
#include "sim/replay.h"

enum { KEY_CAP = 200, LIST_CAP = 1 << 26, PAGE = 200, GUNS = 8, BAR = 30 };
#define TAG        "REPLAY"
#define TOPUP_MOST INT64_C(100000) /* yuan */

enum fate { FATE_BILLED, FATE_HELD, FATE_REJECTED, FATES };

struct verdict {
    enum fate fate;
    const char *reason;
    int64_t billed_mwh, held_mwh, rejected_mwh;
};

struct options {
    const char *csv, *map, *url, *web, *key_file, *list, *expect;
    struct money elec, service;
};

struct account {
    struct options opt;
    struct replay r;
    struct client *c;
    struct verdict *verdicts;
    char host[64], path[128];
    uint16_t port;
    int64_t *connectors; /* ids, GUNS for each charger */
    size_t strange;      /* orders that do not fit the file */
    struct money total, paid, loss;
    int64_t rows[FATES], mwh[FATES];
};

/* ---- the command line ---- */

static int usage(void)
{
    printf("usage: even replay FILE --mapping FILE --url ws://ADDRESS:PORT/ocpp/ --web "
           "http://ADDRESS:PORT\n"
           "                   --key-file FILE [--elec YUAN] [--service YUAN] [--list FILE] "
           "[--expect FILE]\n"
           "  --key-file  API key of an administrator of the platform\n"
           "  --elec, --service  price of a kWh [0.80, 0.40]\n"
           "  --list      writes the rows that were not billed whole, with reasons\n"
           "  --expect    compares with such a list\n"
           "sim/replay_map.h describes the mapping file\n");
    return 0;
}

/* One line: what is wrong with which argument. */
static int wrong(const char *what, const char *arg)
{
    fprintf(stderr, "even: replay: %s%s (even replay --help)\n", what, arg);
    return 2;
}

static int options_read(int argc, char **argv, struct options *o)
{
    const struct {
        const char *name;
        const char **text;
        struct money *money;
    } rows[] = {{"--mapping", &o->map, NULL}, {"--url", &o->url, NULL},
                {"--web", &o->web, NULL},     {"--key-file", &o->key_file, NULL},
                {"--list", &o->list, NULL},   {"--expect", &o->expect, NULL},
                {"--elec", NULL, &o->elec},   {"--service", NULL, &o->service}};
    for (int i = 0; i < argc; i++) {
        size_t k = 0;
        while (k < ARRAY_LEN(rows) && strcmp(argv[i], rows[k].name) != 0)
            k++;
        if (k == ARRAY_LEN(rows) && argv[i][0] != '-' && !o->csv) {
            o->csv = argv[i];
            continue;
        }
        if (k == ARRAY_LEN(rows))
            return wrong("what is ", argv[i]);
        if (++i == argc)
            return wrong("a value is missing behind ", argv[i - 1]);
        if (rows[k].text)
            *rows[k].text = argv[i];
        else if (money_parse(str_from_c(argv[i]), rows[k].money) || rows[k].money->v < 0)
            return wrong("no amount: ", argv[i]);
    }
    if (!o->csv)
        return wrong("the file of sessions is missing", "");
    for (size_t k = 0; k < 4; k++)
        if (!*rows[k].text)
            return wrong("missing: ", rows[k].name);
    return 0;
}

static int url_read(struct account *a)
{
    const struct str scheme = STR_LIT("ws://");
    struct str s = str_from_c(a->opt.url);
    int64_t port;
    if (!str_starts(s, scheme))
        return ERR_SYNTAX;
    struct str rest = str_from(s.p + scheme.n, s.n - scheme.n);
    struct str host = str_cut(&rest, ':'), number = str_cut(&rest, '/');
    if (!host.n || host.n >= sizeof a->host || str_to_i64(number, &port) || port < 1 ||
        port > 65535)
        return ERR_SYNTAX;
    (void)str_copy(a->host, sizeof a->host, host);
    int n = snprintf(a->path, sizeof a->path, "/%.*s%s", STR_FMT(rest),
                     rest.n && rest.p[rest.n - 1] != '/' ? "/" : "");
    a->port = (uint16_t)port;
    return n > 0 && (size_t)n < sizeof a->path ? 0 : ERR_TOO_LARGE;
}

/* ---- making the platform ready ---- */

/* One call; waits where the platform's quota says so. */
static int ask(struct account *a, const char *method, const char *path, const char *body,
               struct str *reply)
{
    int err = client_call(a->c, method, path, body, reply);
    while (err == ERR_RATE_LIMIT) {
        os_sleep_ms(1000);
        err = client_call(a->c, method, path, body, reply);
    }
    if (err)
        fprintf(stderr, "even replay: %s %s: %s: %.*s\n", method, path, err_text(err, LANG_EN),
                STR_FMT(*reply));
    return err;
}

static int make(struct account *a, const char *path, int64_t *id, const char *fmt, ...)
    EV_PRINTF(4, 5);
static int make(struct account *a, const char *path, int64_t *id, const char *fmt, ...)
{
    char body[2048];
    struct str reply;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(body, sizeof body, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof body)
        return ERR_TOO_LARGE;
    int err = ask(a, "POST", path, body, &reply);
    return err ? err : str_to_i64(client_member(reply, "id"), id);
}

static int terms_make(struct account *a, int64_t *tariff, int64_t *contract)
{
    struct str reply;
    int64_t self, owner;
    int err = ask(a, "GET", "/api/v1/parties", NULL, &reply);
    if (!err)
        err = str_to_i64(client_member(reply, "id"), &self);
    if (!err)
        err = make(a, "/api/v1/parties", &owner,
                   "{\"kind\":%d,\"name\":\"Replay: site owner\",\"state\":0}", PARTY_PROPERTY);
    if (!err)
        err = make(a, "/api/v1/contracts", contract,
                   "{\"name\":\"Replay 5:5\",\"from_ms\":0,\"unit\":1,\"parties\":["
                   "{\"party\":\"%" PRId64 "\",\"lines\":7,\"ratio\":5},{\"party\":\"%" PRId64
                   "\",\"lines\":7,\"ratio\":5}]}",
                   self, owner);
    if (!err)
        err = make(a, "/api/v1/tariffs", tariff,
                   "{\"name\":\"Replay\",\"from_ms\":0,\"days\":[{\"first_mmdd\":101,"
                   "\"last_mmdd\":1231,\"weekdays\":127,\"plan\":0}],\"slices\":[{\"plan\":0,"
                   "\"from_min\":0,\"label\":\"flat\",\"elec_e5\":%" PRId64
                   ",\"service_e5\":%" PRId64 "}]}",
                   a->opt.elec.v * 10, a->opt.service.v * 10);
    return err;
}

/* A JSON string with its quotes, good until the buffer is freed. */
static const char *quoted(struct buf *b, const char *text)
{
    buf_reset(b);
    buf_put_json(b, str_from_c(text));
    buf_put_char(b, 0);
    return b->err ? "\"\"" : b->p;
}

static int station_make(struct account *a, const char *site, int64_t tariff, int64_t contract,
                        int64_t *id)
{
    struct buf name;
    buf_init(&name, 1024);
    int err = make(a, "/api/v1/stations", id,
                   "{\"name\":%s,\"address\":\"\",\"zone\":\"%s\",\"lat_e7\":0,\"lng_e7\":0,"
                   "\"tariff\":\"%" PRId64 "\",\"contract\":\"%" PRId64
                   "\",\"seller\":\"Replay\",\"tax_bp\":0,\"state\":0}",
                   quoted(&name, site[0] ? site : "Replay"), a->r.zone, tariff, contract);
    buf_free(&name);
    return err;
}

static int charger_make(struct account *a, size_t i, int64_t station)
{
    struct replay_charger *c = &a->r.chargers[i];
    struct buf name;
    struct str reply = STR_NONE;
    char path[80];
    int64_t id;
    buf_init(&name, 1024);
    int err = make(a, "/api/v1/chargers", &id,
                   "{\"station\":\"%" PRId64
                   "\",\"path\":%s,\"protocol\":%d,\"name\":\"\",\"max_power_w\":%" PRId64
                   ",\"state\":0}",
                   station, quoted(&name, c->id), PROTOCOL_OCPP16, c->power_w);
    for (int32_t g = 1; !err && g <= c->guns; g++)
        err = make(a, "/api/v1/connectors", &a->connectors[i * GUNS + (size_t)g - 1],
                   "{\"charger\":\"%" PRId64 "\",\"number\":%d,\"kind\":%d,\"max_power_w\":%" PRId64
                   "}",
                   id, (int)g, c->power_w > 22000 ? CONNECTOR_DC : CONNECTOR_AC, c->power_w);
    snprintf(path, sizeof path, "/api/v1/chargers/%" PRId64 "/secret", id);
    if (!err)
        err = ask(a, "POST", path, NULL, &reply);
    if (!err)
        (void)str_copy(c->secret, sizeof c->secret, client_member(reply, "secret"));
    buf_free(&name);
    return err;
}

/* One station a site, its chargers in the order of the file. */
static int places_make(struct account *a, int64_t tariff, int64_t contract)
{
    int64_t *station = calloc(a->r.chargers_n + 1, sizeof *station);
    int err = station ? 0 : ERR_NOMEM;
    for (size_t i = 0; !err && i < a->r.chargers_n; i++) {
        size_t same = 0;
        while (strcmp(a->r.chargers[same].site, a->r.chargers[i].site) != 0)
            same++;
        if (same == i)
            err = station_make(a, a->r.chargers[i].site, tariff, contract, &station[i]);
        station[i] = station[same];
        if (!err)
            err = charger_make(a, i, station[i]);
    }
    free(station);
    return err;
}

/* A driver with a card and more money than all the sessions can cost. */
static int driver_make(struct account *a)
{
    char path[80];
    int64_t driver, id, kwh = 0;
    int err = make(a, "/api/v1/drivers", &driver,
                   "{\"phone\":\"10000000000\",\"name\":\"Replay\",\"state\":0}");
    if (!err)
        err = make(a, "/api/v1/tokens", &id,
                   "{\"driver\":\"%" PRId64 "\",\"tag\":\"" TAG "\",\"kind\":%d,\"state\":0}",
                   driver, TOKEN_CARD);
    for (size_t i = 0; i < a->r.order_n; i++)
        kwh += a->r.rows[a->r.order[i]].energy_mwh / 1000000 + 1;
    int64_t yuan = kwh * (a->opt.elec.v + a->opt.service.v) / MONEY_UNIT + 1000;
    snprintf(path, sizeof path, "/api/v1/drivers/%" PRId64 "/topups", driver);
    for (; !err && yuan > 0; yuan -= TOPUP_MOST)
        err = make(a, path, &id, "{\"amount\":\"%" PRId64 ".00\",\"note\":\"replay\"}",
                   yuan < TOPUP_MOST ? yuan : TOPUP_MOST);
    return err;
}

static int ready_make(struct account *a)
{
    int64_t tariff, contract;
    int err = terms_make(a, &tariff, &contract);
    if (!err)
        err = places_make(a, tariff, contract);
    return err ? err : driver_make(a);
}

/* ---- what became of the rows ---- */

static const char *doubt_word(int64_t doubt)
{
    static const char *const words[] = {
        "",        "placeholder",   "backwards",       "implausible",
        "no-stop", "stop-mismatch", "record-mismatch", "clock",
        "negative"};
    return doubt > 0 && doubt < (int64_t)ARRAY_LEN(words) ? words[doubt] : "doubt";
}

static int64_t number(struct str json, const char *name)
{
    int64_t v = INT64_MIN;
    int err = str_to_i64(client_member(json, name), &v);
    return err ? INT64_MIN : v;
}

static void money_count(struct money *sum, struct str json, const char *name)
{
    struct money m;
    if (money_parse(client_member(json, name), &m) == 0)
        *sum = money_add(*sum, m);
}

/* The order of one row. */
static int order_judge(struct account *a, size_t row, struct str order)
{
    const struct replay_row *r = &a->r.rows[row];
    struct verdict *v = &a->verdicts[row];
    int64_t doubt = number(order, "doubt"), id = number(order, "id");
    bool over = number(order, "state") == ORDER_SETTLED || number(order, "state") == ORDER_DOUBTFUL;
    v->billed_mwh = number(order, "energy_mwh");
    money_count(&a->total, order, "total");
    money_count(&a->paid, order, "paid");
    money_count(&a->loss, order, "loss");
    if (!over || number(order, "start_ms") != r->start_ms || v->billed_mwh < 0) {
        fprintf(stderr, "even replay: order %" PRId64 " is not the one of row %.*s\n", id,
                STR_FMT(r->id));
        a->strange++;
    }
    if (doubt) {
        char path[60];
        struct str reply;
        snprintf(path, sizeof path, "/api/v1/orders/%" PRId64, id);
        int err = ask(a, "GET", path, NULL, &reply);
        if (err)
            return err;
        v->held_mwh = number(reply, "doubt_mwh");
        v->reason = doubt_word(doubt);
        v->fate = v->held_mwh > 0 ? FATE_HELD : FATE_REJECTED;
    }
    v->rejected_mwh = r->energy_mwh - v->billed_mwh - v->held_mwh;
    /* Less than a Wh cannot be told in a register of whole Wh. */
    if (v->fate != FATE_REJECTED && (v->rejected_mwh < 0 || v->rejected_mwh >= 1000)) {
        fprintf(stderr,
                "even replay: row %.*s: %" PRId64 " mWh in the file, %" PRId64 " billed, %" PRId64
                " held\n",
                STR_FMT(r->id), r->energy_mwh, v->billed_mwh, v->held_mwh);
        a->strange++;
    }
    return 0;
}

/* All orders of a connector, the newest first, as flat objects. */
static int orders_read(struct account *a, int64_t connector, struct buf *out, size_t *n)
{
    char path[300], after[200] = "";
    *n = 0;
    buf_reset(out);
    do {
        struct str reply;
        snprintf(path, sizeof path, "/api/v1/orders?connector=%" PRId64 "&limit=%d%s%s", connector,
                 PAGE, after[0] ? "&after=" : "", after);
        int err = ask(a, "GET", path, NULL, &reply);
        if (err)
            return err;
        (void)str_copy(after, sizeof after, client_member(reply, "next"));
        for (size_t i = 1; i < reply.n; i++) {
            if (reply.p[i] != '{')
                continue;
            ptrdiff_t end = str_find(str_from(reply.p + i, reply.n - i), '}');
            buf_put(out, reply.p + i, end < 0 ? 0 : (size_t)end + 1);
            buf_put_char(out, '\n');
            ++*n;
        }
    } while (after[0] && !out->err);
    return out->err;
}

/* Orders of a connector are made in the order in which its sessions are told: the rows of one go
 * with the orders of the other, from the last to the first. */
static int connector_judge(struct account *a, size_t charger, int32_t gun, size_t *at)
{
    struct buf orders;
    size_t n, first = *at;
    const struct replay *r = &a->r;
    buf_init(&orders, LIST_CAP);
    int err = orders_read(a, a->connectors[charger * GUNS + (size_t)gun - 1], &orders, &n);
    while (*at < r->order_n && r->rows[r->order[*at]].charger == charger &&
           r->rows[r->order[*at]].connector == gun)
        ++*at;
    struct str rest = buf_str(&orders);
    for (size_t i = *at; !err && i > first; i--) {
        size_t row = r->order[i - 1];
        if (r->rows[row].reason != REPLAY_SENT)
            continue;
        struct str order = str_cut(&rest, '\n');
        if (order.n)
            err = order_judge(a, row, order);
        a->strange += !order.n;
        n -= order.n != 0;
    }
    a->strange += n; /* orders that no row made */
    buf_free(&orders);
    return err;
}

static int judge(struct account *a)
{
    size_t at = 0;
    int err = 0;
    for (size_t c = 0; !err && c < a->r.chargers_n; c++)
        for (int32_t g = 1; !err && g <= a->r.chargers[c].guns; g++)
            err = connector_judge(a, c, g, &at);
    for (size_t i = 0; i < a->r.n; i++) {
        struct verdict *v = &a->verdicts[i];
        if (a->r.rows[i].reason != REPLAY_SENT)
            *v = (struct verdict){.fate = FATE_REJECTED,
                                  .reason = replay_reason_word(a->r.rows[i].reason),
                                  .rejected_mwh = a->r.rows[i].energy_mwh};
        a->rows[v->fate]++;
        a->mwh[FATE_BILLED] += v->billed_mwh;
        a->mwh[FATE_HELD] += v->held_mwh;
        a->mwh[FATE_REJECTED] += v->rejected_mwh;
    }
    return err;
}

/* ---- telling ---- */

static void progress(void *ctx, size_t done)
{
    const struct account *a = ctx;
    size_t all = a->r.order_n ? a->r.order_n : 1;
    if (!isatty(STDERR_FILENO))
        return;
    int full = (int)(done * BAR / all);
    fprintf(stderr, "\rreplay [%.*s%.*s] %zu of %zu sessions, %zu %%%s", full,
            "##############################", BAR - full, "..............................", done,
            a->r.order_n, done * 100 / all, done == a->r.order_n ? "\n" : "");
}

static void row_name(const struct replay_row *r, char out[80])
{
    if (r->id.n)
        snprintf(out, 80, "%.*s", r->id.n < 70 ? (int)r->id.n : 70, r->id.p);
    else
        snprintf(out, 80, "line-%zu", r->line);
}

static void list_make(const struct account *a, struct buf *out)
{
    static const char *const fates[FATES] = {"billed", "held", "rejected"};
    char name[80];
    for (size_t i = 0; i < a->r.n; i++) {
        const struct verdict *v = &a->verdicts[i];
        if (v->fate == FATE_BILLED)
            continue;
        row_name(&a->r.rows[i], name);
        buf_printf(out, "%s\t%s\t%s\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\n", name,
                   fates[v->fate], v->reason, a->r.rows[i].energy_mwh, v->billed_mwh, v->held_mwh,
                   v->rejected_mwh);
    }
}

static bool line_of(struct str text, struct str line)
{
    while (text.n)
        if (str_eq(str_cut(&text, '\n'), line))
            return true;
    return false;
}

/* A list may be of a longer file than this one: only rows that are here are expected. */
static size_t expect_compare(const struct account *a, struct str expected, struct str got)
{
    size_t differ = 0;
    char name[80];
    for (struct str rest = got; rest.n;) {
        struct str line = str_cut(&rest, '\n');
        if (line_of(expected, line))
            continue;
        printf("not expected: %.*s\n", STR_FMT(line));
        differ++;
    }
    for (struct str rest = expected; rest.n;) {
        struct str line = str_cut(&rest, '\n'), after = line, id = str_cut(&after, '\t');
        bool here = false;
        for (size_t i = 0; !here && i < a->r.n; i++) {
            row_name(&a->r.rows[i], name);
            here = str_eq_c(id, name);
        }
        if (!here || !line.n || line.p[0] == '#' || line_of(got, line))
            continue;
        printf("missing: %.*s\n", STR_FMT(line));
        differ++;
    }
    return differ;
}

static int lists(const struct account *a, size_t *differ)
{
    struct buf got, expected;
    int err = 0;
    buf_init(&got, LIST_CAP);
    buf_init(&expected, LIST_CAP);
    list_make(a, &got);
    if (a->opt.list)
        err = file_write_atomic(a->opt.list, buf_str(&got), 0644);
    if (!err && a->opt.expect)
        err = file_read(a->opt.expect, LIST_CAP, &expected);
    if (err)
        fprintf(stderr, "even replay: list: %s\n", err_text(err, LANG_EN));
    else if (a->opt.expect)
        *differ = expect_compare(a, buf_str(&expected), buf_str(&got));
    buf_free(&got);
    buf_free(&expected);
    return err;
}

static void figure(const char *name, int64_t rows, int64_t mwh)
{
    struct buf kwh;
    buf_init(&kwh, 64);
    buf_put_decimal(&kwh, mwh, 6, 3);
    printf("%-9s %8" PRId64 " rows %18.*s kWh\n", name, rows, STR_FMT(buf_str(&kwh)));
    buf_free(&kwh);
}

static bool tell(const struct account *a)
{
    char total[MONEY_TEXT_SIZE], paid[MONEY_TEXT_SIZE], loss[MONEY_TEXT_SIZE];
    int64_t rows = a->rows[FATE_BILLED] + a->rows[FATE_HELD] + a->rows[FATE_REJECTED];
    int64_t mwh = a->mwh[FATE_BILLED] + a->mwh[FATE_HELD] + a->mwh[FATE_REJECTED];
    bool exact = rows == (int64_t)a->r.n && mwh == a->r.energy_mwh && !a->strange;
    figure("billed", a->rows[FATE_BILLED], a->mwh[FATE_BILLED]);
    figure("held", a->rows[FATE_HELD], a->mwh[FATE_HELD]);
    figure("rejected", a->rows[FATE_REJECTED], a->mwh[FATE_REJECTED]);
    figure("file", (int64_t)a->r.n, a->r.energy_mwh);
    money_format(a->total, total);
    money_format(a->paid, paid);
    money_format(a->loss, loss);
    printf("bills %s, paid %s, borne by the operator %s\n", total, paid, loss);
    printf("%s\n", exact ? "billed + held + rejected = file, to the row and to the mWh"
                         : "billed + held + rejected is NOT the file");
    return exact;
}

/* ---- the subcommand ---- */

static int key_use(struct account *a)
{
    char key[KEY_CAP];
    struct buf b;
    buf_init(&b, KEY_CAP);
    int err = file_read(a->opt.key_file, KEY_CAP - 1, &b);
    (void)str_copy(key, sizeof key, str_trim(buf_str(&b)));
    buf_free(&b);
    if (err)
        fprintf(stderr, "even replay: %s: %s\n", a->opt.key_file, err_text(err, LANG_EN));
    else
        client_key(a->c, key);
    return err;
}

static int run(struct account *a)
{
    int err = replay_read(a->opt.csv, a->opt.map, &a->r);
    if (!err)
        err = client_new(a->opt.web, &a->c);
    if (!err)
        err = key_use(a);
    if (err)
        return err;
    a->verdicts = calloc(a->r.n + 1, sizeof *a->verdicts);
    a->connectors = calloc(a->r.chargers_n * GUNS + 1, sizeof *a->connectors);
    err = a->verdicts && a->connectors ? ready_make(a) : ERR_NOMEM;
    if (err)
        return err;
    const struct replay_link link = {.host = a->host,
                                     .port = a->port,
                                     .path = a->path,
                                     .tag = TAG,
                                     .progress = progress,
                                     .ctx = a};
    err = replay_drive(&a->r, &link);
    if (err) {
        fprintf(stderr, "even replay: %s: %s\n", a->opt.url, err_text(err, LANG_EN));
        return err;
    }
    return judge(a);
}

int replay_main(int argc, char **argv)
{
    static struct account a;
    size_t differ = 0;
    a.opt = (struct options){.elec = MONEY(8000), .service = MONEY(4000)};
    if (argc == 1 && strcmp(argv[0], "--help") == 0)
        return usage();
    if (options_read(argc, argv, &a.opt))
        return 2;
    if (url_read(&a))
        return wrong("no address of OCPP chargers: ", a.opt.url);
    int err = run(&a);
    bool exact = !err && tell(&a);
    if (!err)
        err = lists(&a, &differ);
    client_free(a.c);
    replay_free(&a.r);
    free(a.verdicts);
    free(a.connectors);
    return err ? 70 : exact && !differ ? 0 : 1;
}
