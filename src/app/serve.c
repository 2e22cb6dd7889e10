// SPDX-License-Identifier: Apache-2.0
/* serve.c: `even serve`: puts the house together and waits for the end. Owns every part; the order
 * of opening is store, gates (silent), engine, web front, listeners, and the order of ending is its
 * reverse, so that nothing is answered that is not durable and nobody calls into what is gone. The
 * main thread keeps house (journal, memory) and reads signals. Fails with one line that says what
 * and where, exit code 70. */
#include "app/app.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "app/depot.h"
#include "app/engine.h"
#include "app/gates.h"
#include "app/metrics.h"
#include "app/notices.h"
#include "app/rails.h"
#include "app/sender.h"
#include "app/turn.h"
#include "base/err.h"
#include "base/log.h"
#include "core/rows.h"
#include "io/os/clock.h"
#include "io/os/crypto.h"
#include "io/os/file.h"
#include "io/os/thread.h"
#include "store/certify.h"
#include "store/query.h"
#include "store/store.h"
#include "web/web.h"

enum { KEY_TEXT = CRYPTO_KEY_SIZE * 2, METRICS_MAX = 120, SESSIONS_LEAST = 100000 };
enum { CERTIFY_AFTER_MS = 15000 }; /* a start has other work than the days before */

struct house {
    struct config settings;
    bool demo, empty; /* empty: no operator yet, the set-up waits */
    uint8_t key[CRYPTO_KEY_SIZE];
    char setup_token[33];
    struct store *store;
    struct store_keeper *keeper;
    struct certifier *certifier;
    struct turn *turn;
    struct engine *_Atomic engine; /* the committer and the sender ask for it */
    struct gates *gates;
    struct rails *rails;
    struct sender *sender;   /* NULL: no texts are sent */
    struct depot *depot;     /* NULL: no FTP */
    struct web *_Atomic web; /* the committer asks for it */
    struct app_metrics metrics;
    struct metric_row rows[METRICS_MAX];
    _Atomic bool ready;
};

/* ---- the installation's own secret ---- */

static int key_make(struct house *h, const char *path)
{
    char text[KEY_TEXT + 1];
    os_random(h->key, sizeof h->key);
    str_to_hex(h->key, sizeof h->key, text);
    int err = file_write_atomic(path, str_from(text, KEY_TEXT), 0600);
    crypto_wipe(text, sizeof text);
    return err;
}

static int key_load(struct house *h)
{
    char path[300];
    struct buf b;
    snprintf(path, sizeof path, "%s/key", h->settings.data_dir);
    if (!file_exists(path)) {
        if (h->empty)
            return key_make(h, path);
        /* A new one would make every charger's password and API key void without a word. */
        fprintf(stderr, "even: %s is missing; put it back from the backup\n", path);
        return ERR_NOT_FOUND;
    }
    buf_init(&b, 256);
    int err = file_read(path, 255, &b);
    struct str text = str_trim(buf_str(&b));
    if (!err)
        err = text.n == KEY_TEXT ? str_from_hex(text, h->key, sizeof h->key) : ERR_SYNTAX;
    if (err)
        fprintf(stderr, "even: %s: %s\n", path, err_text(err, LANG_EN));
    buf_free(&b);
    return err;
}

/* ---- which kind of database this is: only a demonstration's clock may run faster and show log-in
 * codes ---- */

static int on_value(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    (void)str_copy(ctx, 32, v[0].s);
    return 0;
}

static int kind_mark(struct house *h)
{
    struct row_fact row = {.name = "kind", .value = h->demo ? "demo" : "real"};
    struct buf b;
    buf_init(&b, 4096);
    row_pack(&b, ROW_FACT, ROW_UPSERT, &row);
    int err = b.err ? b.err : store_commit(h->store, buf_str(&b), STR_NONE);
    buf_free(&b);
    return err;
}

static int on_count(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    *(bool *)ctx = v[0].i == 0;
    return 0;
}

