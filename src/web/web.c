// SPDX-License-Identifier: Apache-2.0
/* web.c: start and stop of the front, and what all its files share: the guard, the zones. See web.h
 * and state.h.
 *
 * Invariants:
 *  1. Threads are stopped in the order HTTP accept, password worker, desk, pump, HTTP pool, so that
 *     nobody resumes a connection that is gone.
 *  2. web_stop works on a front that was only half started. */
#include "web/web.h"

#include <stdlib.h>
#include "base/err.h"
#include "base/log.h"
#include "io/os/clock.h"
#include "io/os/zonefile.h"
#include "store/query.h"
#include "web/assets.h"
#include "web/state.h"

enum { LOCK_WAIT_MS = INT32_MAX, DRAIN_MS = 2000, DRAIN_STEP_MS = 5 };
enum { MORE_READERS = 2 }; /* of the pump and the desk, beside one a thread */
enum { LINES_NEW = 64 };   /* connections of one network that never completed a request */

void web_lock(struct web *w)
{
    (void)os_pool_take(w->guard, LOCK_WAIT_MS);
}

void web_unlock(struct web *w)
{
    os_pool_give(w->guard, w);
}

const struct zone *web_zone_get(struct web *w, const char *name)
{
    struct zone *zone = NULL;
    uint32_t i;

    web_lock(w);
    for (i = 0; i < w->zones_n && strcmp(w->zones[i].name, name) != 0; i++)
        ;
    if (i == w->zones_n && i < WEB_ZONES_MAX && os_zone_load(name, &w->zones[i].zone) == 0) {
        str_copy(w->zones[i].name, sizeof(w->zones[i].name), str_from_c(name));
        w->zones_n++;
    }
    if (i < w->zones_n)
        zone = w->zones[i].zone;
    web_unlock(w);
    return zone;
}

static void config_defaults(struct web_config *c)
{
    if (c->bind == NULL)
        c->bind = "127.0.0.1";
    if (c->threads == 0)
        c->threads = 3;
    if (c->threads > WEB_READERS_MAX - MORE_READERS)
        c->threads = WEB_READERS_MAX - MORE_READERS;
    if (c->connections == 0)
        c->connections = 2048;
    if (c->per_address == 0)
        c->per_address = c->connections / 2;
    if (c->request_s == 0)
        c->request_s = 40;
    if (c->in_flight == 0)
        c->in_flight = 1024;
    if (c->rate_s == 0)
        c->rate_s = 200;
    if (c->watch_min == 0)
        c->watch_min = 30;
    if (c->firmware_max == 0)
        c->firmware_max = INT64_C(64) << 20;
    if (c->firmware_total == 0)
        c->firmware_total = INT64_C(2048) << 20;
    if (c->bill_diffs == 0)
        c->bill_diffs = 50000;
    if (c->firmware_link_ms == 0)
        c->firmware_link_ms = INT64_C(86400000);
}

static int readers_open(struct web *w)
{
    void *items[WEB_READERS_MAX];
    int err = 0;

    while (err == 0 && w->readers_n < w->cfg.threads + MORE_READERS) {
        err = store_reader_open(w->cfg.store, &w->reader[w->readers_n]);
        if (err == 0) {
            items[w->readers_n] = w->reader[w->readers_n];
            w->readers_n++;
        }
    }
    return err != 0 ? err : os_pool_new(items, w->readers_n, &w->readers);
}

/* The same at every start of this installation. */
static uint64_t daily_seed(const struct web *w)
{
    uint8_t own[CRYPTO_HASH_SIZE];
    uint64_t seed;

    crypto_keyed_hash(w->cfg.key, STR_LIT("daily"), own);
    memcpy(&seed, own, sizeof(seed));
    return seed;
}

static int state_init(struct web *w)
{
    void *self = w;
    uint64_t seed = os_random_u64();
    int err = os_pool_new(&self, 1, &w->guard);

    slab_init(&w->slots, sizeof(struct slot), w->cfg.in_flight);
    replica_init(&w->replica, seed + 1);
    events_init(&w->events, seed + 5);
    w->seq = (uint64_t)os_now_ms() << 16;
    if (err == 0)
        err = sessions_init(&w->sessions, seed + 6);
    if (err == 0)
        err = quotas_init(&w->quotas, seed + 7);
    if (err == 0)
        err = codes_init(&w->codes, seed + 8);
    if (err == 0)
        err = daily_open(&w->daily, w->cfg.daily, daily_seed(w));
    if (err == 0 && w->cfg.texts != NULL)
        w->daily.most[DAILY_CODE_NET] = w->cfg.texts->per_net;
    w->seed = seed + 9;
    if (err == 0)
        err = lines_init(&w->lines, w->cfg.connections, w->cfg.per_address, LINES_NEW);
    return err;
}

int web_start(const struct web_config *config, struct web **out)
{
    struct web *w = calloc(1, sizeof(*w));
    int err;

    *out = NULL;
    if (w == NULL)
        return ERR_NOMEM;
    w->cfg = *config;
    config_defaults(&w->cfg);
    err = state_init(w);
    if (err == 0)
        err = readers_open(w);
    if (err == 0)
        err = pump_start(w);
    if (err == 0)
        err = password_start(w);
    if (err == 0)
        err = desk_start(w);
    if (err == 0)
        err = front_start(w);
    if (err != 0) {
        web_stop(w);
        return err;
    }
    log_line(LOG_NOTE, "web", 0, "listening on %s port %u", w->cfg.bind, w->port);
    *out = w;
    return 0;
}

uint16_t web_port(const struct web *w)
{
    return w->port;
}

void web_stop(struct web *w)
{
    if (w == NULL)
        return;
    if (w->daemon != NULL)
        front_quiesce(w);
    worker_stop(&w->hasher);
    worker_stop(&w->desk.worker);
    if (w->pump != NULL)
        pump_stop(w);
    for (int ms = 0; w->open > 0 && ms < DRAIN_MS; ms += DRAIN_STEP_MS)
        os_sleep_ms(DRAIN_STEP_MS); /* the answers are on their way */
    if (w->daemon != NULL)
        front_stop(w);
    worker_free(&w->hasher);
    worker_free(&w->desk.worker);
    mailbox_free(w->mail);
    for (uint32_t i = 0; i < w->readers_n; i++)
        store_reader_close(w->reader[i]);
    os_pool_free(w->readers);
    for (uint32_t i = 0; i < w->zones_n; i++)
        zone_free(w->zones[i].zone);
    events_free(&w->events);
    replica_free(&w->replica);
    codes_free(&w->codes);
    daily_close(&w->daily);
    lines_free(&w->lines);
    quotas_free(&w->quotas);
    sessions_free(&w->sessions);
    slab_free(&w->slots);
    os_pool_free(w->guard);
    crypto_wipe(w, sizeof(*w));
    free(w);
}

static struct str asset_text(const char *path)
{
    const struct asset *a = asset_find(str_from_c(path));

    return a != NULL ? a->body : STR_LIT("");
}

struct str web_openapi(void)
{
    return asset_text("api/openapi.json");
}

struct str web_typescript(void)
{
    return asset_text("api/api.gen.ts");
}