static int kind_check(struct house *h)
{
    struct store_reader *r;
    char kind[32] = "";
    int err = store_reader_open(h->store, &r);
    if (err)
        return err;
    struct sql_value name = SQL_TEXT(STR_LIT("kind"));
    err = store_query(r, QUERY_TENANT_COUNT, NULL, 0, on_count, &h->empty);
    if (!err)
        err = store_query(r, QUERY_FACT_GET, &name, 1, on_value, kind);
    store_reader_close(r);
    if (err == ERR_NOT_FOUND)
        return kind_mark(h);
    if (err)
        return err;
    if (h->demo != (strcmp(kind, "demo") == 0)) {
        fprintf(stderr, "even: %s holds a %s installation; start it %s --demo\n",
                h->settings.data_dir, kind, h->demo ? "without" : "with");
        return ERR_CONFLICT;
    }
    return 0;
}

static int clock_set(struct house *h)
{
    int64_t ledger_ms = 0;
    if (h->settings.demo_speed == 1)
        return 0;
    if (!h->demo) {
        fprintf(stderr, "even: demo.speed needs a demonstration; this is a real installation\n");
        return ERR_CONFLICT;
    }
    int err = store_ledger_time(h->store, &ledger_ms);
    int64_t now = os_now_ms();
    os_clock_speed_set((int32_t)h->settings.demo_speed, ledger_ms > now ? ledger_ms : now);
    return err;
}

/* ---- joints ---- */

/* The gates' way in: a turn of a reactor wakes the core once. */
static int put(void *ctx, const struct cmd *cmd)
{
    struct house *h = ctx;
    return engine_put(h->engine, cmd);
}

static void put_end(void *ctx)
{
    struct house *h = ctx;
    engine_wake(h->engine);
}

/* Nobody would hear the answer before the front is known to the committer. */
static int submit_web(void *ctx, const struct cmd *cmd)
{
    struct house *h = ctx;
    return atomic_load(&h->web) ? engine_submit(h->engine, cmd) : ERR_AGAIN;
}

/* Where nobody sends texts, the order says so. */
static void deliver_notice(struct house *h, const struct out *out)
{
    struct engine *e = atomic_load(&h->engine);
    struct cmd cmd;
    if (h->sender) {
        sender_notice(h->sender, out);
    } else if (e) {
        notice_result_make(&out->u.notice, out->cause, NOTICE_NOT_SENT,
                           h->demo ? "demo" : "no-sender", &cmd);
        (void)!engine_submit(e, &cmd);
    }
}

static void deliver(void *ctx, const struct out *out)
{
    struct house *h = ctx;
    struct web *web = atomic_load_explicit(&h->web, memory_order_acquire);
    bool to_web = out->type == OUT_EVENT || (out->type == OUT_REPLY && out->to.kind == FROM_WEB);
    if (out->type == OUT_PAY)
        rails_deliver(h->rails, out);
    else if (out->type == OUT_NOTICE)
        deliver_notice(h, out);
    else if (!to_web)
        gates_deliver(h->gates, out);
    else if (web)
        web_deliver(web, out);
}

static void deliver_end(void *ctx)
{
    struct house *h = ctx;
    struct web *web = atomic_load_explicit(&h->web, memory_order_acquire);
    gates_delivered(h->gates);
    rails_delivered(h->rails);
    if (web)
        web_delivered(web);
}

static void deliver_text(void *ctx, const struct out *out)
{
    struct house *h = ctx;
    struct web *web = atomic_load_explicit(&h->web, memory_order_acquire);
    if (!web)
        return; /* nobody asked */
    web_deliver(web, out);
    web_delivered(web);
}

/* The sender runs a moment before and after the engine does. */
static int submit_notice(void *ctx, const struct cmd *cmd)
{
    struct house *h = ctx;
    struct engine *e = atomic_load(&h->engine);
    return e ? engine_submit(e, cmd) : ERR_FULL;
}

static int notice(void *ctx, const struct web_notice *n, struct cmd_pay_result *result,
                  struct str *thanks)
{
    struct house *h = ctx;
    struct rail_reply in = {
        .body = n->body, .header = n->header, .ctx = n->ctx, .now_ms = os_wall_ms()};
    return rails_notice(h->rails, n->channel, &in, result, thanks) == RAIL_TAKEN ? 0 : ERR_DENIED;
}

static int submit_other(void *ctx, const struct cmd *cmd)
{
    struct house *h = ctx;
    return engine_submit(h->engine, cmd);
}

static bool is_ready(void *ctx, const char **why)
{
    struct house *h = ctx;
    *why = "starting or draining";
    return atomic_load_explicit(&h->ready, memory_order_acquire);
}

/* ---- opening ---- */

static int store_begin(struct house *h)
{
    struct store_config sc = {.dir = h->settings.data_dir,
                              .db = h->settings.data_db,
                              .create = true,
                              .sessions = SESSIONS_LEAST + (uint32_t)h->settings.limits_orders};
    int err = store_open(&sc, &h->store);
    if (err) {
        fprintf(stderr, "even: %s: %s\n", h->settings.data_dir, err_text(err, LANG_EN));
        return err;
    }
    err = kind_check(h);
    if (!err)
        err = key_load(h);
    if (!err)
        err = clock_set(h);
    if (!err)
        err = store_keeper_open(h->store, &h->keeper);
    if (!err)
        err = certifier_open(h->store, os_now_ms() + CERTIFY_AFTER_MS, &h->certifier);
    return err;
}

static int engine_begin(struct house *h)
{
    struct gates_config gc = {
        .settings = &h->settings, .submit = put, .submitted = put_end, .ctx = h, .key = h->key};
    struct engine_config ec = {.settings = &h->settings,
                               .key = h->key,
                               .store = h->store,
                               .metrics = &h->metrics,
                               .deliver = deliver,
                               .delivered = deliver_end,
                               .ctx = h};
    struct rails_config rc = {.settings = &h->settings,
                              .store = h->store,
                              .submit = submit_other,
                              .ctx = h,
                              .key = h->key};
    struct engine *engine = NULL;
    int err = gates_new(&gc, &h->gates);
    if (!err)
        err = rails_new(&rc, &h->rails);
    if (!err)
        err = engine_start(&ec, &engine);
    atomic_store(&h->engine, engine);
    const struct turn_config tc = {.store = h->store,
                                   .submit = submit_other,
                                   .ctx = h,
                                   .first_ms = os_now_ms() + CERTIFY_AFTER_MS};
    return err ? err : turn_open(&tc, &h->turn);
}

static int depot_begin(struct house *h)
{
    struct depot_config dc = {.settings = &h->settings,
                              .store = h->store,
                              .submit = submit_other,
                              .ctx = h,
                              .key = h->key};
    if (h->settings.ftp_port == 0)
        return 0;
    int err = depot_start(&dc, &h->depot);
    if (err)
        fprintf(stderr,
                "even: cannot serve FTP on %s:%d (ftp.bind, ftp.address, ftp.passive_*): %s\n",
                h->settings.ftp_bind, (int)h->settings.ftp_port, err_text(err, LANG_EN));
    return err;
}

/* A demonstration shows its codes; a real installation that sends none has no drivers. */
static int sender_begin(struct house *h)
{
    struct sender_config sc = {
        .settings = &h->settings, .deliver = deliver_text, .submit = submit_notice, .ctx = h};
    if (h->demo)
        return 0;
    if (!h->settings.texts_kind[0]) {
        log_line(LOG_WARN, "text", 0, "texts.kind is not set: no driver can log in");
        return 0;
    }
    return sender_new(&sc, &h->sender);
}

/* Rows of one name stand together; the front's own last row is a stage, too. */
static uint32_t metrics_list(struct house *h)
{
    static const char stage[] = "even_stage_seconds", help[] = "Time per stage";
    struct app_metrics *m = &h->metrics;
    const struct metric_row own[] = {
        {stage, "stage=\"queue\"", help, METRIC_HISTOGRAM, NULL, &m->queue},
        {stage, "stage=\"apply\"", help, METRIC_HISTOGRAM, NULL, &m->apply},
        {stage, "stage=\"commit\"", help, METRIC_HISTOGRAM, NULL, &m->commit},
        {"even_commands_total", "", "Commands applied", METRIC_COUNTER, &m->commands, NULL},
        {"even_commits_total", "", "Batches committed", METRIC_COUNTER, &m->commits, NULL},
        {"even_orders_open", "", "Orders in progress", METRIC_GAUGE, &m->orders_open, NULL},
        {"even_chargers_online", "", "Chargers connected", METRIC_GAUGE, &m->chargers_online, NULL},
        {"even_inbox_bytes", "", "Bytes waiting for the core", METRIC_GAUGE, &m->inbox_bytes, NULL},
        {"even_store_rows_total", "", "Rows written", METRIC_COUNTER, &m->store_rows, NULL},
        {"even_store_samples_total", "", "Samples written", METRIC_COUNTER, &m->store_samples,
         NULL},
        {"even_store_blocks_total", "", "Blocks of samples sealed", METRIC_COUNTER,
         &m->store_blocks, NULL},
        {"even_store_tails", "", "Sessions with unsealed samples", METRIC_GAUGE, &m->store_tails,
         NULL},
        {"even_store_log_bytes", "", "Size of the sample log", METRIC_GAUGE, &m->store_log_bytes,
         NULL},
    };
    _Static_assert(ARRAY_LEN(own) + GATES_METRICS + RAILS_METRICS + SENDER_METRICS <= METRICS_MAX,
                   "room for every figure");
    memcpy(h->rows, own, sizeof own);
    uint32_t n = ARRAY_LEN(own) + gates_metrics(h->gates, h->rows + ARRAY_LEN(own));
    n += rails_metrics(h->rails, h->rows + n);
    return n + sender_metrics(h->sender, h->rows + n);
}

static uint32_t models(void *ctx, struct metric_row *rows, uint32_t max)
{
    const struct house *h = ctx;
    return gates_models(h->gates, rows, max);
}

static int web_begin(struct house *h)
{
    struct web *web = NULL;
    const struct config *c = &h->settings;
    char daily[300];
    struct web_config wc = {
        .bind = c->web_bind,
        .port = (uint16_t)c->web_port,
        .threads = (uint32_t)c->web_threads,
        .demo = h->demo,
        .behind_tls = c->web_secure != 0,
        .base_url = c->web_url[0] ? c->web_url : NULL,
        .proxies = c->web_proxies[0] ? c->web_proxies : NULL,
        .setup_token = h->setup_token,
        .dir = c->data_dir,
        .store = h->store,
        .daily = daily,
        .submit = submit_web,
        .submit_ctx = h,
        .ready = is_ready,
        .ready_ctx = h,
        .notice = notice,
        .notice_ctx = h,
        .metrics = h->rows,
        .metrics_n = metrics_list(h),
        .metrics_more = models,
        .metrics_ctx = h,
        .watch_min = (int32_t)c->frames_watch_min,
        .firmware_max = c->firmware_max_mb << 20,
        .firmware_total = c->firmware_total_mb << 20,
        .disk_reserve = c->data_reserve_mb << 21, /* twice what new charges need */
        .firmware_link_ms = c->firmware_link_h * 3600000,
        .ftp_address = h->depot ? depot_address(h->depot) : NULL,
        .ftp_port = (uint16_t)c->ftp_port,
        .bill_diffs = (int32_t)c->limits_bill_diffs,
        .texts = h->sender ? sender_door(h->sender) : NULL,
    };
    wc.frames_n = gates_frames(h->gates, &wc.frames, &wc.watch);
    os_random_text(h->setup_token, 32);
    snprintf(daily, sizeof daily, "%s/daily", c->data_dir);
    memcpy(wc.key, h->key, sizeof wc.key);
    int err = web_start(&wc, &web);
    atomic_store(&h->web, web);
    if (err)
        fprintf(stderr, "even: cannot serve pages on %s:%d: %s\n", c->web_bind, (int)c->web_port,
                err_text(err, LANG_EN));
    return err;
}

/* Providers reach us under the address of the pages. */
static int rails_begin(struct house *h)
{
    char base[300];
    const struct config *c = &h->settings;
    bool all = strcmp(c->web_bind, "0.0.0.0") == 0 || strcmp(c->web_bind, "::") == 0;
    snprintf(base, sizeof base, "http://%s:%u", all ? "127.0.0.1" : c->web_bind, web_port(h->web));
    return rails_start(h->rails, c->web_url[0] ? c->web_url : base);
}

static int house_open(struct house *h)
{
    uint16_t ocpp = 0, ykc = 0;
    int err = store_begin(h);
    if (!err)
        err = sender_begin(h); /* the committer hands it notices */
    if (!err)
        err = engine_begin(h);
    if (!err)
        err = depot_begin(h);
    if (!err)
        err = web_begin(h);
    if (!err)
        err = rails_begin(h);
    if (!err && h->sender)
        err = sender_start(h->sender);
    if (!err)
        err = gates_listen(h->gates, &ocpp, &ykc);
    if (!err)
        err = gates_start(h->gates, engine_wake_fd(h->engine));
    if (err)
        return err;
    atomic_store_explicit(&h->ready, true, memory_order_release);
    printf("even: pages    http://%s:%u/  (drivers /d, partners /p)\n", h->settings.web_bind,
           web_port(h->web));
    printf("even: OCPP     ws://%s:%u/ocpp/<charger>\n", h->settings.charge_bind, ocpp);
    if (h->depot)
        printf("even: FTP      %s:%d  (firmware, told to piles as %s)\n", h->settings.ftp_bind,
               (int)h->settings.ftp_port, depot_address(h->depot));
    printf("even: 云快充   %s:%u\n", h->settings.charge_bind, ykc);
    if (h->empty)
        printf("even: first-run set-up from another machine needs this token: %s\n",
               h->setup_token);
    return fflush(stdout) == 0 ? 0 : ERR_IO;
}

static void house_close(struct house *h)
{
    atomic_store_explicit(&h->ready, false, memory_order_release);
    depot_stop(h->depot);
    if (h->gates)
        gates_stop(h->gates);
    if (h->rails)
        rails_stop(h->rails);
    sender_stop(h->sender);
    if (h->engine)
        engine_stop(h->engine);
    web_stop(h->web);
    gates_free(h->gates);
    engine_free(h->engine);
    rails_free(h->rails);
    sender_free(h->sender);
    turn_close(h->turn);
    certifier_close(h->certifier);
    store_keeper_close(h->keeper);
    if (h->engine && store_leave(h->store, os_now_ms()) != 0)
        log_line(LOG_WARN, "serve", 0, "the next start has to look who is away");
    store_close(h->store);
    crypto_wipe(h->key, sizeof h->key);
}

static int house_keep(struct house *h)
{
    engine_trim(h->engine);
    int err = store_keeper_run(h->keeper);
    if (err)
        log_line(LOG_WARN, "serve", 0, "housekeeping: %s", err_text(err, LANG_EN));
    int made = certifier_run(h->certifier, os_now_ms());
    if (made)
        log_line(LOG_WARN, "serve", 0, "certificates of the day: %s", err_text(made, LANG_EN));
    int turned = turn_run(h->turn, os_now_ms());
    if (turned)
        log_line(LOG_WARN, "serve", 0, "the daily turn: %s", err_text(turned, LANG_EN));
    return err;
}

/* 0 when a signal asked for the end; ERR_LOCKED when this program may not write any more. */
static int wait_for_end(struct house *h)
{
    os_thread_step_back(); /* moving the journal can wait, commits cannot */
    for (;;) {
        int sig = os_signals_wait(1000);
        if (sig == SIGHUP) {
            rails_reload(h->rails);
            sender_reload(h->sender);
            continue;
        }
        if (sig != 0) {
            log_line(LOG_NOTE, "serve", 0, "signal %d: draining", sig);
            return 0;
        }
        int err = house_keep(h);
        if (err == ERR_LOCKED)
            return err; /* a server's database that another program has taken over */
    }
}

int serve_main(int argc, char **argv)
{
    static struct house h; /* large, one a process */
    int res = app_options(&argc, argv, &h.settings);
    if (res)
        return res;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--demo") != 0) {
            fprintf(stderr, "even: serve: what is %s?\n", argv[i]);
            return 2;
        }
        h.demo = true;
    }
    log_set_level((enum log_level)h.settings.log_level);
    umask(077); /* what we keep is nobody else's to read */
    int err = house_open(&h);
    if (!err)
        err = wait_for_end(&h);
    house_close(&h);
    return err ? 70 : 0;
}
